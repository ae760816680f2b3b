//! The installation id, pending authorizations, tokens of outgoing links, and the outcome of their calls.

use linkgate::applinks::ApplicationId;
use linkgate::model::{LinkState, PendingAuthorization};
use linkgate::oauth::TokenCredentials;

use super::*;

fn credentials(token: &str) -> TokenCredentials {
    TokenCredentials {
        token: Token::parse(token).unwrap(),
        secret: Secret::new(format!("secret of {token}\nwith a second line")),
    }
}

fn pending(token: &str, expires_at: Timestamp) -> PendingAuthorization {
    PendingAuthorization {
        link: "bitbucket".into(),
        subject: "alice".into(),
        credentials: credentials(token),
        return_to: "/builds".into(),
        expires_at,
    }
}

on_both! {
    async fn the_first_id_stays(db: Database) {
        let (one, two) = (db.open().await, db.open().await);
        let [first, second] = [[1; 16], [2; 16]].map(ApplicationId::from_random);
        let (a, b) = tokio::join!(one.installation_id(&first), two.installation_id(&second));
        let id = a.unwrap();
        assert_eq!(b.unwrap(), id);
        assert_eq!(one.installation_id(&ApplicationId::from_random([3; 16])).await.unwrap(), id);
    }

    async fn a_pending_authorization_is_taken_once_by_its_user_in_time(db: Database) {
        let store = db.open().await;
        let made = pending("t", NOW.plus(60));
        store.add_pending_authorization(&made).await.unwrap();
        let token = &made.credentials.token;
        for (link, subject, now) in [("other", "alice", NOW), ("bitbucket", "bob", NOW), ("bitbucket", "alice", NOW.plus(60))] {
            assert_eq!(store.take_pending_authorization(link, subject, token, now).await.unwrap(), None);
        }
        let (a, b) = tokio::join!(
            store.take_pending_authorization("bitbucket", "alice", token, NOW),
            store.take_pending_authorization("bitbucket", "alice", token, NOW)
        );
        let won: Vec<_> = [a.unwrap(), b.unwrap()].into_iter().flatten().collect();
        assert_eq!(won, [made]);
    }

    async fn the_newest_pending_authorizations_of_a_user_are_kept(db: Database) {
        let store = db.open().await;
        for at in 0..12 {
            store.add_pending_authorization(&pending(&format!("t{at}"), NOW.plus(60 + at))).await.unwrap();
        }
        for at in 0..12 {
            let token = Token::parse(&format!("t{at}")).unwrap();
            let found = store.take_pending_authorization("bitbucket", "alice", &token, NOW).await.unwrap();
            assert_eq!(found.is_some(), at >= 2, "{at}");
        }
        store.add_pending_authorization(&pending("late", NOW.plus(60))).await.unwrap();
        let swept = store.sweep(NOW.plus(60), linkgate::oauth::TimestampWindow::default()).await.unwrap();
        assert_eq!(swept["link_dances"], 1);
    }

    async fn a_token_is_kept_for_each_link_and_user(db: Database) {
        let store = db.open().await;
        assert_eq!(store.link_credentials("bitbucket", "alice").await.unwrap(), None);
        for (link, subject) in [("bitbucket", "alice"), ("bitbucket", "bob"), ("jira", "alice")] {
            let given = credentials(&format!("{link}-{subject}"));
            store.connect_link(link, subject, &given, None, NOW).await.unwrap();
            assert_eq!(store.link_credentials(link, subject).await.unwrap(), Some((given, None)));
        }
        store.touch_link("bitbucket", "alice", NOW.plus(61)).await.unwrap();
        let used = Some(Timestamp::from_seconds(NOW.plus(61).minute() * 60));
        let (_, last_used) = store.link_credentials("bitbucket", "alice").await.unwrap().unwrap();
        assert_eq!(last_used, used);
        let of_alice = store.link_connections(Some("alice")).await.unwrap();
        let links: Vec<_> = of_alice.iter().map(|kept| (kept.link.as_str(), kept.last_used_at)).collect();
        assert_eq!(links, [("bitbucket", used), ("jira", None)]);
        assert_eq!(store.link_connections(None).await.unwrap().len(), 3);
    }

    async fn only_the_very_token_is_forgotten(db: Database) {
        let store = db.open().await;
        let (old, new) = (credentials("old"), credentials("new"));
        store.connect_link("bitbucket", "alice", &old, None, NOW).await.unwrap();
        store.connect_link("bitbucket", "alice", &new, None, NOW).await.unwrap();
        assert!(!store.forget_link_token("bitbucket", "alice", &old.token, "token_revoked", NOW).await.unwrap());
        assert!(!store.forget_link_token("bitbucket", "bob", &new.token, "token_revoked", NOW).await.unwrap());
        assert!(store.link_credentials("bitbucket", "alice").await.unwrap().is_some());
        assert!(store.forget_link_token("bitbucket", "alice", &new.token, "token_revoked", NOW).await.unwrap());
        assert!(!store.disconnect_link("bitbucket", "alice", None, NOW).await.unwrap());
        store.connect_link("bitbucket", "alice", &new, None, NOW).await.unwrap();
        assert!(store.disconnect_link("bitbucket", "alice", None, NOW).await.unwrap());
    }

    async fn a_token_opens_after_a_rotation_and_not_for_another_user(db: Database) {
        let store = db.open().await;
        store.connect_link("bitbucket", "alice", &credentials("t"), None, NOW).await.unwrap();
        let rotated = linkgate::store::Keyring::read(db.keyring().to_text().expose()).unwrap().with_next(&mut rng()).rotated();
        let later = db.open_with(std::sync::Arc::new(rotated)).await;
        assert!(later.link_credentials("bitbucket", "alice").await.unwrap().is_some());
        db.execute("update link_tokens set subject = 'mallory'").await;
        assert!(later.link_credentials("bitbucket", "mallory").await.is_err());
        let keyring = std::sync::Arc::new(linkgate::store::Keyring::generate(&mut rng()));
        let stranger = Store::open_without_keys(&db.options(), keyring).await.unwrap();
        assert!(stranger.link_credentials("bitbucket", "mallory").await.is_err());
    }

    async fn how_calls_went_is_noted(db: Database) {
        let store = db.open().await;
        let minute = |at: Timestamp| Some(Timestamp::from_seconds(at.minute() * 60));
        store.note_link_problem("bitbucket", NOW, "It is down.").await.unwrap();
        store.note_link_answer("bitbucket", NOW.plus(60), Some(600), false).await.unwrap();
        let problem = Some((NOW, "It is down.".to_owned()));
        let state = LinkState { reached_at: minute(NOW.plus(60)), success_at: None, problem: problem.clone(), clock_difference: Some(600) };
        assert_eq!(store.link_states().await.unwrap()["bitbucket"], state);
        store.note_link_answer("bitbucket", NOW.plus(60), None, true).await.unwrap();
        let state = LinkState { success_at: minute(NOW.plus(60)), ..state };
        assert_eq!(store.link_states().await.unwrap()["bitbucket"], state);
        store.note_link_problem("bitbucket", NOW.plus(10), "It is down.").await.unwrap();
        assert_eq!(store.link_states().await.unwrap()["bitbucket"].problem, problem, "said within a minute");
        store.note_link_problem("bitbucket", NOW.plus(20), "It refuses us.").await.unwrap();
        let problem = Some((NOW.plus(20), "It refuses us.".to_owned()));
        assert_eq!(store.link_states().await.unwrap()["bitbucket"].problem, problem);
    }
}
