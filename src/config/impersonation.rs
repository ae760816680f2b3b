//! `[impersonation]`: whom a consumer may name in `xoauth_requestor_id`.

use crate::model::NamePattern;

use super::login::Login;
use super::remark::Wrong;
use super::section::Section;

/// Whom a consumer with `impersonation = true` may name.
#[derive(Clone, Debug)]
pub struct Impersonation {
    /// Never these, beside the administrators.
    pub except: Vec<String>,
    /// These, where the login cannot say who exists.
    pub users: Vec<NamePattern>,
    /// Whoever has signed in here, where the login cannot say who exists.
    pub signed_in_before: bool,
}

impl Impersonation {
    pub(super) fn read(section: &Section<'_>, login: Option<&Login>) -> Self {
        let users = section.parsed_list("users", |text| {
            NamePattern::parse(text).map_err(|why| Wrong::unusable(text, why))
        });
        let signed_in_before = section.or("signed_in_before", true);
        if let Some(who) = login.and_then(Login::knows_its_users)
            && section.has("users")
        {
            let wrong = format!("it is not looked at: {who} says who exists");
            section.warn("users", wrong, "leave it out");
        }
        Self {
            except: section.list("except"),
            users,
            signed_in_before,
        }
    }
}
