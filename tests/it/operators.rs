//! The operators' listener.

use crate::gateway::{get, status};
use crate::support::call::Peer;
use crate::support::databases::{Database, with};
use crate::support::linkgate::Linkgate;
use crate::support::network::Network;

/// Without the application linkgate still rejects requests; without the database it can do nothing.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_the_databases_and_not_the_applications() {
    with(Database::postgres().await, async |db| {
        let (linkgate, network) = (Linkgate::on(&db).await, Network::before(&db).await);
        let application = linkgate.app.address.to_string();
        linkgate.change(&application, "127.0.0.1:9").await.unwrap();
        linkgate.change(&db.url(), &network.url(&db)).await.unwrap();
        let linkgate = linkgate.restarted().await;
        let peer = Peer::hmac();
        let token = peer.connect(&linkgate, "alice").await;
        let call = peer.call(&linkgate, "GET", "/api/me").token(&token);
        let answer = call.send(&linkgate).await;
        assert_eq!(answer.status, 502, "{answer:?}");
        let ready = async || get(linkgate.operators(), "/readyz", "").await;
        let answer = ready().await;
        assert!(
            status(&answer) == "200" && answer.ends_with("ready\n"),
            "{answer}"
        );
        network.go_silent();
        let answer = ready().await;
        assert!(
            status(&answer) == "503" && answer.contains("the store does not answer"),
            "{answer}"
        );
        let alive = get(linkgate.operators(), "/healthz", "").await;
        assert_eq!(status(&alive), "200");
        network.come_back();
        while status(&ready().await) != "200" {}
        assert!(linkgate.app.received().is_empty());
        linkgate.stop().await;
    })
    .await;
}
