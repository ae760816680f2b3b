//! Files that must work as they stand, and what is not written in them.

use std::fs;
use std::time::Duration;

use insta::assert_snapshot;
use linkgate::config::Config;
use linkgate::gateway::{IdentityPreset, RouteMode};
use linkgate::login::Method;
use linkgate::model::ConsumerSource;
use linkgate::oauth::{SignatureMethod, VerificationKey};
use linkgate::telemetry::{Format, Level};

use super::{NOW, SMALLEST, Written, example};

#[test]
fn the_sidecar_example_works_unchanged() {
    let config = Config::load(&example("sidecar.toml"), [], NOW).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:9080");
    assert_eq!(config.server.public_url.as_str(), "http://127.0.0.1:9080");
    assert_eq!(config.upstream.url.as_str(), "http://127.0.0.1:9090");
    assert_eq!(config.branding.name, "127.0.0.1");
    assert_eq!(config.store.sqlite_file(), Some(example("linkgate.db")));
    assert_eq!(config.keys.secret_key_file, example("linkgate.key"));
    assert!(!config.store.is_postgres());
    assert_eq!(config.login.method, Method::File);
    assert_eq!(config.login.file.unwrap().path, example("users.toml"));
    assert_eq!(config.identity.preset, IdentityPreset::RemoteUser);
    assert!(config.identity.assertion);
    let auths: Vec<_> = config
        .routes
        .iter()
        .map(|route| (route.path.as_str(), route.mode))
        .collect();
    assert_eq!(
        auths,
        [("/api/**", RouteMode::OAuth), ("/static/**", RouteMode::None)]
    );
    assert_eq!(config.admin.subjects, ["alice"]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);

    let [form, own, rotating] = config.consumers.as_slice() else {
        panic!("three consumers");
    };
    assert!(matches!(form.keys.as_slice(), [VerificationKey::Hmac(_)]));
    let found = form.methods.iter().copied().collect::<Vec<_>>();
    assert_eq!(found, [SignatureMethod::HmacSha1]);
    let seen = (own.key.as_str(), own.name.as_str());
    assert_eq!(seen, ("Stash:8277239845", "Bitbucket (own key)"));
    let found = own.methods.iter().copied().collect::<Vec<_>>();
    assert_eq!(found, [SignatureMethod::RsaSha1]);
    assert!(own.two_legged && own.impersonation && own.session_handles && own.enabled);
    assert_eq!(own.two_legged_user.as_deref(), Some("svc-bitbucket"));
    assert_eq!(own.callbacks.len(), 2);
    assert_eq!(rotating.keys.len(), 2);
    assert_eq!(
        rotating.keys[1], own.keys[0],
        "the certificate holds the other consumer's key"
    );
    assert!(
        config
            .consumers
            .iter()
            .all(|consumer| consumer.source == ConsumerSource::Config)
    );
}

