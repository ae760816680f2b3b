//! Recently rejected requests: `/oauth/admin/refusals`.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::model::Consumer;
use crate::oauth::{ConsumerKey, Timestamp};

use super::super::error::PageError;
use super::super::i18n::Messages;
use super::super::recent_rejections::RejectedRequest;
use super::super::render::render;
use super::super::session::Session;
use super::super::{App, Shared};
use super::{Admin, PAGES, REJECTIONS};

#[derive(Template)]
#[template(path = "admin/rejections.html")]
struct RejectionsPage<'a> {
    t: Messages,
    app: &'a App,
    session: &'a Session,
    list: Vec<RejectedRequest>,
    since: Timestamp,
    consumers: &'a [Consumer],
}

/// `GET /oauth/admin/refusals`
pub(super) async fn show(
    State(app): Shared,
    t: Messages,
    Admin(session): Admin,
) -> Result<Response, PageError> {
    let consumers = app.provider.consumers().await?;
    let page = RejectionsPage {
        t,
        app: &app,
        session: &session,
        list: app.rejections.list(),
        since: app.rejections.since(),
        consumers: &consumers,
    };
    Ok(render(&page))
}

impl RejectionsPage<'_> {
    /// The registered consumer of a key.
    fn consumer(&self, key: &ConsumerKey) -> Option<&Consumer> {
        self.consumers.iter().find(|consumer| consumer.key == *key)
    }
}
