//! Every state that is not a question, each with the status that a program learns.

use std::time::Duration;

use super::super::*;
use super::{BITBUCKET, sign_out};

pub(super) fn notices() -> Vec<(Notice, u16)> {
    let links = LinkTrouble::ALL.into_iter().zip([404, 410, 200, 502, 503, 403]);
    let links = links.map(|(trouble, status)| (link(trouble), status));
    plain_notices().into_iter().chain(links).collect()
}

fn link(trouble: LinkTrouble) -> Notice {
    Notice::Link {
        trouble,
        link: BITBUCKET.to_owned(),
        why: "It says <no>.".to_owned(),
        again: Some("/oauth/links/bitbucket/connect".to_owned()),
    }
}

fn plain_notices() -> Vec<(Notice, u16)> {
    let consumer = || BITBUCKET.to_owned();
    let user = || "Bob Example".to_owned();
    let again = || "/oauth/authorize?oauth_token=TOKEN".to_owned();
    vec![
        (Notice::MissingToken, 400),
        (Notice::Unknown, 404),
        (Notice::AccessToken, 400),
        (Notice::Expired, 410),
        (Notice::Used, 410),
        (Notice::Answered { consumer: consumer() }, 409),
        (Notice::CodeShown { consumer: consumer() }, 409),
        (Notice::Denied { consumer: consumer() }, 200),
        (Notice::ConsumerDisabled { consumer: consumer() }, 403),
        (
            Notice::UserChanged {
                user: user(),
                again: again(),
            },
            409,
        ),
        (Notice::FormOutdated { again: again() }, 403),
        (Notice::NoCookie { again: again() }, 403),
        (Notice::CrossSite, 403),
        (Notice::BadForm, 400),
        (Notice::FormTooLarge, 413),
        (Notice::NotByLink { again: Some(again()) }, 405),
        (Notice::MethodNotAllowed, 405),
        (
            Notice::TooMany {
                wait: Duration::from_secs(42),
                again: again(),
            },
            429,
        ),
        (
            Notice::LoginUnavailable("too many passwords are being checked".to_owned()),
            503,
        ),
        (
            Notice::StoreDown(crate::provider::StoreError::Database(sqlx::Error::PoolTimedOut)),
            503,
        ),
        (Notice::SignedOut, 200),
    ]
    .into_iter()
    .chain(of_sessions())
    .chain(signing_in().map(|(state, status)| (state.into(), status)))
    .collect()
}

fn of_sessions() -> [(Notice, u16); 2] {
    let user = || "Bob Example".to_owned();
    [
        (
            Notice::NotAdmin {
                user: user(),
                sign_out: sign_out(),
            },
            403,
        ),
        (
            Notice::SignedIn {
                user: user(),
                sign_out: sign_out(),
            },
            200,
        ),
    ]
}

fn signing_in() -> [(SigningIn, u16); 10] {
    let again = || "/oauth/login".to_owned();
    let why = || "for the log".to_owned();
    let (source, named, wrong) = (why(), why(), why());
    [
        (
            SigningIn::SourceFailed {
                why: source,
                again: again(),
            },
            503,
        ),
        (SigningIn::StillNobody { again: again() }, 403),
        (
            SigningIn::NotNamed {
                why: named,
                again: again(),
            },
            403,
        ),
        (SigningIn::TripUnknown { again: again() }, 403),
        (SigningIn::TripUsed { again: again() }, 409),
        (SigningIn::TripLate { again: again() }, 410),
        (
            SigningIn::TripRefused {
                said: "access_denied".to_owned(),
                again: again(),
            },
            403,
        ),
        (
            SigningIn::TripWrong {
                why: wrong,
                again: again(),
            },
            403,
        ),
        (
            SigningIn::AnotherAccount {
                leave: Some("/logout?a=1&b=\"2\"".to_owned()),
                again: again(),
            },
            200,
        ),
        (SigningIn::Pause { again: again() }, 200),
    ]
}
