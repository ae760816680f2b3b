//! What is said of mistakes that any section can have.

use std::fs;

use insta::assert_snapshot;

use super::{SHORT_KEY, SMALLEST, Written, refused};

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
        write method = "probe" to ask the application, or "file" for a password file
    "#);
    fs::remove_file(written.path("linkgate.toml")).unwrap();
    assert_snapshot!(written.refused(&[]), @r"
    linkgate.toml cannot be used
    linkgate.toml: it does not exist
        name the file with --config or LINKGATE_CONFIG
    ");
}

#[test]
fn what_is_not_toml() {
    let written = Written::new("[server\nlisten = 127.0.0.1:9080\npublic_url = \"https://h\"\n");
    assert_snapshot!(written.refused(&[]), @r"
    linkgate.toml cannot be used
    linkgate.toml:1:8: this is not TOML: unclosed table, expected `]`
        a value is text in quotes, a number, true, false, or a list in brackets
    ");
}

#[test]
fn unknown_keys_and_sections() {
    assert_snapshot!(refused("[sever]\nlisten = \"127.0.0.1:9080\"\n[store]\nlru = \"x\"\n"), @r"
    linkgate.toml cannot be used: 2 things are wrong
    linkgate.toml:10:2: sever: there is no such section
        did you mean server?
    linkgate.toml:13:1: store.lru: there is no such key
        known here: url, password, password_file, max_connections
    ");
    assert_snapshot!(refused("[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef\"\ncalbacks = []\n"), @r"
    linkgate.toml cannot be used
    linkgate.toml:13:1: consumers[0].calbacks: there is no such key
        did you mean callbacks?
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
        known here: listen, admin_listen, public_url, public_urls, trusted_proxies, tls, h2c
    linkgate.toml:10:19: upstream.connect_timeout: expected a duration, found a number
        write the unit too, in quotes: "5s"
    linkgate.toml:11:16: upstream.idle_timeout: "10 minutes" is not a duration
        write numbers with units, largest first: "90s", "10m", "1h30m", "5y30d" (y is 365 days; w, d, h, m, s, ms)
    linkgate.toml:13:19: store.max_connections: expected a number, found a text
        write a whole number from 1 on, without quotes
    linkgate.toml:15:10: login.method: "pasword" is not known here
        write one of "file", "ldap", "probe", "handoff", "oidc", "trusted-header"
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
    assert_snapshot!(Written::new(&text).refused(&[]), @r"
    linkgate.toml cannot be used: 2 things are wrong
    linkgate.toml:9:8: login.file.path: nobody.toml does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    linkgate.toml:12:19: consumers[0].public_key_file: /no/such.pem does not exist
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
    linkgate.toml:3:14: server.public_url: it has a path: an Application URL with this path makes Bitbucket call http://builds.example.com/oauth/..., without it
        enter http://builds.example.com as the Application URL in Bitbucket, without the path
    linkgate.toml:3:14: server.public_url: it is http: tokens, and the passwords of a sign-in page, travel in clear
        end TLS here with [server.tls], or in a proxy in front, and write the https URL
    linkgate.toml:13:17: consumers[0].shared_secret: it is short, and so can be guessed
        write 16 characters or more, made by a machine
    linkgate.toml:14:17: consumers[0].impersonation: a call that names a user is two-legged, and two_legged is off: it will be refused
        write two_legged = true too
    linkgate.toml:17:14: consumers[1].public_key: the key has only 1024 bits
        ask for one of 2048 or more
    ");
}
