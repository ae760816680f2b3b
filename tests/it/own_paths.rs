//! Where linkgate's own pages and endpoints are: below the path of the public URL, whether or not a proxy strips it, and
//! elsewhere than below `/oauth` for an application that needs this path.

use crate::support::{
    Browser, CALLBACK, Call, Credentials, Form, Linkgate, Peer, Request, Response, Setup, credentials,
    location, verifier,
};

/// A linkgate with a public URL and a prefix, and what a proxy in front strips.
struct Placed {
    linkgate: Linkgate,
    /// The prefix of its pages, as browsers see it.
    own: &'static str,
    stripped: &'static str,
}

impl Placed {
    async fn with(
        base: &'static str,
        server: &'static str,
        own: &'static str,
        stripped: &'static str,
    ) -> Self {
        let linkgate = Setup::new().base(base).server(server).start().await;
        Self {
            linkgate,
            own,
            stripped,
        }
    }

    /// What arrives of a path that a browser or a consumer requests.
    fn arriving<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(self.stripped)
            .expect("it is below the public URL")
    }

    /// Follows a redirect to one of linkgate's own pages.
    async fn follow(&self, browser: &mut Browser, answer: &Response) -> Response {
        assert_eq!(answer.status, 303, "{answer:?}");
        let there = location(answer);
        assert!(there.starts_with(&format!("{}/", self.own)), "{there}");
        browser.get(self.arriving(there)).await
    }

    /// Submits a form to one of linkgate's own pages.
    async fn submit(&self, browser: &mut Browser, mut form: Form) -> Response {
        assert!(form.action.starts_with(&format!("{}/", self.own)), "{form:?}");
        form.action = self.arriving(&form.action).to_owned();
        browser.submit(&form).await
    }

    /// Calls one of linkgate's own endpoints, and signs for its public URL.
    async fn call(
        &self,
        endpoint: &str,
        token: Option<&Credentials>,
        (name, value): (&str, &str),
    ) -> Credentials {
        let path = format!("{}{endpoint}", self.own);
        let host = "http://builds.example.com";
        let call = Peer::hmac().call(&self.linkgate, "POST", self.arriving(&path));
        let call = call.oauth(name, value).signed_for(&format!("{host}{path}"));
        let call = token.into_iter().fold(call, Call::token);
        credentials(&call.in_form().passes(&self.linkgate).await)
    }

    /// Token, approval, exchange.
    async fn connect(&self) -> Credentials {
        let token = self
            .call("/request-token", None, ("oauth_callback", CALLBACK))
            .await;
        let mut browser = self.linkgate.browser();
        let question = format!("{}/authorize?oauth_token={}", self.own, token.token);
        let login = browser.get(self.arriving(&question)).await;
        let login = self.follow(&mut browser, &login).await;
        let form = Form::of(&login, "password").expect("a page that asks for a password");
        let form = form.with("username", "alice").with("password", "alice-password");
        let signed_in = self.submit(&mut browser, form).await;
        let page = self.follow(&mut browser, &signed_in).await;
        for path in [&page.body, &login.body].map(|body| linked(body)).concat() {
            assert!(path.starts_with(&format!("{}/", self.own)), "{path}");
        }
        let form = Form::of(&page, "approve")
            .expect("the question")
            .pressing("approve");
        let answer = self.submit(&mut browser, form).await;
        self.call(
            "/access-token",
            Some(&token),
            ("oauth_verifier", &verifier(&answer)),
        )
        .await
    }
}

/// The paths of this site in a page.
fn linked(page: &str) -> Vec<String> {
    let links =
        ["href=\"/", "action=\"/", "src=\"/"].map(|link| page.split(link).skip(1).collect::<Vec<_>>());
    let path = |rest: &str| format!("/{}", rest.split('"').next().unwrap());
    links.concat().into_iter().map(path).collect()
}

