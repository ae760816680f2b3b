//! The manifest: an installation and the authentication types that it supports, as JSON or XML.

use serde::{Deserialize, Serialize};

use super::{ApplicationId, DocumentError, from_xml, is_xml, media_type, optional, required, to_xml};

/// The manifest of linkgate.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Manifest {
    pub id: ApplicationId,
    /// The name of the guarded application.
    pub name: String,
    /// `generic`, which every remote application knows.
    type_id: &'static str,
    version: &'static str,
    build_number: u32,
    applinks_version: &'static str,
    inbound_authentication_types: Vec<AuthType>,
    outbound_authentication_types: Vec<AuthType>,
    public_signup: bool,
    url: String,
    icon_uri: String,
    icon_url: String,
}

/// An authentication type, named after the class that it began as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AuthType {
    #[serde(rename = "com.atlassian.applinks.api.auth.types.OAuthAuthenticationProvider")]
    ThreeLegged,
    #[serde(rename = "com.atlassian.applinks.api.auth.types.TwoLeggedOAuthAuthenticationProvider")]
    TwoLegged,
    #[serde(
        rename = "com.atlassian.applinks.api.auth.types.TwoLeggedOAuthWithImpersonationAuthenticationProvider"
    )]
    Impersonation,
}

/// The format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DocumentFormat {
    Json,
    Xml,
}

/// The manifest of a remote application, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub struct RemoteManifest {
    #[serde(deserialize_with = "required")]
    pub id: String,
    #[serde(deserialize_with = "required")]
    pub name: String,
    /// The kind of application, such as `stash`.
    #[serde(deserialize_with = "required")]
    pub type_id: String,
    /// Its own base URL.
    #[serde(default, deserialize_with = "optional")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub version: Option<String>,
}

impl Manifest {
    /// The manifest of an installation with these authentication types for requests to it and by it.
    pub fn new(
        id: ApplicationId,
        name: String,
        url: &str,
        icon_url: String,
        inbound: Vec<AuthType>,
        outbound: Vec<AuthType>,
    ) -> Self {
        Self {
            id,
            name,
            type_id: "generic",
            version: env!("CARGO_PKG_VERSION"),
            build_number: 0,
            applinks_version: APPLINKS_VERSION,
            inbound_authentication_types: inbound,
            outbound_authentication_types: outbound,
            public_signup: false,
            url: url.to_owned(),
            icon_uri: icon_url.clone(),
            icon_url,
        }
    }

    /// Writes the document.
    pub fn to_text(&self, format: DocumentFormat) -> String {
        match format {
            // A struct of texts can be written.
            DocumentFormat::Json => serde_json::to_string(self).unwrap_or_default(),
            DocumentFormat::Xml => to_xml(self, "manifest"),
        }
    }
}

impl AuthType {
    /// All types.
    pub const ALL: [Self; 3] = [Self::ThreeLegged, Self::TwoLegged, Self::Impersonation];
}

impl DocumentFormat {
    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml;charset=UTF-8",
        }
    }
}

impl RemoteManifest {
    /// Parses the document of a remote application, JSON or XML. Each required field must be there and displayable.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        enum Document {
            #[serde(rename = "manifest")]
            Manifest(RemoteManifest),
        }
        match media_type(content_type) {
            json if json == "application/json" => {
                serde_json::from_slice(body).map_err(|error| DocumentError::new(&error))
            }
            xml if is_xml(&xml) => {
                let Document::Manifest(manifest) = from_xml(body)?;
                Ok(manifest)
            }
            other => Err(DocumentError(format!(
                "Its type is {other:?}, and a manifest is application/json or application/xml."
            ))),
        }
    }
}

/// The version of the protocol that Bitbucket 8 and 9 show.
const APPLINKS_VERSION: &str = "6.0.21";
