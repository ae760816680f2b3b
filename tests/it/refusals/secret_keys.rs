//! Secret keys that one replica has and another lacks: no consumer loses its token by that.

use super::session_handle;
use crate::support::{CALLBACK, Database, Linkgate, Peer, Response, on_both};

on_both! {
    async fn a_token_of_a_key_that_another_replica_has_is_kept(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let old = Peer::hmac().connect(&linkgate, "bob").await;
        let ahead = linkgate.rotated_replica().await;
        let old_call = Peer::hmac().call(&linkgate, "GET", "/api/x").token(&old);
        assert_eq!(old_call.send(&ahead).await.status, 200, "it reads what the other made");

        // The consumer's secret is sealed with the new key now.
        let token = Peer::hmac().connect(&ahead, "alice").await;
        let call = Peer::hmac().call(&linkgate, "GET", "/api/x").token(&token);
        tokio::time::sleep(std::time::Duration::from_millis(900)).await; // what is cached counts for 800 ms
        keeps_the_token(&call.send(&linkgate).await);
        assert_eq!(call.send(&ahead).await.status, 200);

        // An RSA consumer has no secret, but its verifier is derived from the new key.
        let request_token = Peer::rsa().request_token(&ahead, CALLBACK).await;
        let verifier = ahead.browser().approve(&request_token, "alice").await;
        let exchange = || Peer::rsa().exchange(&linkgate, &request_token, &verifier);
        keeps_the_token(&exchange().send(&linkgate).await);
        assert_eq!(exchange().send(&ahead).await.status, 200);
    }

    async fn a_rotation_does_not_end_what_can_be_repeated(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let token = Peer::hmac().request_token(&linkgate, CALLBACK).await;
        let verifier = linkgate.browser().approve(&token, "alice").await;
        let exchange = || Peer::hmac().exchange(&linkgate, &token, &verifier);
        let first = exchange().send(&linkgate).await;
        let (old, handle) = session_handle::connected(&linkgate).await;
        let renewed = session_handle::renewal(&linkgate, &old, &handle).send(&linkgate).await;
        let ahead = linkgate.rotated_replica().await;
        let again = exchange().send(&ahead).await;
        assert_eq!((again.status, again.body), (200, first.body));
        let again = session_handle::renewal(&linkgate, &old, &handle).send(&ahead).await;
        assert_eq!((again.status, again.body), (200, renewed.body));
    }
}

fn keeps_the_token(response: &Response) {
    assert_eq!(response.status, 503, "{response:?}");
    assert!(response.header("retry-after").is_some());
    assert!(response.header("www-authenticate").is_none() && !response.body.contains("oauth_problem"));
}
