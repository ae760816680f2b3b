//! From a configuration to the parts that a server is made of. Nothing is connected or bound here.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use http::HeaderValue;

use crate::applinks::ApplicationId;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::{
    Assertion, AssertionKey, BodyLimits, ForwardAuth, Gateway, Proxy, PublicUrls, Routes, SignatureCheck,
    TrustedProxies,
};
use crate::links::Links;
use crate::login::{FormLogin, Login};
use crate::provider::{Directory, ImpersonationConfig, Provider, Rules, SessionRules};
use crate::store::{Keyring, Store};
use crate::web::{Administration, App, CurrentBranding, RecentRejections};

use super::links;

/// Everything above the store.
pub(super) struct Parts {
    pub(super) app: App,
    pub(super) gateway: Gateway,
    pub(super) verdicts: ForwardAuth,
    pub(super) provider: Arc<Provider>,
    pub(super) administration: Arc<Administration>,
    pub(super) rejections: Arc<RecentRejections>,
    pub(super) links: Arc<Links>,
    pub(super) branding: Arc<CurrentBranding>,
}

impl Parts {
    pub(super) fn new(
        config: &Config,
        installation: ApplicationId,
        login: &Arc<Login>,
        store: &Store,
        keyring: Arc<Keyring>,
        clock: &Clock,
    ) -> anyhow::Result<Self> {
        let provider = Arc::new(Provider::new(
            store.clone(),
            Arc::clone(&keyring),
            clock.clone(),
            directory(Arc::clone(login)),
            rules(config, login),
        ));
        let assertion = assertion(config, &keyring, clock)?.map(Arc::new);
        let front = PublicUrls::new(
            config.server.public_url.clone(),
            config.server.public_urls.clone(),
            TrustedProxies::new(config.server.trusted_proxies.clone()),
        );
        let rejections = Arc::new(RecentRejections::new(clock.clone()));
        let subjects = config.admin.subjects.iter().cloned();
        let administration = Arc::new(Administration::new(subjects, config.secret_files.clone()));
        let links = Arc::new(links::links(config, store, clock)?);
        let branding = Arc::new(CurrentBranding::new(&config.branding));
        let app = App {
            provider: Arc::clone(&provider),
            keyring,
            login: Arc::clone(login),
            front: front.clone(),
            public_url: config.server.public_url.clone(),
            path_prefix: config.server.path_prefix.clone(),
            hsts: config.server.hsts.map(hsts),
            branding: Arc::clone(&branding),
            administration: Arc::clone(&administration),
            rejections: Arc::clone(&rejections),
            jwks: assertion.as_ref().map(|assertion| assertion.jwks()),
            clock: clock.clone(),
            links: Arc::clone(&links),
            identity: links::identity(config, installation)?,
        };
        let check = SignatureCheck {
            provider: Arc::clone(&provider),
            public_urls: front,
            routes: Routes::new(config.routes.clone()),
            identity: Arc::new(config.identity.headers()),
            body_limits: BodyLimits::default(),
        };
        let verdicts = ForwardAuth::new(check.clone(), assertion.clone(), clock.clone());
        let proxy = Proxy::new(&config.upstream, Arc::clone(&check.identity), assertion);
        Ok(Self {
            app,
            gateway: Gateway {
                check,
                proxy: proxy.context("upstream.ca_file")?,
            },
            verdicts,
            provider,
            administration,
            rejections,
            links,
            branding,
        })
    }
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
    let mut keys = keys.unwrap_or_default().into_iter();
    let Some(current) = keys.next() else {
        bail!("the key of the identity assertion cannot be derived from the secret key");
    };
    let issuer = config.server.public_url.as_str();
    let assertion = Assertion::new(
        issuer,
        &config.identity.assertion_audience,
        current,
        clock.clone(),
    );
    Ok(Some(assertion.with_previous(keys.collect())))
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
