//! Environment variables over the file.

use insta::assert_snapshot;
use linkgate::oauth::VerificationKey;

use super::{ConfigProblem, SMALLEST, Written};

#[test]
fn variables_replace_values_of_the_file() {
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
    assert_eq!(config.store.max_connections.get(), 3);
    assert_eq!(config.server.trusted_proxies[0].to_string(), "10.0.0.0/8");
    assert!(config.identity.assertion);
    assert_eq!(config.login.file.unwrap().path, written.path("other.toml"));
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
    LINKGATE__CONSUMERS__X__KEY: consumers: expected a list, found a table
        [[consumers]]
    LINKGATE__IDENTITY__ASSERTION: identity.assertion: expected true or false, found a text
        assertion = false # true adds X-Linkgate-Assertion, signed; keys at /.well-known/linkgate/jwks.json
    LINKGATE__LOG__LEVEL: log.level: "loud" is not known here
        write one of "error", "warn", "info", "debug", "trace"
    LINKGATE__SERVER__: server.: a part of its name is empty
        a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts
    LINKGATE__SERVER__PUBLIC_URL__X: server.public_url.x: the file has a plain value here, not a section
        a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts
    LINKGATE__SERVER__TRUSTED_PROXIES: server.trusted_proxies: expected a list, found a text
        trusted_proxies = [] # addresses or networks whose X-Forwarded-* headers are believed
    LINKGATE__STOER__URL: stoer: there is no such key
        did you mean store?
    LINKGATE__STORE__MAX_CONNECTIONS: store.max_connections: expected a whole number from 1 on, found a number
        max_connections = 16 # connections to the database, at most
    LINKGATE__STORE__URI: store.uri: there is no such key
        did you mean url?
    "#);
}

#[test]
fn a_misspelt_variable_is_remarked() {
    let names = [
        "LINKGATE_SERVER_LISTEN",
        "linkgate__server__listen",
        "Linkgate_Store__Url",
        "LINKGATE_CONFIG",
        "LINKGATE_SERVICE_HOST",
        "LINKGATE_PORT",
        "LINKGATED_SERVER_X",
    ];
    let config = Written::new(SMALLEST)
        .load(&names.map(|name| (name, "x")))
        .unwrap();
    let said: Vec<_> = config.warnings.iter().map(ConfigProblem::to_string).collect();
    assert_snapshot!(said.join("\n"), @r"
    LINKGATE_SERVER_LISTEN: it is not read
        a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts
    linkgate__server__listen: it is not read
        a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts
    Linkgate_Store__Url: it is not read
        a variable is named LINKGATE__SECTION__KEY, with two underscores between the parts
    ");
}

#[test]
fn a_variable_wins_over_either_spelling_of_a_secret() {
    let text = SMALLEST.to_owned()
        + "[store]\nurl = \"postgres://u@h/d\"\npassword_file = \"there\"\n[keys]\nsecret_key_file = \"there\"\n";
    let written = Written::new(&text)
        .with("there", "from the file\n")
        .with("other", "from the other file\n");
    for (variables, password) in [
        (&[][..], "from the file"),
        (
            &[("LINKGATE__STORE__PASSWORD", "from the variable")],
            "from the variable",
        ),
        (
            &[("LINKGATE__STORE__PASSWORD_FILE", "other")],
            "from the other file",
        ),
    ] {
        let store = written.load(variables).unwrap().store;
        assert_eq!(store.password.unwrap().expose(), password);
    }
}
