//! Who did what from where: the audit log, and the line in the log.

use linkgate::model::AuditKind;
use linkgate::oauth::ConsumerKey;
use linkgate::store::AuditFilter;

use crate::support::{CALLBACK, Captured, Database, Form, Linkgate, Peer, Setup, on_both};

/// Behind two proxies, of which we know the last: what it says of its peer counts, and what the browser says does not.
const THROUGH: &str = "192.0.2.66, 198.51.100.7";

on_both! {
    async fn what_people_do_is_written_down_with_their_address(db: Database) {
        let captured = Captured::start();
        let setup = Setup::new().trusting();
        let linkgate = setup.start_on(&db).await;
        let peer = Peer::hmac();
        let mut alice = linkgate.browser().through(THROUGH);
        alice.sign_in("alice").await;
        let asked = peer.request_token(&linkgate, CALLBACK).await;
        let verifier = alice.approve(&asked, "alice").await;
        peer.exchange(&linkgate, &asked, &verifier).passes(&linkgate).await;
        let refused = peer.request_token(&linkgate, CALLBACK).await;
        assert_eq!(alice.deny(&refused, "alice").await.status, 303);
        // Said once more, it is nothing new.
        assert_eq!(alice.get(&crate::support::question(&asked)).await.status, 410);
        let page = alice.get("/oauth/connections").await;
        let revoke = Form::of(&page, "token").unwrap();
        assert_eq!(alice.submit(&revoke).await.status, 303);
        let page = alice.get("/oauth/connections").await;
        let leave = Form::of(&page, "return_to").unwrap();
        alice.submit(&leave).await;

        let browser = Some("198.51.100.7");
        let expected = [
            (AuditKind::SignedIn, None, browser),
            (AuditKind::Approved, Some("bitbucket-form"), browser),
            (AuditKind::Exchanged, Some("bitbucket-form"), Some("127.0.0.1")),
            (AuditKind::Denied, Some("bitbucket-form"), browser),
            (AuditKind::Revoked, Some("bitbucket-form"), browser),
            (AuditKind::SignedOut, None, browser),
        ];
        let mut audit = linkgate.store().await.audit(&of_alice()).await.unwrap();
        audit.reverse();
        let addresses: Vec<_> = audit.iter().map(|event| event.address.map(|address| address.to_string())).collect();
        let written: Vec<_> = audit
            .iter()
            .zip(&addresses)
            .map(|(event, address)| (event.kind, event.consumer.as_ref().map(ConsumerKey::as_str), address.as_deref()))
            .collect();
        assert_eq!(written, expected);
        let log = captured.log();
        for (kind, consumer, address) in expected {
            let said = if kind == AuditKind::Revoked { "revoked the token" } else { kind.name() };
            let about = consumer.map(|key| format!("consumer.key={key:?}")).unwrap_or_default();
            let parts = [said, "user.subject=\"alice\"", &about, &format!("address={}", address.unwrap())];
            let is_there = log.lines().any(|line| line.contains("INFO") && parts.iter().all(|part| line.contains(part)));
            assert!(is_there, "{parts:?}:\n{log}");
        }
    }
}

#[tokio::test]
async fn an_address_is_believed_from_a_trusted_proxy_alone() {
    let linkgate = Linkgate::start().await;
    let mut alice = linkgate.browser().through(THROUGH);
    let asked = Peer::hmac().request_token(&linkgate, CALLBACK).await;
    alice.approve(&asked, "alice").await;
    let audit = linkgate.store().await.audit(&of_alice()).await.unwrap();
    assert_eq!(audit.len(), 2);
    for event in audit {
        assert_eq!(event.address, Some([127, 0, 0, 1].into()), "{event:?}");
    }
}

#[tokio::test]
async fn what_the_configuration_changes_is_written_down() {
    let linkgate = Linkgate::start().await;
    let store = linkgate.store().await;
    let lines = async |kind: AuditKind| {
        let filter = AuditFilter {
            kind: Some(kind),
            limit: Some(50),
            ..AuditFilter::default()
        };
        let events = store.audit(&filter).await.unwrap();
        assert!(
            events.iter().all(|event| event.detail == "by the configuration"),
            "{events:?}"
        );
        let mut keys: Vec<_> = events
            .iter()
            .map(|event| event.consumer.clone().unwrap().to_string())
            .collect();
        keys.sort();
        keys
    };
    let configured = store.consumers().await.unwrap();
    let configured: Vec<_> = configured
        .iter()
        .map(|consumer| consumer.key.to_string())
        .collect();
    assert!(configured.contains(&"robot".to_owned()), "{configured:?}");
    assert_eq!(lines(AuditKind::ConsumerAdded).await, configured);
    linkgate.try_reload().await.unwrap();
    let found = lines(AuditKind::ConsumerAdded).await.len();
    assert_eq!(found, configured.len(), "nothing is new");
    linkgate
        .change("name = \"Robot\"", "name = \"Machine\"")
        .await
        .unwrap();
    assert_eq!(lines(AuditKind::ConsumerUpdated).await, ["robot"]);
    assert_eq!(lines(AuditKind::ConsumerEnabled).await, Vec::<String>::new());
    let (off, on) = ("name = \"Machine\"\nenabled = false", "name = \"Machine\"");
    linkgate.change(on, off).await.unwrap();
    assert_eq!(lines(AuditKind::ConsumerDisabled).await, ["robot"]);
    linkgate.change(off, on).await.unwrap();
    assert_eq!(lines(AuditKind::ConsumerEnabled).await, ["robot"]);
    linkgate
        .change("key = \"robot\"", "key = \"android\"")
        .await
        .unwrap();
    assert_eq!(lines(AuditKind::ConsumerDisabled).await, ["robot", "robot"]);
    let found = lines(AuditKind::ConsumerUpdated).await;
    assert_eq!(found, ["robot"], "and that is all");
}

fn of_alice() -> AuditFilter {
    AuditFilter {
        subject: Some("alice".to_owned()),
        limit: Some(50),
        ..AuditFilter::default()
    }
}

#[tokio::test]
async fn each_call_has_a_line_that_names_its_consumer_and_user() {
    let captured = Captured::start();
    let linkgate = Linkgate::start().await;
    let peer = Peer::hmac();
    let targets = ["/api/me", "/oauth/not-ours", "/rest/applinks/not-ours"];
    let token = peer.connect(&linkgate, "alice").await;
    for target in targets {
        let target = format!("{target}?password=hunter2");
        let call = peer.call(&linkgate, "GET", &target).token(&token);
        call.passes(&linkgate).await;
    }
    let log = captured.log();
    assert!(!log.contains("hunter2"), "no query is logged: {log}");
    for target in targets {
        let path = format!("path={target:?}");
        let parts = [
            "linkgate::request",
            &path,
            "status=200",
            "took_ms=",
            "consumer.key=\"bitbucket-form\"",
            "user.subject=\"alice\"",
        ];
        let is_there = log
            .lines()
            .any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(is_there, "{target}:\n{log}");
    }
}
