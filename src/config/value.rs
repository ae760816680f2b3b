//! From a value as written to a value that means something.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use super::duration;
use super::file::{Kind, Value};
use super::remark::Wrong;

/// What can be read from one value.
pub(super) trait FromValue: Sized {
    /// Reads it, or says what it should have been.
    fn from_value(value: &Value) -> Result<Self, Wrong>;
}

/// Says that a value is of another kind than the wanted one.
pub(super) fn unexpected(wanted: &str, value: &Value) -> String {
    format!("expected {wanted}, found {}", value.describe())
}

impl FromValue for String {
    fn from_value(value: &Value) -> Result<Self, Wrong> {
        match &value.kind {
            Kind::Text(text) | Kind::Variable(text) if text.is_empty() => {
                Err(Wrong::new("it is empty", "write a text, or leave the key out"))
            }
            Kind::Text(text) | Kind::Variable(text) => Ok(text.clone()),
            _ => Err(Wrong::new(unexpected("a text", value), "write it in quotes")),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Result<Self, Wrong> {
        match &value.kind {
            Kind::Boolean(flag) => Ok(*flag),
            Kind::Variable(text) if text == "true" => Ok(true),
            Kind::Variable(text) if text == "false" => Ok(false),
            _ => Err(Wrong::new(
                unexpected("true or false", value),
                "write true or false, without quotes",
            )),
        }
    }
}

impl FromValue for u32 {
    fn from_value(value: &Value) -> Result<Self, Wrong> {
        const REMEDY: &str = "write a whole number from 1 on, without quotes";
        let number = match &value.kind {
            Kind::Integer(number) => Self::try_from(*number).ok(),
            Kind::Variable(text) => text.parse().ok(),
            _ => return Err(Wrong::new(unexpected("a number", value), REMEDY)),
        };
        number
            .filter(|number| *number > 0)
            .ok_or_else(|| Wrong::new("this number is not possible here", REMEDY))
    }
}

impl FromValue for Duration {
    fn from_value(value: &Value) -> Result<Self, Wrong> {
        match &value.kind {
            Kind::Text(text) | Kind::Variable(text) => duration::parse(text),
            Kind::Integer(seconds) => Err(Wrong::new(
                unexpected("a duration", value),
                format!("write the unit too, in quotes: \"{seconds}s\""),
            )),
            _ => Err(Wrong::new(unexpected("a duration", value), duration::REMEDY)),
        }
    }
}

impl FromValue for SocketAddr {
    fn from_value(value: &Value) -> Result<Self, Wrong> {
        const REMEDY: &str =
            "write an IP address and a port: \"127.0.0.1:9080\", or \"0.0.0.0:9080\" for all interfaces";
        let text = String::from_value(value).map_err(|Wrong { wrong, .. }| Wrong::new(wrong, REMEDY))?;
        text.parse()
            .map_err(|_| Wrong::new(format!("{text:?} is not an address and a port"), REMEDY))
    }
}

impl FromValue for IpNet {
    fn from_value(value: &Value) -> Result<Self, Wrong> {
        let text = String::from_value(value)?;
        let single = || text.parse::<IpAddr>().map(Self::from);
        text.parse().or_else(|_| single()).map_err(|_| {
            let wrong = format!("{text:?} is not an IP address or network");
            Wrong::new(
                wrong,
                "write an address or a network: \"10.1.2.3\" or \"10.0.0.0/8\"",
            )
        })
    }
}

impl FromValue for serde_json::Value {
    fn from_value(value: &Value) -> Result<Self, Wrong> {
        match &value.kind {
            Kind::Text(text) => Ok(Self::from(text.as_str())),
            Kind::Integer(number) => Ok(Self::from(*number)),
            Kind::Boolean(flag) => Ok(Self::from(*flag)),
            Kind::Variable(text) => {
                Ok(serde_json::from_str(text).unwrap_or_else(|_| Self::from(text.as_str())))
            }
            _ => Err(Wrong::new(
                unexpected("a plain value", value),
                "write a text, a whole number, true or false",
            )),
        }
    }
}
