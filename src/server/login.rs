//! From `[login]` to the method that it names. Nothing is asked or connected here.

use std::sync::Arc;

use anyhow::Context;

use crate::clock::Clock;
use crate::config::Config;
use crate::login::{FileLogin, Login, Method, Oidc, Probe, TrustedHeader};

/// The configured login.
pub(crate) fn login(config: &Config, clock: &Clock) -> anyhow::Result<Arc<Login>> {
    let method = config.login.method;
    let login = config.login.clone();
    let login = match method {
        Method::File => match login.file {
            Some(file) => Some(Login::File(FileLogin::read(file.path)?)),
            None => None,
        },
        Method::Probe => login
            .probe
            .map(Probe::new)
            .transpose()?
            .map(|probe| Login::Probe(Box::new(probe))),
        Method::Handoff => login.handoff.map(Login::Handoff),
        Method::Oidc => {
            let oidc = login.oidc.map(|oidc| Oidc::new(oidc, clock.clone()));
            oidc.transpose()?.map(|oidc| Login::Oidc(Box::new(oidc)))
        }
        Method::TrustedHeader => Some(Login::TrustedHeader(TrustedHeader {
            proxies: config.server.trusted_proxies.clone(),
            ..login.trusted_header
        })),
        #[cfg(feature = "ldap")]
        Method::Ldap => {
            let ldap = login.ldap.map(crate::login::Ldap::new);
            ldap.transpose()?.map(|ldap| Login::Ldap(Box::new(ldap)))
        }
        #[cfg(not(feature = "ldap"))]
        Method::Ldap => None,
    };
    let login = login.with_context(|| format!("[login.{}] is missing", method.name()))?;
    Ok(Arc::new(login))
}
