//! English.

mod admin;
mod notices;
mod signing_in;

use super::catalogue::{Approve, Connections, Dates, Login, Outgoing, Verifier};
use super::{Plural, Texts};

use admin::ADMIN;
use notices::NOTICES;
use signing_in::SIGNING_IN;

/// The catalogue.
pub(super) static TEXTS: Texts = Texts {
    lang: "en",
    notices: NOTICES,
    admin: ADMIN,
    signing_in: SIGNING_IN,
    dates: Dates {
        moment: "{day} {month} {year}, {hour}:{minute}\u{a0}UTC",
        months: [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
    },
    outgoing: Outgoing {
        title: "Where the application acts as you",
        lead: "{application} can use these as you, once you connect them.",
        host: "Address",
        connect: "Connect",
        disconnect: "Disconnect",
        disconnect_meaning: "{application} can then not use {link} as you any more, until you connect it again. To make {link} forget it too, revoke it there.",
    },
    connections: Connections {
        title: "Connected applications",
        lead: "These applications can use {application} as you, each until it expires or you revoke it.",
        none: "Nothing is connected.",
        none_next: "To connect an application, start there: it sends you to {application} and asks for your permission.",
        host: "Returns to",
        connected: "Connected",
        last_used: "Last used",
        never: "Never",
        from: "from {address}",
        expires: "Expires",
        revoke: "Revoke",
        revoke_meaning: "{consumer} can then not use {application} as you any more. It has to ask you again.",
        revoke_confirm: "Revoke access",
        revoke_all: "Revoke all",
        revoke_all_meaning: "Then no application can use {application} as you any more. Each has to ask you again.",
        revoke_all_confirm: "Revoke all access",
        revoked: "Access was revoked.",
        signed_in_as: "Signed in as {user}",
    },
    reference: "Reference",
    again: "Open the page again",
    sign_out: "Sign out",
    seconds: Plural {
        one: "{count} second",
        other: "{count} seconds",
    },
    minutes: Plural {
        one: "{count} minute",
        other: "{count} minutes",
    },
    approve: Approve {
        title: "Allow {consumer}?",
        heading: "Allow {consumer} to use {application} as {user}?",
        account: "Your account",
        through_password: "signed in with a password",
        through_application: "signed in through {application}",
        through_provider: "signed in through your login service",
        not_you: "Not you?",
        another_account: "Use another account",
        abilities: "{consumer} will be able to:",
        ability: [
            "act in {application} with your permissions",
            "read and change whatever you can",
            "keep this access until you revoke it",
        ],
        password: "{consumer} never sees your password.",
        returns: "You will return to {host}.",
        returns_with_code: "You will get a code to enter in {consumer}.",
        deny: "Deny",
        allow: "Allow",
    },
    verifier: Verifier {
        title: "Your code",
        heading: "Give this code to {consumer}",
        next: "You allowed {consumer} to use {application} as you. Enter the code there to finish.",
        label: "Code",
        once: "It is shown only now and works once. Do not give it to anyone else. When you have entered it, \
               close this page.",
    },
    login: Login {
        title: "Sign in",
        heading: "Sign in to {application}",
        why: "{consumer} asks to use {application} as you. You can decide after signing in.",
        name: "User name",
        password: "Password",
        submit: "Sign in",
        wrong: "User name or password is wrong.",
        fresh: "For your safety, sign in once more before you decide.",
        consumer_never: "{consumer} never sees your password.",
    },
};
