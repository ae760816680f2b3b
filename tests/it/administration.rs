//! The pages for administrators: who may see them, what they show, and what they can do.

use linkgate::model::{AuditKind, Consumer, ConsumerSource};
use linkgate::oauth::ConsumerKey;
use linkgate::store::AuditFilter;

use crate::support::{
    App, Browser, Database, Form, Linkgate, Peer, Request, Response, Setup, Text as _, location, on_both,
    public_key, rows,
};

const LINKS: &str = "/oauth/admin";
const TOKENS: &str = "/oauth/admin/tokens";
const REVOKE: &str = "/oauth/admin/tokens/revoke";
const REFUSALS: &str = "/oauth/admin/refusals";

#[tokio::test]
async fn only_those_whom_the_configuration_names_see_them() {
    let linkgate = Linkgate::start().await;
    Peer::hmac().connect(&linkgate, "carol").await;
    let (mut alice, mut bob) = (linkgate.signed_in("alice").await, linkgate.signed_in("bob").await);
    let stolen = Form::of(&alice.get(TOKENS).await, "token").unwrap();
    for page in [LINKS, TOKENS, REFUSALS] {
        assert_eq!(alice.get(page).await.status, 200, "{page}");
        let answer = bob.get(page).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        let heading = "<h1>This page is for administrators</h1>";
        assert!(answer.body.contains(heading) && answer.body.contains("bob Example"));
        assert!(answer.body.contains("Reference <code>"), "{answer:?}");
        for name in ["alice", "carol", "bitbucket-form", "subjects = ["] {
            assert!(!answer.body.contains(name), "{name} leaks: {answer:?}");
        }
        let mut nobody = linkgate.browser();
        let answer = nobody.get(page).await;
        assert!(location(&answer).starts_with("/oauth/login?return_to=%2Foauth%2Fadmin"));
    }
    assert_eq!(bob.submit(&stolen).await.status, 403);
    let answer = linkgate.browser().submit(&stolen).await;
    let page = "/oauth/login?return_to=%2Foauth%2Fadmin%2Ftokens";
    assert_eq!(location(&answer), page, "the page of the form");
    let forged = Request::post(REVOKE)
        .header("Sec-Fetch-Site", "cross-site")
        .form(stolen.body());
    let answer = bob.send(forged).await;
    assert!(
        answer.body.contains("Form blocked"),
        "before it matters who sent it: {answer:?}"
    );
    let store = linkgate.store().await;
    let connected = store.connections("carol", linkgate.clock.now()).await.unwrap();
    assert_eq!(connected.len(), 1, "nobody revoked it");
}

#[tokio::test]
async fn every_value_of_bitbuckets_form_is_shown_and_no_secret() {
    let linkgate = Setup::new()
        .base("https://builds.example.com")
        .more("[[consumers]]\nkey = \"filed\"\nname = \"Filed\"\nshared_secret_file = \"secret\"\n")
        .files(&[("secret", b"0123456789abcdef\n")])
        .start()
        .await;
    let page = signed_in_over_tls(&linkgate, "alice").await.get(LINKS).await;
    let card = card(&page, "Bitbucket");
    for [name, value] in rows(
        "Application Name | Buildboard
         Application Type | Generic Application
         Service Provider Name | Buildboard
         Consumer Key | bitbucket-form
         Request Token URL | https://builds.example.com/oauth/request-token
         Access Token URL | https://builds.example.com/oauth/access-token
         Authorize URL | https://builds.example.com/oauth/authorize",
    ) {
        assert_eq!(copied(card, name), Some(value), "{name}: {card}");
    }
    assert!(card.contains("<dt lang=\"en\">Shared secret</dt>"), "{card}");
    card.has("The shared_secret of this consumer in the linkgate configuration");
    assert!(card.contains("Leave it unchecked"), "{card}");
    assert!(!card.contains("Warning:"), "{card}");
    assert_eq!(
        copied(&page.body, "Application URL"),
        Some("https://builds.example.com")
    );
    let filed = self::card(&page, "Filed");
    assert!(filed.contains("The contents of <bdi>secret</bdi>,"), "{filed}");
    let own = self::card(&page, "Bitbucket (own key)");
    assert_eq!(copied(own, "Consumer Key"), Some("Stash:8277239845"));
    assert_eq!(copied(own, "Public Key"), Some(public_key().as_str()));
    assert!(own.contains("Yes, as <bdi>svc-bitbucket</bdi>"), "{own}");
    assert!(!own.contains("Warning:"), "{own}");
    let off = self::card(&page, "Switched off");
    assert!(off.contains("This consumer is disabled."), "{off}");
    for secret in "correct-horse-battery-staple another-shared-secret a-secret argon2".split(' ') {
        assert!(!page.body.contains(secret), "{secret} stands on the page");
    }
    assert!(!page.body.contains("<img"), "{page:?}");
}

