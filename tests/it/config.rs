//! The configuration: the examples work, and whatever is wrong is said with its place, its key and its remedy.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use insta::assert_snapshot;
use linkgate::config::{Config, ConfigError, IdentityHeaders, LogFormat, Login, RouteAuth};
use linkgate::model::ConsumerSource;
use linkgate::oauth::{SignatureMethod, Timestamp, VerificationKey};
use tempfile::TempDir;

/// 2026-11-23, when the certificate in the example is good.
const NOW: Timestamp = Timestamp::from_seconds(1_795_473_360);

/// The smallest configuration that works, to which each test adds its own.
const SMALLEST: &str = r#"
[server]
public_url = "https://builds.example.com"
[upstream]
url = "http://127.0.0.1:9090"
[login]
method = "file"
[login.file]
path = "users.toml"
"#;

/// An RSA key of 1024 bits.
const SHORT_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDJZ752FUxSwLWXVeV77WTH4zkN5KJ7yHiavm8rjOxqYS2qhBLok6kElvZU+spxprPEe0xQpGYrc24EE6LmVj2hg8KTpUobcFWZRq4P5ZGCCpiabI9OtWZaTFEr7ycAodohqNlnYZI/oCLkxbbhpbwu3oCyWQgoM2rnAS869bTS1QIDAQAB";

/// A key of an elliptic curve.
const CURVE_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfsb3r3aYqombMjwwx/WzEOct/A5PvFHVYXQn/WJPn2Ef4PhLEwmoqIroo8ZpB1AkqInXpOydQRvubpILtqIOWQ==";

/// A directory with a configuration and the files that it may name.
struct Written {
    directory: TempDir,
}

impl Written {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/examples");
        for name in ["users.toml", "bitbucket-old.pem"] {
            fs::copy(examples.join(name), directory.path().join(name)).unwrap();
        }
        fs::write(directory.path().join("linkgate.toml"), text).unwrap();
        Self { directory }
    }

    fn smallest_and(text: &str) -> Self {
        Self::new(&format!("{SMALLEST}{text}"))
    }

    fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.directory.path().join(name), text).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Config::load(&self.path("linkgate.toml"), variables, NOW)
    }

    /// What is said about it, without the directory.
    fn refused(&self, variables: &[(&str, &str)]) -> String {
        self.shown(&self.load(variables).unwrap_err().to_string())
    }

    fn warned(&self) -> String {
        let warnings = self.load(&[]).unwrap().warnings;
        self.shown(
            &warnings
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.directory.path().display()), "")
    }
}

fn refused(text: &str) -> String {
    Written::smallest_and(text).refused(&[])
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/examples")
        .join(name)
}

#[test]
fn the_sidecar_example_works_as_it_stands() {
    let config = Config::load(&example("sidecar.toml"), [], NOW).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:9080");
    assert_eq!(config.server.public_url.as_str(), "http://127.0.0.1:9080");
    assert_eq!(config.upstream.url, "http://127.0.0.1:9090");
    assert_eq!(config.upstream.name, "127.0.0.1");
    assert_eq!(config.store.sqlite_file, Some(example("linkgate.db")));
    assert_eq!(config.keys.secret_key_file, example("linkgate.key"));
    assert!(config.keys.make_if_missing);
    assert!(matches!(&config.login, Login::File { path } if *path == example("users.toml")));
    assert_eq!(config.identity.headers, IdentityHeaders::RemoteUser);
    assert!(config.identity.assertion);
    let auths: Vec<_> = config
        .routes
        .iter()
        .map(|route| (route.path.as_str(), route.auth))
        .collect();
    assert_eq!(
        auths,
        [("/api/**", RouteAuth::OAuth), ("/static/**", RouteAuth::None)]
    );
    assert_eq!(config.admin.subjects, ["alice"]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);

    let [form, own, rotating] = config.consumers.as_slice() else {
        panic!("three consumers");
    };
    assert!(matches!(form.keys.as_slice(), [VerificationKey::Hmac(_)]));
    assert_eq!(
        form.methods.iter().copied().collect::<Vec<_>>(),
        [SignatureMethod::HmacSha1]
    );
    assert_eq!(
        (own.key.as_str(), own.name.as_str()),
        ("Stash:8277239845", "Bitbucket (own key)")
    );
    assert_eq!(
        own.methods.iter().copied().collect::<Vec<_>>(),
        [SignatureMethod::RsaSha1]
    );
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
    assert_snapshot!(written.refused(&[]), @r#"
    linkgate.toml cannot be used: 2 things are wrong
    linkgate.toml:18:17: store.password_file: /run/secrets/linkgate-db does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    linkgate.toml:22:19: keys.secret_key_file: /run/secrets/linkgate-key does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    "#);
    let there = [
        ("LINKGATE__STORE__PASSWORD_FILE", "password"),
        ("LINKGATE__KEYS__SECRET_KEY_FILE", "key"),
    ];
    let config = written.load(&there).unwrap();
    assert_eq!(config.store.url, "postgres://linkgate@db.example.com/linkgate");
    assert_eq!(config.store.password.as_ref().unwrap().expose(), "swordfish");
    assert_eq!(config.store.max_connections, 16);
    assert!(!config.keys.make_if_missing);
    assert_eq!(
        config.server.public_urls[0].as_str(),
        "https://builds.internal.example.com"
    );
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.identity.headers, IdentityHeaders::Oauth2Proxy);
    assert_eq!(config.tokens.request_token_lifetime, 600);
    assert_eq!(config.tokens.access_token_lifetime, 157_680_000);
    assert_eq!(config.tokens.session_lifetime, 160_272_000);
    let Login::Probe(probe) = &config.login else {
        panic!("login by probe");
    };
    assert_eq!(probe.url, "http://127.0.0.1:9090/api/me");
    assert_eq!(
        (probe.cookies[0].as_str(), probe.user_pointer.as_str()),
        ("session", "/name")
    );
    assert_eq!(probe.reject[0].equals, true);
    assert_eq!(probe.timeout, Duration::from_secs(3));
}

