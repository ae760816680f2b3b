//! The look of an installation, as it is served: the logo and its headers, the colours, and what a SIGHUP changes.

use crate::support::{Browser, Linkgate, Setup, Text as _};

const LOGO: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 40\"><rect width=\"120\" height=\"40\"/></svg>";

#[tokio::test]
async fn the_logo_is_a_picture_and_nothing_more() {
    let linkgate = branded().await;
    let mut browser = linkgate.browser();
    let page = browser.get("/oauth/login").await;
    let (before, rest) = page
        .body
        .split_once("<p class=\"application logo\"><img src=\"")
        .unwrap();
    let (path, rest) = rest.split_once('"').unwrap();
    assert!(rest.starts_with(" alt=\"Acme Builds\"></p>"), "{rest}");
    assert!(before.contains("· Acme Builds</title>"), "{before}");
    assert!(!page.body.contains("Buildboard"), "upstream.name is not used");
    assert!(path.starts_with("/oauth/assets/logo-"), "{path}");
    let logo = browser.get(path).await;
    assert_eq!(logo.status, 200);
    assert_eq!(logo.body.as_bytes(), LOGO);
    logo.assert_header("content-type", "image/svg+xml");
    logo.assert_header("x-content-type-options", "nosniff");
    logo.assert_header(
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    );
    logo.assert_header("cache-control", "public, max-age=31536000, immutable");
    let other = browser.get("/oauth/assets/logo-0000000000000000.svg").await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn the_colours_are_in_the_stylesheet_and_in_no_page() {
    let (branded, plain) = (branded().await, Linkgate::start().await);
    let theirs = stylesheet(&mut branded.browser()).await;
    let ours = stylesheet(&mut plain.browser()).await;
    assert_ne!(theirs.0, ours.0, "another content has another path");
    // Darker than given on light pages, and as given on dark ones.
    assert_eq!(
        theirs.1.strip_prefix(&ours.1).unwrap(),
        "\n\
        :root { --accent: #866b00; --on-accent: #ffffff; --hover: #f4f1e7; }\n\
        @media (prefers-color-scheme: dark) {\n  \
        :root { --accent: #ffcc00; --on-accent: #0f1317; --hover: #2e2d20; }\n}\n"
    );
    let page = branded.browser().get("/oauth/login").await;
    assert!(!page.body.contains("style="), "{}", page.body);
}

#[tokio::test]
async fn a_reload_changes_the_look_and_peers_see_the_name() {
    let linkgate = branded().await;
    let mut browser = linkgate.browser();
    let manifest = "/rest/applinks/3.0/manifest";
    assert!(browser.get(manifest).await.body.contains("Acme Builds"));
    let (before, _) = stylesheet(&mut browser).await;
    linkgate
        .change(
            "name = \"Acme Builds\"\nlogo_file = \"logo.svg\"\naccent = \"#ffcc00\"",
            "name = \"Renamed\"",
        )
        .await
        .unwrap();
    let page = browser.get("/oauth/login").await;
    page.body.has("<p class=\"application\"><bdi>Renamed</bdi></p>");
    let (after, _) = stylesheet(&mut browser).await;
    assert_ne!(before, after);
    assert_eq!(browser.get(&before).await.status, 404);
    assert!(browser.get(manifest).await.body.contains("Renamed"));
    // One that cannot be read leaves everything as it is.
    let refused = linkgate
        .change("name = \"Renamed\"", "name = \"Again\"\nlogo_file = \"none.svg\"")
        .await;
    assert!(refused.is_err());
    browser.get("/oauth/login").await.body.has("<bdi>Renamed</bdi>");
}

async fn branded() -> Linkgate {
    Setup::new()
        .more("[branding]\nname = \"Acme Builds\"\nlogo_file = \"logo.svg\"\naccent = \"#ffcc00\"\n")
        .files(&[("logo.svg", LOGO)])
        .start()
        .await
}

/// The path of the stylesheet, and what is in it.
async fn stylesheet(browser: &mut Browser) -> (String, String) {
    let page = browser.get("/oauth/login").await;
    let (_, rest) = page.body.split_once("<link rel=\"stylesheet\" href=\"").unwrap();
    let path = rest.split_once('"').unwrap().0.to_owned();
    let style = browser.get(&path).await;
    style.assert_header("content-type", "text/css; charset=utf-8");
    (path, style.body)
}
