//! The approval page (RFC 5849, section 2.2): `/oauth/authorize`, and the path that AppLinks assume.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use tracing::Span;

use crate::model::{Consumer, RequestTokenState, User};
use crate::oauth::{Callback, Secret, Timestamp, Token};
use crate::provider::{AuthorizationOutcome, AuthorizationRequest};

use super::csrf::FormPurpose;
use super::error::{ErrorKind, PageError};
use super::extract::{ClientIp, PageForm};
use super::i18n::Messages;
use super::render::{SignOutForm, render_with_callback, render_with_script, see_other};
use super::return_to::ReturnTo;
use super::session::{Session, SessionState};
use super::{AUTHORIZE, App, CONNECTIONS, Shared};

/// The query of the page. An `oauth_callback` is ignored: the one of the signed request for the token counts.
#[derive(Deserialize)]
pub(super) struct ApprovalQuery {
    oauth_token: Option<String>,
    approve: Option<String>,
    deny: Option<String>,
}

/// The form with the two buttons.
#[derive(Deserialize)]
pub(super) struct AnswerFields {
    oauth_token: String,
    subject: String,
    form_token: String,
    approve: Option<String>,
    deny: Option<String>,
}

#[derive(Template)]
#[template(path = "approve.html")]
struct ApprovalPage<'a> {
    t: Messages,
    user: &'a User,
    callback: &'a Callback,
    /// When the access would end.
    ends_at: Timestamp,
    /// Where the user would revoke it, without the scheme.
    revoke_at: String,
    action: String,
    token: &'a Token,
    form_token: String,
    sign_out: SignOutForm,
}

/// The code is in the page's text only, never in its title or its URL.
#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    t: Messages,
    code: Secret,
}

/// `GET /oauth/authorize`
pub(super) async fn show(
    State(app): Shared,
    t: Messages,
    ClientIp(client): ClientIp,
    session: Option<Session>,
    query: Result<Query<ApprovalQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(query) = query.map_err(|_| ErrorKind::MissingToken.page())?;
    let token = query.oauth_token.as_deref().and_then(Token::parse);
    if query.approve.is_some() || query.deny.is_some() {
        let page = ErrorKind::NotByLink.page();
        return Err(match token {
            Some(token) => page.retry(ReturnTo::approval_page(&token).as_str()),
            None => page,
        });
    }
    let token = token.ok_or_else(|| ErrorKind::MissingToken.page())?;
    Span::current().record("token.prefix", token.prefix());
    let page = ReturnTo::approval_page(&token);
    let question = app.provider.authorization_request(&token).await?;
    let AuthorizationRequest::Found(consumer, kept) = &question else {
        return Err(closed(&app, &token, &question).await);
    };
    match (&kept.state, session) {
        (RequestTokenState::Pending, None) => Ok(page.sign_in(&app, false, false)),
        (RequestTokenState::Pending, Some(session)) if session.is_stale(&app) => {
            Ok(page.sign_in(&app, false, true))
        }
        (RequestTokenState::Pending, Some(session)) => {
            let callback = &kept.callback;
            Ok(approval_page(&app, &t, &token, consumer, callback, &session))
        }
        (RequestTokenState::Authorized { by }, Some(session)) if by.subject == session.user.subject => {
            if kept.callback == Callback::OutOfBand {
                return Err(ErrorKind::CodeShown.page().with("consumer", &consumer.name));
            }
            // Repeated by the same user: redirected to the same callback.
            let answer = app.provider.approve(&token, &session.user, client).await?;
            respond_with(&app, t, &token, answer).await
        }
        _ => Err(closed(&app, &token, &question).await),
    }
}

