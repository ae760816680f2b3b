//! consumer-info: the consumer key and the public key of an application, for the administrator of another.

use serde::{Deserialize, Deserializer, Serialize};

use super::{DocumentError, from_xml, is_xml, media_type, optional, required, to_xml};

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct ConsumerInfo {
    #[serde(deserialize_with = "required")]
    pub key: String,
    #[serde(deserialize_with = "required")]
    pub name: String,
    /// The public key: bare base64 of its `SubjectPublicKeyInfo`, not checked.
    #[serde(deserialize_with = "base64")]
    pub public_key: String,
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub description: Option<String>,
    #[serde(
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub callback: Option<String>,
}

impl ConsumerInfo {
    /// Writes the document.
    pub fn to_xml(&self) -> String {
        to_xml(self, "consumer")
    }

    /// Parses the document of a remote application. Each required element must be there and displayable.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        enum Document {
            #[serde(rename = "consumer")]
            Consumer(ConsumerInfo),
        }
        let media_type = media_type(content_type);
        if !is_xml(&media_type) {
            return Err(DocumentError(format!(
                "Its type is {media_type:?}, and consumer-info is application/xml."
            )));
        }
        let Document::Consumer(info) = from_xml(body)?;
        Ok(info)
    }
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let text: String = text.split_ascii_whitespace().collect();
    required(serde::de::value::StringDeserializer::new(text))
}
