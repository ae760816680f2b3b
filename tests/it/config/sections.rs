//! What is said of mistakes that one section alone can have.

use std::time::Duration;

use insta::assert_snapshot;
use linkgate::login::Method;

use super::{SMALLEST, Written, refused};
use crate::support::Text as _;

#[test]
fn public_urls_that_are_none() {
    let text = SMALLEST.replace("https://builds.example.com", "https://builds.example.com/?x=1");
    assert_snapshot!(Written::new(&text).refused(&[]), @r#"
    linkgate.toml:3:1: server.public_url: "https://builds.example.com/?x=1" cannot be used
        leave the query and the fragment out: only scheme, host, port and path
    "#);
}

#[test]
fn not_every_address_is_a_trusted_proxy() {
    for all in ["0.0.0.0/0", "::/0"] {
        let text = SMALLEST.replace(
            "[upstream]",
            &format!("trusted_proxies = [\"10.0.0.1\", \"{all}\"]\n[upstream]"),
        );
        let said = Written::new(&text).refused(&[]);
        said.has("server.trusted_proxies[1]: every address is trusted");
    }
}

#[test]
fn listeners_differ() {
    let text = SMALLEST.replace("[server]", "[server]\nlisten = \"127.0.0.1:9081\"");
    assert_snapshot!(Written::new(&text).refused(&[]), @r"
    linkgate.toml:2:2: server.admin_listen: it is the same as server.listen
        write another port: the health checks are not for the world
    ");
}

#[test]
fn a_header_is_trusted_only_from_known_proxies() {
    let text = SMALLEST.replace("method = \"file\"", "method = \"trusted-header\"");
    assert_snapshot!(Written::new(&text).refused(&[]), @r#"
    linkgate.toml:7:1: login.method: server.trusted_proxies is empty, so no header would be trusted
        write the proxy's address into [server]: trusted_proxies = ["127.0.0.1"]
    "#);
    let trusting = text.replace("[server]", "[server]\ntrusted_proxies = [\"127.0.0.1\"]");
    let config = Written::new(&trusting).load(&[]).unwrap();
    assert_eq!(config.login.method, Method::TrustedHeader);
    assert_snapshot!(Written::new(&trusting).warned(), @r#"
    linkgate.toml: identity.from_proxies: remote-user is removed from every request, so the application does not know its users by it
        if it should, write from_proxies = ["remote-user"], and [] if not
    "#);
    for silent in [
        "[login.trusted-header]\nheader = \"X-Sso\"\n",
        "[identity]\nfrom_proxies = []\n",
        "[identity]\nfrom_proxies = [\"Remote-User\", \"Remote-*\"]\n",
    ] {
        let text = format!("{trusting}{silent}");
        assert_eq!(Written::new(&text).warned(), "", "{silent}");
    }
    let nobody = SMALLEST.to_owned() + "[identity]\nfrom_proxies = [\"Remote-User\"]\n";
    assert_snapshot!(Written::new(&nobody).refused(&[]), @r#"
    linkgate.toml:11:1: identity.from_proxies: server.trusted_proxies is empty, so none of them passes
        write the proxy's address into [server]: trusted_proxies = ["127.0.0.1"]
    "#);
}

#[test]
fn own_pages_are_below_a_plain_path() {
    for prefix in [
        "/",
        "linkgate",
        "/linkgate/",
        "//x",
        "/a/../b",
        "/%6c",
        "/a b",
        "/.well-known",
    ] {
        let text = SMALLEST.replace("[server]", &format!("[server]\npath_prefix = \"{prefix}\""));
        let refused = Written::new(&text).refused(&[]);
        refused.has("linkgate.toml:3:1: server.path_prefix:");
        refused.has("/linkgate");
    }
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
    linkgate.toml:12:1: login.probe.url: "/api/me" cannot be used
        write it whole: "http://127.0.0.1:8080/api/me"
    linkgate.toml:13:12: login.probe.cookies[0]: "session=1" cannot be used
        write the cookie's name alone: "session", or with a star at its end: "JSESSIONID.*"
    linkgate.toml:14:1: login.probe.user_pointer: "name" cannot be used
        write a JSON pointer, which begins with a slash: "/name"
    linkgate.toml:15:1: login.probe.login_url: "https://builds.example.com/login" cannot be used
        put {return_to} once where the application expects the way back: "https://builds.example.com/login?from={return_to}"
    linkgate.toml:16:11: login.probe.reject[0].equals: it is missing
        reject = [] # answers of 200 that mean nobody: [{ pointer = "/anonymous", equals = true }]
    linkgate.toml:17:8: login.handoff.login_url: it is missing
        login_url = "https://builds.example.com/linkgate-login" # the page
    linkgate.toml:17:8: login.handoff.secret: it is missing
        secret = "0123456789abcdef" # what both sides sign with; better: secret_file
    linkgate.toml:18:8: login.oidc.client_id: it is missing
        client_id = "linkgate" # our name there
    linkgate.toml:19:1: login.oidc.issuer: "id.example.com" cannot be used
        write it whole: "http://127.0.0.1:8080/api/me"
    linkgate.toml:21:1: login.oidc.client_secret_file: client_secret is given as well
        keep client_secret or client_secret_file, not both
    "#);
}

#[test]
fn databases_and_their_keys() {
    let mut urls = Vec::new();
    for url in [
        "mysql://u:hunter2@h/d",
        "sqlite://",
        "postgres://u:hunter2@h/d",
        "postgres://u:a/hunter2@h/d",
        "postgres://u:a?hunter2@h/d",
        "postgres://u:a#hunter2@h/d",
    ] {
        urls.push(refused(&format!(
            "[store]\nurl = \"{url}\"\npassword = \"hunter3\"\n"
        )));
    }
    let said = urls.join("\n");
    assert!(!said.contains("hunter"));
    assert_snapshot!(said, @r#"
    linkgate.toml:11:1: store.url: this is not the URL of a database that linkgate knows
        write "sqlite://linkgate.db" or "postgres://user@host/database"
    linkgate.toml:11:1: store.url: the path is missing
        write "sqlite://linkgate.db" or "postgres://user@host/database"
    linkgate.toml: keys.secret_key_file: it is missing
        with PostgreSQL every replica needs the same key: make it with `linkgate key generate --out linkgate.key`, and write its path
    linkgate.toml:11:1: store.url: the URL has a password, and password or password_file has one too
        keep one; a file is best
    linkgate.toml:11:1: store.url: the user name or the password has a character that ends it: /, ? or #
        percent-encode it, or write the password into a file, and its path as password_file
    linkgate.toml:11:1: store.url: the user name or the password has a character that ends it: /, ? or #
        percent-encode it, or write the password into a file, and its path as password_file
    linkgate.toml:11:1: store.url: the user name or the password has a character that ends it: /, ? or #
        percent-encode it, or write the password into a file, and its path as password_file
    "#);
}

#[test]
fn the_way_to_a_database_is_private() {
    let key = "[keys]\nsecret_key_file = \"there\"\n";
    for (url, is_warned) in [
        ("postgres://u@db.example.com/d", true),
        ("postgres://u@10.0.0.1/d?sslmode=prefer", true),
        ("postgres://u@db.example.com/d?sslmode=require", false),
        ("postgres://u@db.example.com/d?sslmode=verify-full", false),
        ("postgres://u@127.0.0.1/d", false),
        ("postgres://u@localhost/d", false),
        ("postgres://u@%2Frun%2Fpostgresql/d", false),
        ("sqlite://x.db", false),
    ] {
        let text = format!("[store]\nurl = \"{url}\"\n{key}");
        let warned = Written::smallest_and(&text).with("there", "x").warned();
        assert_eq!(warned.contains("in clear text"), is_warned, "{url}: {warned}");
    }
}

#[test]
fn durations_have_units() {
    let timeout = |text: &str| Written::smallest_and(&format!("[store]\ntimeout = \"{text}\"\n"));
    for (text, milliseconds) in [
        ("500ms", 500),
        ("90s", 90_000),
        ("10m", 600_000),
        ("1h30m", 5_400_000),
        ("2w", 1_209_600_000),
        ("5y", 157_680_000_000),
        ("5y30d", 160_272_000_000),
    ] {
        let config = timeout(text).load(&[]).unwrap();
        assert_eq!(
            config.store.timeout,
            Duration::from_millis(milliseconds),
            "{text}"
        );
    }
    for text in "|10|m|10 m|-1s|1.5h|30d5y|1m1m|0s|10M|99999999999999999999s|9999999999y".split('|') {
        timeout(text)
            .refused(&[])
            .has("linkgate.toml:11:1: store.timeout: ");
    }
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
    linkgate.toml:12:1: tokens.request_token_lifetime: it is less than a second
        write whole seconds: "90s"
    "#);
    assert_snapshot!(refused(&text.replace("1ms", "1m")), @r#"
    linkgate.toml:14:1: tokens.session_lifetime: it is shorter than access_token_lifetime, so no token could be renewed at its end
        write a longer one, or leave it out: access_token_lifetime and 30 days
    linkgate.toml:15:1: tokens.timestamp_window: it is more than an hour, and as long as this every nonce is remembered
        write "5m", and set the clocks by NTP
    "#);
    let longer = Written::smallest_and("[tokens]\naccess_token_lifetime = \"90d\"\n")
        .load(&[])
        .unwrap();
    assert_eq!(
        longer.tokens.session_lifetime(),
        120 * 24 * 60 * 60,
        "thirty days longer than the access token"
    );
}

#[test]
fn a_route_that_can_never_apply_is_an_error() {
    let route = |path: &str, methods: &str, auth: &str| {
        format!("[[routes]]\npath = \"{path}\"\nmethods = [{methods}]\nauth = \"{auth}\"\n")
    };
    let all = route("/**", "", "none");
    assert_snapshot!(refused(&(all.clone() + &route("/api/**", "", "oauth"))), @r"
    linkgate.toml:15:1: routes[1].path: /api/** can never apply: routes[0] (/**) is tried before it, and matches all of it
        write the entry for fewer paths first, or remove one of them
    ");
    let reads = route("/api/**", "\"GET\"", "oauth-or-passthrough");
    let some = reads.clone() + &route("/api/*/log", "\"HEAD\"", "none");
    assert_snapshot!(refused(&some), @r"
    linkgate.toml:15:1: routes[1].path: /api/*/log can never apply: routes[0] (/api/**) is tried before it, and matches all of it
        write the entry for fewer paths first, or remove one of them
    ");
    let useful = reads + &route("/api/**", "", "oauth") + &all;
    assert_eq!(Written::smallest_and(&useful).load(&[]).unwrap().routes.len(), 3);
    for (first, second, is_covered) in [
        ("/**", "/*/x", true),
        ("/api/**", "/api/v1/**", true),
        ("/api/**", "/api/", true),
        ("/api/**", "/apis", false),
        ("/api/**", "/*/x", false),
        ("/api", "/api", true),
        ("/api", "/api/", false),
        ("/api", "/api/**", false),
        ("/api", "/*", false),
        ("/*/log", "/a/log", true),
        ("/*/log", "/*/log", true),
        ("/*/log", "/*/*", false),
        ("/*/log", "/*/**", false),
    ] {
        let text = route(first, "", "none") + &route(second, "", "oauth");
        let refused = Written::smallest_and(&text).load(&[]).is_err();
        assert_eq!(refused, is_covered, "{first} {second}");
    }
}

#[test]
fn a_pattern_of_paths_has_one_meaning() {
    for path in [
        "", "api", "**", "//", "//a", "/a//b", "/a//", "/a//**", "//**", "/a/../b", "/a/.", "/a*", "/a/**/b",
        "/**/a", "/***", "/a b", "/a?b", "/a#b", "/a%20b", "/a;b", "/\u{e9}", "/a\\b",
    ] {
        let said = refused(&format!("[[routes]]\npath = '{path}'\nauth = \"oauth\"\n"));
        assert!(said.contains("routes[0].path:"), "{path}: {said}");
    }
}

#[test]
fn an_application_is_at_a_scheme_a_host_and_a_port() {
    let with = |url: &str| Written::new(&SMALLEST.replace("http://127.0.0.1:9090", url));
    for url in ["http://app/", "http://[::1]:8080", "https://app", "HTTP://app:80"] {
        let config = with(url).load(&[]).unwrap();
        assert_eq!(config.upstream.url.as_str(), url.trim_end_matches('/'));
    }
    for url in [
        "app:8080",
        "/x",
        "ftp://app",
        "http://app/ctx",
        "http://app?x",
        "http://u:p@app",
        "http://",
        "http://:80",
        "http://app:",
        "http://app:x",
        "http://app:0",
        "http://app:99999",
        "http://a b",
        "http://app/#x",
        "",
    ] {
        let said = with(url).refused(&[]);
        assert!(said.contains("upstream.url:"), "{url}: {said}");
    }
}

#[test]
fn a_method_needs_its_table() {
    let text = SMALLEST.replace("\"file\"", "\"oidc\"");
    assert_snapshot!(Written::new(&text).refused(&[]), @r"
    linkgate.toml:6:2: login.oidc: it is missing
        write [login.oidc] and its keys, as in config/linkgate.toml
    ");
}

#[test]
fn identity_headers() {
    let own = "[identity]\nheaders = { user = \"X-My-User\", name = \"X-My-Name\" }\n";
    let config = Written::smallest_and(own).load(&[]).unwrap();
    let headers = config.identity.headers.unwrap();
    assert_eq!(
        (headers.user.as_str(), headers.name.unwrap().as_str()),
        ("x-my-user", "x-my-name")
    );
    assert!(headers.consumer.is_none());
    let user = |name: &str| format!("[identity]\nheaders = {{ user = \"{name}\" }}\n");
    for name in ["x_my_user", "Remote-User", "X-Forwarded-User"] {
        assert!(Written::smallest_and(&user(name)).load(&[]).is_ok(), "{name}");
    }
    for name in [
        "",
        "X-M\u{ff}",
        "content_length",
        "x_linkgate_user",
        "x-forwarded-for",
        "Cookie",
        "Authorization",
        "Te",
        "Transfer-Encoding",
    ] {
        let said = refused(&user(name));
        assert!(said.contains("identity.headers.user:"), "{name}: {said}");
    }
    let text = "[identity]\npreset = \"remoteuser\"\nheaders = { user = \"Host\", name = \"X Y\", consumer = \"X-Linkgate-User\", colour = \"x\" }\n";
    assert_snapshot!(refused(text), @r#"
    linkgate.toml:11:1: identity.preset: "remoteuser" is not known here
        did you mean "remote-user"?
    linkgate.toml:12:13: identity.headers.user: "Host" cannot be used
        it has another meaning: write a name of your own, "X-My-User"
    linkgate.toml:12:28: identity.headers.name: "X Y" cannot be used
        write letters, digits and dashes: "X-My-User"
    linkgate.toml:12:42: identity.headers.consumer: "X-Linkgate-User" cannot be used
        it has another meaning: write a name of your own, "X-My-User"
    linkgate.toml:12:72: identity.headers.colour: there is no such key
        known here: user, name, consumer
    "#);
    let both = "[identity]\npreset = \"remote-user\"\nheaders = { user = \"X-A\", name = \"X-A\", consumer = \"x-a\" }\n";
    assert_snapshot!(refused(both), @r"
    linkgate.toml:12:1: identity.headers: preset is given as well
        keep preset or headers, not both
    linkgate.toml:12:27: identity.headers.name: user has the same name
        write a header of its own
    linkgate.toml:12:41: identity.headers.consumer: user has the same name
        write a header of its own
    ");
    assert_snapshot!(refused("[identity]\nheaders = { name = \"X-A\", consumer = \"x-a\" }\n"), @r#"
    linkgate.toml:11:1: identity.headers.user: it is missing
        headers = { user = "X-My-User", name = "X-My-Name", consumer = "X-My-Consumer" } # names of your own, without preset
    "#);
}

#[test]
fn whom_a_consumer_may_name_is_one_rule() {
    let written = Written::smallest_and(
        "[impersonation]\nusers = [\"build-*\"]\nsigned_in_before = false\nexcept = [\"root\"]\n",
    );
    assert_snapshot!(written.warned(), @r"
    linkgate.toml:11:1: impersonation.users: it is not used: the password file decides who exists
        leave it out
    ");
    assert_eq!(written.load(&[]).unwrap().impersonation.except, ["root"]);
    assert_snapshot!(refused("[impersonation]\nusers = [\"*\"]\n"), @r#"
    linkgate.toml:11:10: impersonation.users[0]: "*" cannot be used
        everybody is nobody in particular: write names, or what they have in common, as in "build-*"
    "#);
}

#[test]
fn a_user_is_looked_up_by_name() {
    assert_snapshot!(refused("[login.probe]\nurl = \"http://h/me\"\ncookies = [\"s\"]\nuser_pointer = \"/name\"\n\
        login_url = \"http://h/login?from={return_to}\"\nuser_lookup_url = \"http://h/users/\"\n"), @r#"
    linkgate.toml:15:1: login.probe.user_lookup_url: "http://h/users/" cannot be used
        put {user} once into its path or its query: "http://127.0.0.1:8080/api/users/{user}"
    "#);
}

#[test]
fn a_directory_needs_a_build_that_asks_directories() {
    let text = SMALLEST.replace("method = \"file\"", "method = \"ldap\"")
        + "[login.ldap]\nurl = \"ldaps://ldap.example.com\"\nbase_dn = \"dc=example\"\n";
    let written = Written::new(&text);
    if cfg!(feature = "ldap") {
        assert!(written.load(&[]).unwrap().login.ldap.is_some());
        return;
    }
    assert_snapshot!(written.refused(&[]), @r"
    linkgate.toml:7:10: login.method: this build of linkgate cannot ask a directory
        use a build with the feature: cargo build --release --features ldap; the container image has it
    ");
}

#[test]
fn the_application_is_not_linkgate() {
    for (listen, url) in [
        ("127.0.0.1:8085", "http://127.0.0.1:8085"),
        ("127.0.0.1:8085", "http://localhost:8085"),
        ("0.0.0.0:8085", "http://127.0.0.1:8085"),
        ("127.0.0.1:8085", "https://0.0.0.0:8085"),
        ("[::1]:8085", "http://[::1]:8085"),
        ("0.0.0.0:80", "http://127.0.0.1"),
    ] {
        let text = SMALLEST.replace("[server]", &format!("[server]\nlisten = {listen:?}"));
        let refused = Written::new(&text.replace("http://127.0.0.1:9090", url)).refused(&[]);
        assert!(refused.contains("upstream.url: it is server.listen"), "{refused}");
    }
    for (port, key) in [(9081, "server.admin_listen"), (9082, "applinks.listen")] {
        let refused = Written::new(&SMALLEST.replace("9090", &port.to_string())).refused(&[]);
        refused.has(format!("upstream.url: it is {key}"));
    }
    let text = SMALLEST.replace("http://127.0.0.1:9090", "https://builds.example.com");
    let warned = Written::new(&text).warned();
    assert!(warned.contains("upstream.url: it is public_url"), "{warned}");
    let headers =
        Written::smallest_and("[identity]\nallow = [\"X-Real-IP\", \"Remote-User\"]\n").refused(&[]);
    headers.has("identity.allow[1]: linkgate removes this header");
}
