//! From `[login]` to the method that it names. Nothing is asked or connected here.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;

use crate::clock::Clock;
use crate::config::{Config, Login as Configured, Oidc as OidcSettings, Probe as ProbeSettings};
use crate::http::client::{Connector, Reach};
use crate::login::oidc::OidcOptions;
use crate::login::probe::Reject;
use crate::login::{FileLogin, Handoff, Login, Oidc, Probe, TrustedHeader, UserLookup};
use crate::tls::{ClientTls, Roots};

/// The configured login.
pub(crate) fn login(config: &Config, clock: &Clock) -> anyhow::Result<Arc<Login>> {
    Ok(Arc::new(match &config.login {
        Configured::File { path } => Login::File(FileLogin::read(path)?),
        Configured::Probe(settings) => Login::Probe(Box::new(probe(settings)?)),
        Configured::Handoff { login_url, secret } => {
            Login::Handoff(Handoff::new(login_url.clone(), secret.clone()))
        }
        Configured::Oidc(settings) => Login::Oidc(Box::new(Oidc::new(oidc(settings)?, clock.clone()))),
        Configured::TrustedHeader {
            header,
            display_header,
            logout_url,
        } => Login::TrustedHeader(TrustedHeader {
            proxies: config.server.trusted_proxies.clone(),
            header: header.clone(),
            display_header: display_header.clone(),
            logout_url: logout_url.clone(),
        }),
        #[cfg(feature = "ldap")]
        Configured::Ldap(settings) => Login::Ldap(Box::new(ldap(settings)?)),
        #[cfg(not(feature = "ldap"))]
        Configured::Ldap(_) => anyhow::bail!("this build of linkgate cannot ask a directory"),
    }))
}

fn probe(settings: &ProbeSettings) -> anyhow::Result<Probe> {
    let reject = settings.reject.iter().map(|rule| Reject {
        pointer: rule.pointer.clone(),
        equals: rule.equals.clone(),
    });
    let secure = settings.url.scheme_str() == Some("https");
    let lookup = settings.user_lookup.as_ref();
    let lookup = lookup.map(|lookup| {
        let tls = tls(lookup.url.starts_with("https:"), settings.roots.as_ref())?;
        UserLookup::new(&lookup.url, lookup.timeout, tls)
            .map_err(|why| anyhow!("login.probe.user_lookup_url: {why}"))
    });
    Ok(Probe {
        user_lookup: lookup.transpose()?,
        url: settings.url.clone(),
        cookies: settings.cookies.clone(),
        user_pointer: settings.user_pointer.clone(),
        display_pointer: settings.display_pointer.clone(),
        reject: reject.collect(),
        login_url: settings.login_url.clone(),
        logout_url: settings.logout_url.clone(),
        http: http(secure, settings.roots.as_ref(), settings.timeout)?,
    })
}

fn oidc(settings: &OidcSettings) -> anyhow::Result<OidcOptions> {
    let secure = settings.issuer.starts_with("https:");
    Ok(OidcOptions {
        issuer: settings.issuer.clone(),
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.clone(),
        scopes: settings.scopes.clone(),
        user_claim: settings.user_claim.clone(),
        display_claim: settings.display_claim.clone(),
        http: http(secure, settings.roots.as_ref(), settings.timeout)?,
    })
}

#[cfg(feature = "ldap")]
fn ldap(settings: &crate::config::Ldap) -> anyhow::Result<crate::login::Ldap> {
    let secure = settings.start_tls || settings.url.starts_with("ldaps:");
    let roots = match &settings.roots {
        Some(roots) => Some(roots.clone()),
        None if secure => Some(system()?),
        None => None,
    };
    Ok(crate::login::Ldap::new(crate::login::ldap::LdapOptions {
        url: settings.url.clone(),
        start_tls: settings.start_tls,
        roots,
        searcher: settings.searcher.clone(),
        base_dn: settings.base_dn.clone(),
        user_filter: settings.user_filter.clone(),
        user_attribute: settings.user_attribute.clone(),
        display_attribute: settings.display_attribute.clone(),
        timeout: settings.timeout,
    }))
}

fn http(secure: bool, roots: Option<&Roots>, within: Duration) -> anyhow::Result<Connector> {
    Ok(Connector {
        tls: tls(secure, roots)?,
        reach: Reach::Anywhere,
        timeout: within,
    })
}

/// Whom to believe, where somebody must be believed.
fn tls(secure: bool, roots: Option<&Roots>) -> anyhow::Result<Option<ClientTls>> {
    let roots = match roots {
        Some(roots) => Some(roots.clone()),
        None if secure => Some(system()?),
        None => None,
    };
    Ok(roots.map(ClientTls::with_roots))
}

fn system() -> anyhow::Result<Roots> {
    Roots::system().map_err(|why| anyhow!("login: {why}"))
}
