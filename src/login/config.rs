//! `[login]` and the tables of its methods. Every table that is written is validated, also one that `method` does not name.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::oauth::Secret;
use crate::setting::{
    self, FromFile, deserialize_text, duration, existing_file, seconds, whole_seconds, yes,
};
use crate::tls::Roots;

use super::{Handoff, OidcConfig, TrustedHeader, UserLookup};

/// `[login]`: how users are authenticated. One method, with a table of its own.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// The method.
    pub method: Method,
    /// Seconds without a request after which a session ends.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "whole::<43_200>", deserialize_with = "whole_seconds")]
    pub session_idle: i64,
    /// Seconds after which a session ends in any case.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "whole::<604_800>", deserialize_with = "whole_seconds")]
    pub session_lifetime: i64,
    /// Seconds after which a user signs in again before approving.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "whole::<43_200>", deserialize_with = "whole_seconds")]
    pub recheck_after: i64,
    /// Sign-in attempts in a minute for one name, from all addresses.
    #[serde(default = "times::<10>")]
    pub attempts_per_account: NonZeroU32,
    /// Sign-in attempts in a minute from one address, for all names.
    #[serde(default = "times::<30>")]
    pub attempts_per_address: NonZeroU32,
    /// A password file.
    pub file: Option<FileLoginConfig>,
    /// A directory.
    pub ldap: Option<LdapConfig>,
    /// The application is asked.
    pub probe: Option<ProbeConfig>,
    /// A signed redirect through the application.
    pub handoff: Option<Handoff>,
    /// An identity provider.
    pub oidc: Option<OidcConfig>,
    /// A front proxy's header. No variable of the environment can have a dash in its name.
    #[serde(default, rename = "trusted-header", alias = "trusted_header")]
    pub trusted_header: TrustedHeader,
}

/// `[login.file]`: a password file.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FileLoginConfig {
    /// The file with `[[users]]`, which must exist.
    #[serde(deserialize_with = "existing_file")]
    pub path: PathBuf,
}

/// A login method.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is a field of LoginConfig")]
pub enum Method {
    File,
    Ldap,
    Probe,
    Handoff,
    Oidc,
    TrustedHeader,
}

impl Method {
    /// The name, in the configuration and beside every user whom it authenticated.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl LoginConfig {
    /// What decides which users exist; `None`: nothing does.
    pub fn knows_its_users(&self) -> Option<&'static str> {
        let looks_up = self
            .probe
            .as_ref()
            .is_some_and(|probe| probe.user_lookup_url.is_some());
        match self.method {
            Method::File => Some("the password file"),
            Method::Ldap => Some("the directory"),
            Method::Probe if looks_up => Some("login.probe.user_lookup_url"),
            _ => None,
        }
    }
}

const fn whole<const SECONDS: i64>() -> i64 {
    SECONDS
}

const fn times<const N: u32>() -> NonZeroU32 {
    NonZeroU32::new(N).expect("it is not zero")
}

/// An absolute `http` or `https` URL, byte for byte as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(String);

deserialize_text! { HttpUrl = Self::parse; }

impl HttpUrl {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// A sentence that tells the administrator what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = text.parse::<Uri>().ok();
        let fits =
            |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some();
        url.filter(fits)
            .map(|_| Self(text.to_owned()))
            .ok_or("write it whole: \"http://127.0.0.1:8080/api/me\"")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parsed URL.
    pub(super) fn to_uri(&self) -> Uri {
        self.0.parse().expect("it was parsed once")
    }
}

/// `[login.probe]`: how the application is asked.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProbeConfig {
    /// The application's "who am I".
    pub url: HttpUrl,
    /// The cookies that are shown to it, by name.
    #[serde(deserialize_with = "cookie_names")]
    pub cookies: Vec<String>,
    /// The user's name for the application.
    pub user_pointer: JsonPointer,
    /// The user's name for people.
    pub display_pointer: Option<JsonPointer>,
    /// Answers that mean nobody, although their status is 200.
    #[serde(default)]
    pub reject: Vec<Reject>,
    /// Where a browser signs in; `{return_to}` stands for the way back.
    #[serde(deserialize_with = "login_url")]
    pub login_url: String,
    /// Where a browser signs out.
    pub logout_url: Option<HttpUrl>,
    /// The trust roots; `None`: those of the operating system.
    pub ca_file: Option<FromFile<Roots>>,
    /// How long the answer may take.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<3>", deserialize_with = "duration")]
    pub timeout: Duration,
    /// Where the application says whether a user exists; `{user}` stands for the name.
    #[serde(default, deserialize_with = "user_lookup_url")]
    pub user_lookup_url: Option<String>,
    /// How long that answer may take.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<2>", deserialize_with = "duration")]
    pub user_lookup_timeout: Duration,
}