#[tokio::test]
async fn values_to_enter_come_first_and_can_be_copied_at_once() {
    let linkgate = Linkgate::start().await;
    let page = linkgate.signed_in("alice").await.get(LINKS).await;
    let all = card(&page, "Bitbucket");
    assert!(all.contains("Copy all as text"), "{all}");
    assert!(all.contains("\nConsumer Key: bitbucket-form\n"), "{all}");
    let own = card(&page, "Bitbucket (own key)");
    assert!(own.contains("<h3>Nothing to enter in Bitbucket</h3>"), "{own}");
    assert!(page.body.find("(own key)") > page.body.find("Switched off"));
}

/// The configuration and the command refuse such a consumer; the database is older than both.
#[tokio::test]
async fn impersonation_is_shown_as_possible_only_with_two_legged_calls() {
    let linkgate = Linkgate::start().await;
    let store = linkgate.store().await;
    for (name, two_legged) in [("Both", true), ("One", false)] {
        let consumer = Consumer {
            key: ConsumerKey::parse(name).unwrap(),
            name: name.to_owned(),
            source: ConsumerSource::Command,
            impersonation: true,
            two_legged,
            two_legged_user: None,
            ..store.consumers().await.unwrap().swap_remove(0)
        };
        store.add_consumer(&consumer, linkgate.clock.now()).await.unwrap();
    }
    let page = linkgate.signed_in("alice").await.get(LINKS).await;
    for (name, answer) in [("Both", "Yes"), ("One", "No")] {
        let card = card(&page, name);
        let (_, shown) = card.rsplit_once("<dd>").unwrap();
        assert!(shown.starts_with(answer), "{name}: {card}");
    }
}

#[tokio::test]
async fn traps_are_told_where_they_lie() {
    let linkgate = Setup::new()
        .base("http://intranet.example.com/builds")
        .more(TRAPS)
        .start()
        .await;
    let mut alice = signed_in_behind(&linkgate, "/builds").await;
    let page = alice.get(LINKS).await;
    page.has("public_url contains the path <bdi>/builds</bdi>.");
    assert!(page.body.contains("public_url uses http,"), "{page:?}");
    assert_eq!(
        copied(&page.body, "Application URL"),
        Some("http://intranet.example.com")
    );
    assert_eq!(
        copied(card(&page, "Bitbucket"), "Authorize URL"),
        Some("http://intranet.example.com/builds/oauth/authorize")
    );
    assert!(
        card(&page, "Nowhere").contains("No callback URL is registered,"),
        "{page:?}"
    );
    let weak = "The public key has only <bdi>1024</bdi> bits.";
    assert!(card(&page, "Weak").contains(weak), "{page:?}");
    let clock = "rejected because its clock is wrong";
    assert!(!card(&page, "Bitbucket").contains(clock));
    let late = (linkgate.now() - 4000).to_string();
    let call = Peer::hmac()
        .call(&linkgate, "GET", "/api/me")
        .oauth("oauth_timestamp", &late);
    call.refused(&linkgate, "timestamp_refused").await;
    let page = alice.get(LINKS).await;
    assert!(card(&page, "Bitbucket").contains(clock), "{page:?}");
    assert!(!card(&page, "Robot").contains(clock), "{page:?}");
}

#[tokio::test]
async fn pages_with_values_to_copy_or_access_to_revoke_may_run_one_script() {
    let linkgate = Linkgate::start().await;
    let mut alice = linkgate.signed_in("alice").await;
    for (page, has_script) in [(LINKS, true), (TOKENS, true), (REFUSALS, false)] {
        let page = alice.get(page).await;
        let policy = page.header("content-security-policy").unwrap();
        assert_eq!(policy.ends_with("; script-src 'self'"), has_script, "{policy}");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        assert_eq!(page.body.contains("<script"), has_script);
        page.assert_header("x-frame-options", "DENY");
        page.assert_header("cache-control", "no-store");
    }
    let page = alice.get(LINKS).await;
    let (_, script) = page.body.split_once("<script src=\"").unwrap();
    let script = alice.get(script.split('"').next().unwrap()).await;
    script.assert_header("content-type", "text/javascript; charset=utf-8");
    script.assert_header("x-content-type-options", "nosniff");
}

