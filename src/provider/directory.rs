//! Which users exist, as far as the login method can tell. A consumer drops the token of a user who does not exist for ever,
//! and an application that is being deployed answers 404 for a moment: so a user does not exist if the login method has not
//! found them for a minute, and finds another one at the end of it.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use moka::sync::Cache;
use parking_lot::Mutex;

use crate::model::UserStatus;
use crate::oauth::{Problem, Timestamp};
use crate::store::StoreError;

use super::caller::CallingUser;
use super::{Provider, ProviderError};

/// Answers which users exist. Made from the login method by `server`.
pub struct Directory {
    lookup: Box<Lookup>,
    /// `None`: the login method is never wrong about who exists.
    absences: Option<Absences>,
}

type Lookup = dyn Fn(String) -> Pin<Box<dyn Future<Output = UserStatus> + Send>> + Send + Sync;

struct Absences {
    missing: Cache<String, Timestamp>,
    found: Mutex<Option<String>>,
}

impl Directory {
    /// Takes the lookup as a function, which is never wrong.
    pub fn new<F, Fut>(lookup: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = UserStatus> + Send + 'static,
    {
        Self {
            lookup: Box::new(move |subject| Box::pin(lookup(subject))),
            absences: None,
        }
    }

    /// The same lookup, which may fail to find a user for a while.
    #[must_use]
    pub fn with_passing_absences(self) -> Self {
        let missing = Cache::builder().max_capacity(10_000);
        let (missing, found) = (missing.time_to_live(REMEMBERED).build(), Mutex::default());
        let absences = Some(Absences { missing, found });
        Self { absences, ..self }
    }

    /// Asks about one user.
    pub async fn user_status(&self, subject: &str) -> UserStatus {
        let status = (self.lookup)(subject.to_owned()).await;
        if let (UserStatus::Active { .. }, Some(absences)) = (&status, &self.absences) {
            absences.missing.invalidate(subject);
            *absences.found.lock() = Some(subject.to_owned());
        }
        status
    }
}

impl Provider {
    /// The user of a token. `None`: the login method cannot tell. An error: they do not exist, or that is not certain.
    pub(super) async fn token_user(&self, subject: &str) -> Result<Option<CallingUser>, ProviderError> {
        match self.directory.user_status(subject).await {
            UserStatus::Active { display_name } => Ok(Some(CallingUser::new(subject, display_name))),
            UserStatus::Unknown => Ok(None),
            UserStatus::NotFound if Box::pin(self.is_gone(subject)).await? => {
                Err(Problem::TokenRejected("The user who approved is not there any more.").into())
            }
            UserStatus::NotFound => {
                let subject = subject.to_owned();
                Err(ProviderError::UncertainUser { subject })
            }
        }
    }

    /// Whether a user whom the login method does not find does not exist.
    pub(super) async fn is_gone(&self, subject: &str) -> Result<bool, StoreError> {
        let Some(absences) = &self.directory.absences else {
            return Ok(true);
        };
        let now = self.clock.now();
        let since = absences.missing.get_with_by_ref(subject, || now);
        if now < since.plus(LASTING_SECONDS) {
            return Ok(false);
        }
        let found = absences.found.lock().clone();
        let method = self.rules.sessions.login_method;
        let recent = self.store.recent_users(method, WITNESSES).await?;
        for other in found.into_iter().chain(recent).filter(|other| other != subject) {
            if let UserStatus::Active { .. } = self.directory.user_status(&other).await {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}

/// How long a user must be missing: longer than login methods keep an answer.
const LASTING_SECONDS: i64 = 60;
/// How long it is remembered since when a user is missing.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Of how many users who have signed in lately one must be found.
const WITNESSES: u32 = 3;
