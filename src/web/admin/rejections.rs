//! Recently rejected requests: `/oauth/admin/refusals`.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::model::Consumer;
use crate::oauth::{ConsumerKey, Timestamp};

use super::super::Shared;
use super::super::error::PageError;
use super::super::i18n::Messages;
use super::super::recent_rejections::RejectedRequest;
use super::super::render::{Layout, SignOutForm, render};
use super::super::session::Session;
use super::{Admin, Navigation, REJECTIONS};

#[derive(Template)]
#[template(path = "admin/rejections.html")]
struct RejectionsPage<'a> {
    t: Messages,
    layout: Layout,
    navigation: Navigation,
    list: Vec<RejectedRequest>,
    since: Timestamp,
    consumers: &'a [Consumer],
    session: &'a Session,
    sign_out: SignOutForm,
}

/// `GET /oauth/admin/refusals`
pub(super) async fn show(
    State(app): Shared,
    layout: Layout,
    Admin(session): Admin,
) -> Result<Response, PageError> {
    let consumers = app.provider.consumers().await?;
    let page = RejectionsPage {
        t: layout.messages(),
        layout,
        navigation: Navigation::new(&app, "admin-rejections.title"),
        list: app.rejections.list(),
        since: app.rejections.since(),
        consumers: &consumers,
        session: &session,
        sign_out: session.sign_out_form(&app, REJECTIONS),
    };
    Ok(render(&page))
}

impl RejectionsPage<'_> {
    /// The registered consumer of a key.
    fn consumer(&self, key: &ConsumerKey) -> Option<&Consumer> {
        self.consumers.iter().find(|consumer| consumer.key == *key)
    }
}
