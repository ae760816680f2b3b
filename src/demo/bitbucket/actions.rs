//! The buttons of the page.

use crate::demo::http::{Exchange, form_body, value};

use super::client::{CallAs, Outcome, problem_of, rejection};
use super::{Bitbucket, DemoLink, Done, Event};

impl Bitbucket {
    /// Does what a button of a link names, and records it. `None`: there is no such button.
    pub(crate) async fn act(
        &self,
        link: &DemoLink,
        action: &str,
        fields: &[(String, String)],
    ) -> Option<Event> {
        let user = CallAs::Impersonate(value(fields, "user").unwrap_or_default());
        let form = form_body(fields);
        let call = |caller, form| self.call(link, caller, form);
        let (title, done) = match action {
            "me" => ("Call as me", call(CallAs::Me, "").await),
            "build" => ("Start a build", call(CallAs::Me, &form).await),
            "application" => ("Call as the application", call(CallAs::Application, "").await),
            "impersonate" => ("Call on behalf of a user", call(user, "").await),
            "tamper" => ("Change the query after signing", self.tamper(link).await),
            "replay" => ("Send the same bytes twice", self.replay(link).await),
            "revoke" => ("Revoke at linkgate, call again", self.revoke(link).await),
            _ => return None,
        };
        let failed = |error| format!("There is no response: {error:#}.");
        let done = done.unwrap_or_else(|error| (Outcome::Unexpected, failed(error), Vec::new()));
        Some(self.record(link, title, done))
    }

    async fn call(&self, link: &DemoLink, caller: CallAs<'_>, form: &str) -> anyhow::Result<Done> {
        let call = self.prepare(link, caller, "/api/builds", form)?;
        let (exchange, outcome) = self.send(link, &call).await?;
        Ok((outcome, describe(&exchange, outcome), vec![exchange]))
    }

    async fn tamper(&self, link: &DemoLink) -> anyhow::Result<Done> {
        let mut call = self.prepare(link, CallAs::Me, "/api/search?q=main", "")?;
        let other = format!("{}/api/search?q=feature", self.linkgate.origin());
        *call.request.uri_mut() = other.parse()?;
        let (exchange, outcome) = self.send(link, &call).await?;
        let summary = describe(&exchange, outcome);
        let summary = format!("Signed for ?q=main, sent with ?q=feature. {summary}");
        Ok((outcome, summary, vec![exchange]))
    }

    async fn replay(&self, link: &DemoLink) -> anyhow::Result<Done> {
        let call = self.prepare(link, CallAs::Me, "/api/me", "")?;
        let (first, _) = self.send(link, &call).await?;
        let (second, outcome) = self.send(link, &call).await?;
        let (status, then) = (first.response.status(), describe(&second, outcome));
        let summary = format!("The first time: {status}. The second time: {then}");
        Ok((outcome, summary, vec![first, second]))
    }

    async fn revoke(&self, link: &DemoLink) -> anyhow::Result<Done> {
        if let Some(access) = link.access() {
            self.server.revoke(&access.token).await?;
        }
        let (exchange, outcome) = self.call_until_rejected(link).await?;
        Ok((outcome, describe(&exchange, outcome), vec![exchange]))
    }
}

fn describe(exchange: &Exchange, outcome: Outcome) -> String {
    let pairs = rejection(&exchange.response).unwrap_or_default();
    let problem = problem_of(&pairs);
    match outcome {
        Outcome::Success => {
            let body: serde_json::Value = serde_json::from_str(exchange.response.body()).unwrap_or_default();
            let user = body["user"].as_str().or(body["startedBy"].as_str());
            user.map_or_else(
                || NO_USER.to_owned(),
                |user| format!("Buildboard answered as for {user}."),
            )
        }
        Outcome::TokenDropped => {
            format!("Rejected with {problem}: Bitbucket drops its token and asks you to connect again.")
        }
        Outcome::Rejected => format!("Rejected with {problem}; the token is kept."),
        Outcome::Unexpected => format!("{}; the token is kept.", exchange.response.status()),
    }
}

const NO_USER: &str = "Buildboard saw the consumer, and no user.";
