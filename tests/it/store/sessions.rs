use linkgate::model::{BrowserSession, SessionId};

use super::*;

on_both! {
    async fn a_session_is_kept_until_it_expires(db: Database) {
        let store = db.open().await;
        let id = id(&db);
        store.add_session(&id, &session(), None).await.unwrap();
        assert_eq!(store.session(&id, NOW).await.unwrap(), Some(session()));
        assert_eq!(store.session(&id, NOW.plus(99)).await.unwrap(), Some(session()));
        assert_eq!(store.session(&id, NOW.plus(100)).await.unwrap(), None);
        assert_eq!(store.session(&self::id(&db), NOW).await.unwrap(), None);
    }

    async fn a_session_that_is_used_lasts(db: Database) {
        let store = db.open().await;
        let id = id(&db);
        store.add_session(&id, &session(), None).await.unwrap();
        assert!(store.touch_session(&id, NOW.plus(50), NOW.plus(150)).await.unwrap());
        let touched = BrowserSession { seen_at: NOW.plus(50), expires_at: NOW.plus(150), ..session() };
        assert_eq!(store.session(&id, NOW.plus(149)).await.unwrap(), Some(touched));
        assert!(!store.touch_session(&id, NOW.plus(150), NOW.plus(300)).await.unwrap(), "the dead stay dead");
        assert!(!store.touch_session(&self::id(&db), NOW, NOW.plus(9)).await.unwrap());
    }

    async fn a_session_ends_once(db: Database) {
        let store = db.open().await;
        let (id, other) = (id(&db), id(&db));
        store.add_session(&id, &session(), None).await.unwrap();
        store.add_session(&other, &session(), None).await.unwrap();
        assert!(store.remove_session(&id).await.unwrap());
        assert!(!store.remove_session(&id).await.unwrap());
        assert_eq!(store.session(&id, NOW).await.unwrap(), None);
        assert_eq!(store.session(&other, NOW).await.unwrap(), Some(session()));
    }
}

fn id(db: &Database) -> SessionId {
    SessionId::new(token(db))
}

fn session() -> BrowserSession {
    BrowserSession {
        user: user("alice"),
        created_at: NOW.plus(-2),
        seen_at: NOW.plus(-1),
        expires_at: NOW.plus(100),
    }
}
