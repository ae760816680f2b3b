use linkgate::oauth::TimestampWindow;
use linkgate::store::Swept;

use super::*;

on_both! {
    async fn a_user_who_signed_in_is_remembered(db: Database) {
        let store = db.open().await;
        assert_eq!(store.user("alice", "file").await.unwrap(), None);
        store.remember_user(&user("alice")).await.unwrap();
        assert_eq!(store.user("alice", "file").await.unwrap(), Some(user("alice")));
        for (other, by) in [("Alice", "file"), ("alice ", "file"), ("alice", "oidc"), ("", "file")] {
            assert_eq!(store.user(other, by).await.unwrap(), None, "{other:?} by {by}");
        }
    }

    async fn the_last_time_counts(db: Database) {
        let store = db.open().await;
        let again = User { display_name: "Alice".to_owned(), proved_at: NOW.plus(9), ..user("alice") };
        for proof in [user("alice"), again.clone(), user("alice")] {
            store.remember_user(&proof).await.unwrap();
        }
        assert_eq!(store.user("alice", "file").await.unwrap(), Some(again));
        let other = User { proved_by: "oidc".to_owned(), ..user("alice") };
        store.remember_user(&other).await.unwrap();
        assert_eq!(store.user("alice", "oidc").await.unwrap(), Some(other));
    }

    async fn a_user_who_stays_away_is_forgotten(db: Database) {
        let store = db.open().await;
        store.remember_user(&user("alice")).await.unwrap();
        let last = user("alice").proved_at.plus(400 * 86_400);
        assert_eq!(store.sweep(last.plus(-1), TimestampWindow::default()).await.unwrap(), Swept::default());
        let swept = store.sweep(last, TimestampWindow::default()).await.unwrap();
        assert_eq!(swept, Swept::from([("users", 1)]));
        assert_eq!(store.user("alice", "file").await.unwrap(), None);
    }
}
