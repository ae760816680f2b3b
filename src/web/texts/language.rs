//! Which language a browser's user reads best (RFC 9110, section 12.5.4).

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::http::negotiate::weighted_values;

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
        for (range, weight) in weighted_values(headers, &ACCEPT_LANGUAGE) {
            match Self::in_range(range) {
                Some(language) if weight > best.1 => best = (language, weight),
                _ => {}
            }
        }
        best.0
    }

    /// The language that a range such as `de-AT` or `*` names.
    fn in_range(range: &str) -> Option<Self> {
        let primary = range.split('-').next().unwrap_or(range);
        if primary == "*" {
            return Some(Self::default());
        }
        let is_it = |language: &Self| language.texts().lang.eq_ignore_ascii_case(primary);
        Self::ALL.into_iter().find(is_it)
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
        let long = format!("{}ja", "fr,".repeat(50));
        headers.clear();
        headers.append(ACCEPT_LANGUAGE, HeaderValue::try_from(long).unwrap());
        assert_eq!(Language::of(&headers), Language::English);
    }
}