/// An answer that means nobody: a JSON pointer, and the value there.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Where.
    pub pointer: JsonPointer,
    /// What.
    #[serde(deserialize_with = "plain_value")]
    pub equals: Json,
}

/// A JSON pointer (RFC 6901) below the root.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPointer(String);

/// `[login.ldap]`: how a directory is asked.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    /// `ldap://host[:port]` or `ldaps://host[:port]`.
    #[serde(deserialize_with = "directory_url")]
    pub url: String,
    /// Whether an `ldap` connection is secured before anything is sent on it.
    #[serde(default = "yes")]
    pub start_tls: bool,
    /// The trust roots; `None`: those of the operating system.
    pub ca_file: Option<FromFile<Roots>>,
    /// Who searches; `None`: an anonymous bind.
    pub bind_dn: Option<String>,
    /// The password of `bind_dn`.
    pub bind_password: Option<Secret>,
    /// The entry below which users are.
    pub base_dn: String,
    /// The filter, with `{name}` for the name that was typed; empty: `user_attribute` has that name.
    #[serde(default, deserialize_with = "user_filter")]
    pub user_filter: String,
    /// The attribute with the user's name for the application.
    #[serde(default = "uid")]
    pub user_attribute: String,
    /// The attribute with the user's name for people.
    #[serde(default = "cn")]
    pub display_attribute: String,
    /// How long all of it may take.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<5>", deserialize_with = "duration")]
    pub timeout: Duration,
}

impl LdapConfig {
    /// Whether the connection is a TLS one from its first byte.
    pub fn is_ldaps(&self) -> bool {
        self.url.starts_with("ldaps:")
    }

    /// Without a filter, `user_attribute` is compared.
    pub fn fill_in(&mut self) {
        if self.user_filter.is_empty() {
            self.user_filter = format!("({}={{name}})", self.user_attribute);
        }
    }
}

fn uid() -> String {
    "uid".to_owned()
}

fn cn() -> String {
    "cn".to_owned()
}

fn directory_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    setting::text(deserializer, |text| {
        let fits = text.parse::<Uri>().is_ok_and(|url| {
            matches!(url.scheme_str(), Some("ldap" | "ldaps"))
                && url.host().is_some_and(|host| !host.is_empty())
                && matches!(url.path(), "" | "/")
                && url.query().is_none()
                && !text.contains('@')
        });
        fits.then(|| text.trim_end_matches('/').to_owned())
            .ok_or("write scheme and host, and a port if it is another one: \"ldaps://ldap.example.com\"")
    })
}

fn user_filter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    setting::text(deserializer, |text| {
        let fits = text.starts_with('(') && text.ends_with(')') && text.contains("{name}");
        fits.then(|| text.to_owned()).ok_or(
            "write a filter in parentheses, with {name} for what was typed: \"(&(objectClass=person)(uid={name}))\"",
        )
    })
}

deserialize_text! { JsonPointer = Self::parse; }

impl JsonPointer {
    fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!(
                "write a JSON pointer, which begins with a slash: \"/{text}\""
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The pointer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A cookie's name is a token (RFC 6265, section 4.1.1).
fn cookie_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct CookieName(String);
    deserialize_text! {
        CookieName = |text| {
            let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
            let is_name = text.bytes().all(is_token);
            is_name.then(|| Self(text.to_owned())).ok_or("write the cookie's name alone: \"session\"")
        };
    }
    let names = Vec::<CookieName>::deserialize(deserializer)?;
    if names.is_empty() {
        let why = "the list is empty\nwrite the names of the application's session cookies";
        return Err(D::Error::custom(why));
    }
    Ok(names.into_iter().map(|CookieName(name)| name).collect())
}

fn plain_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
    let value = Json::deserialize(deserializer)?;
    if value.is_string() || value.is_boolean() || value.is_i64() {
        return Ok(value);
    }
    let why = "this is not a plain value\nwrite a text, a whole number, true or false";
    Err(D::Error::custom(why))
}

fn login_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    setting::text(deserializer, |text| {
        if text.matches("{return_to}").count() != 1 {
            return Err(
                "put {return_to} once where the application expects the way back: \
                        \"https://builds.example.com/login?from={return_to}\"",
            );
        }
        HttpUrl::parse(&text.replace("{return_to}", "x")).map(|_| text.to_owned())
    })
}

fn user_lookup_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    setting::text(deserializer, |text| {
        UserLookup::check_url(text).map(|()| Some(text.to_owned()))
    })
}