on_both! {
    async fn tokens_are_found_and_revoked(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let token = Peer::hmac().connect(&linkgate, "bob").await;
        let of_carol = Peer::rsa().connect(&linkgate, "carol").await;
        let mut alice = linkgate.signed_in("alice").await;
        let rows = async |alice: &mut Browser, query: &str| {
            let page = alice.get(&format!("{TOKENS}{query}")).await;
            (page.body.matches("<tr role=\"row\">").count().saturating_sub(1), page)
        };
        for (query, count) in [
            ("", 2), ("?user=BOB", 1), ("?user=example", 2), ("?user=%25", 0), ("?consumer=bitbucket-form", 1),
            ("?user=carol&consumer=bitbucket-form", 0), ("?user=&consumer=&page=1", 2), ("?page=2", 0), ("?page=0", 2),
            ("?page=4294967295", 0), ("?page=x", 2), ("?user=a&user=b", 2), ("?consumer=nobody", 0),
        ] {
            assert_eq!(rows(&mut alice, query).await.0, count, "{query}");
        }
        let (_, page) = rows(&mut alice, "?user=bob").await;
        assert!(page.body.contains("<td role=\"cell\" data-label=\"State\">valid"), "{page:?}");
        let form = Form::of(&page, "token").unwrap();
        let forged = form.clone().with("token", "0123456789abcdef");
        assert_eq!(alice.submit(&forged).await.status, 403);
        let from_elsewhere = Request::post(REVOKE).header("Sec-Fetch-Site", "cross-site").form(form.body());
        assert_eq!(alice.send(from_elsewhere).await.status, 403);
        let answer = alice.submit(&form).await;
        let id = &form.fields.iter().find(|(name, _)| name == "token").unwrap().1;
        assert_eq!(location(&answer), format!("{TOKENS}?user=bob&consumer=&page=1&revoked={id}"));
        let confirmed = alice.get(location(&answer)).await;
        assert!(confirmed.body.contains("role=\"status\">Access was revoked.</p>"), "{confirmed:?}");
        assert!(confirmed.body.contains("value=\"bob\""), "the search stays: {confirmed:?}");
        let claimed = alice.get(&format!("{TOKENS}?user=carol&revoked={id}")).await;
        assert!(!claimed.body.contains("role=\"status\""), "{claimed:?}");
        let elsewhere = form.clone().with("return_to", "//evil.example");
        assert_eq!(location(&alice.submit(&elsewhere).await), format!("{TOKENS}?revoked={id}"));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let call = Peer::hmac().call(&linkgate, "GET", "/api/me").token(&token);
        call.refused(&linkgate, "token_revoked").await;
        let call = Peer::rsa().call(&linkgate, "GET", "/api/me").token(&of_carol);
        call.passes(&linkgate).await;
        let (_, page) = rows(&mut alice, "?user=bob").await;
        assert!(page.body.contains("data-label=\"State\">revoked"), "{page:?}");
        assert!(Form::of(&page, "token").is_none(), "there is nothing left to revoke");
        let revoked = AuditFilter { kind: Some(AuditKind::Revoked), limit: Some(1), ..AuditFilter::default() };
        let line = linkgate.store().await.audit(&revoked).await.unwrap().remove(0);
        assert_eq!(line.subject.as_deref(), Some("bob"));
        assert!(line.detail.ends_with(", by alice"), "{line:?}");
    }
}

