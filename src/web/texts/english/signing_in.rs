//! The states of a sign-in that others take part in.

use super::super::{SigningIn, Words};

pub(super) const SIGNING_IN: SigningIn = SigningIn {
    again: "Sign in",
    leave: "Sign out of {application}",
    source_failed: Words {
        title: "Signing in does not work right now",
        reason: "Whoever should say who you are did not answer, or not in a way that can be understood. Nothing was allowed.",
        next: "Try again in a minute. If it stays like this, tell the administrator of {application} the reference below.",
    },
    still_nobody: Words {
        title: "You are not signed in to {application}",
        reason: "You came back from its sign-in page, and {application} still does not know who is at this browser. Nothing was allowed.",
        next: "Sign in to {application} in this browser, then try again here. If you are signed in there, tell its administrator the reference below.",
    },
    not_named: Words {
        title: "Nobody said who you are",
        reason: "The gateway in front of this site signs people in, and your request came without its word. Nothing was allowed.",
        next: "Open the page again under this site's usual address. If it stays like this, tell the administrator of {application} the reference below.",
    },
    trip_unknown: Words {
        title: "This sign-in cannot be finished here",
        reason: "It was begun in another browser, it was finished before, or this browser did not keep its cookie. Nobody was signed in by it.",
        next: "Sign in again. Allow cookies for this site if your browser blocks them.",
    },
    trip_used: Words {
        title: "This sign-in was finished before",
        reason: "Its answer came a second time. Each answer counts once.",
        next: "Go on with the button below. If you did not sign in yourself a moment ago, tell the administrator of {application} the reference.",
    },
    trip_late: Words {
        title: "This sign-in took too long",
        reason: "It must be finished within ten minutes. Nobody was signed in.",
        next: "Sign in again.",
    },
    trip_refused: Words {
        title: "You were not signed in",
        reason: "The login service ended the sign-in without saying who you are. Nothing was allowed.",
        next: "Sign in again. If the login service showed an error, tell its administrator.",
    },
    trip_wrong: Words {
        title: "This answer is not believed",
        reason: "What came back from the sign-in is not what was asked for, not signed as agreed, or too old. Nobody was signed in.",
        next: "Sign in again. If it stays like this, tell the administrator of {application} the reference below.",
    },
    another_account: Words {
        title: "To change the account, sign out of {application}",
        reason: "You are signed in here with the account that you use in {application}. Nothing was allowed.",
        next: "Sign out of {application}, and come back: you can then sign in with another account.",
    },
    pause: Words {
        title: "Sign in to go on",
        reason: "You are not signed in here at the moment. Nothing was allowed.",
        next: "Go on to the sign-in page. You come back here afterwards.",
    },
};
