//! What peers of Application Links ask for, read by the field rules that they go by.

use serde_json::Value;

use crate::support::{Database, Linked, Planned, Request, on_both, pair};

const MANIFESTS: [&str; 4] = ["1.0", "2.0", "3.0", "latest"];

async fn document(linkgate: &Linked, path: &str, accept: &str) -> (String, String) {
    let request = Request::get(path).header("Accept", accept);
    let answer = request.send(linkgate.address).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (answer.header("content-type").unwrap().to_owned(), answer.body)
}

/// The texts of all elements of a tag name.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let tag = format!("<{name}>");
    let parts = xml.split(&tag).skip(1);
    parts
        .map(|part| part.split_once('<').unwrap().0.to_owned())
        .collect()
}

on_both! {
    async fn the_manifest_is_the_same_everywhere_for_ever(db: Database) {
        let (left, right) = pair(&db, &Database::sqlite()).await;
        let (_, first) = document(&left, "/rest/applinks/1.0/manifest", "application/json").await;
        let first: Value = serde_json::from_str(&first).unwrap();
        for version in MANIFESTS {
            let path = format!("/rest/applinks/{version}/manifest");
            let (kind, text) = document(&left, &path, "application/json").await;
            assert_eq!(kind, "application/json");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), first);
            let (kind, xml) = document(&left, &path, "application/xml").await;
            assert_eq!(kind, "application/xml;charset=UTF-8");
            assert_eq!(elements(&xml, "id"), [first["id"].as_str().unwrap()]);
            assert_eq!(elements(&xml, "typeId"), ["generic"]);
        }
        let (_, other) = document(&right, "/rest/applinks/latest/manifest", "*/*").await;
        assert_ne!(serde_json::from_str::<Value>(&other).unwrap()["id"], first["id"]);
        left.stop().await;

        let again = Planned::new("left").start(&db, "", "").await;
        let (_, later) = document(&again, "/rest/applinks/1.0/manifest", "*/*").await;
        assert_eq!(serde_json::from_str::<Value>(&later).unwrap()["id"], first["id"]);
        again.stop().await;
    }
}

#[tokio::test]
async fn the_manifest_is_xml_if_that_is_preferred() {
    const JSON: &str = "application/json";
    const XML: &str = "application/xml;charset=UTF-8";
    let (left, _right) = pair(&Database::sqlite(), &Database::sqlite()).await;
    for (accept, expected) in [
        ("*/*", JSON),
        ("", JSON),
        ("application/json", JSON),
        ("application/xml", XML),
        ("text/xml", XML),
        ("application/xml, */*", XML),
        ("*/*, application/xml;q=0.1", JSON),
        ("application/json, application/xml", JSON),
        ("application/xml, application/json", XML),
        ("application/xml;q=0.5, application/json;q=0.4", XML),
        ("Application/XML ; Q=0.3, application/json;q=0.4", JSON),
        ("application/xml;q=0, application/json;q=0.001", JSON),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            XML,
        ),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
        ("image/png", JSON),
        (";;;,q=1,/", JSON),
        ("application/xml;x=y;q=1.000, application/json;q=0.9", XML),
        ("application/xml;q=1.1", JSON),
        ("application/xml;q=0.1234", JSON),
        ("application/xml;q=-1", JSON),
        ("application/xml;q=", JSON),
        ("application/xml;x", JSON),
        (&*("x/y,".repeat(50) + "application/xml"), JSON),
    ] {
        let (kind, _) = document(&left, "/rest/applinks/latest/manifest", accept).await;
        assert_eq!(kind, expected, "{accept:?}");
    }
    let answer = Request::get("/rest/applinks/latest/manifest")
        .send(left.address)
        .await;
    assert_eq!(answer.header("content-type"), Some(JSON));
}

#[tokio::test]
async fn the_manifest_has_every_field_that_peers_read() {
    let (left, _right) = pair(&Database::sqlite(), &Database::sqlite()).await;
    let (_, text) = document(&left, "/rest/applinks/1.0/manifest", "application/json").await;
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let id = manifest["id"].as_str().unwrap();
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_eq!(manifest["name"], "left");
    assert_eq!(manifest["typeId"], "generic");
    assert_eq!(manifest["url"], left.base);
    assert_eq!(manifest["publicSignup"], false);
    assert!(manifest["applinksVersion"].as_str().unwrap().starts_with('6'));
    let types: Vec<_> = ["OAuth", "TwoLeggedOAuth", "TwoLeggedOAuthWithImpersonation"]
        .map(|name| format!("com.atlassian.applinks.api.auth.types.{name}AuthenticationProvider"))
        .into();
    assert_eq!(manifest["inboundAuthenticationTypes"], serde_json::json!(types));
    assert_eq!(manifest["outboundAuthenticationTypes"], serde_json::json!(types));
    let icon = manifest["iconUrl"].as_str().unwrap();
    assert_eq!(manifest["iconUri"], icon);
    let icon = Request::get(icon.strip_prefix(&left.base).unwrap())
        .send(left.address)
        .await;
    icon.assert(200, "content-type", Some("image/svg+xml"));

    let (_, xml) = document(&left, "/rest/applinks/1.0/manifest", "application/xml, */*;q=0.1").await;
    assert_eq!(elements(&xml, "inboundAuthenticationTypes"), types);
    assert_eq!(elements(&xml, "publicSignup"), ["false"]);
    assert_eq!(elements(&xml, "url"), [left.base.as_str()]);
}

