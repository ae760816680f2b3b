//! The pages for administrators: `/oauth/admin`. They show and revoke; the configuration decides what linkgate does.
//!
//! `links`: the values to enter in Bitbucket; `tokens`: the connections of all users; `rejections`: recently rejected
//! requests.

mod links;
mod rejections;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::HeaderValue;
use http::header::COOKIE;
use http::request::Parts;

use crate::gateway::AdministratorPage;
use crate::model::User;
use crate::oauth::ConsumerKey;
use parking_lot::RwLock;

use super::error::ErrorKind;
use super::return_to::ReturnTo;
use super::session::{Session, session_id};
use super::{ADMIN, App, CONNECTIONS, Shared};

/// The administrators, and facts of the configuration that the database does not have.
#[derive(Debug, Default)]
pub struct Administration {
    subjects: BTreeSet<String>,
    secret_files: RwLock<BTreeMap<ConsumerKey, String>>,
}

impl Administration {
    /// Takes the users who are administrators, and the files of the consumers' shared secrets.
    pub fn new(
        subjects: impl IntoIterator<Item = String>,
        secret_files: BTreeMap<ConsumerKey, String>,
    ) -> Self {
        Self {
            subjects: subjects.into_iter().collect(),
            secret_files: RwLock::new(secret_files),
        }
    }

    /// Whether a user is an administrator.
    fn includes(&self, user: &User) -> bool {
        self.subjects.contains(&user.subject)
    }

    /// Takes the files of a reloaded configuration.
    pub fn keep_secret_files(&self, files: BTreeMap<ConsumerKey, String>) {
        *self.secret_files.write() = files;
    }

    /// The file of a consumer's shared secret, as the configuration names it.
    fn secret_file(&self, consumer: &ConsumerKey) -> Option<String> {
        let files = self.secret_files.read();
        files.get(consumer).cloned()
    }
}

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(ADMIN, get(links::show))
        .route(TOKENS, get(tokens::show))
        .route(REVOKE, post(tokens::revoke))
        .route(REJECTIONS, get(rejections::show))
}

/// `GET /oauth`: redirects administrators to the first of these pages, other users to their connections.
pub(super) async fn home(State(app): Shared, session: Session) -> Response {
    let is_admin = app.administration.includes(&session.user);
    app.redirect(if is_admin { ADMIN } else { CONNECTIONS })
}

/// Replaces the page of a failed connection to the application, for administrators, by the one that names its address.
pub(super) async fn name_upstream(app: &App, cookies: Vec<HeaderValue>, mut response: Response) -> Response {
    let Some(AdministratorPage(page)) = response.extensions_mut().remove() else {
        return response;
    };
    let cookies = cookies.into_iter().map(|cookie| (COOKIE, cookie)).collect();
    if let Some(id) = session_id(app, &cookies)
        && let Ok(Some(user)) = app.provider.session_user(&id).await
        && app.administration.includes(&user)
    {
        *response.body_mut() = page.into();
    }
    response
}

/// The session of an administrator. An extractor: other users get a page that names them.
#[derive(Debug)]
struct Admin(Session);

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let session = <Session as FromRequestParts<_>>::from_request_parts(parts, app).await?;
        if app.administration.includes(&session.user) {
            return Ok(Self(session));
        }
        let sign_out = session.sign_out_form(app, ReturnTo::page_of(parts).as_str());
        let page = ErrorKind::NotAdmin.page().sign_out(sign_out);
        Err(page.with("user", session.user.display_name).into_response())
    }
}

/// The tabs: the path and the title of each page.
const PAGES: [(&str, &str); 3] = [
    (ADMIN, "admin-links.title"),
    (TOKENS, "admin-tokens.title"),
    (REJECTIONS, "admin-rejections.title"),
];
const TOKENS: &str = "/oauth/admin/tokens";
const REVOKE: &str = "/oauth/admin/tokens/revoke";
const REJECTIONS: &str = "/oauth/admin/refusals";
