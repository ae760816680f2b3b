//! The buttons of the page.

use crate::demo::http::{Exchange, form_body, value};

use super::client::{Caller, Outcome, problem_of, rejection};
use super::{Bitbucket, Done, Event, Link};

impl Bitbucket {
    /// Does what a button of a link says, and records it. `None`: there is no such button.
    pub(crate) async fn act(&self, link: &Link, action: &str, fields: &[(String, String)]) -> Option<Event> {
        let user = Caller::Impersonate(value(fields, "user").unwrap_or_default());
        let (title, done) = match action {
            "me" => ("Call as me", self.call(link, Caller::Me, "").await),
            "build" => (
                "Start a build",
                self.call(link, Caller::Me, &form_body(fields)).await,
            ),
            "application" => (
                "Call as the application (2LO)",
                self.call(link, Caller::Application, "").await,
            ),
            "impersonate" => (
                "Call on behalf of a user (2LO with impersonation)",
                self.call(link, user, "").await,
            ),
            "tamper" => ("Tamper: change the query after signing", self.tamper(link).await),
            "replay" => ("Replay: send the same bytes twice", self.replay(link).await),
            "revoke" => (
                "Revoke at linkgate, and call again",
                self.revoke_and_call(link).await,
            ),
            "disconnect" => ("Forget the token", Ok(disconnect(link))),
            _ => return None,
        };
        let done = done.unwrap_or_else(|error| {
            let summary = format!("There is no response: {error:#}.");
            (Outcome::Unexpected, summary, Vec::new())
        });
        Some(self.record(link, title, done))
    }

    async fn call(&self, link: &Link, caller: Caller<'_>, form: &str) -> anyhow::Result<Done> {
        let call = self.prepare(link, caller, "/api/builds", form)?;
        let (exchange, outcome) = self.send(link, &call).await?;
        Ok((outcome, describe(&exchange, outcome), vec![exchange]))
    }

    async fn tamper(&self, link: &Link) -> anyhow::Result<Done> {
        let mut call = self.prepare(link, Caller::Me, "/api/search?q=main", "")?;
        let other = format!("{}/api/search?q=feature", self.linkgate.origin());
        *call.request.uri_mut() = other.parse()?;
        let (exchange, outcome) = self.send(link, &call).await?;
        let summary = describe(&exchange, outcome);
        let summary = format!("Signed for ?q=main, sent with ?q=feature. {summary}");
        Ok((outcome, summary, vec![exchange]))
    }

    async fn replay(&self, link: &Link) -> anyhow::Result<Done> {
        let call = self.prepare(link, Caller::Me, "/api/me", "")?;
        let (first, _) = self.send(link, &call).await?;
        let (second, outcome) = self.send(link, &call).await?;
        let summary = format!(
            "The first time: {}. The second time: {}",
            first.response.status().as_u16(),
            describe(&second, outcome)
        );
        Ok((outcome, summary, vec![first, second]))
    }

    async fn revoke_and_call(&self, link: &Link) -> anyhow::Result<Done> {
        if let Some(access) = link.access() {
            self.server.revoke(&access.token).await?;
        }
        let (exchange, outcome) = self.call_until_rejected(link).await?;
        Ok((outcome, describe(&exchange, outcome), vec![exchange]))
    }
}

fn disconnect(link: &Link) -> Done {
    if let Some(access) = link.access() {
        link.drop_access(&access.token);
    }
    let summary = "Bitbucket has forgotten its token; at linkgate it is valid until it is revoked.";
    (Outcome::TokenDropped, summary.to_owned(), Vec::new())
}

fn describe(exchange: &Exchange, outcome: Outcome) -> String {
    let pairs = rejection(&exchange.response).unwrap_or_default();
    let problem = problem_of(&pairs);
    match outcome {
        Outcome::Success => answered_for(exchange),
        Outcome::TokenDropped => {
            format!("Rejected with {problem}: Bitbucket drops its token and asks you to connect again.")
        }
        Outcome::Unexpected if problem.is_empty() => {
            "It failed without an oauth_problem; the token is kept.".to_owned()
        }
        Outcome::Unexpected => "The clocks differ; the token is kept.".to_owned(),
        Outcome::Rejected => format!("Rejected with {problem}; the token is kept."),
    }
}

/// For whom the application answered, as it says itself.
fn answered_for(exchange: &Exchange) -> String {
    let body: serde_json::Value = serde_json::from_str(exchange.response.body()).unwrap_or_default();
    let user = body["user"].as_str().or(body["startedBy"].as_str());
    match (user, body["consumer"].as_str()) {
        (Some(user), _) => format!("Buildboard answered as for {user}."),
        (None, Some(consumer)) => format!("Buildboard saw no user, only the consumer {consumer}."),
        (None, None) => "Buildboard answered.".to_owned(),
    }
}