#[tokio::test]
async fn fifty_tokens_make_a_page() {
    let linkgate = Linkgate::start().await;
    Peer::hmac().connect(&linkgate, "bob").await;
    let copies = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100) \
                  insert into access_tokens (digest, id, key_id, consumer_key, subject, display_name, proved_by, proved_at, \
                  issued_at, expires_at) select cast('digest ' || i as blob), printf('%016x', i), key_id, consumer_key, 'dora', \
                  'Dora', 'file', 0, issued_at - i, expires_at from access_tokens, n";
    linkgate.execute(copies).await;
    let mut alice = linkgate.signed_in("alice").await;
    let mut at = TOKENS.to_owned();
    for (rows, last) in [(50, false), (50, false), (1, true)] {
        let page = alice.get(&at).await;
        assert_eq!(page.body.matches("<tr role=\"row\">").count(), rows + 1);
        let older = page.body.split_once("rel=\"next\" href=\"");
        assert_eq!(older.is_none(), last);
        if let Some((_, older)) = older {
            at = older.split('"').next().unwrap().replace("&#38;", "&");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_reason_and_no_secret() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "bob").await;
    let mut alice = linkgate.signed_in("alice").await;
    assert!(alice.get(REFUSALS).await.body.contains("No rejected requests."));
    let call = Peer::hmac()
        .call(&linkgate, "GET", "/api/me?secret=in-the-query")
        .token(&token);
    call.passes(&linkgate).await;
    for _ in 0..3 {
        call.refused(&linkgate, "nonce_used").await;
    }
    let stranger = Peer::of("<script>alert(1)</script>", "x");
    let call = stranger
        .call(&linkgate, "POST", "/oauth/request-token")
        .oauth("oauth_callback", "oob");
    call.refused(&linkgate, "consumer_key_unknown").await;
    let rows = linkgate.rows().await;
    let page = alice.get(REFUSALS).await;
    for part in [
        "<code>nonce_used</code> <span class=\"badge\">3 times</span>",
        "This request was received before: sign each request anew.",
        "<bdi>Bitbucket</bdi> <span class=\"quiet\">(<bdi>bitbucket-form</bdi>)</span>",
        "<code>GET /api/me</code>",
        "<code>consumer_key_unknown</code>",
        "<bdi>&#60;script&#62;alert(1)&#60;/script&#62;</bdi> <span class=\"quiet\">(not registered)</span>",
        "<dd>127.0.0.1</dd>",
    ] {
        assert!(page.body.contains(part), "{part}: {page:?}");
    }
    for never in ["in-the-query", &token.token, &token.secret, "<script"] {
        assert!(!page.body.contains(never), "{never}: {page:?}");
    }
    let found = linkgate.rows().await;
    assert_eq!(found, rows, "refusals write nothing to the database");
}

/// Who does not know a consumer key cannot push out the refusals of those who do.
#[tokio::test]
async fn unregistered_consumers_have_a_list_of_their_own_and_lists_have_an_end() {
    let linkgate = Linkgate::start().await;
    let refuse = async |consumer: &str, path: &str| {
        let signed = format!(
            "OAuth oauth_consumer_key=\"{consumer}\", oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1\", \
             oauth_nonce=\"n\", oauth_signature=\"c2ln\", oauth_version=\"1.0\""
        );
        let request = Request::get(path).header("Authorization", signed);
        let answer = request.send(linkgate.address).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    };
    let mut alice = linkgate.signed_in("alice").await;
    refuse("bitbucket-form", "/mine").await;
    for number in 0..60 {
        refuse("unregistered", &format!("/unknown/{number}")).await;
    }
    let page = alice.get(REFUSALS).await;
    assert!(page.body.contains("<code>GET /mine</code>"), "{page:?}");
    assert_eq!(page.body.matches("<code>GET /unknown/").count(), 50);
    for number in 0..210 {
        refuse("bitbucket-form", &format!("/{number}/{}", "x".repeat(1000))).await;
    }
    let page = alice.get(REFUSALS).await;
    assert!(!page.body.contains("<code>GET /mine</code>"));
    assert_eq!(page.body.matches("<code>GET /").count(), 250);
    assert!(!page.body.contains(&"x".repeat(200)), "a path is cut");
}

#[tokio::test]
async fn the_client_of_a_refusal_is_the_one_that_a_trusted_proxy_names() {
    let linkgate = Setup::new().trusting().start().await;
    let call = Request::get("/api/me").header("X-Forwarded-For", "203.0.113.7");
    let unknown = "OAuth oauth_consumer_key=\"x\", oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1\", \
                   oauth_nonce=\"n\", oauth_signature=\"c2ln\"";
    let answer = call.header("Authorization", unknown).send(linkgate.address).await;
    answer.assert_refused("timestamp_refused");
    let page = linkgate.signed_in("alice").await.get(REFUSALS).await;
    assert!(page.body.contains("<dd>203.0.113.7</dd>"), "{page:?}");
}

/// Signs alice in, where a proxy strips a path in front of ours.
async fn signed_in_behind(linkgate: &Linkgate, path: &str) -> Browser {
    let mut browser = linkgate.browser();
    let page = browser.get("/oauth/login").await;
    let form = Form::login(&page, "alice");
    let action = form.action.strip_prefix(path).unwrap().to_owned();
    assert_eq!(browser.submit(&Form { action, ..form }).await.status, 303);
    browser
}

