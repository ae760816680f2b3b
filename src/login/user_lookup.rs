//! Asks the application whether a user exists: `user_lookup_url` with `{user}`.
//!
//! 200: yes. 404 or 410: no. Whatever else comes, or does not come in time, says nothing. Answers are kept for some
//! seconds, silence is not.

use std::time::Duration;

use http::header::ACCEPT;
use http::{Request, StatusCode, Uri};
use moka::future::Cache;
use tokio::sync::Semaphore;

use super::send;
use crate::http::client::{Connector, Reach};
use crate::model::UserStatus;
use crate::oauth::encoding;
use crate::tls::ClientTls;

/// Asks the application whether a user exists.
#[derive(Debug)]
pub struct UserLookup {
    template: String,
    http: Connector,
    known: Cache<String, bool>,
    asking: Semaphore,
}

impl UserLookup {
    /// Takes the URL, whose `{user}` stands for a name, how long an answer may take, and for an `https` URL whom to
    /// believe. The error is a sentence that says what to write instead.
    pub fn new(url: &str, within: Duration, tls: Option<ClientTls>) -> Result<Self, &'static str> {
        Self::check_url(url)?;
        if url.starts_with("https:") && tls.is_none() {
            return Err("no certificates to believe are given for an https URL");
        }
        Ok(Self {
            template: url.to_owned(),
            http: Connector {
                tls,
                reach: Reach::Anywhere,
                timeout: within,
            },
            known: Cache::builder().max_capacity(10_000).time_to_live(KEPT).build(),
            asking: Semaphore::new(AT_ONCE),
        })
    }

    /// Says whether a URL has `{user}` once, and not in its authority.
    ///
    /// # Errors
    ///
    /// A sentence that tells the administrator what to write instead.
    pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
        let [one, other] = ["a", "b"].map(|name| url.replace("{user}", name).parse::<Uri>());
        let (one, other) = (one.map_err(|_| EXAMPLE)?, other.map_err(|_| EXAMPLE)?);
        let authority = one.authority().ok_or(EXAMPLE)?;
        if url.matches("{user}").count() != 1 || other.authority() != Some(authority) {
            return Err(EXAMPLE);
        }
        match one.scheme_str() {
            Some("http" | "https") => Ok(()),
            _ => Err(EXAMPLE),
        }
    }

    /// Says whether a user exists, as far as the application does.
    pub async fn user_status(&self, subject: &str) -> UserStatus {
        if !can_stand_in_a_path(subject) {
            return UserStatus::NotFound;
        }
        let asked = self.known.try_get_with_by_ref(subject, self.ask(subject)).await;
        match asked {
            Ok(true) => UserStatus::Active {
                display_name: subject.to_owned(),
            },
            Ok(false) => UserStatus::NotFound,
            Err(why) => {
                tracing::warn!(user.subject = ?subject, "whether a user exists cannot be found out: {why}");
                UserStatus::Unknown
            }
        }
    }

    async fn ask(&self, subject: &str) -> Result<bool, String> {
        let url = self.template.replace("{user}", &encoding::encode(subject));
        let request = Request::get(url)
            .header(ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(self.http.timeout, async {
            // Waiting for a turn counts as well. Nobody closes the door.
            let _turn = self.asking.acquire().await;
            send(&self.http, request).await
        });
        let answer = answer
            .await
            .map_err(|_| "the application did not answer in time")?;
        match answer
            .map_err(|fault| format!("the application: {fault}"))?
            .status()
        {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(false),
            other => Err(format!("the application answered {}", other.as_u16())),
        }
    }
}

/// Some servers take `..`, `%2F` and `%5C` in a path for something else than a name.
fn can_stand_in_a_path(subject: &str) -> bool {
    !subject.is_empty() && ![".", ".."].contains(&subject) && !subject.contains(['/', '\\', '\0'])
}

const EXAMPLE: &str =
    "put {user} once into its path or its query: \"http://127.0.0.1:8080/api/users/{user}\"";

/// How long an answer is good.
const KEPT: Duration = Duration::from_secs(10);

/// How many names are asked about at once.
const AT_ONCE: usize = 16;
