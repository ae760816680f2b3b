//! The pages for administrators: `/oauth/admin`. They show and revoke; what linkgate does is decided in its configuration.
//!
//! `links`: what to enter in Bitbucket; `tokens`: what users have connected; `refusals`: what was refused lately.

mod links;
mod refusals;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::HeaderMap;

use crate::oauth::ConsumerKey;

use super::pages::{self, Notice};
use super::session::Session;
use super::{ADMIN, App, Visit, login};

/// Who may see these pages, and what the configuration says that the database does not.
#[derive(Debug, Default)]
pub struct Administration {
    subjects: BTreeSet<String>,
    secret_files: RwLock<BTreeMap<ConsumerKey, String>>,
}

impl Administration {
    /// Takes the users who may see the pages, and the files in which consumers' shared secrets stand.
    pub fn new(
        subjects: impl IntoIterator<Item = String>,
        secret_files: BTreeMap<ConsumerKey, String>,
    ) -> Self {
        Self {
            subjects: subjects.into_iter().collect(),
            secret_files: RwLock::new(secret_files),
        }
    }

    /// Takes the files of a configuration that was read again.
    pub fn keep_secret_files(&self, files: BTreeMap<ConsumerKey, String>) {
        *self.secret_files.write().unwrap_or_else(PoisonError::into_inner) = files;
    }

    /// The file in which a consumer's shared secret stands, as the configuration writes it.
    fn secret_file(&self, consumer: &ConsumerKey) -> Option<String> {
        let files = self.secret_files.read().unwrap_or_else(PoisonError::into_inner);
        files.get(consumer).cloned()
    }
}

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(ADMIN, get(links::show).fallback(pages::method_not_allowed))
        .route(TOKENS, get(tokens::show).fallback(pages::method_not_allowed))
        .route(REVOKE, post(tokens::revoke).fallback(pages::method_not_allowed))
        .route(REFUSALS, get(refusals::show).fallback(pages::method_not_allowed))
}

/// The administrator who is signed in; or the way to the login page, or the page that says who may.
async fn administrator(visit: &Visit, headers: &HeaderMap, here: &str) -> Result<Session, Response> {
    let session = visit.user(headers, here).await?;
    if visit.administration.subjects.contains(&session.user.subject) {
        return Ok(session);
    }
    let sign_out = login::sign_out_form(visit, &session, here.to_owned());
    Err(visit.refuse(Notice::NotAdmin {
        user: session.user.display_name,
        sign_out,
    }))
}

/// Where the pages lead to each other.
fn navigation(visit: &Visit) -> pages::Navigation {
    pages::Navigation {
        links: visit.path(ADMIN),
        tokens: visit.path(TOKENS),
        refusals: visit.path(REFUSALS),
    }
}

const TOKENS: &str = "/oauth/admin/tokens";
const REVOKE: &str = "/oauth/admin/tokens/revoke";
const REFUSALS: &str = "/oauth/admin/refusals";