#[tokio::test]
async fn consumer_info_is_shown_when_it_is_configured() {
    let (left, _right) = pair(&Database::sqlite(), &Database::sqlite()).await;
    let (kind, xml) = document(&left, "/plugins/servlet/oauth/consumer-info", "*/*").await;
    assert!(kind.starts_with("application/xml"), "{kind}");
    assert_eq!(elements(&xml, "key"), ["linkgate-left"]);
    assert_eq!(elements(&xml, "name"), ["left"]);
    let shown = linkgate::oauth::PublicKey::parse(&elements(&xml, "publicKey")[0]).unwrap();
    let pem = std::fs::read_to_string(left.folder().join("link.pem")).unwrap();
    assert_eq!(
        shown,
        linkgate::oauth::PrivateKey::from_pem(&pem).unwrap().public_key()
    );

    let silent = Planned::new("left").start(&Database::sqlite(), "", "").await;
    let answer = Request::get("/plugins/servlet/oauth/consumer-info")
        .send(silent.address)
        .await;
    assert_eq!(answer.status, 404, "{answer:?}");
    let found = silent.app.received().len();
    assert_eq!(found, 0, "it is not the application's to answer");
}

#[tokio::test]
async fn whoami_is_the_browsers_user_or_the_callers() {
    let (left, right) = pair(&Database::sqlite(), &Database::sqlite()).await;
    let path = "/plugins/servlet/applinks/whoami";
    let mut browser = right.browser();
    let nobody = browser.get(path).await;
    assert_eq!((nobody.status, nobody.body.as_str()), (200, ""));
    browser.sign_in("bob").await;
    let bob = browser.get(path).await;
    let seen = (bob.body.as_str(), bob.header("content-type"));
    assert_eq!(seen, ("bob", Some("text/plain;charset=UTF-8")));

    left.connect("other", &right, "alice").await;
    let target = format!("/other{path}");
    assert_eq!(left.ask(&target, Some("alice")).await.body, "alice");
    assert_eq!(left.ask(&target, None).await.body, "svc-bitbucket");
    let found = left.ask(&format!("/other-as{path}"), Some("carol")).await.body;
    assert_eq!(found, "carol");
    let forged = Request::get(path).header("Authorization", "OAuth oauth_consumer_key=\"x\"");
    assert_eq!(forged.send(right.address).await.status, 400);
}

#[tokio::test]
async fn the_way_back_leads_to_a_configured_link_alone() {
    let (left, right) = pair(&Database::sqlite(), &Database::sqlite()).await;
    let id = "5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d11";
    let go = async |starting: &str, id: &str| {
        let encoded = |text: &str| text.replace('"', "%22").replace(':', "%3A").replace('/', "%2F");
        let query = format!(
            "applinkStartingUrl={}&applinkOriginalCreatedId={}",
            encoded(starting),
            encoded(id)
        );
        let path = format!("/plugins/servlet/applinks/listApplicationLinks?{query}");
        Request::get(path).send(left.address).await
    };
    let answer = go(&format!("\"{}\"", right.base), &format!("\"{id}\"")).await;
    let us = left.base.replace(':', "%3A").replace('/', "%2F");
    let there = format!(
        "{}/plugins/servlet/applinks/auth/conf/oauth/add-consumer-by-url/{id}/INBOUND\
         ?oauth-incoming-enabled=true&hostUrl={us}&enable-oauth=true&success=true",
        right.base
    );
    answer.assert(303, "location", Some(there.as_str()));
    for (starting, id) in [
        ("\"https://evil.example\"".to_owned(), format!("\"{id}\"")),
        (format!("\"{}.evil.example\"", right.base), format!("\"{id}\"")),
        (format!("\"{}/../x\"", right.base), format!("\"{id}\"")),
        (format!("\"{}@evil.example\"", right.base), format!("\"{id}\"")),
        (format!("\"{}\"", right.base), "\"../../x\"".to_owned()),
        (String::new(), String::new()),
    ] {
        let refused = go(&starting, &id).await;
        let found = (refused.status, refused.header("location"));
        assert_eq!(found, (403, None), "{starting} {id}");
    }
}