/// The same, where cookies have the names that belong to https.
async fn signed_in_over_tls(linkgate: &Linkgate, user: &str) -> Browser {
    let browser = linkgate.signed_in(user).await;
    assert!(browser.cookies.contains_key("__Host-linkgate-session"));
    browser
}

/// The part of the page that is about one consumer.
#[track_caller]
fn card<'a>(page: &'a Response, name: &str) -> &'a str {
    let mut cards = page.body.split("<li class=\"card plain\">").skip(1);
    let heading = format!("<h2><bdi>{name}</bdi>");
    let card = cards.find(|card| card.contains(&heading));
    card.unwrap_or_else(|| panic!("no card {name}: {page:?}"))
}

/// The value that can be copied under a name.
fn copied<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = html.split_once(&format!("<dt lang=\"en\">{name}</dt>"))?;
    let (_, value) = after.split_once("<code id=\"")?.1.split_once("\">")?;
    Some(value.split_once("</code>")?.0)
}

/// The second has a key of 1024 bits.
const TRAPS: &str = "
[[consumers]]
key = \"nowhere\"
name = \"Nowhere\"
shared_secret = \"a-secret-for-nowhere\"

[[consumers]]
key = \"weak\"
name = \"Weak\"
public_key = \"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDLjmEMQLYohbXUCkXRkbZlf4ADLDcCozIBeqa7ZlXAc+h+wB6Qfm0qcp4zMEQTGLCTA7\
KXX45HLCFXbVlWuBklonUKQ8VIH2r77EIhR9tKMpyV/5RchMgqit5J5xMLaNqyKsH8Lui1LVlV2hF5h8IAq1Hx6D72mzSOACYZMOGecQIDAQAB\"
";

#[tokio::test]
async fn the_root_is_the_applications_unless_a_user_is_signed_in() {
    let linkgate = Linkgate::start().await;
    let (mut alice, mut bob) = (linkgate.signed_in("alice").await, linkgate.signed_in("bob").await);
    for (count, path) in ["/oauth", "/oauth/"].into_iter().enumerate() {
        assert_eq!(location(&alice.get(path).await), LINKS);
        assert_eq!(location(&bob.get(path).await), "/oauth/connections");
        assert_eq!(linkgate.app.count(), count);
        let anonymous = linkgate.browser().get(path).await;
        assert_eq!(anonymous.header("location"), None, "{anonymous:?}");
        assert_eq!(linkgate.app.count(), count + 1);
    }
    for path in [
        "/oauth/unknown",
        "/plugins/servlet/unknown",
        "/rest/applinks/9.0/manifest",
    ] {
        let before = linkgate.app.count();
        assert_eq!(alice.get(path).await.header("cache-control"), None);
        assert_eq!(linkgate.app.count(), before + 1, "{path} is the application's");
    }
    let owned = Setup::new()
        .more("[[routes]]\npath = \"/oauth\"\nauth = \"none\"\n")
        .start()
        .await;
    let mut alice = owned.signed_in("alice").await;
    assert_eq!(alice.get("/oauth").await.header("location"), None);
    assert_eq!(owned.app.count(), 1);
}

#[tokio::test]
async fn only_administrators_learn_the_address_of_an_absent_application() {
    let linkgate = Linkgate::start().await;
    let (alice, bob) = (linkgate.signed_in("alice").await, linkgate.signed_in("bob").await);
    let absent = App::absent().address.to_string();
    // A new address counts from the next start on.
    let _ = linkgate.change(&linkgate.app.address.to_string(), &absent).await;
    let linkgate = linkgate.restarted().await;
    let forged = [("linkgate-session".to_owned(), "x".repeat(32))].into();
    for (cookies, is_named) in [
        (alice.cookies, true),
        (bob.cookies, false),
        (forged, false),
        ([].into(), false),
    ] {
        let mut browser = linkgate.browser();
        browser.cookies = cookies;
        for (accept, is_page) in [("text/html", true), ("application/json", false)] {
            let answer = browser
                .send(Request::get("/builds").header("Accept", accept))
                .await;
            assert_eq!(answer.status, 502, "{answer:?}");
            answer.has("The application is not running.");
            assert_eq!(answer.body.contains(&absent), is_named && is_page, "{answer:?}");
        }
    }
}
