//! How each state of the pages is brought about.

use crate::support::{Browser, CALLBACK, Credentials, Form, Linkgate, Peer, question};

/// A page, and the way to it.
pub(super) struct State {
    pub(super) name: &'static str,
    /// The English heading, where several states look alike.
    pub(super) heading: Option<&'static str>,
    /// Whose cookies are sent.
    pub(super) browser: Browser,
    pub(super) go: Go,
    /// Whether everything that can be unfolded is.
    pub(super) opened: bool,
    /// Others are seen in one, in turns.
    pub(super) in_every_language: bool,
}

/// What the window does.
pub(super) enum Go {
    Get(String),
    Send(Form),
    SendFromElsewhere(Form),
}

impl State {
    pub(super) fn get(name: &'static str, path: impl Into<String>) -> Self {
        Self::of(name, Go::Get(path.into()))
    }

    fn of(name: &'static str, go: Go) -> Self {
        Self {
            name,
            heading: None,
            browser: Browser::new(([127, 0, 0, 1], 1).into()),
            go,
            opened: false,
            in_every_language: false,
        }
    }

    pub(super) fn sent(name: &'static str, form: Form) -> Self {
        Self::of(name, Go::Send(form))
    }

    /// Of this browser, with this heading.
    pub(super) fn seen(self, browser: &Browser, heading: &'static str) -> Self {
        self.by(browser).headed(heading)
    }

    pub(super) fn by(mut self, browser: &Browser) -> Self {
        self.browser = browser.clone();
        self
    }

    pub(super) fn headed(mut self, heading: &'static str) -> Self {
        self.heading = Some(heading);
        self
    }

    pub(super) fn opened(mut self) -> Self {
        self.opened = true;
        self
    }

    pub(super) fn in_every_language(mut self) -> Self {
        self.in_every_language = true;
        self
    }
}

/// All of them, in an order in which none spoils another.
pub(super) async fn all(linkgate: &Linkgate) -> Vec<State> {
    let mut states = expired(linkgate).await;
    states.extend(questions(linkgate).await);
    states.extend(closed(linkgate).await);
    states.extend(forms(linkgate).await);
    states.extend(signing_in(linkgate).await);
    states.extend(connections(linkgate).await);
    states.extend(administration(linkgate).await);
    states
}

/// First, because it takes the time that sessions live in.
async fn expired(linkgate: &Linkgate) -> Vec<State> {
    let token = Peer::hmac().request_token(linkgate, CALLBACK).await;
    linkgate.clock.advance(601);
    let alice = linkgate.signed_in("alice").await;
    let state = State::get("notice-expired", question(&token));
    vec![state.seen(&alice, "Request expired")]
}

async fn questions(linkgate: &Linkgate) -> Vec<State> {
    let alice = linkgate.signed_in("alice").await;
    let open = Peer::hmac().request_token(linkgate, CALLBACK).await;
    let hostile = Peer::second()
        .request_token(linkgate, "https://second.example.com/back")
        .await;
    let oob = Peer::hmac().request_token(linkgate, "oob").await;
    let mut asked = alice.clone();
    let page = asked.get(&question(&oob)).await;
    let code = Form::of(&page, "approve").unwrap().pressing("approve");
    vec![
        State::get("approve", question(&open))
            .by(&alice)
            .in_every_language(),
        State::get("approve-hostile", question(&hostile))
            .by(&alice)
            .in_every_language(),
        State::get("approve-oob", question(&oob)).by(&alice),
        State::get("login-asked", question(&open)).in_every_language(),
        State::get(
            "notice-not-by-link",
            format!("{}&approve=approve", question(&open)),
        )
        .seen(&alice, "Use the buttons on the page"),
        State::sent("verifier", code).by(&alice).in_every_language(),
        State::get("notice-code-shown", question(&oob)).seen(&alice, "The code was already shown"),
    ]
}

async fn closed(linkgate: &Linkgate) -> Vec<State> {
    let (alice, mut bob) = (linkgate.signed_in("alice").await, linkgate.signed_in("bob").await);
    let peer = Peer::hmac();
    let answered = peer.request_token(linkgate, CALLBACK).await;
    let denied = peer.request_token(linkgate, CALLBACK).await;
    let used = peer.request_token(linkgate, CALLBACK).await;
    bob.approve(&answered, "bob").await;
    bob.deny(&denied, "bob").await;
    let verifier = bob.approve(&used, "bob").await;
    let access = peer.exchange(linkgate, &used, &verifier).send(linkgate).await;
    let access = access.value("oauth_token").unwrap();
    let off = peer.request_token(linkgate, CALLBACK).await;
    linkgate
        .execute(
            "update request_tokens set consumer_key = 'switched-off' \
             where rowid = (select max(rowid) from request_tokens)",
        )
        .await;
    let get =
        |name, token: &Credentials, heading| State::get(name, question(token)).by(&alice).headed(heading);
    vec![
        get("notice-answered", &answered, "This request was already answered"),
        get("notice-denied", &denied, "Access was denied"),
        get("notice-used", &used, "This request is complete"),
        get("notice-disabled", &off, "Switched off cannot connect"),
        State::get(
            "notice-access-token",
            format!("/oauth/authorize?oauth_token={access}"),
        )
        .seen(&alice, "This is not an access request"),
        State::get("notice-unknown", "/oauth/authorize?oauth_token=neverissued")
            .seen(&alice, "Request not found"),
        State::get("notice-missing-token", "/oauth/authorize").seen(&alice, "This link is incomplete"),
    ]
}

