//! What must outlive a restart: the nonces, and the tokens.

use crate::demo::bitbucket::Bitbucket;
use crate::demo::bitbucket::calls::{As, Prepared, Wanted};
use crate::demo::bitbucket::link::LinkKind;

use super::check::{answered_for, json, refused};
use super::report::{Mismatch, Outcome, Passed, Report};

/// Makes a call on each link, restarts linkgate, and makes the same call and a new one.
pub(super) async fn all(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    let mut before = Vec::new();
    for kind in LinkKind::ALL {
        let sent = report.step(
            kind.title(),
            "200 before the restart",
            fresh(bitbucket, kind).await,
        )?;
        before.push((kind, sent));
    }
    report.step(
        "restart",
        "linkgate stops, and starts on the same store",
        restart(bitbucket).await,
    )?;
    for (kind, sent) in before {
        let name = format!("{}, replay", kind.title());
        report.step(
            &name,
            "401 nonce_used for the bytes of before",
            replayed(bitbucket, kind, &sent).await,
        );
        let name = format!("{}, new call", kind.title());
        report.step(&name, "200 with the same token", fresh(bitbucket, kind).await);
    }
    Some(())
}

async fn fresh(bitbucket: &Bitbucket, kind: LinkKind) -> Outcome<Prepared> {
    let prepared = bitbucket.prepare(kind, As::Me, &Wanted::get("/api/me"))?;
    let (exchange, _) = bitbucket.send(kind, &prepared).await?;
    answered_for(
        &json(&exchange, 200)?,
        Some("bob"),
        bitbucket.link(kind).signer.consumer_key.as_str(),
    )?;
    Ok(Passed::new("200", prepared))
}

async fn restart(bitbucket: &Bitbucket) -> Outcome {
    bitbucket.operator().restart().await?;
    Ok(Passed::new("done", ()))
}

async fn replayed(bitbucket: &Bitbucket, kind: LinkKind, sent: &Prepared) -> Outcome {
    let (exchange, _) = bitbucket.send(kind, sent).await?;
    let got = refused(bitbucket.linkgate().as_str(), &exchange, 401, "nonce_used")?;
    if bitbucket.link(kind).access().is_none() {
        return Err(Mismatch::new("Bitbucket dropped its token"));
    }
    Ok(Passed::new(got, ()))
}
