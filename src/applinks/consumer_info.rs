//! consumer-info: the key and the public key under which a consumer signs, for the administrator of the other side.

use askama::Template;

use super::xml::{Document, Unreadable};
use super::{is_xml, media_type, value};

/// A consumer as it shows itself.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "applinks/consumer-info.xml")]
pub struct ConsumerInfo {
    /// The consumer key.
    pub key: String,
    /// Its name, for people.
    pub name: String,
    /// The public key, as bare base64 of its `SubjectPublicKeyInfo`.
    pub public_key: String,
    /// More about it.
    pub description: Option<String>,
    /// Where its users return.
    pub callback: Option<String>,
}

impl ConsumerInfo {
    /// The document.
    pub fn to_xml(&self) -> String {
        // Writing into a string does not fail.
        self.render().unwrap_or_default()
    }

    /// Reads the document of another side: `key`, `name` and `publicKey` are required. Whether the key is one is not
    /// looked at.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Unreadable> {
        let media_type = media_type(content_type);
        if !is_xml(&media_type) {
            return Err(Unreadable(format!(
                "Its type is {media_type:?}, and consumer-info is application/xml."
            )));
        }
        let document = Document::read(body, "consumer")?;
        let optional = |name| document.first(name).and_then(value);
        let required = |name| {
            optional(name).ok_or_else(|| Unreadable(format!("It has no <{name}> that could be used.")))
        };
        Ok(Self {
            key: required("key")?,
            name: required("name")?,
            public_key: document
                .first("publicKey")
                .and_then(base64)
                .ok_or_else(|| Unreadable("It has no <publicKey> that could be used.".to_owned()))?,
            description: optional("description"),
            callback: optional("callback"),
        })
    }
}

/// A public key may have line breaks, and has nothing else between its letters.
fn base64(text: &str) -> Option<String> {
    let joined: String = text.split_ascii_whitespace().collect();
    value(&joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ConsumerInfo {
        ConsumerInfo {
            key: "Stash:8277239845".into(),
            name: "Bitbucket & \"Söhne\" <b>".into(),
            public_key: "MIIBIjANBgkq+/==".into(),
            description: Some("Builds".into()),
            callback: None,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let xml = info().to_xml();
        assert_eq!(
            ConsumerInfo::read(Some("application/xml"), xml.as_bytes()),
            Ok(info())
        );
        assert!(
            xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<consumer>"),
            "{xml}"
        );
        assert!(!xml.contains("callback"), "{xml}");
    }

    #[test]
    fn a_document_of_atlassians_is_read() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<consumer>\n  <key>Stash:1</key>\n  <name>Bitbucket</name>\n  \
                   <publicKey>MIIB\n    Ijan</publicKey>\n  <description>Atlassian</description>\n</consumer>";
        let read = ConsumerInfo::read(Some("application/xml; charset=UTF-8"), xml.as_bytes()).unwrap();
        assert_eq!(
            (read.key.as_str(), read.public_key.as_str()),
            ("Stash:1", "MIIBIjan")
        );
    }

    #[test]
    fn whatever_is_something_else_is_refused() {
        let good = info().to_xml();
        for (kind, body) in [
            (None, good.as_str()),
            (Some("text/html"), good.as_str()),
            (Some("application/json"), "{}"),
            (Some("application/xml"), "<html><body>Sign in</body></html>"),
            (
                Some("application/xml"),
                "<consumer><key>k</key><name>n</name></consumer>",
            ),
            (
                Some("application/xml"),
                "<consumer><key> </key><name>n</name><publicKey>M</publicKey></consumer>",
            ),
            (
                Some("application/xml"),
                "<consumer><key>k&#27;[2J</key><name>n</name><publicKey>M</publicKey></consumer>",
            ),
            (
                Some("application/xml"),
                "<consumer><key>k</key><name>a\u{202e}b</name><publicKey>M</publicKey></consumer>",
            ),
        ] {
            assert!(
                ConsumerInfo::read(kind, body.as_bytes()).is_err(),
                "{kind:?} {body}"
            );
        }
        let long = format!("<consumer><key>{}</key></consumer>", "k".repeat(9000));
        assert!(ConsumerInfo::read(Some("text/xml"), long.as_bytes()).is_err());
    }
}
