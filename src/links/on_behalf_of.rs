//! On whose behalf a call is made: chosen by `X-Linkgate-User`, and the link's settings `users` and `itself`.

use http::HeaderMap;

use crate::http::negotiate::at_most_one;
use crate::oauth::encoding::{self, Encoding};
use crate::oauth::{TokenCredentials, TokenParameter};

use super::error::LinkError;
use super::{Link, Links, Users};

#[derive(Debug)]
pub(super) enum OnBehalfOf {
    /// A user who has connected the link: three-legged (3LO).
    User {
        subject: String,
        /// The access token that the user granted.
        credentials: TokenCredentials,
        /// True if the token was not used in this minute, so that its use is to be recorded.
        record_use: bool,
    },
    /// A user, named in `xoauth_requestor_id`: two-legged with impersonation (2LOi).
    Impersonated(String),
    /// The application itself: two-legged (2LO).
    Application,
}

impl OnBehalfOf {
    pub(super) fn token(&self) -> TokenParameter {
        match self {
            Self::User { credentials, .. } => TokenParameter::Token(credentials.clone()),
            Self::Impersonated(_) | Self::Application => TokenParameter::Empty,
        }
    }

    /// Appends the impersonated user to the query, where AppLinks providers expect the name.
    pub(super) fn target(&self, target: &str) -> String {
        match self.parameter() {
            // A redirect may repeat the parameter.
            Some(own) if self.without_user(target) == target => {
                let separator = if target.contains('?') { '&' } else { '?' };
                format!("{target}{separator}{own}")
            }
            _ => target.to_owned(),
        }
    }

    /// The target of a redirect without the parameter that [`OnBehalfOf::target`] appended.
    pub(super) fn without_user(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else {
            return target.to_owned();
        };
        let own = self.parameter();
        let mut pairs: Vec<_> = query.split('&').collect();
        if let Some(at) = pairs.iter().position(|pair| own.as_deref() == Some(*pair)) {
            pairs.remove(at);
        }
        format!("{path}?{}", pairs.join("&"))
    }

    fn parameter(&self) -> Option<String> {
        match self {
            Self::Impersonated(subject) => Some(format!("xoauth_requestor_id={}", encoding::encode(subject))),
            Self::User { .. } | Self::Application => None,
        }
    }
}

impl Links {
    pub(super) async fn on_behalf_of(
        &self,
        link: &Link,
        headers: &HeaderMap,
    ) -> Result<OnBehalfOf, LinkError> {
        let config = &link.config;
        let Some(subject) = requested_user(headers)? else {
            let allowed = config.itself.then_some(OnBehalfOf::Application);
            return allowed.ok_or(LinkError::UserMissing);
        };
        match config.users {
            Users::Impersonate => Ok(OnBehalfOf::Impersonated(subject)),
            Users::None => Err(LinkError::UserNotAllowed),
            Users::Connect => match self.store.link_credentials(link.name(), &subject).await? {
                Some((credentials, used_at)) => Ok(OnBehalfOf::User {
                    record_use: used_at.is_none_or(|at| at.minute() < self.clock.now().minute()),
                    credentials,
                    subject,
                }),
                None => Err(LinkError::NotConnected {
                    subject,
                    connect_url: self.connect_url(link),
                    problem: None,
                }),
            },
        }
    }
}

/// Reads `X-Linkgate-User`, percent-encoded as the gateway writes it.
fn requested_user(headers: &HeaderMap) -> Result<Option<String>, LinkError> {
    let value = at_most_one(headers, X_LINKGATE_USER).map_err(|_| LinkError::BadUser)?;
    let Some(value) = value else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| LinkError::BadUser)?;
    let subject = encoding::decode_utf8(text.as_bytes(), Encoding::Percent).ok_or(LinkError::BadUser)?;
    if !(1..=MAX_USER_CHARS).contains(&subject.chars().count()) || subject.chars().any(char::is_control) {
        return Err(LinkError::BadUser);
    }
    Ok(Some(subject))
}

const X_LINKGATE_USER: &str = "x-linkgate-user";
const MAX_USER_CHARS: usize = 255;
