//! What was refused lately: `/oauth/admin/refusals`.

use axum::response::Response;
use http::HeaderMap;

use super::super::pages::Refusals;
use super::super::{Visit, login};
use super::{REFUSALS, administrator, navigation};

/// `GET /oauth/admin/refusals`
#[tracing::instrument(name = "refusals", skip_all, fields(user.subject))]
pub(super) async fn show(visit: Visit, headers: HeaderMap) -> Result<Response, Response> {
    let session = administrator(&visit, &headers, REFUSALS).await?;
    let consumers = visit.provider.consumers().await;
    let consumers = consumers.map_err(|error| visit.refuse(error))?;
    let page = Refusals {
        navigation: navigation(&visit),
        list: visit.refusals.list(),
        since: visit.refusals.since(),
        consumers: &consumers,
        user: &session.user,
        sign_out: login::sign_out_form(&visit, &session, REFUSALS.to_owned()),
    };
    Ok(page.respond(&visit.frame()))
}