/// `POST /oauth/authorize`
pub(super) async fn answer(
    State(app): Shared,
    t: Messages,
    ClientIp(client): ClientIp,
    PageForm { form, session }: PageForm<AnswerFields, SessionState>,
) -> Result<Response, PageError> {
    let token = Token::parse(&form.oauth_token).ok_or_else(|| ErrorKind::MissingToken.page())?;
    Span::current().record("token.prefix", token.prefix());
    let page = ReturnTo::approval_page(&token);
    let user_changed = |user: &User| {
        let error = ErrorKind::UserChanged.page().retry(page.as_str());
        error.with("user", &user.display_name)
    };
    let session = match session {
        SessionState::Active(session) => session,
        SessionState::None => return Ok(page.sign_in(&app, true, false)),
        SessionState::UserChanged(user) => return Err(user_changed(&user)),
    };
    let user = &session.user;
    if form.subject != user.subject {
        return Err(user_changed(user));
    }
    FormPurpose::answer(&session.id, &token, user).check(&app, &form.form_token, page.as_str())?;
    if form.approve.is_some() && session.is_stale(&app) {
        return Ok(page.sign_in(&app, true, true));
    }
    let answer = match (form.approve, form.deny) {
        (Some(_), None) => app.provider.approve(&token, user, client).await?,
        (None, Some(_)) => app.provider.deny(&token, user, client).await?,
        _ => return Err(ErrorKind::BadForm.page()),
    };
    respond_with(&app, t, &token, answer).await
}

async fn respond_with(
    app: &App,
    t: Messages,
    token: &Token,
    answer: AuthorizationOutcome,
) -> Result<Response, PageError> {
    match answer {
        AuthorizationOutcome::Redirect(location) => Ok(see_other(&location)),
        AuthorizationOutcome::ShowVerifier {
            consumer_name,
            verifier,
        } => Ok(render_with_script(&CodePage {
            t: t.with("consumer", &consumer_name),
            code: verifier,
        })),
        AuthorizationOutcome::DeniedOutOfBand { consumer_name } => {
            Err(ErrorKind::Denied.page().with("consumer", consumer_name))
        }
        AuthorizationOutcome::NotPending(question) => Err(closed(app, token, &question).await),
    }
}

/// The page of an access request that cannot be answered.
async fn closed(app: &App, token: &Token, question: &AuthorizationRequest) -> PageError {
    match question {
        AuthorizationRequest::Found(consumer, kept) => match kept.state {
            // It changed since it was read: reading it again shows how.
            RequestTokenState::Pending => {
                let page = ReturnTo::approval_page(token);
                ErrorKind::FormOutdated.page().retry(page.as_str())
            }
            RequestTokenState::Authorized { .. } => {
                ErrorKind::Answered.page().with("consumer", &consumer.name)
            }
            RequestTokenState::Denied => ErrorKind::Denied.page().with("consumer", &consumer.name),
            RequestTokenState::Used { .. } => ErrorKind::Used.page(),
        },
        AuthorizationRequest::Expired => ErrorKind::Expired.page(),
        AuthorizationRequest::ConsumerDisabled(name) => {
            ErrorKind::ConsumerDisabled.page().with("consumer", name)
        }
        AuthorizationRequest::Unknown => match app.provider.is_access_token(token).await {
            Ok(true) => ErrorKind::AccessToken.page(),
            Ok(false) => ErrorKind::Unknown.page(),
            Err(error) => error.into(),
        },
    }
}

fn approval_page(
    app: &App,
    t: &Messages,
    token: &Token,
    consumer: &Consumer,
    callback: &Callback,
    session: &Session,
) -> Response {
    let user = &session.user;
    let t = t.with("consumer", &consumer.name);
    let page = ApprovalPage {
        t: t.with("user", &user.display_name),
        user,
        callback,
        ends_at: app.provider.access_ends_at(consumer),
        revoke_at: format!("{}{}", app.public_url.authority(), app.path(CONNECTIONS)),
        action: app.path(AUTHORIZE[0]),
        token,
        form_token: FormPurpose::answer(&session.id, token, user).token(app),
        sign_out: session.sign_out_form(app, ReturnTo::approval_page(token).as_str()),
    };
    render_with_callback(&page, Some(callback))
}

impl ApprovalPage<'_> {
    /// The first letter or digit of the user's name, instead of a picture.
    fn initial(&self) -> String {
        let mut characters = self.user.display_name.chars();
        characters
            .find(|c| c.is_alphanumeric())
            .map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
    }
}
