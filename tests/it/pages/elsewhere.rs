//! Pages that others take part in: the states of each login method but the password, and those of links.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::login::methods::handoff::answer;
use crate::login::methods::issuer::Issuer;
use crate::login::site::Site;
use crate::support::{App, Browser, Chromium, Form, JavaScript, Linked, location, rows};

use super::states::State;
use super::visit;

const LOGIN: &str = "/oauth/login";

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_other_login_methods_are_accessible() {
    let browser = Chromium::start(JavaScript::On).await;
    let somebody =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"name\":\"alice\"}";
    let nobody = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
    let [somebody, nobody] = [App::answering(somebody).await, App::answering(nobody).await];
    let mut wrong = known(&browser, somebody.address).await;
    wrong.extend(unknown(&browser, nobody.address).await);
    wrong.extend(unnamed(&browser).await);
    wrong.extend(handed_off(&browser).await);
    wrong.extend(refused_by_a_provider(&browser).await);
    #[cfg(feature = "ldap")]
    wrong.extend(without_a_directory(&browser).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The application knows the browser, and so do we.
async fn known(browser: &Chromium, application: SocketAddr) -> Vec<String> {
    let site = probing(application).await;
    let token = site.question().await;
    let mut alice = Browser::new(site.address());
    alice.cookies.insert("session".to_owned(), "hers".to_owned());
    let question = format!("/oauth/authorize?oauth_token={}", token.as_str());
    let login = alice.get(&question).await;
    let once_more = alice.get(location(&login)).await;
    let signed_in = alice.get(location(&once_more)).await;
    let page = alice.get(location(&signed_in)).await;
    let leave = Form::of(&page, "return_to").unwrap();
    let states = [
        State::get("approve-probe", question).seen(&alice, "Allow Bitbucket to use Buildboard as alice?"),
        State::sent("notice-another-account", leave)
            .seen(&alice, "To use another account, sign out of Buildboard"),
    ];
    visit(browser, site.address(), &states).await
}

/// It does not; or it is not there.
async fn unknown(browser: &Chromium, application: SocketAddr) -> Vec<String> {
    let site = probing(application).await;
    let states = [
        State::get("notice-still-nobody", format!("{LOGIN}?back=1"))
            .headed("You are not signed in to Buildboard"),
        State::get("notice-pause", format!("{LOGIN}?pause=1")).headed("Sign in to continue"),
    ];
    let mut wrong = visit(browser, site.address(), &states).await;
    let site = probing(App::absent().address).await;
    let mut asked = Browser::new(site.address());
    asked.cookies.insert("session".to_owned(), "whose".to_owned());
    let failed = State::get("notice-source-failed", LOGIN).by(&asked);
    let states = [failed.headed("Sign-in is temporarily unavailable")];
    wrong.extend(visit(browser, site.address(), &states).await);
    wrong
}

/// A proxy in front names no user.
async fn unnamed(browser: &Chromium) -> Vec<String> {
    let login = "[login]\nmethod = \"trusted-header\"\n[login.trusted-header]\nheader = \"Remote-User\"\n";
    let site = Site::with(BASE, "trusted_proxies = [\"127.0.0.1\"]", login).await;
    let states = [State::get("notice-not-named", LOGIN).headed("Your user could not be determined")];
    visit(browser, site.address(), &states).await
}

/// Handoffs: one that succeeded, and those that failed.
async fn handed_off(browser: &Chromium) -> Vec<String> {
    let login = "[login]\nmethod = \"handoff\"\n[login.handoff]\nlogin_url = \"https://builds.example.com/in\"\nsecret = \"what-both-sides-know\"\n";
    let site = Site::with(BASE, "", login).await;
    let token = site.question().await;
    let mut alice = Browser::new(site.address());
    let first = answer(&site, &flow(&mut alice).await, |_| ());
    assert_eq!(alice.get(&first).await.status, 303);
    let mut late = Browser::new(site.address());
    let answered_late = answer(&site, &flow(&mut late).await, |_| ());
    let states = [
        State::get(
            "approve-handoff",
            format!("/oauth/authorize?oauth_token={}", token.as_str()),
        )
        .seen(&alice, "Allow Bitbucket to use Buildboard as Alice Example?"),
        State::get("notice-trip-used", first.clone()).seen(&alice, "This sign-in is already complete"),
        State::get("notice-trip-unknown", first).headed("This sign-in cannot be completed"),
        State::get(
            "notice-trip-wrong",
            "/oauth/login/handoff?lg_answer=e30&lg_sig=00",
        )
        .headed("Invalid sign-in response"),
    ];
    let mut wrong = visit(browser, site.address(), &states).await;
    site.clock.advance(601);
    let states = [State::get("notice-trip-late", answered_late).seen(&late, "This sign-in took too long")];
    wrong.extend(visit(browser, site.address(), &states).await);
    wrong
}

async fn refused_by_a_provider(browser: &Chromium) -> Vec<String> {
    let issuer = Issuer::start(1_800_000_000).await;
    let login = format!(
        "[login]\nmethod = \"oidc\"\n[login.oidc]\nissuer = \"{}\"\nclient_id = \"linkgate\"\nclient_secret = \"the-client-secret\"\n",
        issuer.url
    );
    let site = Site::with(BASE, "", &login).await;
    let mut alice = Browser::new(site.address());
    let away = alice.get(LOGIN).await;
    let (_, state) = location(&away).split_once("&state=").unwrap();
    let state = state.split('&').next().unwrap();
    let states = [State::get(
        "notice-trip-refused",
        format!("/oauth/login/oidc?state={state}&error=access_denied"),
    )
    .seen(&alice, "You were not signed in")];
    visit(browser, site.address(), &states).await
}

/// The directory does not answer.
#[cfg(feature = "ldap")]
async fn without_a_directory(browser: &Chromium) -> Vec<String> {
    let login =
        "[login]\nmethod = \"ldap\"\n[login.ldap]\nurl = \"ldap://127.0.0.1:1\"\nbase_dn = \"dc=example\"\n";
    let site = Site::with(BASE, "", login).await;
    let mut alice = Browser::new(site.address());
    let page = alice.get(LOGIN).await;
    let form = Form::of(&page, "password").unwrap();
    let form = form.with("username", "alice").with("password", "alice-password");
    let states = [State::sent("notice-login-unavailable", form)
        .seen(&alice, "Sign-in is temporarily unavailable")
        .in_every_language()];
    visit(browser, site.address(), &states).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_links_are_accessible() {
    let (linkgate, mut alice) = linked().await;
    // What the page for administrators says of a link is what became of its last call.
    assert_eq!(linkgate.ask("/absent/x", Some("alice")).await.status, 502);
    let begun = alice.get("/oauth/links/granting/connect").await;
    assert_eq!(begun.status, 303, "{begun:?}");
    let get = |name, path: &str, heading| State::get(name, path).by(&alice).headed(heading);
    let connections = |name| get(name, "/oauth/connections", "Connected applications");
    let mut states = vec![
        connections("links-connections").in_every_language(),
        connections("links-connections-asking").opened(),
        get("links-admin", "/oauth/admin", "Links").in_every_language(),
    ];
    let others = rows(
        "links-refused | /oauth/links/refusing/connect | Jira rejected the request
         links-silent | /oauth/links/absent/connect | absent does not respond
         links-unknown | /oauth/links/nowhere/connect | Link not found
         links-lost | /oauth/links/granting/callback | This connection was not finished
         links-denied | /oauth/links/granting/callback?oauth_token=granted&oauth_verifier=denied | Bitbucket of the whole company was not connected
         links-no-way-back | /plugins/servlet/applinks/listApplicationLinks | Unknown return address",
    );
    states.extend(others.map(|[name, path, heading]| get(name, path, heading)));
    let browser = Chromium::start(JavaScript::On).await;
    let wrong = visit(&browser, linkgate.address, &states).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A linkgate with three links, of which alice has connected two; and her browser.
async fn linked() -> (Linked, Browser) {
    let granting = "HTTP/1.1 200 OK\r\ncontent-length: 70\r\n\r\n\
        oauth_token=granted&oauth_token_secret=s&oauth_callback_confirmed=true";
    let granting = App::answering(granting).await.address;
    let refusing = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: OAuth oauth_problem=\"signature_invalid\"\r\ncontent-length: 0\r\n\r\n";
    let refusing = App::answering(refusing).await.address;
    let absent = App::absent().address;
    let links = format!(
        "[admin]\nsubjects = [\"alice\"]\n\
         [[links]]\nname = \"granting\"\ntitle = \"Bitbucket of the whole company\"\nurl = \"http://{granting}\"\n\
         [[links]]\nname = \"refusing\"\ntitle = \"Jira\"\nurl = \"http://{refusing}\"\n\
         [[links]]\nname = \"absent\"\nurl = \"http://{absent}\"\n"
    );
    let linkgate = Linked::with_links(&links).await;
    linkgate.has_connected("granting", "alice", "a-token").await;
    linkgate.has_connected("absent", "alice", "a-token").await;
    let mut alice = linkgate.browser();
    alice.sign_in("alice").await;
    (linkgate, alice)
}

async fn probing(application: SocketAddr) -> Site {
    let login = format!(
        "[login]\nmethod = \"probe\"\n[login.probe]\nurl = \"http://{application}/me\"\ncookies = [\"session\"]\n\
         user_pointer = \"/name\"\nlogin_url = \"https://builds.example.com/login?from={{return_to}}\"\n\
         logout_url = \"https://builds.example.com/logout\"\n"
    );
    Site::with(BASE, "", &login).await
}

/// Sends a browser away; the identifier of its login flow.
async fn flow(browser: &mut Browser) -> Value {
    let away = browser.get(LOGIN).await;
    let (_, request) = location(&away).split_once("lg_request=").unwrap();
    let request = URL_SAFE_NO_PAD
        .decode(request.split('&').next().unwrap())
        .unwrap();
    let request: Value = serde_json::from_slice(&request).unwrap();
    request["jti"].clone()
}

/// Plain http: only then may the browser of this test keep the cookies.
const BASE: &str = "http://builds.example.com";
