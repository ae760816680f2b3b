//! `[login.ldap]`: a directory is asked.

use std::time::Duration;

use crate::config::remark::Wrong;
use crate::config::secret::{required_secret, secret};
use crate::config::section::Section;
use crate::oauth::Secret;
use crate::tls::Roots;

use super::{Login, ca_file};

/// How a directory is asked.
#[derive(Clone, Debug)]
pub struct Ldap {
    /// `ldap://host[:port]` or `ldaps://host[:port]`.
    pub url: String,
    /// Whether an `ldap` connection is secured before anything is said on it.
    pub start_tls: bool,
    /// Whom to believe; `None`: whom the operating system does.
    pub roots: Option<Roots>,
    /// Who searches.
    pub searcher: Option<(String, Secret)>,
    /// Below which entry.
    pub base_dn: String,
    /// The filter, with `{name}` for what was typed.
    pub user_filter: String,
    /// The attribute with the user's name for the application.
    pub user_attribute: String,
    /// The attribute with the user's name for people.
    pub display_attribute: String,
    /// How long all of it may take.
    pub timeout: Duration,
}

impl Ldap {
    pub(super) fn read(section: &Section<'_>) -> Option<Login> {
        section.needs(
            "url",
            "write where the directory listens: url = \"ldaps://ldap.example.com\"",
        );
        section.needs(
            "base_dn",
            "write below which entry users are: base_dn = \"ou=people,dc=example,dc=com\"",
        );
        let url = section.parsed("url", parse_url);
        let start_tls = section.or("start_tls", true);
        let secured = url.as_deref().is_some_and(|url| url.starts_with("ldaps:"));
        if url.is_some() && !secured && !start_tls {
            section.warn(
                "start_tls",
                "passwords travel to the directory in clear",
                "leave it out, or write an ldaps:// url",
            );
        }
        let roots = ca_file(section);
        let bind_dn = section.get::<String>("bind_dn");
        let password = if bind_dn.is_some() {
            required_secret(
                section,
                "bind_password",
                "write a file with the password of bind_dn",
            )
        } else {
            secret(section, "bind_password")
        };
        let base_dn = section.get("base_dn");
        let user_attribute = section.or("user_attribute", "uid".to_owned());
        let filter = section.parsed("user_filter", parse_filter);
        let display_attribute = section.or("display_attribute", "cn".to_owned());
        let timeout = section.or("timeout", Duration::from_secs(5));
        Some(Login::Ldap(Box::new(Self {
            url: url?,
            start_tls: start_tls && !secured,
            roots,
            searcher: bind_dn.zip(password),
            base_dn: base_dn?,
            user_filter: filter.unwrap_or_else(|| format!("({user_attribute}={{name}})")),
            user_attribute,
            display_attribute,
            timeout,
        })))
    }
}

fn parse_url(text: &str) -> Result<String, Wrong> {
    let url = text.parse::<http::Uri>().ok();
    let fits = |url: &http::Uri| {
        matches!(url.scheme_str(), Some("ldap" | "ldaps"))
            && url.host().is_some_and(|host| !host.is_empty())
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && !text.contains('@')
    };
    if url.is_some_and(|url| fits(&url)) {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(Wrong::unusable(
            text,
            "write scheme and host, and a port if it is another one: \"ldaps://ldap.example.com\"",
        ))
    }
}

fn parse_filter(text: &str) -> Result<String, Wrong> {
    let is_whole = text.starts_with('(') && text.ends_with(')');
    if !is_whole || !text.contains("{name}") {
        return Err(Wrong::unusable(
            text,
            "write a filter in parentheses, with {name} for what was typed: \"(&(objectClass=person)(uid={name}))\"",
        ));
    }
    Ok(text.to_owned())
}
