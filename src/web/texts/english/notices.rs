//! Every state that is not a question.

use super::super::Words;
use super::super::catalogue::Notices;

pub(super) const NOTICES: Notices = Notices {
    missing_token: Words {
        title: "This link is incomplete",
        reason: "Its address names no request (oauth_token is missing or stands twice), so there is nothing to decide.",
        next: "Start again from the application that sent you here.",
    },
    unknown: Words {
        title: "This request is not known",
        reason: "No request for access belongs to this address. It may have been cut off, or the request is long past.",
        next: "Start again from the application that sent you here.",
    },
    access_token: Words {
        title: "This is not a request for access",
        reason: "The address names an access token: a permission that was given before. Nothing was changed.",
        next: "Start again from the application that sent you here. If it brings you back to this page, its \
               administrator needs the reference below.",
    },
    expired: Words {
        title: "This request has expired",
        reason: "A request for access can be answered for a few minutes only. Nothing was allowed.",
        next: "Go back to the application that sent you here, and connect again.",
    },
    used: Words {
        title: "This request is complete",
        reason: "It was approved, and the connection was made.",
        next: "You can close this page. If the connection does not work, start again from the application that \
               sent you here.",
    },
    answered: Words {
        title: "This request was already answered",
        reason: "Another account approved it, or you did before you signed out.",
        next: "If it was you, go back to {consumer}. If not, close this page and start again from {consumer}.",
    },
    code_shown: Words {
        title: "The code was already shown",
        reason: "You allowed {consumer} to use {application} as you. For your safety the code is shown only once.",
        next: "Enter it in {consumer}. If you do not have it any more, start again from {consumer}.",
    },
    denied: Words {
        title: "Access was denied",
        reason: "{consumer} may not use {application} as you. Nothing was shared.",
        next: "You can close this page. To decide otherwise, start again from {consumer}.",
    },
    consumer_disabled: Words {
        title: "{consumer} cannot connect",
        reason: "An administrator has switched off access for {consumer}. Nothing was allowed.",
        next: "Ask the administrator of {application}, and tell them the reference below.",
    },
    user_changed: Words {
        title: "You are now signed in as {user}",
        reason: "The page that you answered was shown to another account. Nothing was allowed.",
        next: "Look at the request again, and decide as {user}.",
    },
    form_outdated: Words {
        title: "This page is out of date",
        reason: "You signed in or out after it was opened, or it was changed on its way. Nothing was done.",
        next: "Open the page again, and decide there.",
    },
    no_cookie: Words {
        title: "Your browser sent no cookie",
        reason: "Signing in needs a cookie of this site, and your browser did not send it back.",
        next: "Open this site under its usual address, allow cookies for it, and open the page again.",
    },
    cross_site: Words {
        title: "This came from another site",
        reason: "Another web site tried to send this form in your name. Nothing was done.",
        next: "You can close this page. If you meant to do it, start again from the application that you use.",
    },
    bad_form: Words {
        title: "This form could not be read",
        reason: "Part of it is missing or stands there twice. Nothing was done.",
        next: "Start again from the application that sent you here.",
    },
    form_too_large: Words {
        title: "This form is too large",
        reason: "It is longer than any form of this site. Nothing was done.",
        next: "Start again from the application that sent you here.",
    },
    not_by_link: Words {
        title: "A link cannot decide",
        reason: "Access is allowed or denied with the buttons of the page, never through its address. Nothing was \
                 decided.",
        next: "Open the page, and decide there.",
    },
    method_not_allowed: Words {
        title: "This page cannot be used that way",
        reason: "The request's method is none that this address understands. Nothing was done.",
        next: "Start again from the application that sent you here.",
    },
    too_many: Words {
        title: "Too many attempts",
        reason: "There were too many attempts to sign in with this user name or from your network.",
        next: "Wait {wait}, then try again.",
    },
    login_unavailable: Words {
        title: "Signing in does not work right now",
        reason: "Your user name and password could not be checked. Nothing was allowed.",
        next: "Try again in a minute. If it stays like this, tell the administrator of {application} the reference \
               below.",
    },
    store_down: Words {
        title: "This service is not available right now",
        reason: "Its database does not answer, so no decision can be taken or kept.",
        next: "Try again in a minute. If it stays like this, tell the administrator of {application} the reference \
               below.",
    },
    signed_out: Words {
        title: "You are signed out",
        reason: "Nobody can allow anything from this browser until you sign in again.",
        next: "You can close this page.",
    },
    signed_in: Words {
        title: "You are signed in as {user}",
        reason: "Applications that ask to use {application} as you will show you a page first.",
        next: "You can close this page.",
    },
    not_admin: Words {
        title: "This page is for administrators",
        reason: "You are signed in as {user}, who is not among the administrators of linkgate.",
        next: "Whoever runs linkgate can name you: the user names of administrators stand as subjects in the section [admin] \
               of its configuration. Or sign out, and come back with another account.",
    },
    link_unknown: Words {
        title: "There is no such link",
        reason: "No other application is linked under this name, or the link was removed.",
        next: "Go back to {application}, and start from there.",
    },
    link_lost: Words {
        title: "This connection was not finished",
        reason: "It was begun by somebody else, it is finished already, or it took too long. What was connected before still is.",
        next: "Connect {link} again.",
    },
    link_denied: Words {
        title: "{link} stays as it was",
        reason: "You said no at {link}, or it does not let you. Nothing was connected by this.",
        next: "If you want to connect it after all, start again.",
    },
    link_refused: Words {
        title: "{link} refuses {application}",
        reason: "It says: {why} What was connected before still is.",
        next: "Tell the administrator of {application} the reference below.",
    },
    link_silent: Words {
        title: "{link} does not answer",
        reason: "{why} What was connected before still is.",
        next: "Try again in a minute.",
    },
    link_no_way_back: Words {
        title: "There is no such way back",
        reason: "The address leads to a place that {application} is not linked with, or part of it is missing. Nobody was sent there.",
        next: "Register the other side first, `linkgate link add --outgoing`, and create the link again.",
    },
};
