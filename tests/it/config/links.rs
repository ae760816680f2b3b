//! `[applinks]` and `[[links]]`: who we are to others, and whom the application calls through us.

use std::time::Duration;

use insta::assert_snapshot;
use linkgate::config::ListenAt;
use linkgate::links::Users;

use super::*;
use crate::support::Text as _;

const LINKED: &str = r#"
[applinks]
key_file = "link.pem"
token_file = "links.token"
[[links]]
name = "bitbucket"
url = "https://bitbucket.example.com/"
"#;

fn linked(text: &str) -> Written {
    Written::smallest_and(text)
        .with_link_key("link.pem")
        .with("links.token", "correct-horse-battery-staple\n")
}

#[test]
fn a_link_has_defaults() {
    let config = linked(LINKED).load(&[]).unwrap();
    let link = &config.links[0];
    let seen = (link.title.as_str(), link.url.as_str());
    assert_eq!(seen, ("bitbucket", "https://bitbucket.example.com"));
    assert_eq!((link.users, link.itself), (Users::Connect, false));
    assert_eq!(link.response_timeout, Duration::from_mins(1));
    let found = config.applinks.consumer_key.as_ref().unwrap().as_str();
    assert_eq!(found, "linkgate:builds.example.com");
    assert!(config.applinks.token.is_some());
    let found = config.applinks.listen;
    assert_eq!(found, ListenAt::Tcp("127.0.0.1:9082".parse().unwrap()));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let without = Written::smallest_and("").load(&[]).unwrap();
    assert!(without.applinks.token.is_none() && !without.applinks.consumer_info);
}

#[test]
fn a_link_needs_a_key_and_a_token() {
    assert_snapshot!(refused("[[links]]\nname = \"b\"\nurl = \"https://b.example\"\n"), @r"
    linkgate.toml: applinks.key_file: [[links]] are signed with a key of linkgate's own, and there is none
        make one with `linkgate key generate --rsa --out link.pem`, and write its path
    linkgate.toml: applinks.token_file: it is missing
        write what the application shows when it calls, 16 characters or more: `openssl rand -hex 24 > links.token`
    ");
    assert_snapshot!(refused("[applinks]\nconsumer_info = true\n"), @r#"
    linkgate.toml:10:2: applinks.key_file: consumer-info shows a public key, and there is none
        make one with `linkgate key generate --rsa --out link.pem`, and write its path
    "#);
}

#[test]
fn only_this_machine_may_call() {
    let elsewhere = LINKED.replace("[[links]]", "listen = \"0.0.0.0:9082\"\n[[links]]");
    assert_snapshot!(linked(&elsewhere).refused(&[]), @r#"
    linkgate.toml:14:1: applinks.listen: "0.0.0.0:9082" cannot be used
        write a loopback address, "127.0.0.1:9082", or a socket, "unix:links.sock"
    "#);
    let socket = LINKED.replace("[[links]]", "listen = \"unix:links.sock\"\n[[links]]");
    let written = linked(&socket);
    let at = written.load(&[]).unwrap().applinks.listen;
    assert_eq!(at, ListenAt::Unix(written.path("links.sock")));
    let short = linked(LINKED).with("links.token", "short\n");
    assert_snapshot!(short.refused(&[]), @r"
    linkgate.toml:13:1: applinks.token_file: it is short, and so can be guessed
        write what the application shows when it calls, 16 characters or more: `openssl rand -hex 24 > links.token`
    ");
}

#[test]
fn names_differ_and_are_plain() {
    let twice = format!("{LINKED}[[links]]\nname = \"bitbucket\"\nurl = \"https://b.example\"\n");
    assert_snapshot!(linked(&twice).refused(&[]), @r#"
    linkgate.toml:18:1: links[1].name: another link has the name "bitbucket" too
        each needs a name of its own
    "#);
    let slash = LINKED.replace("\"bitbucket\"", "\"a/b\"");
    assert_snapshot!(linked(&slash).refused(&[]), @r#"
    linkgate.toml:15:1: links[0].name: "a/b" cannot be used
        write 1 to 40 of a-z, 0-9 and -
    "#);
}

#[test]
fn a_link_makes_some_kind_of_call() {
    assert_snapshot!(linked(&format!("{LINKED}users = \"none\"\n")).refused(&[]), @r#"
    linkgate.toml:17:1: links[0].users: no call could be made: none that names a user, and none as linkgate itself
        write itself = true, or users = "connect"
    "#);
    let itself = linked(&format!("{LINKED}users = \"none\"\nitself = true\n"));
    assert!(itself.load(&[]).unwrap().links[0].itself);
}

#[test]
fn a_key_is_private_and_long_enough() {
    let public = linked(LINKED).with("link.pem", CURVE_KEY);
    assert_snapshot!(public.refused(&[]), @r"
    linkgate.toml:12:1: applinks.key_file: link.pem: this is not an RSA private key in PEM (PKCS#8 or PKCS#1)
        make a new one with `linkgate key generate --rsa --out link.pem`
    ");
    let open = linked(LINKED).with("link.pem", &link_key());
    fs::set_permissions(open.path("link.pem"), Permissions::from_mode(0o644)).unwrap();
    let said = open.warned();
    said.has("others may read");
    said.has("chmod 600");
}

#[test]
fn consumer_info_asks_for_a_consumer_with_a_key() {
    let silent = linked("[applinks]\nconsumer_info = true\nkey_file = \"link.pem\"\n");
    assert_snapshot!(silent.warned(), @r"
    linkgate.toml:11:1: applinks.consumer_info: Bitbucket will sign with its own key, and no consumer has a public key: its calls will be refused
        register it with `linkgate link add https://bitbucket.example.com`
    ");
}
