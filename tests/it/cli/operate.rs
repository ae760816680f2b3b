//! `linkgate token`, `linkgate audit`, `linkgate health`, and the help.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;

use insta::assert_snapshot;
use linkgate::clock::Clock;
use linkgate::model::{NewAccess, RequestToken, RequestTokenState, User};
use linkgate::oauth::{Callback, ConsumerKey};
use linkgate::store::{Keyring, Store, StoreConfig};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::Here;

#[test]
fn tokens_that_are_not_there() {
    let here = Here::migrated();
    here.run("consumer add ci --generate-secret").succeeds();
    assert_snapshot!(here.run("token list --consumer ci --user alice").out, @r"
    ID  CONSUMER  USER  ISSUED  LAST USED  EXPIRES  STATE
    ");
    let answer = here.run("token revoke 0123456789abcdef");
    assert_eq!(answer.code, 1);
    assert_snapshot!(answer.err, @r#"
    error: there is no token "0123456789abcdef"; `linkgate token list` shows them
    "#);
}

#[tokio::test]
async fn a_token_is_revoked_once_whether_or_not_its_time_is_over() {
    let here = Here::migrated();
    here.run("consumer add ci --generate-secret").succeeds();
    let [living, dead] = [1, -1].map(|way| connect(&here, 3_600 * way));
    let (living, dead) = (living.await, dead.await);
    let tell = |id: &str| {
        let answer = here.run(&format!("token revoke {id}"));
        assert_eq!((answer.code, answer.err.as_str()), (0, ""));
        answer.out.replace(id, "ID")
    };
    assert_snapshot!(tell(&living), @"ID is revoked: ci cannot act as alice any more");
    assert_snapshot!(tell(&living), @"ID was revoked before");
    assert_snapshot!(tell(&dead), @"ID is revoked: ci cannot act as alice any more");
    let audit = here.run("audit --kind revoked").out;
    let lines: Vec<_> = audit.lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{audit}");
    for (line, id) in lines.iter().zip([dead, living]) {
        assert!(line.ends_with(&format!("the token {id}, by command")), "{audit}");
    }
}

/// Lets the consumer `ci` act as alice, for so many seconds from now on; the token's name.
pub(super) async fn connect(here: &Here, seconds: i64) -> String {
    let options = StoreConfig::new(format!("sqlite://{}", here.path("linkgate.db").display()));
    let mut rng = StdRng::seed_from_u64(seconds.cast_unsigned());
    let keyring = Arc::new(Keyring::open_file(&here.path("linkgate.key")).unwrap().keyring);
    let store = Store::open(&options, Arc::clone(&keyring), Clock::System.now())
        .await
        .unwrap();
    let (now, key) = (Clock::System.now(), ConsumerKey::parse("ci").unwrap());
    let [asked, token] = [(); 2].map(|()| keyring.new_token(&mut rng));
    let question = RequestToken {
        consumer: key.clone(),
        callback: Callback::OutOfBand,
        issued_at: now,
        expires_at: now.plus(60),
        wrong_verifiers: 0,
        state: RequestTokenState::Pending,
    };
    let alice = User {
        subject: "alice".to_owned(),
        display_name: "Alice".to_owned(),
        proved_by: "file".to_owned(),
        proved_at: now,
    };
    let access = NewAccess {
        issued_at: now,
        expires_at: now.plus(seconds),
        session: None,
    };
    store.add_request_token(&asked, &question).await.unwrap();
    let done = store.authorize_request_token(&asked, &alice, None, now).await;
    assert!(done.unwrap());
    let granted = store.exchange(&asked, &key, now, &token, &access, None).await;
    store.close().await;
    granted.unwrap().unwrap().id
}

#[test]
fn health_is_an_exit_code_and_a_line() {
    let here = Here::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for status in ["200 OK", "503 Service Unavailable"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 1024];
            let read = std::io::Read::read(&mut stream, &mut bytes).unwrap();
            asked.push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    let good = here.run(&format!("health --url http://{address}"));
    let found = (good.code, good.out);
    assert_eq!(found, (0, format!("http://{address}/readyz is ready\n")));
    let variables = [("LINKGATE__SERVER__ADMIN_LISTEN", &*address.to_string())];
    let bad = here.run_with("health", "", &variables);
    assert_eq!(
        (bad.code, bad.err),
        (
            1,
            format!("error: http://{address}/readyz is not ready: it answers 503\n")
        )
    );
    assert!(
        answering
            .join()
            .unwrap()
            .iter()
            .all(|asked| asked.starts_with("GET /readyz HTTP/1.1\r\n"))
    );
    let gone = here.run(&format!("health --url http://{address}"));
    assert_eq!((gone.code, gone.err.lines().count()), (1, 1));
}

#[test]
fn every_command_has_examples() {
    let here = Here::new();
    for command in COMMANDS {
        let answer = here.run(&format!("{command} --help"));
        assert_eq!(answer.code, 0, "{command}");
        assert!(
            answer.out.contains(&format!("\n  linkgate {command}")),
            "{command}: {}",
            answer.out
        );
    }
    assert!(here.run("--help").out.contains("64 wrong configuration"));
    let found = here.run("--version").out;
    assert_eq!(found, format!("linkgate {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(here.run("frobnicate").code, 2);
    assert_eq!(here.run("").code, 2);
}

#[test]
fn what_happened_is_shown_the_newest_first() {
    let here = Here::migrated();
    let said = [
        "consumer add ci --generate-secret",
        "consumer disable ci",
        "consumer enable ci",
        "consumer add other --generate-secret",
    ];
    for line in said {
        assert_eq!(here.run(line).code, 0, "{line}");
    }
    let shown = |line: &str| {
        let answer = here.run(line);
        answer.succeeds();
        // Today's date is not the same tomorrow.
        let lines = answer.out.lines().map(|line| {
            let (when, what) = line.split_at(23);
            assert!(
                when == format!("{:23}", "WHEN") || when.ends_with(" UTC"),
                "{line}"
            );
            what.trim_start().to_owned() + "\n"
        });
        (lines.collect::<String>(), answer.err)
    };
    let (lines, more) = shown("audit");
    assert_snapshot!(lines, @r"
    WHAT               USER  CONSUMER  FROM  DETAIL
    consumer-added     -     other     -     by command
    consumer-enabled   -     ci        -     by command
    consumer-disabled  -     ci        -     by command
    consumer-added     -     ci        -     by command
    ");
    assert_eq!(more, "");
    let (lines, more) = shown("audit --limit 1 --consumer ci --since 1h");
    assert_snapshot!(lines, @r"
    WHAT              USER  CONSUMER  FROM  DETAIL
    consumer-enabled  -     ci        -     by command
    ");
    assert_eq!(more, "there are more than these 1; --limit shows more of them\n");
    assert_snapshot!(here.run("audit --kind consumer-added --user alice").out, @"WHEN  WHAT  USER  CONSUMER  FROM  DETAIL");
    assert!(here.run("audit --kind exploded").err.contains("consumer-purged"));
    assert!(here.run("audit --since yesterday").err.contains("10m"));
    assert_eq!(here.run("audit --limit 0").code, 2);
}

const COMMANDS: [&str; 19] = [
    "demo",
    "serve",
    "migrate",
    "backup",
    "restore",
    "config check",
    "user hash",
    "key generate",
    "consumer list",
    "consumer add",
    "consumer disable",
    "consumer enable",
    "consumer purge",
    "token list",
    "token revoke",
    "audit",
    "consumer",
    "token",
    "health",
];