#[tokio::test]
async fn a_public_url_with_a_path_is_served_whether_or_not_a_proxy_strips_it() {
    const BASE: &str = "http://builds.example.com/ctx";
    for stripped in ["/ctx", ""] {
        let placed = Placed::with(BASE, "", "/ctx/oauth", stripped).await;
        let (linkgate, token) = (&placed.linkgate, placed.connect().await);
        let there = |path: &str| placed.arriving(path).to_owned();
        // The application gets the path as it arrived.
        let target = there("/ctx/page/%2e%2F?a=%62");
        let call = Peer::hmac().call(linkgate, "GET", &target).token(&token);
        let call = call.signed_for("http://builds.example.com/ctx/page/%2e%2F?a=%62");
        call.passes(linkgate).await;
        let received = linkgate.app.only();
        assert_eq!(received.line(), format!("GET {target} HTTP/1.1"));
        assert_eq!(received.header("remote-user"), ["alice"]);
        // Also what linkgate does not know below its own path.
        let target = there("/ctx/oauth/no-such/%2e?a=%62");
        Request::get(&target).passes(linkgate.address).await;
        let received = linkgate.app.last();
        assert_eq!(received.line(), format!("GET {target} HTTP/1.1"));
        // A path that was signed for another URL is none of these.
        for url in [
            "http://builds.example.com/page",
            "http://builds.example.com/ctx/ctx/page",
        ] {
            let call = Peer::hmac().call(linkgate, "GET", &there("/ctx/page"));
            let call = call.token(&token).signed_for(url);
            call.refused(linkgate, "signature_invalid").await;
        }
        for path in ["/ctx/rest/applinks/latest/manifest", "/ctx/oauth/login"] {
            Request::get(there(path)).passes(linkgate.address).await;
        }
        assert_eq!(linkgate.app.received().len(), 2);
        // Verdicts are for proxies inside, and not for who comes through one.
        Request::get("/ctx/forward-auth").passes(linkgate.address).await;
        assert_eq!(linkgate.app.received().len(), 3);
    }
}

#[tokio::test]
async fn the_applications_own_oauth_paths_reach_it() {
    let server = "path_prefix = \"/auth/linkgate\"";
    let placed = Placed::with("http://builds.example.com", server, "/auth/linkgate", "").await;
    let linkgate = &placed.linkgate;
    placed.connect().await;
    let own = [
        Request::get("/oauth/authorize?client_id=x&oauth_token=y"),
        Request::post("/oauth/authorize").form("client_id=x"),
        Request::post("/oauth/token").form("grant_type=authorization_code"),
        Request::get("/oauth/login"),
        Request::get("/oauth"),
        Request::get("/auth/linkgate-other"),
        Request::get("/auth/linkgate/unknown"),
    ];
    for (at, request) in own.iter().enumerate() {
        request.passes(linkgate.address).await;
        let received = linkgate.app.received();
        assert_eq!(received.len(), at + 1, "{request:?}");
        let line = format!("{} {} HTTP/1.1", request.method, request.target);
        assert_eq!(received[at].line(), line);
    }
    // AppLinks find what they look for where they look for it, and it names the moved paths.
    let manifest = Request::get("/rest/applinks/1.0/manifest")
        .passes(linkgate.address)
        .await;
    let icon = "\"http://builds.example.com/auth/linkgate/assets/";
    assert!(manifest.body.contains(icon), "{manifest:?}");
    let peer = Peer::hmac().call(linkgate, "POST", "/plugins/servlet/oauth/request-token");
    peer.oauth("oauth_callback", CALLBACK).passes(linkgate).await;
    // Errors and the administrators' page name them too.
    let mut browser = linkgate.browser();
    let page = browser.get("/auth/linkgate/login").await;
    browser.sign_in_on(&page, "alice").await;
    let page = browser.get("/auth/linkgate/admin").await;
    let copied = "http://builds.example.com/auth/linkgate/request-token";
    assert!(page.body.contains(copied), "{page:?}");
    let error = browser.get("/auth/linkgate/authorize?oauth_token=unknown").await;
    for path in [&page, &error].map(|page| linked(&page.body)).concat() {
        assert!(path.starts_with("/auth/linkgate/"), "{path}");
    }
    let home = browser.get("/auth/linkgate").await;
    assert_eq!(location(&home), "/auth/linkgate/admin");
}

#[tokio::test]
async fn both_at_once() {
    let server = "path_prefix = \"/linkgate\"";
    for stripped in ["/ctx", ""] {
        let base = "http://builds.example.com/ctx";
        let placed = Placed::with(base, server, "/ctx/linkgate", stripped).await;
        placed.connect().await;
    }
}
