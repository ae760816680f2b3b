//! The application's own users, who come without OAuth by the same address: linkgate lets them pass, and names nobody.

use http::Method;

use crate::demo::bitbucket::Bitbucket;
use crate::demo::browser::{Browser, Page};
use crate::demo::wire::Call;

use super::check::{equal, holds, short};
use super::report::{Outcome, Passed, Report};

/// Opens the application without a session, with one of its own, and presses its button.
pub(super) async fn all(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    report.step(
        "nobody",
        "200; a Remote-User from outside counts nothing",
        nobody(bitbucket).await,
    );
    let mut browser = Browser::default();
    let page = report.step(
        "own session",
        "200 and alice's builds; the cookie passed linkgate",
        own_session(bitbucket, &mut browser).await,
    )?;
    report.step(
        "own build button",
        "200; the new build stands on the page",
        own_build(&mut browser, &page).await,
    )
}

async fn nobody(bitbucket: &Bitbucket) -> Outcome {
    let call = Call {
        method: Method::GET,
        authority: bitbucket.linkgate().authority().to_owned(),
        target: "/".to_owned(),
        headers: vec![("remote-user", "alice".to_owned())],
        body: String::new(),
        base_string: None,
    };
    let exchange = call.send().await?;
    equal("answer", &short(&exchange), &"200")?;
    holds(
        "the page says that nobody is here",
        exchange.body.contains("Nobody is here"),
    )?;
    Ok(Passed::new(short(&exchange), ()))
}

async fn own_session(bitbucket: &Bitbucket, browser: &mut Browser) -> Outcome<Page> {
    let page = browser
        .open(&format!("{}/", bitbucket.linkgate().as_str()), None)
        .await?;
    let page = browser
        .submit(&page, &[("user", "alice")], Some("user"), None)
        .await?;
    equal("status", &page.status().as_u16(), &200)?;
    holds(
        "the page shows alice's builds",
        page.text().contains("Builds of alice"),
    )?;
    Ok(Passed::new(page.status().as_u16().to_string(), page))
}

async fn own_build(browser: &mut Browser, page: &Page) -> Outcome {
    let note = "Täglich & nächtlich 🌙";
    let fields = [("project", "observatory"), ("note", note)];
    let page = browser.submit(page, &fields, None, None).await?;
    equal("status", &page.status().as_u16(), &200)?;
    holds("the page shows the build", page.text().contains(note))?;
    Ok(Passed::new(page.status().as_u16().to_string(), ()))
}
