//! The buttons of the page: each does something over the wire and tells the journal what came of it.

use std::time::Duration;

use crate::demo::form;
use crate::demo::wire::Exchange;

use super::Bitbucket;
use super::calls::{As, CallError, Wanted};
use super::journal::{Event, Mood};
use super::link::LinkKind;
use super::refusal::{Reaction, Refusal};

/// A button of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Call as the user who connected.
    Me,
    /// Call as the application.
    Application,
    /// Call in the name of a user.
    InTheNameOf(String),
    /// Start a build, with these fields of the form.
    Build(Vec<(String, String)>),
    /// Change the query after signing.
    Tamper,
    /// Send the same bytes twice.
    Replay,
    /// Revoke the token at linkgate, then call.
    Revoke,
    /// Forget the token here; linkgate is not told.
    Disconnect,
}

/// What came of a button, without its title.
type Told = (Mood, String, Vec<Exchange>);

impl Action {
    /// Reads the last segment of a button's URL and the fields sent with it.
    pub fn parse(name: &str, fields: Vec<(String, String)>) -> Option<Self> {
        Some(match name {
            "me" => Self::Me,
            "application" => Self::Application,
            "in-the-name-of" => Self::InTheNameOf(form::value(&fields, "user")?.to_owned()),
            "build" => Self::Build(fields),
            "tamper" => Self::Tamper,
            "replay" => Self::Replay,
            "revoke" => Self::Revoke,
            "disconnect" => Self::Disconnect,
            _ => return None,
        })
    }

    const fn title(&self) -> &'static str {
        match self {
            Self::Me => "Call as me",
            Self::Application => "Call as the application (2LO)",
            Self::InTheNameOf(_) => "Call in the name of a user (2LO with impersonation)",
            Self::Build(_) => "Start a build",
            Self::Tamper => "Tamper: change the query after signing",
            Self::Replay => "Replay: send the same bytes twice",
            Self::Revoke => "Revoke at linkgate, and call again",
            Self::Disconnect => "Forget the token",
        }
    }
}

impl Bitbucket {
    /// Does what a button says; the number of the event in the journal.
    pub async fn act(&self, kind: LinkKind, action: &Action) -> usize {
        let told = match action {
            Action::Me => self.plain(kind, As::Me, &Wanted::get("/api/builds")).await,
            Action::Application => {
                self.plain(kind, As::Application, &Wanted::get("/api/builds"))
                    .await
            }
            Action::InTheNameOf(user) => {
                self.plain(kind, As::InTheNameOf(user), &Wanted::get("/api/builds"))
                    .await
            }
            Action::Build(fields) => self.build(kind, fields).await,
            Action::Tamper => self.tamper(kind).await,
            Action::Replay => self.replay(kind).await,
            Action::Revoke => self.revoke_and_retry(kind).await,
            Action::Disconnect => Ok(self.disconnect(kind)),
        };
        let (mood, story, exchanges) =
            told.unwrap_or_else(|error| (Mood::Wrong, format!("Nothing came back: {error}."), Vec::new()));
        self.journal().add(Event {
            link: kind,
            title: action.title(),
            mood,
            story,
            exchanges,
        })
    }

    async fn plain(&self, kind: LinkKind, caller: As<'_>, wanted: &Wanted) -> Result<Told, CallError> {
        let (exchange, reaction) = self.call(kind, caller, wanted).await?;
        Ok(told(exchange, reaction))
    }

    async fn build(&self, kind: LinkKind, fields: &[(String, String)]) -> Result<Told, CallError> {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.plain(kind, As::Me, &Wanted::post("/api/builds", &pairs))
            .await
    }

    async fn tamper(&self, kind: LinkKind) -> Result<Told, CallError> {
        let mut prepared = self.prepare(kind, As::Me, &Wanted::get("/api/search?q=main"))?;
        "/api/search?q=feature".clone_into(&mut prepared.call.target);
        let (exchange, reaction) = self.send(kind, &prepared).await?;
        let (mood, story, exchanges) = told(exchange, reaction);
        let story = format!("Signed for ?q=main, sent with ?q=feature. {story}");
        Ok((mood, story, exchanges))
    }

    async fn replay(&self, kind: LinkKind) -> Result<Told, CallError> {
        let prepared = self.prepare(kind, As::Me, &Wanted::get("/api/me"))?;
        let (first, _) = self.send(kind, &prepared).await?;
        let (second, reaction) = self.send(kind, &prepared).await?;
        let (mood, story, second) = told(second, reaction);
        let story = format!(
            "The first time: {}. The second time: {story}",
            first.status.as_u16()
        );
        Ok((mood, story, std::iter::once(first).chain(second).collect()))
    }

    async fn revoke_and_retry(&self, kind: LinkKind) -> Result<Told, CallError> {
        let access = self.link(kind).access().ok_or(CallError::NotConnected)?;
        match self.operator().revoke(&access.token).await {
            Ok(true) => {}
            Ok(false) => {
                return Ok((
                    Mood::Wrong,
                    "linkgate knows no such token.".to_owned(),
                    Vec::new(),
                ));
            }
            Err(error) => return Ok((Mood::Wrong, format!("Not revoked: {error}."), Vec::new())),
        }
        let (exchange, reaction) = self.until_refused(kind).await?;
        Ok(told(exchange, reaction))
    }

    /// Calls until it is refused: linkgate promises that a revocation is felt within a second.
    pub async fn until_refused(&self, kind: LinkKind) -> Result<(Exchange, Reaction), CallError> {
        let mut last = self.call(kind, As::Me, &Wanted::get("/api/me")).await?;
        for _ in 0..REVOCATION_TRIES {
            if last.1 != Reaction::Succeeded {
                break;
            }
            tokio::time::sleep(REVOCATION_PAUSE).await;
            last = self.call(kind, As::Me, &Wanted::get("/api/me")).await?;
        }
        Ok(last)
    }

    fn disconnect(&self, kind: LinkKind) -> Told {
        if let Some(access) = self.link(kind).access() {
            self.link(kind).drop_access(&access.token);
        }
        let story = "Bitbucket has forgotten its token; at linkgate it lives on until it is revoked.";
        (Mood::Lost, story.to_owned(), Vec::new())
    }
}

fn told(exchange: Exchange, reaction: Reaction) -> Told {
    let refusal = Refusal::read(&exchange);
    let problem = refusal.as_ref().map(Refusal::problem).unwrap_or_default();
    let (mood, story) = match reaction {
        Reaction::Succeeded => (Mood::Done, exchange.answered_for()),
        Reaction::DropToken => (
            Mood::Lost,
            format!("Refused with {problem}: Bitbucket drops its token and asks you to connect again."),
        ),
        Reaction::WarnOfClock => (Mood::Wrong, "The clocks disagree; the token stays.".to_owned()),
        Reaction::KeepToken if problem.is_empty() => (
            Mood::Wrong,
            "It failed, and nobody said why in OAuth's words; the token stays.".to_owned(),
        ),
        Reaction::KeepToken => (Mood::Refused, format!("Refused with {problem}; the token stays.")),
    };
    (mood, story, vec![exchange])
}

const REVOCATION_PAUSE: Duration = Duration::from_millis(200);
const REVOCATION_TRIES: usize = 5;
