//! The question to the user (RFC 5849, section 2.2): `/oauth/authorize`, and the path that AppLinks assume.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use tracing::Span;

use crate::model::{Consumer, User};
use crate::oauth::{Callback, Token};
use crate::provider::StoreError;
use crate::provider::{Answer, Question};

use super::form::{self, Purpose};
use super::pages::{AnswerForm, Approve, Notice, Verifier};
use super::return_address::ReturnAddress;
use super::session::{self, Session, Who};
use super::visit::SignIn;
use super::{AUTHORIZE, App, ClientIp, Visit, headers, login};

/// What the address of the page may say. An `oauth_callback` in it is ignored: the one that counts came signed, with
/// the request token.
#[derive(Deserialize)]
pub(super) struct Address {
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

/// `GET /oauth/authorize`
#[tracing::instrument(name = "authorize", skip_all, fields(token.prefix, user.subject))]
pub(super) async fn show(
    visit: Visit,
    client: ClientIp,
    headers: HeaderMap,
    address: Result<Query<Address>, QueryRejection>,
) -> Response {
    let address = address.ok().map(|Query(address)| address);
    let answer = put_question(&visit, client, &headers, address).await;
    answer.unwrap_or_else(|notice| notice.respond(&visit))
}

/// `POST /oauth/authorize`
#[tracing::instrument(name = "authorize", skip_all, fields(token.prefix, user.subject))]
pub(super) async fn answer(
    visit: Visit,
    client: ClientIp,
    headers: HeaderMap,
    form: Result<Form<AnswerFields>, FormRejection>,
) -> Response {
    let answer = take_answer(&visit, client, &headers, form).await;
    answer.unwrap_or_else(|notice| notice.respond(&visit))
}

async fn put_question(
    visit: &Visit,
    ClientIp(client): ClientIp,
    headers: &HeaderMap,
    address: Option<Address>,
) -> Result<Response, Notice> {
    let Some(address) = address else {
        return Err(Notice::MissingToken);
    };
    let token = address.oauth_token.as_deref().and_then(Token::parse);
    if address.approve.is_some() || address.deny.is_some() {
        let again = token.map(|token| ReturnAddress::to_question(&token).as_str().to_owned());
        return Err(Notice::NotByLink { again });
    }
    let token = token.ok_or(Notice::MissingToken)?;
    Span::current().record("token.prefix", token.prefix());
    let here = || ReturnAddress::to_question(&token);
    let question = visit.provider.question(&token).await?;
    let session = session::current(visit, headers).await?;
    if let Some(session) = &session {
        Span::current().record("user.subject", &session.user.subject);
    }
    match (question, session) {
        (Question::Open { .. }, None) => Ok(visit.sign_in(&here(), SignIn::AsSomebody)),
        (Question::Open { .. }, Some(session)) if session.is_stale(visit) => {
            Ok(visit.sign_in(&here(), SignIn::Anew))
        }
        (
            Question::Open {
                consumer, callback, ..
            },
            Some(session),
        ) => Ok(question_page(visit, &token, &consumer, &callback, &session)),
        (
            Question::Approved {
                by,
                consumer,
                callback,
            },
            Some(session),
        ) if by.subject == session.user.subject => {
            match callback {
                // It was answered before this request; asked once more, the same user is sent to the same place.
                Callback::Url(_) => {
                    follow(
                        visit,
                        &token,
                        visit.provider.approve(&token, &session.user, client).await?,
                    )
                    .await
                }
                Callback::OutOfBand => Err(Notice::CodeShown {
                    consumer: consumer.name.clone(),
                }),
            }
        }
        (question, _) => Err(closed(visit, &token, question).await?),
    }
}

async fn take_answer(
    visit: &Visit,
    ClientIp(client): ClientIp,
    headers: &HeaderMap,
    form: Result<Form<AnswerFields>, FormRejection>,
) -> Result<Response, Notice> {
    form::sent_from_here(headers)?;
    let Form(form) = form.map_err(|rejection| form::unreadable(&rejection))?;
    let token = Token::parse(&form.oauth_token).ok_or(Notice::MissingToken)?;
    Span::current().record("token.prefix", token.prefix());
    let again = ReturnAddress::to_question(&token);
    let session = match session::who(visit, headers).await? {
        Who::Somebody(session) => session,
        Who::Nobody => return Ok(visit.sign_in(&again, SignIn::AsSomebody)),
        Who::Another(user) => {
            return Err(Notice::UserChanged {
                user: user.display_name,
                again: again.as_str().to_owned(),
            });
        }
    };
    let user = &session.user;
    Span::current().record("user.subject", &user.subject);
    if form.subject != user.subject {
        let user = user.display_name.clone();
        return Err(Notice::UserChanged {
            user,
            again: again.as_str().to_owned(),
        });
    }
    if !(Purpose::Answer {
        session: &session.id,
        question: &token,
        user,
    })
    .admits(&visit.keyring, &form.form_token)
    {
        return Err(Notice::FormOutdated {
            again: again.as_str().to_owned(),
        });
    }
    if form.approve.is_some() && session.is_stale(visit) {
        return Ok(visit.sign_in(&again, SignIn::Anew));
    }
    let answer = match (form.approve, form.deny) {
        (Some(_), None) => visit.provider.approve(&token, user, client).await?,
        (None, Some(_)) => visit.provider.deny(&token, user, client).await?,
        _ => return Err(Notice::BadForm),
    };
    follow(visit, &token, answer).await
}

/// Goes where an answer leads.
async fn follow(visit: &Visit, token: &Token, answer: Answer) -> Result<Response, Notice> {
    match answer {
        Answer::Redirect(location) => Ok(headers::see_other(&location)),
        Answer::ShowVerifier {
            consumer_name,
            verifier,
        } => Ok(Verifier {
            consumer: &consumer_name,
            code: &verifier,
        }
        .respond(&visit.frame())),
        Answer::DeniedOutOfBand { consumer_name } => Err(Notice::Denied {
            consumer: consumer_name,
        }),
        Answer::NotOpen(question) => Err(closed(visit, token, question).await?),
    }
}

/// Says why a question is not put (any more).
async fn closed(app: &App, token: &Token, question: Question) -> Result<Notice, StoreError> {
    Ok(match question {
        // Not answered, and yet not answerable a moment ago: looking at it anew settles which.
        Question::Open { .. } => Notice::FormOutdated {
            again: ReturnAddress::to_question(token).as_str().to_owned(),
        },
        Question::Approved { consumer, .. } => Notice::Answered {
            consumer: consumer.name.clone(),
        },
        Question::Denied { consumer, .. } => Notice::Denied {
            consumer: consumer.name.clone(),
        },
        Question::Used => Notice::Used,
        Question::Expired => Notice::Expired,
        Question::ConsumerDisabled { name } => Notice::ConsumerDisabled { consumer: name },
        Question::Unknown if app.provider.is_access_token(token).await? => Notice::AccessToken,
        Question::Unknown => Notice::Unknown,
    })
}

fn question_page(
    visit: &Visit,
    token: &Token,
    consumer: &Consumer,
    callback: &Callback,
    session: &Session,
) -> Response {
    let user: &User = &session.user;
    let purpose = Purpose::Answer {
        session: &session.id,
        question: token,
        user,
    };
    let form = AnswerForm {
        action: visit.path(AUTHORIZE[0]),
        oauth_token: token.as_str(),
        form_token: purpose.token(&visit.keyring),
    };
    let return_to = ReturnAddress::to_question(token).as_str().to_owned();
    let sign_out = login::sign_out_form(visit, session, return_to);
    Approve {
        consumer: &consumer.name,
        user,
        callback,
        form,
        sign_out,
    }
    .respond(&visit.frame())
}
