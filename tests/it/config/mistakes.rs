//! What is said of mistakes that any section can have.

use std::fs;

use insta::assert_snapshot;

use super::{SHORT_KEY, SMALLEST, Written, refused};

#[test]
fn a_missing_file_and_an_empty_one() {
    let written = Written::new("");
    assert_snapshot!(written.refused(&[]), @r#"
    linkgate.toml: server.public_url: it is missing
        public_url = "https://builds.example.com" # what consumers sign and browsers see; no path, or Bitbucket loses it
    linkgate.toml: upstream.url: it is missing
        url = "http://127.0.0.1:8080" # the application: http or https, and no path, because paths go through as they arrive
    linkgate.toml: login.method: it is missing
        method = "file" # how people are known: "probe", "handoff", "oidc", "trusted-header", "file" or "ldap"
    "#);
    fs::remove_file(written.path("linkgate.toml")).unwrap();
    assert_snapshot!(written.refused(&[]), @r"
    linkgate.toml: it does not exist
        name the file with --config or LINKGATE_CONFIG
    ");
}

#[test]
fn what_is_not_toml() {
    let written = Written::new("[server\nlisten = 127.0.0.1:9080\npublic_url = \"https://h\"\n");
    assert_snapshot!(written.refused(&[]), @r"
    linkgate.toml:1:8: this is not TOML: unclosed table, expected `]`
        a value is text in quotes, a number, true, false, or a list in brackets
    ");
}

#[test]
fn unknown_keys_and_sections() {
    assert_snapshot!(refused("[sever]\nlisten = \"127.0.0.1:9080\"\n[store]\nlru = \"x\"\n"), @r"
    linkgate.toml:10:2: sever: there is no such key
        did you mean server?
    linkgate.toml:13:1: store.lru: there is no such key
        known here: url, password, password_file, max_connections, timeout
    ");
    assert_snapshot!(refused("[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef\"\ncalbacks = []\n"), @r"
    linkgate.toml:13:1: consumers[0].calbacks: there is no such key
        did you mean callbacks?
    ");
    assert_snapshot!(refused("[store]\n\"lru.size\" = 1\n"), @r"
    linkgate.toml:11:1: store.lru.size: there is no such key
        known here: url, password, password_file, max_connections, timeout
    ");
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
    linkgate.toml:3:1: server.listen: expected a text, found a number
        listen = "127.0.0.1:9080" # consumers, browsers, the guarded application
    linkgate.toml:4:1: server.admin_listen: "localhost:9081" cannot be used
        write an IP address and a port: "127.0.0.1:9080", or "0.0.0.0:9080" for all interfaces
    linkgate.toml:5:1: server.public_url: expected a text, found a list
        public_url = "https://builds.example.com" # what consumers sign and browsers see; no path, or Bitbucket loses it
    linkgate.toml:6:34: server.trusted_proxies[1]: "proxy" cannot be used
        write an address or a network: "10.1.2.3" or "10.0.0.0/8"
    linkgate.toml:6:43: server.trusted_proxies[2]: expected a text, found a number
        trusted_proxies = [] # addresses or networks whose X-Forwarded-* headers are believed
    linkgate.toml:7:1: server.upstream: there is no such key
        known here: listen, admin_listen, public_url, path_prefix, public_urls, trusted_proxies, tls, download_timeout, hsts, h2c
    linkgate.toml:10:1: upstream.connect_timeout: expected a text, found a number
        connect_timeout = "5s" # how long a connection to it may take to be made
    linkgate.toml:11:1: upstream.idle_timeout: "10 minutes" cannot be used
        write numbers with units, largest first: "90s", "10m", "1h30m", "5y30d" (y is 365 days; w, d, h, m, s, ms)
    linkgate.toml:13:1: store.max_connections: expected a whole number from 1 on, found a text
        max_connections = 16 # connections to the database, at most
    linkgate.toml:15:1: login.method: "pasword" is not known here
        write one of "file", "ldap", "probe", "handoff", "oidc", "trusted-header"
    linkgate.toml:18:2: consumers: expected a list, found a table
        [[consumers]]
    linkgate.toml:21:1: routes[0].path: "api" cannot be used
        a path begins with a slash: write /api/**
    linkgate.toml:22:12: routes[0].methods[0]: "get" cannot be used
        write a method in capitals: "GET"
    linkgate.toml:23:1: routes[0].auth: "oath" is not known here
        did you mean "oauth"?
    linkgate.toml:25:1: identity.assertion: expected true or false, found a text
        assertion = false # true adds X-Linkgate-Assertion, signed; keys at /.well-known/linkgate/jwks.json
    linkgate.toml:27:1: log.format: "yaml" is not known here
        write one of "text", "json"
    "#);
}

#[test]
fn no_message_repeats_a_value_that_may_be_a_secret() {
    let text = r#"
[upstream]
url = "http://u:hunter2@h"
[store]
url = "mysql://u:hunter2@h/d"
password = { hunter2 = "hunter2" }
[login]
method = "file"
session_idle = ["hunter2"]
[login.file]
path = ["hunter2"]
[login.handoff]
login_url = "u:hunter2@h/login"
secret = 4242424242
[[consumers]]
key = "ck"
shared_secret = 4242424242
enabled = "hunter2"
[applinks]
token = 4242424242
"#;
    let said = Written::new(text).refused(&[("LINKGATE__STORE__MAX_CONNECTIONS", "hunter2")]);
    assert!(!said.contains("hunter") && !said.contains("4242"), "{said}");
    let found = said.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(found, 12, "{said}");
}

#[test]
fn files_that_are_named_and_not_there() {
    let text = SMALLEST.replace("users.toml", "nobody.toml")
        + "[[consumers]]\nkey = \"ck\"\npublic_key_file = \"/no/such.pem\"\n";
    assert_snapshot!(Written::new(&text).refused(&[]), @r"
    linkgate.toml:9:1: login.file.path: nobody.toml does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    linkgate.toml:12:1: consumers[0].public_key_file: /no/such.pem does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    ");
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
    assert_snapshot!(Written::new(&text).warned(), @r"
    linkgate.toml:3:1: server.public_url: it has a path: an Application URL with this path makes Bitbucket call http://builds.example.com/oauth/..., without it
        enter http://builds.example.com as the Application URL in Bitbucket, without the path
    linkgate.toml:3:1: server.public_url: it is http: tokens, and the passwords of a sign-in page, travel in clear
        end TLS here with [server.tls], or in a proxy in front, and write the https URL
    linkgate.toml:13:1: consumers[0].shared_secret: it is short, and so can be guessed
        write 16 characters or more, made by a machine
    linkgate.toml:14:1: consumers[0].impersonation: a call that names a user is two-legged, and two_legged is off: it will be refused
        write two_legged = true too
    linkgate.toml:17:1: consumers[1].public_key: the key has only 1024 bits
        ask for one of 2048 or more
    ");
}
