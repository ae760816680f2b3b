//! Two at the same instant: one wins, whether both ask one server or two over one database.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::session_handle;
use crate::support::{
    CALLBACK, Database, Form, Linkgate, Peer, Request, Response, credentials, on_both, question,
};

/// Sends requests at once, each to its own address, and counts what came of it: a status, or a problem.
async fn at_once(requests: impl IntoIterator<Item = (std::net::SocketAddr, Request)>) -> Vec<Response> {
    let mut running = JoinSet::new();
    for (to, request) in requests {
        running.spawn(async move { request.send(to).await });
    }
    running.join_all().await
}

fn counted(answers: &[Response]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        let what = answer.value("oauth_problem").filter(|_| answer.status != 200);
        *counts
            .entry(what.unwrap_or_else(|| answer.status.to_string()))
            .or_default() += 1;
    }
    counts
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.map(|(what, count)| (what.to_owned(), count)).into()
}

on_both! {
    async fn one_exchange_of_many_gives_the_one_access_token(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let replica = linkgate.replica().await;
        let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
        let verifier = linkgate.browser().approve(&token, "alice").await;
        let exchange = || Peer::hmac().exchange(&linkgate, &token, &verifier).request(&linkgate);
        let both = [linkgate.address, replica.address];
        let answers = at_once(both.into_iter().cycle().take(12).map(|to| (to, exchange()))).await;
        assert_eq!(counted(&answers), counts([("200", 12)]));
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        assert_eq!(db.texts("select id from access_tokens".to_owned()).await.len(), 1);
        let token = credentials(&answers[0]);
        let call = Peer::hmac().call(&linkgate, "GET", "/api/x").token(&token);
        assert_eq!(call.send(&replica).await.status, 200);
    }

    async fn one_renewal_of_many_gives_the_one_access_token(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let replica = linkgate.replica().await;
        let (token, handle) = session_handle::connected(&linkgate).await;
        let renewed = || session_handle::renewal(&linkgate, &token, &handle).request(&linkgate);
        let both = [linkgate.address, replica.address];
        let answers = at_once(both.into_iter().cycle().take(12).map(|to| (to, renewed()))).await;
        assert_eq!(counted(&answers), counts([("200", 12)]));
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        assert_eq!(db.texts("select id from access_tokens".to_owned()).await.len(), 1);
    }

    async fn one_of_two_equal_requests_passes(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let replica = linkgate.replica().await;
        for round in 0..30 {
            let request = Peer::robot().call(&linkgate, "GET", "/api/x").request(&linkgate);
            // In turns: one server each, and twice the same one.
            let second = if round % 3 == 0 { linkgate.address } else { replica.address };
            let answers = at_once([(linkgate.address, request.clone()), (second, request)]).await;
            assert_eq!(counted(&answers), counts([("200", 1), ("nonce_used", 1)]), "{round}");
        }
        assert_eq!(linkgate.app.received().len(), 30);
    }

    async fn one_of_many_equal_token_calls_gives_a_token(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let call = Peer::hmac().call(&linkgate, "POST", "/oauth/request-token").oauth("oauth_callback", CALLBACK);
        let request = call.in_form().request(&linkgate);
        let answers = at_once((0..10).map(|_| (linkgate.address, request.clone()))).await;
        assert_eq!(counted(&answers), counts([("200", 1), ("nonce_used", 9)]));
    }

    async fn one_answer_counts_of_two_users_who_answer_at_once(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        for _ in 0..3 {
            let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
            let mut forms = Vec::new();
            for (user, button) in [("alice", "approve"), ("bob", "approve"), ("carol", "deny")] {
                let mut browser = linkgate.browser();
                browser.sign_in(user).await;
                let form = Form::of(&browser.get(&question(&token)).await, button).unwrap().pressing(button);
                forms.push((user, browser, form));
            }
            let mut answers = JoinSet::new();
            for (user, mut browser, form) in forms {
                answers.spawn(async move { (user, browser.submit(&form).await) });
            }
            let answers = answers.join_all().await;
            let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.status == 303).collect();
            assert_eq!(won.len(), 1, "{answers:?}");
            let (user, answer) = won[0];
            let verifier = crate::support::verifier(answer);
            let exchanged = Peer::hmac().exchange(&linkgate, &token, &verifier).send(&linkgate).await;
            match *user {
                "carol" => exchanged.assert_refused("permission_denied"),
                user => {
                    let call = Peer::hmac().call(&linkgate, "GET", "/api/x").token(&credentials(&exchanged));
                    call.passes(&linkgate).await;
                    assert_eq!(linkgate.app.last().header("remote-user"), [user]);
                }
            }
        }
    }

    async fn a_flood_of_wrong_verifiers_ends_with_a_dead_token(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
        linkgate.browser().approve(&token, "alice").await;
        let guess = |at: usize| Peer::hmac().exchange(&linkgate, &token, &format!("guess{at}")).request(&linkgate);
        let answers = at_once((0..12).map(|at| (linkgate.address, guess(at)))).await;
        assert!(answers.iter().all(|answer| answer.status == 401), "{answers:?}");
        let states = db.texts("select state from request_tokens".to_owned()).await;
        assert_eq!(states, ["used"]);
    }
}
