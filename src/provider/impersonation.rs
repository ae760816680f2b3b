//! Two-legged calls in a user's name: only of users who exist, and never of some.
//!
//! What the login surely knows decides. Where it cannot say who exists, and never can, an [`ImpersonationConfig`] does.

use serde::Deserialize;
use unicode_normalization::{UnicodeNormalization as _, is_nfkc};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::characters::is_invisible;
use crate::model::{Consumer, NamePattern, UserStatus};
use crate::oauth::Problem;

use super::caller::CallingUser;
use super::{Provider, ProviderError};

/// `[impersonation]`: whom a consumer that may impersonate may name.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImpersonationConfig {
    /// Never these, in whatever case: an application may not tell `Root` from `root`.
    pub except: Vec<String>,
    /// These too, when the login method cannot tell whether they exist.
    pub users: Vec<NamePattern>,
    /// Then also each user who has signed in by this login method.
    pub signed_in_before: bool,
}

impl Default for ImpersonationConfig {
    fn default() -> Self {
        Self {
            except: Vec::new(),
            users: Vec::new(),
            signed_in_before: true,
        }
    }
}

impl Provider {
    /// A user whom the consumer names. Only one who surely exists, and never an administrator.
    pub(super) async fn impersonated(
        &self,
        consumer: &Consumer,
        subject: &str,
    ) -> Result<CallingUser, ProviderError> {
        if !consumer.impersonation {
            return Err(refused(OFF));
        }
        if !is_unambiguous(subject) {
            return Err(refused(AMBIGUOUS));
        }
        let rule = &self.rules.impersonation;
        let compared = |name: &str| name.nfkc().collect::<String>().to_lowercase();
        let named = compared(subject);
        if rule.except.iter().any(|name| compared(name) == named) {
            return Err(refused("Administrators cannot be impersonated."));
        }
        match self.directory.user_status(subject).await {
            UserStatus::Active { display_name } => Ok(CallingUser::new(subject, display_name)),
            UserStatus::NotFound => Err(refused(UNKNOWN)),
            UserStatus::Unknown if rule.users.is_empty() && !rule.signed_in_before => Err(refused(UNCERTAIN)),
            UserStatus::Unknown => self.remembered(subject).await?.ok_or_else(|| refused(UNKNOWN)),
        }
    }

    async fn remembered(&self, subject: &str) -> Result<Option<CallingUser>, ProviderError> {
        let rule = &self.rules.impersonation;
        if rule.signed_in_before
            && let Some(user) = self.store.user(subject, self.rules.sessions.login_method).await?
        {
            return Ok(Some(CallingUser::new(user.subject, user.display_name)));
        }
        let named = rule.users.iter().any(|name| name.matches(subject));
        Ok(named.then(|| CallingUser::new(subject, subject)))
    }
}

/// Whether an application takes a name for no other one. Stricter than `UsernameCasePreserved` (RFC 8265, section 3.4) for
/// what looks alike, and laxer for a space.
fn is_unambiguous(name: &str) -> bool {
    let is_odd = |c: char| {
        let is_joiner = matches!(c, '\u{200C}' | '\u{200D}');
        let selects_variant =
            matches!(c, '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}');
        let is_space = c != ' ' && c.general_category() == GeneralCategory::SpaceSeparator;
        is_invisible(c) || is_joiner || selects_variant || is_space
    };
    is_nfkc(name) && name.trim() == name && !name.contains("  ") && !name.chars().any(is_odd)
}

/// No token problem: the consumer's tokens are as good as they were.
fn refused(advice: &'static str) -> ProviderError {
    Problem::PermissionDenied(advice).into()
}

const OFF: &str =
    "This consumer may not name a user in xoauth_requestor_id: set impersonation = true for it.";
const AMBIGUOUS: &str = "The name in xoauth_requestor_id has white space at an end, or characters that are invisible or look like \
    others: send the name as the application has it.";
const UNCERTAIN: &str =
    "Whether the user in xoauth_requestor_id exists cannot be found out at the moment: try again.";
const UNKNOWN: &str = "The user in xoauth_requestor_id is not known here.";
