//! How often somebody may try, at all replicas together.

use crate::login::browser::{Browser, assert_notice};
use crate::login::site::Site;

#[tokio::test]
async fn replicas_count_together() {
    let site = Site::start().await;
    let other = site.replica().await;
    let mut guessers = [site.browser(), Browser::new(other.public_address())];
    for attempt in 0..10 {
        let answer = guessers[attempt % 2].sign_in("/", "alice", "wrong").await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    for guesser in &mut guessers {
        let answer = guesser.sign_in("/", "alice", "alice-password").await;
        assert_notice(&answer, 429, "Too many attempts");
    }
    site.clock.advance(60);
    let answer = guessers[0].sign_in("/", "alice", "alice-password").await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

#[tokio::test]
async fn a_stranger_cannot_make_the_table_grow_without_end() {
    let site = Site::start().await;
    for name in 0..40 {
        site.browser()
            .sign_in("/", &format!("user-{name}"), "wrong")
            .await;
    }
    let rows = site.sql("select * from sign_in_slots").await;
    assert!(
        rows <= 31,
        "one address, and thirty names until it had enough: {rows}"
    );
    assert_eq!(
        site.sql("select * from sign_in_slots where slot >= 32768").await,
        0
    );
    let counted = "select * from sign_in_slots where attempts > 30";
    assert_eq!(site.sql(counted).await, 0, "what is refused is not written");
}
