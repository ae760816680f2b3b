//! Two linkgates, linked both ways.

use std::net::IpAddr;

use linkgate::model::AuditKind;
use linkgate::store::{Actor, AuditFilter, Revoke};

use crate::support::{Database, Form, Linked, Planned, location, on_both, pair, path};

on_both! {
    async fn a_user_connects_and_the_application_reads_as_them(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        let before = left.ask("/other/api/pulls?state=open", Some("alice")).await;
        assert_eq!(before.status, 401, "{before:?}");

        let done = left.connect("other", &right, "alice").await;
        assert_eq!((done.status, location(&done)), (303, "/oauth/connections"));

        let answer = left.ask("/other/api/a%2Fb/../c?state=open&x=%7e+y", Some("alice")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
        let seen = right.app.only();
        assert_eq!(seen.line(), "GET /api/a%2Fb/../c?state=open&x=%7e+y HTTP/1.1");
        assert_eq!(seen.header("remote-user"), ["alice"]);
        assert_eq!(seen.header("x-linkgate-call"), ["three-legged"]);
        assert_eq!(seen.header("x-linkgate-consumer"), ["linkgate-left"]);

        let other_user = left.ask("/other/api/pulls", Some("bob")).await;
        assert_eq!(other_user.status, 401, "bob has connected nothing: {other_user:?}");
    }

    async fn both_directions_work_at_once(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        left.connect("other", &right, "alice").await;
        right.connect("other", &left, "bob").await;
        assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 200);
        assert_eq!(right.ask("/other/api/y", Some("bob")).await.status, 200);
        assert_eq!(right.app.only().header("remote-user"), ["alice"]);
        assert_eq!(left.app.only().header("remote-user"), ["bob"]);
    }

    async fn two_legged_as_itself_and_in_a_users_name(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        assert_eq!(left.ask("/other/api/x?a=1", None).await.status, 200);
        assert_eq!(left.ask("/other-as/api/x?a=1", Some("carol")).await.status, 200);
        let nobody = left.ask("/other-as/api/x", None).await;
        nobody.assert(403, "x-linkgate-error", Some("user_missing"));
        let seen = right.app.received();
        assert_eq!(seen[0].header("remote-user"), ["svc-bitbucket"]);
        assert_eq!(seen[0].header("x-linkgate-call"), ["two-legged"]);
        assert_eq!(seen[0].line(), "GET /api/x?a=1 HTTP/1.1");
        assert_eq!(seen[1].header("remote-user"), ["carol"]);
        assert_eq!(seen[1].header("x-linkgate-call"), ["impersonated"]);
        assert_eq!(seen[1].line(), "GET /api/x?a=1&xoauth_requestor_id=carol HTTP/1.1");
    }

    async fn a_token_revoked_there_in_mid_use_asks_the_user_again(db: Database) {
        let (left, right) = pair(&Database::sqlite(), &db).await;
        left.connect("other", &right, "alice").await;
        assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 200);

        let there = right.store().await;
        let tokens = there.access_tokens(&linkgate::store::Filter::default()).await.unwrap();
        let by = Actor { name: "command", address: None };
        there.revoke(Revoke::One { id: &tokens[0].id }, by, right.clock.now()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;

        let refused = left.ask("/other/api/x", Some("alice")).await;
        refused.assert(401, "x-linkgate-error", Some("not_connected"));
        let connect = format!("{}/oauth/links/other/connect", left.base);
        let body: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!((&body["user"], &body["connect_url"]), (&"alice".into(), &connect.as_str().into()));
        assert!(body["advice"].as_str().unwrap().contains("token_revoked"), "{body}");
        let here = left.store().await;
        assert_eq!(here.link_connections(None).await.unwrap(), [], "the token is dropped");
        let lost = (AuditKind::LinkLost, None, "the link other: the other side says token_revoked".to_owned());
        assert_eq!(link_events(&left).await[0], lost);

        left.connect("other", &right, "alice").await;
        assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 200);
        here.close().await;
        there.close().await;
    }

    async fn a_second_tab_leaves_the_first_authorization_alone(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        let mut browser = left.browser();
        browser.sign_in("alice").await;
        let mut questions = Vec::new();
        for _ in 0..2 {
            let there = browser.get("/oauth/links/other/connect?return_to=%2Fbuilds%3Fa%3Db").await;
            questions.push(path(location(&there), &right.base));
        }
        for question in &questions {
            let back = right.answer(question, "alice", "approve").await;
            let callback = path(location(&back), &left.base);
            let done = browser.get(&callback).await;
            assert_eq!((done.status, location(&done)), (303, "/builds?a=b"));
            let again = browser.get(&callback).await;
            assert_eq!(again.status, 410, "the same address works once: {again:?}");
            assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 200);
        }
    }

    async fn an_application_with_paths_below_oauth_gets_its_users_back(db: Database) {
        let (mut left, right) = (Planned::new("left"), Planned::new("right"));
        left.server = "path_prefix = \"/linkgate\"";
        let link = format!("[[links]]\nname = \"other\"\nurl = \"{}\"\n", right.base);
        let consumer = left.as_consumer();
        let left = left.start(&db, "listen = \"127.0.0.1:0\"", &link).await;
        let right = right.start(&Database::sqlite(), "", &consumer).await;
        let mut browser = left.browser();
        let login = browser.get("/linkgate/login").await;
        browser.sign_in_on(&login, "alice").await;
        for (query, expected) in [
            ("?return_to=%2Foauth%2Fbuilds", "/oauth/builds"),
            ("?return_to=%2Flinkgate%2Fconnections", "/linkgate/connections"),
            ("", "/linkgate/connections"),
        ] {
            let there = browser.get(&format!("/linkgate/links/other/connect{query}")).await;
            let back = right.answer(&path(location(&there), &right.base), "alice", "approve").await;
            let done = browser.get(&path(location(&back), &left.base)).await;
            assert_eq!((done.status, location(&done)), (303, expected));
        }
    }

    async fn no_other_user_ends_a_pending_authorization(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        let mut mallory = left.browser();
        mallory.sign_in("bob").await;
        let there = mallory.get("/oauth/links/other/connect").await;
        let back = right.answer(&path(location(&there), &right.base), "bob", "approve").await;
        let callback = path(location(&back), &left.base);
        let mut alice = left.browser();
        alice.sign_in("alice").await;
        let refused = alice.get(&callback).await;
        assert_eq!(refused.status, 410, "{refused:?}");
        assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 401);
        assert_eq!(location(&mallory.get(&callback).await), "/oauth/connections");
    }

    async fn a_user_who_denies_stays_connected_as_before(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        left.connect("other", &right, "alice").await;
        let mut browser = left.browser();
        browser.sign_in("alice").await;
        let there = browser.get("/oauth/links/other/connect").await;
        let back = right.answer(&path(location(&there), &right.base), "alice", "deny").await;
        let page = browser.get(&path(location(&back), &left.base)).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("was not connected"), "{page:?}");
        // Other providers send a problem instead of a verifier.
        let there = browser.get("/oauth/links/other/connect").await;
        let (_, token) = location(&there).split_once("oauth_token=").unwrap();
        let token = token.split('&').next().unwrap();
        let back = format!("/oauth/links/other/callback?oauth_token={token}&oauth_problem=permission_denied");
        let page = browser.get(&back).await;
        assert!(page.body.contains("was not connected"), "{page:?}");
        assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 200);
    }

    async fn what_a_user_gave_us_is_sealed(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        left.connect("other", &right, "alice").await;
        let here = left.store().await;
        let (kept, _) = here.link_credentials("other", "alice").await.unwrap().unwrap();
        assert!(here.link_credentials("other", "bob").await.unwrap().is_none());
        if db.is_sqlite() {
            let disk = std::fs::read(db.url().trim_start_matches("sqlite://")).unwrap();
            for secret in [kept.token.as_str(), kept.secret.expose()] {
                assert!(!disk.windows(secret.len()).any(|window| window == secret.as_bytes()));
            }
        }
        here.close().await;
    }

    async fn users_see_and_cut_the_other_direction_too(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        let mut alice = left.browser();
        alice.sign_in("alice").await;
        let page = alice.get("/oauth/connections").await;
        assert!(page.body.contains("href=\"/oauth/links/other/connect\""), "{page:?}");
        assert!(!page.body.contains("other-as"), "nothing is to be connected there");
        left.connect("other", &right, "alice").await;
        let page = alice.get("/oauth/connections").await;
        assert!(page.body.contains("The other side") && !page.body.contains("/oauth/links/other/connect"), "{page:?}");
        let form = Form::of(&page, "token").unwrap();
        assert_eq!(form.fields[0], ("token".to_owned(), "link:other".to_owned()));

        let mut bob = left.browser();
        bob.sign_in("bob").await;
        assert_eq!(bob.submit(&form).await.status, 403, "the form is alice's");
        assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 200);

        for _ in 0..2 {
            let cut = alice.submit(&form).await;
            assert_eq!((cut.status, location(&cut)), (303, "/oauth/connections"));
        }
        assert_eq!(left.ask("/other/api/x", Some("alice")).await.status, 401);
        let here = Some([127, 0, 0, 1].into());
        let expected = [
            (AuditKind::LinkDisconnected, here, "the link other".to_owned()),
            (AuditKind::LinkConnected, here, "the link other".to_owned()),
        ];
        assert_eq!(link_events(&left).await, expected, "cut once");
    }
}

/// What the audit log says of alice's links, the newest first.
async fn link_events(linked: &Linked) -> Vec<(AuditKind, Option<IpAddr>, String)> {
    let store = linked.store().await;
    let of_alice = AuditFilter {
        subject: Some("alice".to_owned()),
        limit: Some(50),
        ..AuditFilter::default()
    };
    let events = store.audit(&of_alice).await.unwrap();
    store.close().await;
    let of_links = events
        .into_iter()
        .filter(|event| event.detail.starts_with("the link"));
    of_links
        .map(|event| (event.kind, event.address, event.detail))
        .collect()
}
