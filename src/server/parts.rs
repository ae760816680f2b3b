//! From a configuration to the parts that a server is made of. Nothing is connected or bound here.

use std::sync::Arc;

use anyhow::{anyhow, bail};

use crate::applinks::PeerId;
use crate::clock::Clock;
use crate::config::{
    Config, IdentityHeaders as Configured, Route as Rule, RouteAuth, Upstream as Application,
};
use crate::gateway::{
    Assertion, AssertionKey, BodyLimits, ForwardAuth, Gateway, IdentityHeaders, PathPattern, Proxy,
    ProxyOptions, PublicUrls, Route, RouteMode, Routes, SignatureCheck, TrustedProxies, Upstream,
};
use crate::links::Links;
use crate::login::{Door, Login};
use crate::provider::{Directory, ImpersonationPolicy, Provider, Rules, SessionRules};
use crate::store::{Keyring, Store};
use crate::tls::{ClientTls, Roots};
use crate::web::{Administration, App, Look, Refusals};

use super::links;

/// Everything above the store.
pub(super) struct Parts {
    pub(super) app: App,
    pub(super) gateway: Gateway,
    pub(super) verdicts: ForwardAuth,
    pub(super) provider: Arc<Provider>,
    pub(super) administration: Arc<Administration>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) links: Arc<Links>,
    pub(super) look: Arc<Look>,
}

impl Parts {
    pub(super) fn new(
        config: &Config,
        installation: PeerId,
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
        let refusals = Arc::new(Refusals::new(clock.clone()));
        let subjects = config.admin.subjects.iter().cloned();
        let administration = Arc::new(Administration::new(subjects, config.secret_files.clone()));
        let links = Arc::new(links::links(config, store, clock)?);
        let look = Arc::new(Look::new(&config.branding));
        let app = App {
            provider: Arc::clone(&provider),
            keyring,
            login: Arc::clone(login),
            front: front.clone(),
            public_url: config.server.public_url.clone(),
            look: Arc::clone(&look),
            administration: Arc::clone(&administration),
            refusals: Arc::clone(&refusals),
            jwks: assertion.as_ref().map(|assertion| assertion.jwks()),
            clock: clock.clone(),
            links: Arc::clone(&links),
            peer: links::ourselves(config, installation),
        };
        let check = check(config, Arc::clone(&provider), front)?;
        let verdicts = ForwardAuth::new(check.clone(), assertion.clone(), clock.clone());
        let proxy = Proxy::new(ProxyOptions {
            upstream: upstream(&config.upstream)?,
            connect_timeout: config.upstream.connect_timeout,
            idle_timeout: config.upstream.idle_timeout,
            response_timeout: config.upstream.response_timeout,
            identity: Arc::clone(&check.identity),
            assertion,
        });
        Ok(Self {
            app,
            gateway: Gateway { check, proxy },
            verdicts,
            provider,
            administration,
            refusals,
            links,
            look,
        })
    }
}

fn check(
    config: &Config,
    provider: Arc<Provider>,
    public_urls: PublicUrls,
) -> anyhow::Result<SignatureCheck> {
    let routes = config
        .routes
        .iter()
        .map(route)
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(SignatureCheck {
        provider,
        public_urls,
        routes: Routes::new(routes),
        identity: Arc::new(identity(&config.identity.headers)?),
        body_limits: BodyLimits::default(),
    })
}

fn upstream(configured: &Application) -> anyhow::Result<Upstream> {
    let upstream = Upstream::parse(&configured.url).map_err(|why| anyhow!("upstream.url: {why}"))?;
    let Some(tls) = &configured.tls else {
        return Ok(upstream);
    };
    let roots = tls.roots.clone().map_or_else(Roots::system, Ok);
    let client = ClientTls::with_roots(roots.map_err(|why| anyhow!("upstream.ca_file: {why}"))?);
    let upstream = upstream.with_tls(client, tls.server_name.as_deref());
    upstream.map_err(|why| anyhow!("upstream.server_name: {why}"))
}

fn route(rule: &Rule) -> anyhow::Result<Route> {
    let path = PathPattern::parse(&rule.path).map_err(|why| anyhow!("routes: {}: {why}", rule.path))?;
    let mode = match rule.auth {
        RouteAuth::OAuth => RouteMode::OAuth,
        RouteAuth::OAuthOrPassthrough => RouteMode::OAuthOrPassthrough,
        RouteAuth::None => RouteMode::None,
    };
    Ok(Route {
        path,
        methods: rule.methods.clone(),
        mode,
    })
}

fn identity(configured: &Configured) -> anyhow::Result<IdentityHeaders> {
    Ok(match configured {
        Configured::RemoteUser => IdentityHeaders::remote_user(),
        Configured::Oauth2Proxy => IdentityHeaders::oauth2_proxy(),
        Configured::Own { user, name, consumer } => IdentityHeaders::own(
            user.as_str(),
            name.as_ref().map(http::HeaderName::as_str),
            consumer.as_ref().map(http::HeaderName::as_str),
        )
        .map_err(|why| anyhow!("identity.headers: {why}"))?,
    })
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
    let is_file = matches!(*login, Login::File(_));
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
    let sessions = &config.sessions;
    SessionRules {
        login_method: login.name(),
        refresh_display_name: login.door() == Door::Form,
        idle: sessions.idle,
        longest: sessions.longest,
        recheck_after: sessions.recheck_after,
        attempts_per_account: sessions.attempts_per_account,
        attempts_per_address: sessions.attempts_per_address,
    }
}

/// Applies beside the login method, which alone decides if it knows its users.
fn impersonation(config: &Config) -> ImpersonationPolicy {
    let configured = &config.impersonation;
    let excluded = [&config.admin.subjects[..], &configured.except].concat();
    if config.login.knows_its_users().is_some() {
        return ImpersonationPolicy {
            excluded,
            ..ImpersonationPolicy::default()
        };
    }
    ImpersonationPolicy {
        excluded,
        names: configured.users.clone(),
        signed_in_by: configured.signed_in_before.then(|| config.login.method()),
    }
}

fn rules(config: &Config, login: &Login) -> Rules {
    Rules {
        window: config.tokens.timestamp_window,
        request_token_lifetime: config.tokens.request_token_lifetime,
        access_token_lifetime: config.tokens.access_token_lifetime,
        session_lifetime: config.tokens.session_lifetime,
        impersonation: impersonation(config),
        sessions: sessions(config, login),
        ..Rules::new(config.server.public_url.as_str())
    }
}
