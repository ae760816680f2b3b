//! From a configuration to the parts that a server is made of. Nothing is connected or bound here.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::HeaderValue;

use crate::applinks::ApplicationId;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::{
    Assertion, AssertionKey, BodyLimits, ForwardAuth, Gateway, Proxy, PublicUrls, Routes, SignatureCheck,
    TrustedProxies,
};
use crate::login::{FormLogin, Login};
use crate::provider::{Directory, ImpersonationConfig, Provider, Rules, SessionRules};
use crate::store::{Keyring, Store};
use crate::web::{Administration, App, CurrentBranding, RecentRejections};

use super::links;

/// Everything above the store.
pub(super) fn assemble(
    config: &Config,
    installation: ApplicationId,
    login: Login,
    store: &Store,
    keyring: Arc<Keyring>,
    clock: Clock,
) -> anyhow::Result<(App, Gateway, ForwardAuth)> {
    let login = Arc::new(login);
    let provider = Arc::new(Provider::new(
        store.clone(),
        Arc::clone(&keyring),
        clock.clone(),
        directory(Arc::clone(&login)),
        rules(config, &login),
    ));
    let assertion = assertion(config, &keyring, &clock)?.map(Arc::new);
    let check = SignatureCheck {
        provider: Arc::clone(&provider),
        public_urls: PublicUrls::new(
            config.server.public_url.clone(),
            config.server.public_urls.clone(),
            TrustedProxies(config.server.trusted_proxies.clone()),
        ),
        routes: Routes(config.routes.clone()),
        identity: Arc::new(config.identity.headers()),
        body_limits: BodyLimits::default(),
    };
    let links = Arc::new(links::links(config, store, &clock)?);
    let subjects = config.admin.subjects.iter().cloned();
    let app = App {
        provider,
        keyring,
        login,
        front: check.public_urls.clone(),
        public_url: config.server.public_url.clone(),
        path_prefix: config.server.path_prefix.clone(),
        hsts: config.server.hsts.map(hsts),
        branding: CurrentBranding::new(&config.branding),
        administration: Administration::new(subjects, config.secret_files.clone()),
        rejections: RecentRejections::new(clock.clone()),
        jwks: assertion.as_ref().map(|assertion| assertion.jwks()),
        clock: clock.clone(),
        identity: links::identity(config, installation, &links),
        links,
    };
    let verdicts = ForwardAuth::new(check.clone(), assertion.clone(), clock);
    let proxy = Proxy::new(&config.upstream, Arc::clone(&check.identity), assertion);
    let proxy = proxy.context("upstream.ca_file")?;
    Ok((app, Gateway { check, proxy }, verdicts))
}

fn hsts(max_age: Duration) -> HeaderValue {
    let value = HeaderValue::try_from(format!("max-age={}", max_age.as_secs()));
    value.expect("a number is printable ASCII")
}

/// The assertion's keys derive from the secret keys, so that all replicas have the same and a rotated one still verifies.
fn assertion(config: &Config, keyring: &Keyring, clock: &Clock) -> anyhow::Result<Option<Assertion>> {
    if !config.identity.assertion {
        return Ok(None);
    }
    let keys: Option<Vec<_>> = keyring
        .macs("assertion-key", &[])
        .map(|seed| AssertionKey::derive(&seed))
        .collect();
    let keys = keys.context("the key of the identity assertion cannot be derived from the secret key")?;
    let (issuer, audience) = (
        config.server.public_url.as_str(),
        &config.identity.assertion_audience,
    );
    Ok(Some(Assertion::new(issuer, audience, keys, clock.clone())))
}

fn directory(login: Arc<Login>) -> Directory {
    let is_file = matches!(*login, Login::Form(FormLogin::File(_)));
    let directory = Directory::new(move |subject| {
        let login = Arc::clone(&login);
        async move { login.user_status(&subject).await }
    });
    if is_file {
        directory
    } else {
        directory.with_passing_absences()
    }
}

fn sessions(config: &Config, login: &Login) -> SessionRules {
    let sessions = &config.login;
    SessionRules {
        login_method: sessions.method.name(),
        refresh_display_name: matches!(login, Login::Form(_)),
        idle: sessions.session_idle,
        longest: sessions.session_lifetime,
        recheck_after: sessions.recheck_after,
        attempts_per_account: sessions.attempts_per_account.get(),
        attempts_per_address: sessions.attempts_per_address.get(),
    }
}

/// Applies beside the login method, which alone decides if it knows its users.
fn impersonation(config: &Config) -> ImpersonationConfig {
    let mut rule = config.impersonation.clone();
    rule.except.extend_from_slice(&config.admin.subjects);
    if config.login.user_directory().is_some() {
        rule.users.clear();
        rule.signed_in_before = false;
    }
    rule
}

fn rules(config: &Config, login: &Login) -> Rules {
    Rules {
        tokens: config.tokens.clone(),
        impersonation: impersonation(config),
        sessions: sessions(config, login),
        realm: config.server.public_url.as_str().to_owned(),
    }
}
