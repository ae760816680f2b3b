//! Values of header fields (RFC 9110, section 5): single ones, lists, and lists with weights.

use http::header::AsHeaderName;
use http::{HeaderMap, HeaderName, HeaderValue};

/// More than one field has a name that only one may have.
#[derive(Debug)]
pub struct Repeated;

/// Returns the value of the only field of a name; `None` if there is none.
///
/// # Errors
///
/// There are several.
pub fn at_most_one(headers: &HeaderMap, name: impl AsHeaderName) -> Result<Option<&HeaderValue>, Repeated> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Repeated),
        (value, None) => Ok(value),
    }
}

/// Splits all fields of a name at their commas (RFC 9110, section 5.6.1). Fields that are not ASCII are left out.
pub fn list_values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let fields = headers.get_all(name).iter();
    let fields = fields.filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',').map(str::trim))
}

/// Parses all fields of a name (`Accept`, `Accept-Language`) into values and their weights in thousandths, in order. A value
/// without a weight has 1000; a weight of 0 means "not acceptable". Values with a malformed weight are left out, and so are all
/// after the first 50.
pub fn weighted_values<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = (&'a str, u16)> {
    let values = list_values(headers, name).take(MAX_VALUES);
    values.filter_map(|value| {
        let (value, parameters) = value.split_once(';').unwrap_or((value, ""));
        let mut weight = 1000;
        let parameters = parameters.split(';').map(str::trim);
        for parameter in parameters.filter(|text| !text.is_empty()) {
            let (name, value) = parameter.split_once('=')?;
            if name.trim().eq_ignore_ascii_case("q") {
                weight = parse_weight(value.trim())?;
            }
        }
        Some((value.trim(), weight))
    })
}

/// Parses `0.8` as 800 (RFC 9110, section 12.4.2): at most three digits after the point, and at most 1.
fn parse_weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_valid = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| is_valid)?;
    match (whole, fraction) {
        ("0", _) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

const MAX_VALUES: usize = 50;
