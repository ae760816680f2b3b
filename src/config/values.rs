//! How the values of `oauth`, `model` and `applinks` are written in a configuration.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::applinks::ApplicationId;
use crate::model::NamePattern;
use crate::oauth::{
    AllowedCallback, Callback, ConsumerKey, PathPrefix, PrivateKey, PublicKey, PublicUrl, Secret,
    SignatureMethod,
};
use crate::setting::{FileContent, deserialize_text, in_two_lines};

deserialize_text! {
    Callback = |text| Self::parse(text).map_err(|problem| problem.advice());
    AllowedCallback = Self::parse;
    ConsumerKey = parse_consumer_key;
    NamePattern = Self::parse;
    ApplicationId = |text| Self::parse(text).ok_or("write a UUID, or leave it out");
    PathPrefix = Self::parse;
    PublicUrl = Self::parse;
}

/// Parses a consumer key. The error tells what to write instead.
pub(crate) fn parse_consumer_key(text: &str) -> Result<ConsumerKey, &'static str> {
    let key = ConsumerKey::parse(text).filter(|_| text.trim() == text);
    key.ok_or("write 1 to 255 characters, none of them a control character, and no white space around them")
}

/// Parses a public key, of which there must be one. The error tells what is wrong and, after a colon, what to do.
pub(crate) fn parse_public_key(text: &str) -> Result<PublicKey, String> {
    let begins = ["-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----"];
    if begins.iter().flat_map(|begin| text.matches(begin)).count() > 1 {
        return Err("There is more than one key in it: write each into a file of its own, and name all of them in public_keys.".to_owned());
    }
    PublicKey::parse(text).map_err(|why| why.to_string())
}

/// No message repeats it.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl<'de> Deserialize<'de> for SignatureMethod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|_| {
            let known = Self::ALL.map(|method| format!("`{}`", method.name())).join(", ");
            D::Error::custom(format_args!("unknown variant `{name}`, expected one of {known}"))
        })
    }
}

/// A private key that was pasted in its place is not repeated.
impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_public_key(&text).map_err(|why| D::Error::custom(in_two_lines(&why)))
    }
}

impl FileContent for PublicKey {
    fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        parse_public_key(&String::from_utf8_lossy(&bytes))
    }
}

impl FileContent for PrivateKey {
    fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        const REMEDY: &str = "make a new one with `linkgate key generate --rsa --out link.pem`";
        let text = zeroize::Zeroizing::new(bytes);
        let key = Self::from_pem(&String::from_utf8_lossy(&text))
            .map_err(|why| format!("{}: {REMEDY}", why.to_string().trim_end_matches('.')))?;
        match key.public_key().bits() {
            2048.. => Ok(key),
            bits => Err(format!("the key has only {bits} bits: {REMEDY}")),
        }
    }
}

#[cfg(test)]
mod schemas {
    use super::{PublicKey, Secret, SignatureMethod};

    crate::setting::text_schema!(PublicKey);
    crate::setting::text_schema!(Secret);
    crate::setting::text_schema!(SignatureMethod);
}
