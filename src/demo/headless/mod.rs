//! The whole demo without a browser: every step does something and compares what came back.
//!
//! For each link, in this order: `connect` it, make `calls`, make `two_legged` ones, and come to the `endings` of a
//! token; then the application's `own_users`, the other direction (`two_way`), linkgate's pages for its `administrator`, and a
//! `restart` of linkgate. `check` holds what many steps compare, `report` the lines that are printed.

mod administrator;
mod calls;
mod check;
mod connect;
mod endings;
mod own_users;
mod report;
mod restart;
mod two_legged;
mod two_way;

use std::io::{self, Write};

use super::bitbucket::link::LinkKind;
use super::bitbucket::{Bitbucket, link::Link};
use super::browser::Browser;
use super::config;

use report::Report;
pub use report::Summary;

/// Runs all steps against a linkgate that serves, and prints a line for each.
pub async fn run(bitbucket: &Bitbucket, out: &mut (dyn Write + Send)) -> io::Result<Summary> {
    let mut report = Report::new(out);
    for kind in LinkKind::ALL {
        let mut stage = Stage {
            bitbucket,
            kind,
            browser: Browser::default(),
        };
        report.title(&format!("{} ({})", kind.title(), kind.signs_with()));
        let reached = link(&mut stage, &mut report).await;
        report.part(reached);
    }
    report.title("The application's own users");
    let reached = own_users::all(bitbucket, &mut report).await;
    report.part(reached);
    report.title("The other direction: Buildboard reads in Bitbucket");
    let reached = two_way::all(bitbucket, &mut report).await;
    report.part(reached);
    report.title("linkgate's pages for administrators");
    let reached = administrator::all(bitbucket, &mut report).await;
    report.part(reached);
    report.title("Restart of linkgate on the same store");
    let reached = restart::all(bitbucket, &mut report).await;
    report.part(reached);
    report.finish()
}

/// All steps with one link.
async fn link(stage: &mut Stage<'_>, report: &mut Report<'_>) -> Option<()> {
    connect::all(stage, report).await?;
    let called = calls::all(stage, report).await;
    let two_legged = two_legged::all(stage, report).await;
    let ended = endings::all(stage, report).await;
    called.and(two_legged).and(ended)
}

/// One link, and alice at her browser.
struct Stage<'a> {
    bitbucket: &'a Bitbucket,
    kind: LinkKind,
    browser: Browser,
}

impl Stage<'_> {
    fn link(&self) -> &Link {
        self.bitbucket.link(self.kind)
    }

    /// The realm of linkgate's challenges.
    fn realm(&self) -> &str {
        self.bitbucket.linkgate().as_str()
    }

    /// The consumer's name, as linkgate's pages show it.
    fn consumer_name(&self) -> &'static str {
        match self.kind {
            LinkKind::Form => config::FORM_NAME,
            LinkKind::OwnKey => config::OWN_NAME,
        }
    }
}
