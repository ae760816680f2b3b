//! In whose name a call is made: what the application says, and what the configuration allows.

use http::{HeaderMap, HeaderName};

use crate::model::Credentials;
use crate::oauth::encode;

use super::error::LinkError;
use super::signing::TokenParameter;
use super::{Link, Links, Users};

/// In whose name a call is made.
#[derive(Debug)]
pub(super) enum OnBehalfOf {
    /// A user's, by the token that they gave us.
    User {
        /// Who.
        subject: String,
        /// Their token.
        credentials: Credentials,
        /// Whether its use is to be noted: it was not used in this minute.
        unnoted: bool,
    },
    /// A user's, by our word.
    Impersonated(String),
    /// Our own.
    Application,
}

impl OnBehalfOf {
    /// What stands in `oauth_token`.
    pub(super) fn token(&self) -> TokenParameter {
        match self {
            Self::User { credentials, .. } => TokenParameter::Token(credentials.clone()),
            Self::Impersonated(_) | Self::Application => TokenParameter::Empty,
        }
    }

    /// The target with the user's name in its query, where AppLinks look for it; it is signed with the rest.
    pub(super) fn target(&self, target: &str) -> String {
        let Self::Impersonated(subject) = self else {
            return target.to_owned();
        };
        let named = format!("{REQUESTOR}={}", encode::encode(subject));
        // A redirect may have brought it along.
        if target.split(['?', '&']).skip(1).any(|pair| pair == named) {
            return target.to_owned();
        }
        let separator = if target.contains('?') { '&' } else { '?' };
        format!("{target}{separator}{named}")
    }
}

impl Links {
    /// Finds out in whose name a call is to be made.
    pub(super) async fn speaker(&self, peer: &Link, headers: &HeaderMap) -> Result<OnBehalfOf, LinkError> {
        let Some(subject) = requested_user(headers)? else {
            return if peer.options().itself {
                Ok(OnBehalfOf::Application)
            } else {
                Err(LinkError::UserMissing)
            };
        };
        match peer.options().users {
            Users::Impersonate => Ok(OnBehalfOf::Impersonated(subject)),
            Users::None => Err(LinkError::UserNotAllowed),
            Users::Connect => match self.store.link_credentials(peer.name(), &subject).await? {
                Some((credentials, used)) => Ok(OnBehalfOf::User {
                    unnoted: used.is_none_or(|used| used.bucket() < self.clock.now().bucket()),
                    credentials,
                    subject,
                }),
                None => Err(LinkError::NotConnected {
                    subject,
                    connect_url: self.connect_url(peer),
                    told: None,
                }),
            },
        }
    }
}

/// The user whom the application names: written as the gateway writes `X-Linkgate-User`, so that it can be handed on.
fn requested_user(headers: &HeaderMap) -> Result<Option<String>, LinkError> {
    let mut values = headers.get_all(X_LINKGATE_USER).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(X_LINKGATE_USER) {
            Err(LinkError::BadUser)
        } else {
            Ok(None)
        };
    };
    let text = value.to_str().map_err(|_| LinkError::BadUser)?;
    let bytes = encode::decode(text).map_err(|_| LinkError::BadUser)?;
    let subject = String::from_utf8(bytes).map_err(|_| LinkError::BadUser)?;
    let fits = (1..=255).contains(&subject.chars().count()) && !subject.chars().any(char::is_control);
    fits.then_some(Some(subject)).ok_or(LinkError::BadUser)
}

/// The header that names the user.
pub(super) const X_LINKGATE_USER: HeaderName = HeaderName::from_static("x-linkgate-user");
/// The parameter by which AppLinks name a user.
pub(super) const REQUESTOR: &str = "xoauth_requestor_id";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn named(values: &[&'static str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_LINKGATE_USER, HeaderValue::from_static(value));
        }
        requested_user(&headers).map_err(drop)
    }

    #[test]
    fn the_user_is_named_once_and_decoded() {
        assert_eq!(named(&[]), Ok(None));
        assert_eq!(named(&["alice"]), Ok(Some("alice".into())));
        assert_eq!(named(&["%C3%A9 x"]), Ok(Some("é x".into())));
        for bad in [&["a", "a"][..], &[""], &["%"], &["%00"], &["%ff"]] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_user_stands_in_the_query_once() {
        let bob = OnBehalfOf::Impersonated("bob b".into());
        assert_eq!(bob.target("/x"), "/x?xoauth_requestor_id=bob%20b");
        assert_eq!(bob.target("/x?a"), "/x?a&xoauth_requestor_id=bob%20b");
        assert_eq!(
            bob.target("/x?a&xoauth_requestor_id=bob%20b"),
            "/x?a&xoauth_requestor_id=bob%20b"
        );
        assert_eq!(OnBehalfOf::Application.target("/x"), "/x");
    }
}
