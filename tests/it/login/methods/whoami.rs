//! An application that says whose cookies it sees, as a test tells it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::login::site::Site;

/// The application. Clones are the same one.
#[derive(Clone)]
pub(super) struct WhoAmI {
    pub(super) address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    /// Status, content type, body; `{user}` stands for the value of the cookie `session`.
    says: (u16, &'static str, String),
    /// The headers of each question, in order.
    asked: Vec<HeaderMap>,
}

impl WhoAmI {
    /// One whose users are the values of their session cookies.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = Self {
            address: listener.local_addr().unwrap(),
            kept: Arc::new(Mutex::new(Kept {
                says: (200, JSON, SOMEBODY.to_owned()),
                asked: Vec::new(),
            })),
        };
        let router = Router::new()
            .route("/api/me", get(answer))
            .with_state(app.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        app
    }

    /// From now on it says this.
    pub(super) fn says(&self, status: u16, kind: &'static str, body: &str) {
        self.kept.lock().unwrap().says = (status, kind, body.to_owned());
    }

    /// From now on it says who is there.
    pub(super) fn says_who(&self) {
        self.says(200, JSON, SOMEBODY);
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<HeaderMap> {
        self.kept.lock().unwrap().asked.clone()
    }

    /// A linkgate that asks it.
    pub(super) async fn site(&self) -> Site {
        let login = format!(
            r#"
[login]
method = "probe"

[login.probe]
url = "http://{}/api/me"
cookies = ["session"]
user_pointer = "/name"
display_pointer = "/fullName"
reject = [{{ pointer = "/anonymous", equals = true }}]
login_url = "https://builds.example.com/login?next={{return_to}}"
logout_url = "https://builds.example.com/logout"
timeout = "500ms"
"#,
            self.address
        );
        Site::with("https://builds.example.com", "", &login).await
    }
}

async fn answer(State(app): State<WhoAmI>, headers: HeaderMap) -> Response<Body> {
    let cookie = headers.get("cookie").and_then(|cookie| cookie.to_str().ok());
    let user = cookie
        .and_then(|cookie| cookie.strip_prefix("session="))
        .unwrap_or_default()
        .to_owned();
    let (status, kind, body) = {
        let mut kept = app.kept.lock().unwrap();
        kept.asked.push(headers);
        kept.says.clone()
    };
    if status == 0 {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    }
    Response::builder()
        .status(status.max(200))
        .header("content-type", kind)
        .header("location", "/login")
        .body(Body::from(body.replace("{user}", &user)))
        .unwrap()
}

pub(super) const JSON: &str = "application/json";
const SOMEBODY: &str = r#"{"name":"{user}","fullName":"{user} of the application","anonymous":false}"#;
