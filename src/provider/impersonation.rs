//! Two-legged calls in a user's name: only of users who exist, and never of some.
//!
//! What the login surely knows decides. Where it cannot say who exists, and never can, an [`ImpersonationPolicy`] does.

use crate::model::{Consumer, NamePattern, UserStatus};
use crate::oauth::Problem;

use super::caller::CallingUser;
use super::{Error, Provider};

/// Whom a consumer that may impersonate may name.
#[derive(Clone, Debug, Default)]
pub struct ImpersonationPolicy {
    /// Never these, in whatever case: an application may not tell `Root` from `root`.
    pub excluded: Vec<String>,
    /// These too, when the login method cannot tell whether they exist.
    pub names: Vec<NamePattern>,
    /// Then also each user who has signed in by this login method.
    pub signed_in_by: Option<&'static str>,
}

impl Provider {
    /// A user whom the consumer names. Only one who surely exists, and never an administrator.
    pub(super) async fn impersonated(
        &self,
        consumer: &Consumer,
        subject: &str,
    ) -> Result<CallingUser, Error> {
        if !consumer.impersonation {
            return Err(refused(
                "This consumer may not name a user in xoauth_requestor_id: set impersonation = true for it.",
            ));
        }
        let rule = &self.rules.impersonation;
        let subject_lower = subject.to_lowercase();
        if rule
            .excluded
            .iter()
            .any(|name| name.to_lowercase() == subject_lower)
        {
            return Err(refused("Administrators cannot be impersonated."));
        }
        match self.directory.user_status(subject).await {
            UserStatus::Active { display_name } => Ok(CallingUser::new(subject, display_name)),
            UserStatus::NotFound => Err(refused(UNKNOWN)),
            UserStatus::Unknown if rule.names.is_empty() && rule.signed_in_by.is_none() => Err(refused(
                "Whether the user in xoauth_requestor_id exists cannot be found out at the moment: try again.",
            )),
            UserStatus::Unknown => self.remembered(subject).await?.ok_or_else(|| refused(UNKNOWN)),
        }
    }

    /// A user of whom we know by ourselves.
    async fn remembered(&self, subject: &str) -> Result<Option<CallingUser>, Error> {
        let rule = &self.rules.impersonation;
        if let Some(method) = rule.signed_in_by
            && let Some(user) = self.store.user(subject, method).await?
        {
            return Ok(Some(CallingUser::new(user.subject, user.display_name)));
        }
        let named = rule.names.iter().any(|name| name.matches(subject));
        Ok(named.then(|| CallingUser::new(subject, subject)))
    }
}

/// No token problem: the consumer's tokens are as good as they were.
fn refused(advice: &'static str) -> Error {
    Problem::PermissionDenied(advice).into()
}

const UNKNOWN: &str = "The user in xoauth_requestor_id is not known here.";
