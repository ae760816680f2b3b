//! How many sign-in attempts are allowed, at all replicas together.

use crate::login::site::Site;
use crate::support::{Browser, Database, Form, Linkgate, Response, on_both};

on_both! {
    async fn replicas_count_a_name_together(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let other = linkgate.replica().await;
        let mut guessers = [linkgate.browser(), other.browser()];
        for attempt in 0..10 {
            let answer = try_as(&mut guessers[attempt % 2], "alice", "wrong").await;
            assert_eq!(answer.status, 403, "{answer:?}");
        }
        for guesser in &mut guessers {
            let answer = try_as(guesser, "alice", "alice-password").await;
            assert_eq!(answer.status, 429, "{answer:?}");
            assert!(answer.header("retry-after").is_some() && answer.body.contains("Too many attempts"), "{answer:?}");
            assert_eq!(try_as(&mut guesser.clone(), "bob", "bob-password").await.status, 303, "another name");
        }
        linkgate.clock.advance(60);
        for guesser in &mut guessers {
            let answer = try_as(guesser, "alice", "alice-password").await;
            assert_eq!(answer.status, 303, "{answer:?}");
        }
    }

    async fn replicas_count_an_address_together(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let other = linkgate.replica().await;
        let mut guessers = [linkgate.browser(), other.browser()];
        for attempt in 0..30 {
            let name = format!("user-{attempt}");
            let answer = try_as(&mut guessers[attempt % 2], &name, "wrong").await;
            assert_eq!(answer.status, 403, "{name}: {answer:?}");
        }
        for guesser in &mut guessers {
            assert_eq!(try_as(guesser, "alice", "alice-password").await.status, 429);
        }
    }
}

async fn try_as(browser: &mut Browser, user: &str, password: &str) -> Response {
    let page = browser.get("/oauth/login").await;
    let form = Form::of(&page, "password").unwrap();
    browser
        .submit(&form.with("username", user).with("password", password))
        .await
}

#[tokio::test]
async fn the_table_of_attempts_is_bounded() {
    let site = Site::start().await;
    for name in 0..40 {
        site.browser().log_in("/", &format!("user-{name}"), "wrong").await;
    }
    let rows = site.sql("select * from sign_in_slots").await;
    assert!(
        rows <= 31,
        "one address, and thirty names until it had enough: {rows}"
    );
    let found = site.sql("select * from sign_in_slots where slot >= 32768").await;
    assert_eq!(found, 0);
    let counted = "select * from sign_in_slots where attempts > 30";
    assert_eq!(site.sql(counted).await, 0, "what is refused is not written");
}