#[test]
fn the_replica_example_works_where_its_secrets_are() {
    let written = Written::new(&fs::read_to_string(example("replica.toml")).unwrap())
        .with("password", "swordfish\n")
        .with("key", "abcd:AAAA");
    assert_snapshot!(written.refused(&[]), @r"
    linkgate.toml:18:1: store.password_file: /run/secrets/linkgate-db does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    ");
    let there = [
        ("LINKGATE__STORE__PASSWORD_FILE", "password"),
        ("LINKGATE__KEYS__SECRET_KEY_FILE", "key"),
    ];
    let config = written.load(&there).unwrap();
    assert_eq!(config.store.url, "postgres://linkgate@db.example.com/linkgate");
    assert_eq!(config.store.password.as_ref().unwrap().expose(), "swordfish");
    assert_eq!(config.store.max_connections.get(), 16);
    assert!(config.store.is_postgres());
    let found = config.server.public_urls[0].as_str();
    assert_eq!(found, "https://builds.internal.example.com");
    assert_eq!(config.log.format, Format::Json);
    assert_eq!(config.identity.preset, IdentityPreset::Oauth2Proxy);
    assert_eq!(config.tokens.request_token_lifetime, 600);
    assert_eq!(config.tokens.access_token_lifetime, 157_680_000);
    assert_eq!(config.tokens.session_lifetime(), 160_272_000);
    assert_eq!(config.login.method, Method::Probe);
    let probe = config.login.probe.as_ref().unwrap();
    assert_eq!(probe.url.as_str(), "http://127.0.0.1:9090/api/me");
    let found = (probe.cookies[0].as_str(), probe.user_pointer.0.as_str());
    assert_eq!(found, ("session", "/name"));
    assert_eq!(probe.reject[0].equals, true);
    assert_eq!(probe.timeout, Duration::from_secs(3));
    let [warning] = config.warnings.as_slice() else {
        panic!("{:?}", config.warnings);
    };
    assert!(warning.to_string().contains("?sslmode=verify-full"), "{warning}");
}

#[test]
fn the_smallest_file_has_every_default() {
    let written = Written::new(SMALLEST);
    let config = written.load(&[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:9080");
    assert_eq!(config.server.admin_listen.to_string(), "127.0.0.1:9081");
    assert_eq!(config.branding.name, "builds.example.com");
    assert_eq!(config.upstream.connect_timeout, Duration::from_secs(5));
    assert_eq!(config.upstream.response_timeout, Duration::from_mins(1));
    assert_eq!(config.upstream.idle_timeout, Duration::from_mins(5));
    assert_eq!(
        config.store.url,
        format!("sqlite://{}", written.path("linkgate.db").display())
    );
    assert_eq!(config.keys.secret_key_file, written.path("linkgate.key"));
    assert_eq!(config.tokens.request_token_lifetime, 600);
    assert_eq!(config.tokens.access_token_lifetime, 157_680_000);
    assert_eq!(config.tokens.session_lifetime(), 160_272_000);
    let found = (
        config.tokens.timestamp_window.past,
        config.tokens.timestamp_window.future,
    );
    assert_eq!(found, (300, 300));
    assert_eq!(config.identity.assertion_audience, "https://builds.example.com");
    assert!(config.consumers.is_empty() && config.routes.is_empty() && config.admin.subjects.is_empty());
    assert_eq!((config.log.format, config.log.level), (Format::Text, Level::Info));
}

#[test]
fn a_secret_file_ends_with_one_newline() {
    let text = "[[consumers]]\nkey = \"ck\"\nshared_secret_file = \"secret\"\n";
    for (content, secret) in [
        ("0123456789abcdef", "0123456789abcdef"),
        ("0123456789abcdef\n", "0123456789abcdef"),
        ("0123456789abcdef\r\n", "0123456789abcdef"),
        ("\u{feff}0123456789abcdef\n", "0123456789abcdef"),
        ("01234567 '89abcdef\n", "01234567 '89abcdef"),
    ] {
        let config = Written::smallest_and(text)
            .with("secret", content)
            .load(&[])
            .unwrap();
        let [VerificationKey::Hmac(read)] = config.consumers[0].keys.as_slice() else {
            panic!("one shared secret");
        };
        assert_eq!(read.expose(), secret);
    }
    for (content, wrong) in [
        ("", "is empty"),
        ("\u{feff}\r\n", "is empty"),
        (" 0123456789abcdef\n", "has white space around the secret"),
        ("0123456789abcdef\t\n", "has white space around the secret"),
        ("0123456789abcdef\n\n", "has more than one line"),
        ("user\n0123456789abcdef\n", "has more than one line"),
        ("\"0123456789abcdef\"\n", "has quotes around the secret"),
        ("'0123456789abcdef'", "has quotes around the secret"),
    ] {
        let said = Written::smallest_and(text).with("secret", content).refused(&[]);
        assert!(said.contains(&format!("the file {wrong}")), "{content:?}: {said}");
        assert!(!said.contains("0123"), "{said}");
    }
}
