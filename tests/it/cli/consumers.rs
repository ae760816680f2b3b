//! `linkgate consumer list | add | disable | enable | purge`.

use std::fs;

use insta::assert_snapshot;

use super::Here;
use crate::support::Text as _;

#[test]
fn consumers_come_and_go() {
    let here = Here::new();
    let none = here.run("consumer list");
    assert_eq!(none.code, 1);
    assert!(none.err.contains("there is no database"), "{}", none.err);
    assert!(!here.path("linkgate.key").exists(), "looking makes nothing");

    let none = here.run("consumer add ci --generate-secret");
    assert_eq!(none.code, 1);
    assert!(
        !here.path("linkgate.db").exists(),
        "only a server and `migrate` make one"
    );
    here.run("migrate").succeeds();

    let added = here.run("consumer add ci --name CI --public-key-file bitbucket-old.pem --callback https://ci.example.com --two-legged");
    assert_eq!((added.code, added.err.as_str()), (0, ""));
    assert_snapshot!(here.run("consumer list").out, @r"
    KEY                 NAME                  METHODS    CALLBACKS                                         SOURCE                  ENABLED  FINGERPRINT
    ci                  CI                    RSA-SHA1   https://ci.example.com                            command                 yes      SHA256:i4RPTSLwVjOq7wEAD0ERvzsUFSCHWXiRV2TxNf3aJmg
    bitbucket-form      Bitbucket             HMAC-SHA1  https://bitbucket.example.com http://127.0.0.1:*  config, not loaded yet  yes      (shared secret)
    Stash:8277239845    Bitbucket (own key)   RSA-SHA1   https://bitbucket.example.com http://127.0.0.1:*  config, not loaded yet  yes      SHA256:blnGR28kFtzBRvl0x2Rwm8GpcPTH1QAw9hGwMbiBXpw
    bitbucket-rotating  Bitbucket (rotating)  RSA-SHA1   https://bitbucket.example.com                     config, not loaded yet  yes      SHA256:i4RPTSLwVjOq7wEAD0ERvzsUFSCHWXiRV2TxNf3aJmg SHA256:blnGR28kFtzBRvl0x2Rwm8GpcPTH1QAw9hGwMbiBXpw
    ");
    assert_snapshot!(here.run("consumer add ci --generate-secret").err, @r"
    error: the consumer `ci` exists already
    ");
    assert_snapshot!(here.run("consumer disable ci").out, @r"
    ci is disabled; it keeps its tokens
    ");
    assert_snapshot!(here.run("consumer disable ci").out, @r"
    ci was disabled before
    ");
    assert_snapshot!(here.run("consumer enable ci").out, @r"
    ci is enabled
    ");
    assert_snapshot!(here.run("consumer purge ci").out, @r"
    ci is deleted, with all its tokens
    ");
    assert_snapshot!(here.run("consumer purge ci").err, @r"
    error: there is no consumer ci; `linkgate consumer list` shows them
    ");
}

#[test]
fn a_shared_secret_is_made_or_read_and_never_listed() {
    let here = Here::migrated();
    let made = here.run("consumer add made --name lon\u{202e}ger\u{1b}[2J --generate-secret");
    let secret = made.out.trim_end().rsplit(' ').next().unwrap();
    assert_eq!(secret.len(), 32, "{}", made.out);
    let read = here.run_with(
        "consumer add read --shared-secret-file -",
        "from standard input\n",
        &[],
    );
    read.succeeds();
    let list = here.run("consumer list").out;
    assert!(!list.contains(secret) && !list.contains("from standard"));
    list.has(" lon?ger?[2J ");
    let database = fs::read(here.path("linkgate.db")).unwrap();
    let at_rest = String::from_utf8_lossy(&database);
    assert!(!at_rest.contains(secret) && !at_rest.contains("from standard"));
    assert_eq!(here.run("consumer add nothing").code, 2);
}

#[test]
fn the_configuration_is_the_truth_for_what_it_names() {
    let here = Here::migrated();
    here.run("consumer add ci --generate-secret").succeeds();
    for command in ["disable", "enable", "purge"] {
        let answer = here.run(&format!("consumer {command} bitbucket-form"));
        assert_eq!(answer.code, 1);
        assert!(
            answer.err.starts_with(
                "error: bitbucket-form is consumers[0] of linkgate.toml, and only changed there"
            )
        );
    }
    let answer = here.run("consumer add bitbucket-form --generate-secret");
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.err,
        "error: bitbucket-form is in linkgate.toml already, and only changed there\n"
    );
}

#[test]
fn keys_of_consumers_are_explained() {
    let here = Here::migrated();
    here.run("key generate --rsa --out own.pem").succeeds();
    let answer = here.run("consumer add ci --public-key-file own.pem");
    assert_eq!(answer.code, 1);
    assert_snapshot!(answer.err, @r"
    error: own.pem cannot be used
      because: This is a private key, and nobody but its owner may have it: paste the public key, and replace this key pair if the private key went through other hands.
    ");
    let answer = here.run("consumer add ci --public-key-file bitbucket-old.pem --method HMAC-SHA1");
    assert_snapshot!(answer.err, @r#"
    error: signature_methods[0]: HMAC-SHA1 does not go with a public key; write "RSA-SHA1", or leave signature_methods out
    "#);
}
