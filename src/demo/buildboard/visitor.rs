//! Who is there: as the gateway says, or by a session of Buildboard's own.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use super::Buildboard;

/// A user, a consumer without one, or nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Visitor {
    pub(super) user: Option<String>,
    pub(super) consumer: Option<String>,
    /// The session that says so, when it is Buildboard's own.
    pub(super) session: Option<String>,
}

impl Visitor {
    /// Whom the identity headers name; what stands in them is the gateway's word.
    fn named_by_gateway(headers: &HeaderMap) -> Self {
        let field = |name: &str| {
            let value = headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned()).filter(|text| !text.is_empty())
        };
        Self {
            user: field("remote-user"),
            consumer: field("x-linkgate-consumer"),
            session: None,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "user": self.user, "consumer": self.consumer })
    }
}

impl FromRequestParts<Buildboard> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Buildboard) -> Result<Self, Infallible> {
        let named = Self::named_by_gateway(&parts.headers);
        if named != Self::default() {
            return Ok(named);
        }
        let session = cookie(&parts.headers);
        let user = session.as_deref().and_then(|session| app.user_of(session));
        Ok(match user {
            Some(user) => Self {
                user: Some(user),
                session,
                consumer: None,
            },
            None => named,
        })
    }
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let fields = headers.get_all(header::COOKIE).iter();
    let mut pairs = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'));
    let session = pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='));
    session.map(str::to_owned)
}

/// The name of Buildboard's own cookie.
pub(super) const COOKIE: &str = "buildboard";

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    async fn seen(app: &Buildboard, fields: &[(&str, &str)]) -> Visitor {
        let mut request = Request::builder();
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, app).await;
        visitor
    }

    #[tokio::test]
    async fn the_gateway_has_the_first_word() {
        let app = Buildboard::default();
        let session = app.open_session("bob").unwrap();
        let own = format!("theme=dark; buildboard={session}");

        assert_eq!(seen(&app, &[]).await, Visitor::default());
        assert_eq!(seen(&app, &[("cookie", &own)]).await.user.as_deref(), Some("bob"));
        assert_eq!(
            seen(&app, &[("cookie", "buildboard=x")]).await,
            Visitor::default()
        );

        let named = seen(&app, &[("cookie", &own), ("remote-user", "alice")]).await;
        assert_eq!((named.user.as_deref(), named.session), (Some("alice"), None));
        let consumer = seen(&app, &[("cookie", &own), ("x-linkgate-consumer", "Stash:1")]).await;
        assert_eq!(
            (consumer.user, consumer.consumer.as_deref()),
            (None, Some("Stash:1"))
        );

        assert_eq!(app.open_session("mallory"), None);
    }
}
