//! Which language a browser's user reads best (RFC 9110, section 12.5.4).

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use super::{Texts, english, german, japanese};

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::web) enum Language {
    /// The one for whoever reads none of them.
    #[default]
    English,
    /// 日本語
    Japanese,
    /// Deutsch
    German,
}

impl Language {
    /// All of them, the default first.
    pub(in crate::web) const ALL: [Self; 3] = [Self::English, Self::Japanese, Self::German];

    /// The language of the highest quality, and of two the one that is named first. `de-AT` is German, `*` is English,
    /// and a quality of zero means never.
    pub(in crate::web) fn of(headers: &HeaderMap) -> Self {
        let mut best = (Self::default(), 0);
        let fields = headers.get_all(ACCEPT_LANGUAGE).iter();
        let ranges = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','))
            .take(MOST_RANGES);
        for (language, quality) in ranges.filter_map(range) {
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }

    /// Its catalogue.
    pub(in crate::web) const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &english::TEXTS,
            Self::Japanese => &japanese::TEXTS,
            Self::German => &german::TEXTS,
        }
    }
}

/// `de-AT;q=0.8`: a language that we have, and its quality in thousandths.
fn range(text: &str) -> Option<(Language, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next()?;
    let mut quality = 1000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("q") {
            quality = thousandths(value.trim())?;
        }
    }
    let primary = tag.split('-').next().unwrap_or(tag);
    let language = if primary == "*" {
        Language::default()
    } else {
        let known = |language: &Language| language.texts().lang.eq_ignore_ascii_case(primary);
        Language::ALL.into_iter().find(known)?
    };
    Some((language, quality))
}

/// `0.8` as 800 (RFC 9110, section 12.4.2): at most three digits, and nothing above 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match (whole, fraction) {
        ("0", _) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// Browsers name a handful.
const MOST_RANGES: usize = 50;

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_best_language_that_we_have_is_chosen() {
        for (asked, language) in [
            ("", Language::English),
            ("ja", Language::Japanese),
            ("de-AT,de;q=0.9,en;q=0.8", Language::German),
            ("DE", Language::German),
            ("fr,it;q=0.9", Language::English),
            ("fr, de;q=0.3, ja;q=0.7", Language::Japanese),
            ("en;q=0.5,ja;q=0.5", Language::English),
            ("de;q=0.1,*;q=0.5", Language::English),
            ("ja;q=0, de;q=0.001", Language::German),
            ("ja ; q = 1.000 , en", Language::Japanese),
            ("jam, deu", Language::English),
            ("ja;q=2, de;q=0.1", Language::German),
            (
                "ja;q=0.1234, ja;q=-1, ja;q=1.1, ja;q=, ja;x, de;q=0.1",
                Language::German,
            ),
            (",,;;q=1,=", Language::English),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(asked))]);
            assert_eq!(Language::of(&headers), language, "{asked:?}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }

    #[test]
    fn fields_are_read_together_and_not_for_ever() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_LANGUAGE, HeaderValue::from_static("en;q=0.4"));
        headers.append(ACCEPT_LANGUAGE, HeaderValue::from_bytes(b"de\xff").unwrap());
        headers.append(ACCEPT_LANGUAGE, HeaderValue::from_static("de;q=0.6"));
        assert_eq!(Language::of(&headers), Language::German);
        let long = format!("{}ja", "fr,".repeat(MOST_RANGES));
        headers.clear();
        headers.append(ACCEPT_LANGUAGE, HeaderValue::try_from(long).unwrap());
        assert_eq!(Language::of(&headers), Language::English);
    }
}