/// Forms that are not ours to take.
async fn forms(linkgate: &Linkgate) -> Vec<State> {
    let mut alice = linkgate.signed_in("alice").await;
    let bob = linkgate.signed_in("bob").await;
    let token = Peer::hmac().request_token(linkgate, CALLBACK).await;
    let page = alice.get(&question(&token)).await;
    let form = Form::of(&page, "approve").unwrap().pressing("approve");
    let outdated = form.clone().with("form_token", "AAAA");
    let halved = form.clone().without("form_token");
    let long = form.clone().with("subject", &"x".repeat(20_000));
    vec![
        State::sent("notice-user-changed", form.clone())
            .seen(&bob, "You are now signed in as bob Example")
            .in_every_language(),
        State::sent("notice-outdated", outdated).seen(&alice, "This page is out of date"),
        State::sent("notice-bad-form", halved).seen(&alice, "This form could not be read"),
        State::sent("notice-too-large", long).seen(&alice, "This form is too large"),
        State::of("notice-cross-site", Go::SendFromElsewhere(form))
            .seen(&alice, "Form blocked: sent from another site"),
        State::get("notice-method", "/oauth/logout").seen(&alice, "This page cannot be used that way"),
    ]
}

async fn signing_in(linkgate: &Linkgate) -> Vec<State> {
    let mut guest = linkgate.browser();
    let page = guest.get("/oauth/login").await;
    let form = Form::of(&page, "password").unwrap();
    let wrong = form.clone().with("username", "nobody").with("password", "wrong");
    let mut guesser = linkgate.browser();
    for attempt in 0.. {
        assert!(attempt < 50, "nobody is stopped");
        let page = guesser.get("/oauth/login").await;
        let form = Form::of(&page, "password").unwrap();
        let answer = guesser
            .submit(&form.with("username", "dora").with("password", "wrong"))
            .await;
        if answer.status == 429 {
            break;
        }
    }
    let too_many = form.clone().with("username", "dora").with("password", "wrong");
    let mut leaving = linkgate.signed_in("carol").await;
    let page = leaving.get("/oauth/login").await;
    let leave = Form::of(&page, "return_to").unwrap();
    let alice = linkgate.signed_in("alice").await;
    vec![
        State::get("login", "/oauth/login").headed("Sign in to Buildboard"),
        State::sent("login-wrong", wrong.clone()).seen(&guest, "Sign in to Buildboard"),
        State::sent("notice-no-cookie", wrong).headed("Your browser sent no cookie"),
        State::sent("notice-too-many", too_many).seen(&guest, "Too many attempts"),
        State::get("notice-signed-in", "/oauth/login").seen(&alice, "You are signed in as alice Example"),
        State::sent("notice-signed-out", leave).seen(&leaving, "You are signed out"),
    ]
}

async fn connections(linkgate: &Linkgate) -> Vec<State> {
    let carol = linkgate.signed_in("carol").await;
    let mut alice = linkgate.signed_in("alice").await;
    for peer in [Peer::hmac(), Peer::rsa()] {
        let token = peer.connect(linkgate, "alice").await;
        let call = peer.call(linkgate, "GET", "/api/me").token(&token);
        assert_eq!(call.send(linkgate).await.status, 200);
    }
    let second = Peer::second();
    let asked = second
        .request_token(linkgate, "https://second.example.com/back")
        .await;
    let verifier = alice.approve(&asked, "alice").await;
    let answer = second.exchange(linkgate, &asked, &verifier).send(linkgate).await;
    assert_eq!(answer.status, 200);
    let mut bob = linkgate.signed_in("bob").await;
    Peer::hmac().connect(linkgate, "bob").await;
    let page = bob.get("/oauth/connections").await;
    let revoke = Form::of(&page, "token").unwrap();
    let headed = |state: State| state.headed("Connected applications");
    vec![
        headed(State::get("connections-none", "/oauth/connections").by(&carol)),
        headed(State::get("connections-many", "/oauth/connections").by(&alice)).in_every_language(),
        headed(
            State::get("connections-asking", "/oauth/connections")
                .by(&alice)
                .opened(),
        ),
        headed(State::sent("connections-revoked", revoke).by(&bob)),
    ]
}

async fn administration(linkgate: &Linkgate) -> Vec<State> {
    let mut alice = linkgate.signed_in("alice").await;
    let bob = linkgate.signed_in("bob").await;
    let late = (linkgate.now() - 4000).to_string();
    let call = Peer::hmac()
        .call(linkgate, "GET", "/api/me")
        .oauth("oauth_timestamp", &late);
    for _ in 0..3 {
        call.send(linkgate).await.assert_refused("timestamp_refused");
    }
    let stranger = Peer::of("a-consumer-that-nobody-registered-here", "x");
    let call = stranger.call(linkgate, "POST", "/oauth/request-token");
    assert_eq!(call.send(linkgate).await.status, 401);
    let page = alice.get("/oauth/admin/tokens").await;
    assert_eq!(page.status, 200);
    let get = |name, path: &str| State::get(name, path).by(&alice);
    vec![
        get("admin-links", "/oauth/admin")
            .headed("Links")
            .in_every_language(),
        get("admin-tokens", "/oauth/admin/tokens")
            .headed("Tokens")
            .in_every_language(),
        get("admin-tokens-asking", "/oauth/admin/tokens")
            .headed("Tokens")
            .opened(),
        get("admin-tokens-none", "/oauth/admin/tokens?user=nobody").headed("Tokens"),
        get("admin-refusals", "/oauth/admin/refusals")
            .headed("Rejected requests")
            .in_every_language(),
        State::get("notice-not-admin", "/oauth/admin").seen(&bob, "This page is for administrators"),
    ]
}