#[test]
fn the_smallest_file_has_every_default() {
    let written = Written::new(SMALLEST);
    let config = written.load(&[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:9080");
    assert_eq!(config.server.admin_listen.to_string(), "127.0.0.1:9081");
    assert_eq!(config.upstream.name, "builds.example.com");
    assert_eq!(config.upstream.connect_timeout, Duration::from_secs(5));
    assert_eq!(config.upstream.response_timeout, Duration::from_secs(60));
    assert_eq!(config.upstream.idle_timeout, Duration::from_secs(300));
    assert_eq!(
        config.store.url,
        format!("sqlite://{}", written.path("linkgate.db").display())
    );
    assert_eq!(config.keys.secret_key_file, written.path("linkgate.key"));
    assert_eq!(config.tokens.request_token_lifetime, 600);
    assert_eq!(config.tokens.access_token_lifetime, 157_680_000);
    assert_eq!(config.tokens.session_lifetime, 160_272_000);
    assert_eq!(
        (
            config.tokens.timestamp_window.past,
            config.tokens.timestamp_window.future
        ),
        (300, 300)
    );
    assert_eq!(config.identity.assertion_audience, "https://builds.example.com");
    assert!(config.consumers.is_empty() && config.routes.is_empty() && config.admin.subjects.is_empty());
    assert_eq!(
        (config.log.format, config.log.level.name()),
        (LogFormat::Text, "info")
    );
}

#[test]
fn a_missing_file_and_an_empty_one() {
    let written = Written::new("");
    assert_snapshot!(written.refused(&[]), @r#"
    linkgate.toml cannot be used: 3 things are wrong
    linkgate.toml: server.public_url: it is missing
        write the URL that consumers sign: public_url = "https://builds.example.com"
    linkgate.toml: upstream.url: it is missing
        write where the application listens: url = "http://127.0.0.1:8080"
    linkgate.toml: login.method: it is missing
        write method = "file" for a password file
    "#);
    fs::remove_file(written.path("linkgate.toml")).unwrap();
    assert_snapshot!(written.refused(&[]), @r#"
    linkgate.toml cannot be used
    linkgate.toml: linkgate.toml does not exist
        name the file with --config or LINKGATE_CONFIG
    "#);
}

#[test]
fn what_is_not_toml() {
    let written = Written::new("[server\nlisten = 127.0.0.1:9080\npublic_url = \"https://h\"\n");
    assert_snapshot!(written.refused(&[]), @r#"
    linkgate.toml cannot be used
    linkgate.toml:1:8: this is not TOML: unclosed table, expected `]`
        a value is text in quotes, a number, true, false, or a list in brackets
    "#);
}

#[test]
fn unknown_keys_and_sections() {
    assert_snapshot!(refused("[sever]\nlisten = \"127.0.0.1:9080\"\n[store]\nlru = \"x\"\n"), @r#"
    linkgate.toml cannot be used: 2 things are wrong
    linkgate.toml:10:2: sever: there is no such section
        did you mean server?
    linkgate.toml:13:1: store.lru: there is no such key
        known here: url, password, password_file, max_connections
    "#);
    assert_snapshot!(refused("[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef\"\ncalbacks = []\n"), @r#"
    linkgate.toml cannot be used
    linkgate.toml:13:1: consumers[0].calbacks: there is no such key
        did you mean callbacks?
    "#);
}

#[test]
fn wrong_types_are_found_together() {
    let text = r#"
[server]
listen = 9080
admin_listen = "localhost:9081"
public_url = ["https://builds.example.com"]
trusted_proxies = ["10.0.0.0/8", "proxy", 4]
upstream = "http://127.0.0.1:9090"
[upstream]
url = "http://127.0.0.1:9090"
connect_timeout = 5
idle_timeout = "10 minutes"
[store]
max_connections = "many"
[login]
method = "pasword"
[login.file]
path = "users.toml"
[consumers]
key = "ck"
[[routes]]
path = "api"
methods = ["get"]
auth = "oath"
[identity]
assertion = "yes"
[log]
format = "yaml"
"#;
    assert_snapshot!(Written::new(text).refused(&[]), @r#"
    linkgate.toml cannot be used: 16 things are wrong
    linkgate.toml:3:10: server.listen: expected a text, found a number
        write an IP address and a port: "127.0.0.1:9080", or "0.0.0.0:9080" for all interfaces
    linkgate.toml:4:16: server.admin_listen: "localhost:9081" is not an address and a port
        write an IP address and a port: "127.0.0.1:9080", or "0.0.0.0:9080" for all interfaces
    linkgate.toml:5:14: server.public_url: expected a text, found a list
        write it in quotes
    linkgate.toml:6:34: server.trusted_proxies[1]: "proxy" is not an IP address or network
        write an address or a network: "10.1.2.3" or "10.0.0.0/8"
    linkgate.toml:6:43: server.trusted_proxies[2]: expected a text, found a number
        write it in quotes
    linkgate.toml:7:1: server.upstream: there is no such key
        known here: listen, admin_listen, public_url, public_urls, trusted_proxies, tls
    linkgate.toml:10:19: upstream.connect_timeout: expected a duration, found a number
        write the unit too, in quotes: "5s"
    linkgate.toml:11:16: upstream.idle_timeout: "10 minutes" is not a duration
        write numbers with units, largest first: "90s", "10m", "1h30m", "5y30d" (y is 365 days; w, d, h, m, s, ms)
    linkgate.toml:13:19: store.max_connections: expected a number, found a text
        write a whole number from 1 on, without quotes
    linkgate.toml:15:10: login.method: "pasword" is not known here
        write one of "file", "probe", "handoff", "oidc", "trusted-header"
    linkgate.toml:18:1: consumers: expected a list, found a table
        write [[consumers]], with two brackets
    linkgate.toml:21:8: routes[0].path: "api" cannot be used
        begin it with a slash: "/api/**"
    linkgate.toml:22:12: routes[0].methods[0]: "get" cannot be used
        write a method in capitals: "GET"
    linkgate.toml:23:8: routes[0].auth: "oath" is not known here
        did you mean "oauth"?
    linkgate.toml:25:13: identity.assertion: expected true or false, found a text
        write true or false, without quotes
    linkgate.toml:27:10: log.format: "yaml" is not known here
        write one of "text", "json"
    "#);
}

#[test]
fn files_that_are_named_and_not_there() {
    let text = SMALLEST.replace("users.toml", "nobody.toml")
        + "[[consumers]]\nkey = \"ck\"\npublic_key_file = \"/no/such.pem\"\n";
    assert_snapshot!(Written::new(&text).refused(&[]), @r#"
    linkgate.toml cannot be used: 2 things are wrong
    linkgate.toml:9:8: login.file.path: nobody.toml does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    linkgate.toml:12:19: consumers[0].public_key_file: /no/such.pem does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    "#);
}

#[test]
fn a_secret_stands_in_one_place() {
    let both = "[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef\"\nshared_secret_file = \"secret\"\n";
    assert_snapshot!(refused(both), @r#"
    linkgate.toml cannot be used
    linkgate.toml:13:22: consumers[0].shared_secret_file: shared_secret is given as well
        keep shared_secret or shared_secret_file, not both
    "#);
    let empty = Written::smallest_and("[[consumers]]\nkey = \"ck\"\nshared_secret_file = \"secret\"\n")
        .with("secret", "\n");
    assert_snapshot!(empty.refused(&[]), @r#"
    linkgate.toml cannot be used
    linkgate.toml:12:22: consumers[0].shared_secret_file: the file is empty
        write the secret into it, on one line
    "#);
}

#[test]
fn a_secret_file_ends_with_one_newline() {
    let text = "[[consumers]]\nkey = \"ck\"\nshared_secret_file = \"secret\"\n";
    for (content, secret) in [
        ("0123456789abcdef", "0123456789abcdef"),
        ("0123456789abcdef\n", "0123456789abcdef"),
        ("0123456789abcdef\r\n", "0123456789abcdef"),
        (" 0123456789abcdef \n\n", " 0123456789abcdef \n"),
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
}

#[test]
fn consumers_that_are_half_configured() {
    assert_snapshot!(refused("[[consumers]]\n[[consumers]]\nkey = \"\"\nshared_secret = \"0123456789abcdef\"\n"), @r#"
    linkgate.toml cannot be used: 3 things are wrong
    linkgate.toml:10:1: consumers[0].key: it is missing
        write the consumer key, as the consumer has it: key = "Stash:8277239845"
    linkgate.toml:10:1: consumers[0].public_key: it is missing
        write the public key that the consumer shows: public_key = "MIIB...", or the secret that it shares: shared_secret = "..."
    linkgate.toml:12:7: consumers[1].key: it is empty
        write a text, or leave the key out
    "#);
    let families = r#"
[[consumers]]
key = "ck"
shared_secret = "0123456789abcdef"
public_key_file = "bitbucket-old.pem"
public_keys = [{ file = "bitbucket-old.pem", pem = "x" }, {}]
"#;
    assert_snapshot!(refused(families), @r#"
    linkgate.toml cannot be used: 5 things are wrong
    linkgate.toml:13:17: consumers[0].shared_secret: the consumer has a public key as well
        keep one; a consumer that signs in both ways is two consumers, each with a key of its own
    linkgate.toml:15:15: consumers[0].public_keys: public_key_file is given as well
        put all of the consumer's keys into public_keys
    linkgate.toml:15:25: consumers[0].public_keys[0].file: pem is given as well
        write one table for each key
    linkgate.toml:15:52: consumers[0].public_keys[0].pem: this is neither PEM nor base64
        paste the consumer's RSA public key or its certificate
    linkgate.toml:15:59: consumers[0].public_keys[1].file: it is missing
        write { file = "bitbucket.pem" } or { pem = "..." }
    "#);
    let twice = r#"
[[consumers]]
key = "ck"
shared_secret = "0123456789abcdef"
[[consumers]]
key = "ck"
public_key_file = "bitbucket-old.pem"
two_legged_user = "svc"
default_callback = "https://bitbucket.example.com/back"
"#;
    assert_snapshot!(refused(twice), @r#"
    linkgate.toml cannot be used: 3 things are wrong
    linkgate.toml:15:7: consumers[1].key: consumers[0] has the key "ck" too
        write each consumer once; during a rotation, both of its keys go into public_keys
    linkgate.toml:17:19: consumers[1].two_legged_user: the consumer may not call as itself
        write two_legged = true too, or leave it out
    linkgate.toml:18:20: consumers[1].default_callback: callbacks does not allow it
        add its origin to callbacks
    "#);
}

#[test]
fn signature_methods_fit_the_key_and_the_url() {
    let text = r#"
[[consumers]]
key = "form"
shared_secret = "0123456789abcdef"
signature_methods = ["HMAC-SHA1", "RSA-SHA1", "hmac-sha256"]
[[consumers]]
key = "own"
public_key_file = "bitbucket-old.pem"
signature_methods = ["RSA-SHA256", "PLAINTEXT"]
"#;
    assert_snapshot!(refused(text), @r#"
    linkgate.toml cannot be used: 3 things are wrong
    linkgate.toml:14:35: consumers[0].signature_methods[1]: RSA-SHA1 does not go with a shared secret
        write "HMAC-SHA1", or leave signature_methods out
    linkgate.toml:14:47: consumers[0].signature_methods[2]: "hmac-sha256" is not known here
        write one of "HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT"
    linkgate.toml:18:36: consumers[1].signature_methods[1]: PLAINTEXT does not go with a public key
        write "RSA-SHA1", or leave signature_methods out
    "#);
    let plain = "[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef\"\nsignature_methods = [\"PLAINTEXT\"]\n";
    let config = Written::smallest_and(plain).load(&[]).unwrap();
    assert!(config.consumers[0].methods.contains(&SignatureMethod::Plaintext));
    let http = SMALLEST.replace("https://builds.example.com", "http://127.0.0.1:9080");
    assert_snapshot!(Written::new(&format!("{http}{plain}")).refused(&[]), @r#"
    linkgate.toml cannot be used
    linkgate.toml:13:22: consumers[0].signature_methods[0]: PLAINTEXT sends the secret itself, and a public URL is http
        write https URLs as server.public_url and public_urls, or leave PLAINTEXT out
    "#);
}

#[test]
fn keys_that_are_none() {
    let text = format!(
        r#"
[[consumers]]
key = "private"
public_key_file = "private.pem"
[[consumers]]
key = "pasted"
public_key = """
-----BEGIN RSA PRIVATE KEY-----
MIIE
-----END RSA PRIVATE KEY-----
"""
[[consumers]]
key = "curve"
public_keys = [{{ file = "bitbucket-old.pem" }}, {{ pem = "{CURVE_KEY}" }}]
[[consumers]]
key = "cut"
public_key = "{}"
"#,
        &SHORT_KEY[..100]
    );
    let private = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
    let written = Written::smallest_and(&text).with("private.pem", private);
    assert_snapshot!(written.refused(&[]), @r#"
    linkgate.toml cannot be used: 4 things are wrong
    linkgate.toml:13:19: consumers[0].public_key_file: private.pem: this is a private key, and nobody but its owner may have it
        paste the public key, and replace this key pair if the private key went through other hands
    linkgate.toml:16:14: consumers[1].public_key: this is a private key, and nobody but its owner may have it
        paste the public key, and replace this key pair if the private key went through other hands
    linkgate.toml:23:56: consumers[2].public_keys[1].pem: this is an elliptic-curve key
        OAuth 1.0 signs with RSA, so paste an RSA public key
    linkgate.toml:26:14: consumers[3].public_key: this is base64, but of nothing that looks like an RSA public key or a certificate
        is it complete?
    "#);
}

#[test]
fn callbacks_that_are_none() {
    let text = r#"
[[consumers]]
key = "ck"
shared_secret = "0123456789abcdef"
callbacks = ["https://*.example.com", "bitbucket.example.com", "https://bitbucket.example.com", "javascript:alert(1)"]
default_callback = "ftp://bitbucket.example.com"
"#;
    assert_snapshot!(refused(text), @r#"
    linkgate.toml cannot be used: 4 things are wrong
    linkgate.toml:14:14: consumers[0].callbacks[0]: "https://*.example.com" cannot be used
        only the port may be *: name the host, and leave out what may vary at the end of the path
    linkgate.toml:14:39: consumers[0].callbacks[1]: "bitbucket.example.com" cannot be used
        it must be an absolute URL that begins with https:// or http://
    linkgate.toml:14:97: consumers[0].callbacks[3]: "javascript:alert(1)" cannot be used
        it must be an absolute URL that begins with https:// or http://
    linkgate.toml:15:20: consumers[0].default_callback: "ftp://bitbucket.example.com" cannot be used
        it must begin with https:// or http://
    "#);
}

#[test]
fn public_urls_that_are_none() {
    let text = SMALLEST.replace("https://builds.example.com", "https://builds.example.com/?x=1");
    assert_snapshot!(Written::new(&text).refused(&[]), @r#"
    linkgate.toml cannot be used
    linkgate.toml:3:14: server.public_url: "https://builds.example.com/?x=1" cannot be used
        leave the query and the fragment out: only scheme, host, port and path
    "#);
}

#[test]
fn listeners_differ() {
    let text = SMALLEST.replace("[server]", "[server]\nlisten = \"127.0.0.1:9081\"");
    assert_snapshot!(Written::new(&text).refused(&[]), @r#"
    linkgate.toml cannot be used
    linkgate.toml:2:2: server.admin_listen: it is the same as server.listen
        write another port: the health checks are not for the world
    "#);
}

#[test]
fn what_is_not_there_yet() {
    let text = SMALLEST.replace("http://127.0.0.1:9090", "https://127.0.0.1:9090")
        + "[server.tls]\ncertificate = \"x\"\n[[links]]\nkey = \"x\"\n";
    assert_snapshot!(Written::new(&text).refused(&[]), @r#"
    linkgate.toml cannot be used: 3 things are wrong
    linkgate.toml:5:7: upstream.url: https to the application is not there yet
        write the application's http URL, on the same host or a trusted network
    linkgate.toml:10:1: server.tls: this version of linkgate does not have it yet
        let a proxy in front of linkgate end TLS, and write its https URL as public_url
    linkgate.toml:12:1: links: this version of linkgate does not have it yet
        leave [[links]] out: linkgate answers Bitbucket, and does not call it yet
    "#);
}

#[test]
fn a_header_is_trusted_only_from_known_proxies() {
    let text = SMALLEST.replace("method = \"file\"", "method = \"trusted-header\"");
    assert_snapshot!(Written::new(&text).refused(&[]), @r#"
    linkgate.toml cannot be used
    linkgate.toml:7:10: login.method: server.trusted_proxies is empty, so nobody's header would be believed
        write the proxy's address into [server]: trusted_proxies = ["127.0.0.1"]
    "#);
    let trusting = text.replace("[server]", "[server]\ntrusted_proxies = [\"127.0.0.1\"]");
    assert!(matches!(
        Written::new(&trusting).load(&[]).unwrap().login,
        Login::TrustedHeader { .. }
    ));
}

#[test]
fn login_tables_are_read_whole() {
    let text = r#"
[login.probe]
url = "/api/me"
cookies = ["session=1"]
user_pointer = "name"
login_url = "https://builds.example.com/login"
reject = [{ pointer = "/anonymous" }]
[login.handoff]
[login.oidc]
issuer = "id.example.com"
client_secret = "s"
client_secret_file = "users.toml"
"#;
    assert_snapshot!(refused(text), @r#"
    linkgate.toml cannot be used: 11 things are wrong
    linkgate.toml:12:7: login.probe.url: "/api/me" cannot be used
        write it whole: "http://127.0.0.1:8080/api/me"
    linkgate.toml:13:11: login.probe.cookies: it names no cookie
        write the names of the application's session cookies
    linkgate.toml:13:12: login.probe.cookies[0]: "session=1" cannot be used
        write the cookie's name alone: "session"
    linkgate.toml:14:16: login.probe.user_pointer: "name" cannot be used
        write a JSON pointer, which begins with a slash: "/name"
    linkgate.toml:15:13: login.probe.login_url: "https://builds.example.com/login" cannot be used
        put {return_to} once where the application expects the way back: "https://builds.example.com/login?from={return_to}"
    linkgate.toml:16:11: login.probe.reject[0].equals: it is missing
        write { pointer = "/anonymous", equals = true }
    linkgate.toml:17:8: login.handoff.login_url: it is missing
        write the application's page: login_url = "https://builds.example.com/linkgate-login"
    linkgate.toml:17:8: login.handoff.secret_file: it is missing
        write a file with the secret that the application has too
    linkgate.toml:18:8: login.oidc.client_id: it is missing
        write the name that the provider knows linkgate by
    linkgate.toml:19:10: login.oidc.issuer: "id.example.com" cannot be used
        write it whole: "http://127.0.0.1:8080/api/me"
    linkgate.toml:21:22: login.oidc.client_secret_file: client_secret is given as well
        keep client_secret or client_secret_file, not both
    "#);
}

#[test]
fn databases_and_their_keys() {
    let mut urls = Vec::new();
    for url in ["mysql://u:hunter2@h/d", "sqlite://", "postgres://u:hunter2@h/d"] {
        urls.push(refused(&format!(
            "[store]\nurl = \"{url}\"\npassword = \"hunter3\"\n"
        )));
    }
    let said = urls.join("\n");
    assert!(!said.contains("hunter"));
    assert_snapshot!(said, @r#"
    linkgate.toml cannot be used
    linkgate.toml:11:7: store.url: this is not the URL of a database that linkgate knows
        write "sqlite://linkgate.db" or "postgres://user@host/database"
    linkgate.toml cannot be used
    linkgate.toml:11:7: store.url: the path is missing
        write "sqlite://linkgate.db" or "postgres://user@host/database"
    linkgate.toml cannot be used: 2 things are wrong
    linkgate.toml: keys.secret_key_file: it is missing
        with PostgreSQL every replica needs the same key: make it with `linkgate key generate --out linkgate.key`, and write its path
    linkgate.toml:11:7: store.url: the URL has a password, and password or password_file has one too
        keep one; a file is best
    "#);
}

#[test]
fn lifetimes_and_windows() {
    let text = r#"
[tokens]
request_token_lifetime = "1ms"
access_token_lifetime = "30d"
session_lifetime = "1d"
timestamp_window = "1d"
"#;
    assert_snapshot!(refused(text), @r#"
    linkgate.toml cannot be used: 3 things are wrong
    linkgate.toml:12:26: tokens.request_token_lifetime: it is less than a second
        write whole seconds: "90s"
    linkgate.toml:14:20: tokens.session_lifetime: it is shorter than access_token_lifetime, so no token could be renewed at its end
        write a longer one, or leave it out: access_token_lifetime and 30 days
    linkgate.toml:15:20: tokens.timestamp_window: it is more than an hour, and as long as this every nonce is remembered
        write "5m", and set the clocks by NTP
    "#);
    let longer = Written::smallest_and("[tokens]\naccess_token_lifetime = \"90d\"\n")
        .load(&[])
        .unwrap();
    assert_eq!(
        longer.tokens.session_lifetime,
        120 * 24 * 60 * 60,
        "thirty days longer than the access token"
    );
}

#[test]
fn identity_headers() {
    let own = "[identity]\nheaders = { user = \"X-My-User\", name = \"X-My-Name\" }\n";
    let config = Written::smallest_and(own).load(&[]).unwrap();
    let IdentityHeaders::Own { user, name, consumer } = config.identity.headers else {
        panic!("own headers");
    };
    assert_eq!(
        (user.as_str(), name.unwrap().as_str(), consumer),
        ("x-my-user", "x-my-name", None)
    );
    let text = "[identity]\npreset = \"remoteuser\"\nheaders = { user = \"Host\", name = \"X Y\", consumer = \"X-Linkgate-User\", colour = \"x\" }\n";
    assert_snapshot!(refused(text), @r#"
    linkgate.toml cannot be used: 6 things are wrong
    linkgate.toml:11:10: identity.preset: "remoteuser" is not known here
        did you mean "remote-user"?
    linkgate.toml:12:11: identity.headers: preset is given as well
        keep preset or headers, not both
    linkgate.toml:12:20: identity.headers.user: "Host" cannot be used
        it has another meaning: write a name of your own, "X-My-User"
    linkgate.toml:12:35: identity.headers.name: "X Y" cannot be used
        write letters, digits and dashes: "X-My-User"
    linkgate.toml:12:53: identity.headers.consumer: "X-Linkgate-User" cannot be used
        it has another meaning: write a name of your own, "X-My-User"
    linkgate.toml:12:72: identity.headers.colour: there is no such key
        known here: user, name, consumer
    "#);
    assert_snapshot!(refused("[identity]\nheaders = { name = \"X-A\", consumer = \"x-a\" }\n"), @r#"
    linkgate.toml cannot be used: 2 things are wrong
    linkgate.toml:11:1: identity.headers.user: it is missing
        write the header that the application reads: user = "X-My-User"
    linkgate.toml:11:38: identity.headers.consumer: name has the same name
        write a header of its own
    "#);
}

#[test]
fn warnings_do_not_stop_it() {
    let text = SMALLEST.replace("https://builds.example.com", "http://builds.example.com/ctx")
        + r#"
[[consumers]]
key = "ck"
shared_secret = "short"
impersonation = true
[[consumers]]
key = "old"
public_key = ""#
        + SHORT_KEY
        + "\"\n";
    assert_snapshot!(Written::new(&text).warned(), @r#"
    linkgate.toml:3:14: server.public_url: it has a path: an Application URL with this path makes Bitbucket call http://builds.example.com/oauth/..., without it
        enter http://builds.example.com as the Application URL in Bitbucket, without the path
    linkgate.toml:3:14: server.public_url: it is http: tokens, and the passwords of a sign-in page, travel in clear
        let a proxy in front of linkgate end TLS, and write its https URL
    linkgate.toml:13:17: consumers[0].shared_secret: it is short, and so can be guessed
        write 16 characters or more, made by a machine
    linkgate.toml:14:17: consumers[0].impersonation: a call that names a user is two-legged, and two_legged is off: it will be refused
        write two_legged = true too
    linkgate.toml:17:14: consumers[1].public_key: the key has only 1024 bits
        ask for one of 2048 or more
    "#);
}

#[test]
fn variables_replace_what_the_file_says() {
    let written = Written::smallest_and("[[consumers]]\nkey = \"ck\"\nshared_secret_file = \"secret\"\n")
        .with("other.toml", "");
    let config = written
        .load(&[
            ("LINKGATE__STORE__URL", "sqlite://other.db?mode=rwc"),
            ("LINKGATE__STORE__MAX_CONNECTIONS", "3"),
            ("LINKGATE__LOGIN__FILE__PATH", "other.toml"),
            ("LINKGATE__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
            ("LINKGATE__IDENTITY__ASSERTION", "true"),
            ("LINKGATE__IDENTITY__HEADERS", "{ user = \"X-My-User\" }"),
            ("LINKGATE__CONSUMERS__0__SHARED_SECRET", "0123456789012345"),
            ("LINKGATE__CONSUMERS__1__KEY", "new"),
            ("LINKGATE__CONSUMERS__1__PUBLIC_KEY_FILE", "bitbucket-old.pem"),
            ("LINKGATE__LOGIN__TRUSTED_HEADER__HEADER", "X-User"),
            ("LINKGATE_CONFIG", "elsewhere.toml"),
            ("PATH", "/bin"),
        ])
        .unwrap();
    assert_eq!(
        config.store.url,
        format!("sqlite://{}?mode=rwc", written.path("other.db").display())
    );
    assert_eq!(config.store.max_connections, 3);
    assert_eq!(config.server.trusted_proxies[0].to_string(), "10.0.0.0/8");
    assert!(config.identity.assertion);
    assert!(matches!(&config.login, Login::File { path } if *path == written.path("other.toml")));
    assert_eq!(config.consumers[1].key.as_str(), "new");
    let [VerificationKey::Hmac(secret)] = config.consumers[0].keys.as_slice() else {
        panic!("the variable's secret");
    };
    assert_eq!(secret.expose(), "0123456789012345", "a text of digits is a text");
}

#[test]
fn variables_that_are_wrong_are_named() {
    let said = Written::new(SMALLEST).refused(&[
        ("LINKGATE__STORE__URI", "x"),
        ("LINKGATE__STOER__URL", "x"),
        ("LINKGATE__STORE__MAX_CONNECTIONS", "0"),
        ("LINKGATE__SERVER__PUBLIC_URL__X", "x"),
        ("LINKGATE__SERVER__TRUSTED_PROXIES", "10.0.0.0/8"),
        ("LINKGATE__SERVER__", "x"),
        ("LINKGATE__CONSUMERS__1__KEY", "x"),
        ("LINKGATE__CONSUMERS__X__KEY", "x"),
        ("LINKGATE__IDENTITY__ASSERTION", "yes"),
        ("LINKGATE__LOG__LEVEL", "loud"),
    ]);
    assert_snapshot!(said, @r#"
    linkgate.toml cannot be used: 9 things are wrong
    LINKGATE__CONSUMERS__X__KEY: consumers: expected a list, found a table
        write [[consumers]], with two brackets
    LINKGATE__IDENTITY__ASSERTION: identity.assertion: expected true or false, found a text
        write true or false, without quotes
    LINKGATE__LOG__LEVEL: log.level: "loud" is not known here
        write one of "error", "warn", "info", "debug", "trace"
    LINKGATE__SERVER__: server.: a part of its name is empty
        a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts
    LINKGATE__SERVER__PUBLIC_URL__X: server.public_url.x: the file has a plain value here, not a section
        a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts
    LINKGATE__SERVER__TRUSTED_PROXIES: server.trusted_proxies: expected a list, found a text
        write it in brackets: ["first", "second"]
    LINKGATE__STOER__URL: stoer: there is no such section
        did you mean store?
    LINKGATE__STORE__MAX_CONNECTIONS: store.max_connections: this number is not possible here
        write a whole number from 1 on, without quotes
    LINKGATE__STORE__URI: store.uri: there is no such key
        did you mean url?
    "#);
}
