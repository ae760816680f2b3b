//! Asks the application whether a user exists: `login.probe.user_lookup_url`.

use http::header::ACCEPT;
use http::{Request, StatusCode, Uri};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::http::client::Connector;
use crate::model::UserStatus;
use crate::oauth::encoding;
use crate::setting::deserialize_text;

use super::StatusCache;
use super::http::send;

/// A URL with `{user}` in place of a name, once, in its path or its query.
#[derive(Clone, Debug)]
pub struct UserLookupUrl(String);

deserialize_text! { UserLookupUrl = Self::parse; }

impl UserLookupUrl {
    /// Parses a URL. The error tells the administrator what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let [one, other] = ["a", "b"].map(|name| text.replace("{user}", name).parse::<Uri>().ok());
        let authority = one.as_ref().and_then(Uri::authority);
        let fits = text.matches("{user}").count() == 1
            && authority.is_some()
            && authority == other.as_ref().and_then(Uri::authority)
            && matches!(one.as_ref().and_then(Uri::scheme_str), Some("http" | "https"));
        fits.then(|| Self(text.to_owned()))
            .ok_or("put {user} once into its path or its query: \"http://127.0.0.1:8080/api/users/{user}\"")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Asks the application whether a user exists.
#[derive(Debug)]
pub struct UserLookup {
    url: UserLookupUrl,
    http: Connector,
    cache: StatusCache,
    requests: Semaphore,
}

impl UserLookup {
    /// Prepares requests to a URL, each of which takes the connector's timeout at most.
    pub fn new(url: UserLookupUrl, http: Connector) -> Self {
        Self {
            url,
            http,
            cache: StatusCache::new(),
            requests: Semaphore::new(MAX_CONCURRENT),
        }
    }

    /// Returns whether a user exists: 200 means yes, 404 and 410 mean no, and everything else is unknown.
    pub async fn user_status(&self, subject: &str) -> UserStatus {
        // Some servers take `..`, `%2F` and `%5C` in a path for something else than a name.
        if ["", ".", ".."].contains(&subject) || subject.contains(['/', '\\', '\0']) {
            return UserStatus::NotFound;
        }
        self.cache.get(subject, self.request(subject)).await
    }

    async fn request(&self, subject: &str) -> Result<UserStatus, String> {
        let url = self.url.0.replace("{user}", &encoding::encode(subject));
        let request = Request::get(url)
            .header(ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| error.to_string())?;
        // The timeout includes the time in the queue.
        let response = timeout(self.http.timeout, async {
            let _permit = self.requests.acquire().await;
            send(&self.http, request).await
        });
        let response = response
            .await
            .map_err(|_| "the application did not answer in time")?
            .map_err(|error| format!("the application: {error}"))?;
        match response.status() {
            StatusCode::OK => Ok(UserStatus::Active {
                display_name: subject.to_owned(),
            }),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(UserStatus::NotFound),
            other => Err(format!("the application answered {}", other.as_u16())),
        }
    }
}

/// Further requests wait.
const MAX_CONCURRENT: usize = 16;
