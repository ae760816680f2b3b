//! In which form a document was asked for: JSON, or XML when `Accept` prefers it (RFC 9110, section 12.5.1).

/// The form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/json`.
    Json,
    /// `application/xml`.
    Xml,
}

impl Form {
    /// Chooses by an `Accept` value. Whoever takes both alike gets the one named first, and JSON when none is named.
    ///
    /// Whoever takes neither gets JSON: a document that is there says more than a refusal.
    pub fn by_accept(accept: Option<&str>) -> Self {
        let ranges: Vec<_> = accept
            .unwrap_or("*/*")
            .split(',')
            .filter_map(Range::read)
            .collect();
        let json = wanted(&ranges, "application", &["json"]);
        let xml = wanted(&ranges, "application", &["xml"]).max(wanted(&ranges, "text", &["xml"]));
        if xml > json { Self::Xml } else { Self::Json }
    }

    /// The type of the answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml;charset=UTF-8",
        }
    }
}

/// One media range with its weight, in thousandths.
struct Range {
    kind: String,
    subtype: String,
    weight: u32,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
        let range = parts.next()?;
        let (kind, subtype) = range.split_once('/')?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").map(thousandths));
        Some(Self {
            kind: kind.to_owned(),
            subtype: subtype.to_owned(),
            weight: weight.unwrap_or(1000),
        })
    }

    /// How exactly it names a type; 0: not at all.
    fn names(&self, kind: &str, subtypes: &[&str]) -> u8 {
        match (self.kind.as_str(), self.subtype.as_str()) {
            (named, subtype) if named == kind && subtypes.contains(&subtype) => 3,
            (named, "*") if named == kind => 2,
            ("*", "*") => 1,
            _ => 0,
        }
    }
}

/// How much a type is wanted: weight, whether it was named itself, and how early.
fn wanted(ranges: &[Range], kind: &str, subtypes: &[&str]) -> (u32, bool, usize) {
    let matching = ranges
        .iter()
        .enumerate()
        .filter(|(_, range)| range.names(kind, subtypes) > 0);
    let best = matching.max_by_key(|(at, range)| (range.names(kind, subtypes), usize::MAX - at));
    best.map_or((0, false, 0), |(at, range)| {
        let itself = range.names(kind, subtypes) == 3 && range.weight > 0;
        (range.weight, itself, usize::MAX - at)
    })
}

/// `0.85` as 850 (RFC 9110, section 12.4.2); what is no weight counts fully.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = format!("{fraction}000").chars().take(3).collect();
    match (whole, digits.parse::<u32>()) {
        ("0" | "", Ok(fraction)) => fraction,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_for_whoever_asks_for_it() {
        for (accept, form) in [
            (None, Form::Json),
            (Some("*/*"), Form::Json),
            (Some(""), Form::Json),
            (Some("application/json"), Form::Json),
            (Some("application/xml"), Form::Xml),
            (Some("text/xml"), Form::Xml),
            (Some("application/xml, */*"), Form::Xml),
            (Some("*/*, application/xml;q=0.1"), Form::Json),
            (Some("application/json, application/xml"), Form::Json),
            (Some("application/xml, application/json"), Form::Xml),
            (Some("application/xml;q=0.5, application/json;q=0.4"), Form::Xml),
            (
                Some("Application/XML ; Q=0.3, application/json;q=0.4"),
                Form::Json,
            ),
            (Some("application/xml;q=0, application/json;q=0.001"), Form::Json),
            (
                Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
                Form::Xml,
            ),
            (
                Some("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
                Form::Json,
            ),
            (Some("image/png"), Form::Json),
            (Some(";;;,q=1,/"), Form::Json),
        ] {
            assert_eq!(Form::by_accept(accept), form, "{accept:?}");
        }
    }
}
