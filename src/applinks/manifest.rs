//! The manifest: who an installation is, and which kinds of call it takes and makes.

use askama::Template;
use serde_json::{Value, json};

use super::accept::Form;
use super::peer_id::ApplicationId;
use super::xml::{Document, Unreadable};
use super::{is_xml, media_type, value};

/// Our own manifest. Its type is `generic`, which every peer knows.
#[derive(Clone, Debug, Template)]
#[template(path = "applinks/manifest.xml")]
pub struct Manifest {
    /// The installation.
    pub id: ApplicationId,
    /// The application's name.
    pub name: String,
    /// Our version.
    pub version: &'static str,
    /// Where the application is: our public URL.
    pub url: String,
    /// An icon for lists of links.
    pub icon_url: String,
    /// What others may call us with.
    pub inbound: Vec<AuthType>,
    /// What we call others with.
    pub outbound: Vec<AuthType>,
}

/// A kind of call, by whom it speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// As a user who approved.
    ThreeLegged,
    /// As the consumer itself.
    TwoLegged,
    /// As a user whom the consumer names.
    Impersonation,
}

/// The manifest of another installation: what we look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteManifest {
    /// The installation.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The kind of application, such as `stash`.
    pub type_id: String,
    /// Where it is, as it knows itself.
    pub url: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

impl Manifest {
    /// The document in a form.
    pub fn to_text(&self, form: Form) -> String {
        match form {
            Form::Json => self.to_json().to_string(),
            // Writing into a string does not fail.
            Form::Xml => self.render().unwrap_or_default(),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "name": self.name,
            "typeId": "generic",
            "version": self.version,
            "buildNumber": 0,
            "applinksVersion": APPLINKS_VERSION,
            "inboundAuthenticationTypes": self.inbound_classes(),
            "outboundAuthenticationTypes": self.outbound_classes(),
            "publicSignup": false,
            "url": self.url,
            "iconUrl": self.icon_url,
            "iconUri": self.icon_url,
        })
    }

    fn inbound_classes(&self) -> Vec<String> {
        self.inbound.iter().copied().map(AuthType::class).collect()
    }

    fn outbound_classes(&self) -> Vec<String> {
        self.outbound.iter().copied().map(AuthType::class).collect()
    }
}

impl AuthType {
    /// All three.
    pub const ALL: [Self; 3] = [Self::ThreeLegged, Self::TwoLegged, Self::Impersonation];

    /// The name by which peers know it: that of the class which it began as.
    pub fn class(self) -> String {
        let name = match self {
            Self::ThreeLegged => "OAuth",
            Self::TwoLegged => "TwoLeggedOAuth",
            Self::Impersonation => "TwoLeggedOAuthWithImpersonation",
        };
        format!("com.atlassian.applinks.api.auth.types.{name}AuthenticationProvider")
    }
}

impl RemoteManifest {
    /// Reads the manifest of another side, by its type: JSON or XML.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Unreadable> {
        let media_type = media_type(content_type);
        if media_type == "application/json" {
            let json: Value =
                serde_json::from_slice(body).map_err(|_| Unreadable("It is not JSON.".to_owned()))?;
            Self::of(|name| json[name].as_str().map(str::to_owned))
        } else if is_xml(&media_type) {
            let document = Document::read(body, "manifest")?;
            Self::of(|name| document.first(name).map(str::to_owned))
        } else {
            Err(Unreadable(format!(
                "Its type is {media_type:?}, and a manifest is application/json or application/xml."
            )))
        }
    }

    fn of(field: impl Fn(&str) -> Option<String>) -> Result<Self, Unreadable> {
        let optional = |name| field(name).as_deref().and_then(value);
        let required =
            |name| optional(name).ok_or_else(|| Unreadable(format!("It has no {name} that could be used.")));
        Ok(Self {
            id: required("id")?,
            name: required("name")?,
            type_id: required("typeId")?,
            url: optional("url"),
            version: optional("version"),
        })
    }
}

/// The protocol's version that the peer which we take for a model shows.
const APPLINKS_VERSION: &str = "6.0.21";

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            id: ApplicationId::from_random([7; 16]),
            name: "Build & board".into(),
            version: "0.1.0",
            url: "https://builds.example.com".into(),
            icon_url: "https://builds.example.com/icon.svg".into(),
            inbound: AuthType::ALL.to_vec(),
            outbound: vec![AuthType::ThreeLegged],
        }
    }

    #[test]
    fn both_forms_say_the_same() {
        let manifest = manifest();
        let read = [Form::Json, Form::Xml].map(|form| {
            let text = manifest.to_text(form);
            RemoteManifest::read(Some(form.content_type()), text.as_bytes()).unwrap()
        });
        assert_eq!(read[0], read[1]);
        assert_eq!(read[0].id, "07070707-0707-4707-8707-070707070707");
        assert_eq!(
            (read[0].name.as_str(), read[0].type_id.as_str()),
            ("Build & board", "generic")
        );
    }

    #[test]
    fn lists_are_repeated_elements() {
        let xml = manifest().to_text(Form::Xml);
        let document = Document::read(xml.as_bytes(), "manifest").unwrap();
        let of = |name| document.all(name).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            of("inboundAuthenticationTypes"),
            AuthType::ALL.map(AuthType::class)
        );
        assert_eq!(of("outboundAuthenticationTypes"), [AuthType::ThreeLegged.class()]);
    }

    #[test]
    fn other_documents_are_refused() {
        for (kind, body) in [
            (None, "{}"),
            (Some("text/html"), "<manifest/>"),
            (Some("application/json"), "{}"),
            (Some("application/json"), "[1]"),
            (
                Some("application/json"),
                "{\"id\":1,\"name\":\"n\",\"typeId\":\"t\"}",
            ),
            (Some("application/json"), "<manifest/>"),
            (Some("application/xml"), "<manifest/>"),
            (Some("application/xml"), "{}"),
        ] {
            assert!(
                RemoteManifest::read(kind, body.as_bytes()).is_err(),
                "{kind:?} {body}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(RemoteManifest::read(Some("application/json"), deep.as_bytes()).is_err());
    }
}
