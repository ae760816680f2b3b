//! The pages for administrators.

use super::super::catalogue::{Admin, Links, OtherSides, Plural, Refusals, Tokens};

pub(super) const ADMIN: Admin = Admin {
    title: "Administration",
    links: LINKS,
    other_sides: OTHER_SIDES,
    tokens: TOKENS,
    refusals: REFUSALS,
};

const LINKS: Links = Links {
    title: "Links",
    lead: "What to enter in Bitbucket, for each consumer that linkgate knows. Nothing here is secret.",
    none: "No consumer is registered.",
    none_next: "Add a [[consumers]] entry to linkgate's configuration, or run linkgate consumer add.",
    steps_title: "In Bitbucket",
    steps: [
        "Open Administration > Application Links > Create link. From Bitbucket 7.21 on, choose the type “Atlassian \
         product”: “External application” means OAuth 2.",
        "Enter this as the application's URL. If Bitbucket says that it got no response, continue.",
        "Fill in the form with the values of the consumer below.",
    ],
    form_title: "Values for Bitbucket's form",
    copy: "Copy",
    copied: "Copied",
    unchecked: "Leave it unchecked",
    secret_in_file: "The content of the file {file}, without a space or a line break at its end",
    secret_in_entry: "The shared_secret of this consumer's entry in linkgate's configuration",
    secret_by_command: "The secret from the time when this consumer was added with linkgate consumer add",
    own_key: "This consumer signs with its own key, so no secret is entered anywhere. Bitbucket shows its consumer key and \
              public key at /plugins/servlet/oauth/consumer-info: they must be these.",
    key_size: "RSA, {bits} bits, {fingerprint}",
    settings_title: "What linkgate lets it do",
    methods: "Signature methods",
    callbacks: "Allowed callbacks",
    two_legged: "May call as itself",
    impersonation: "May act as any user",
    yes: "Yes",
    yes_as: "Yes, as {user}",
    no: "No",
    shows_title: "What you see in Bitbucket then",
    shows: [
        "The list of application links shows the link under the name that you entered.",
        "Whoever uses it for the first time is asked to connect: a window opens with linkgate's page and closes after the \
         answer.",
        "After that, the connection stands under Tokens.",
    ],
    off: "switched off",
    warning: "Warning",
    warn_path: "public_url has the path {path}. Enter the application's URL as it stands here, without the path: otherwise \
                Bitbucket calls the three URLs without it.",
    warn_http: "public_url begins with http, so whatever is signed can be read on its way. Use https outside a test.",
    warn_key: "A key of {bits} bits is weak. Ask for one of 2048 bits or more.",
    warn_no_callbacks: "No callback is allowed, so users must carry a code by hand. Add the address of Bitbucket to \
                        callbacks.",
    warn_off: "This consumer is switched off: whatever it signs is refused.",
    warn_clock: "Calls of this consumer were refused lately because of its clock. Compare the time there with the time \
                 here.",
    clock: "Time of this server",
};

const OTHER_SIDES: OtherSides = OtherSides {
    title: "The other direction",
    lead: "How the application's own calls went, which linkgate signs.",
    key: "The key that signs (fingerprint)",
    reached: "Last reached",
    success: "Last success",
    clock: "Their clock against ours",
    seconds: "{seconds} s",
    problem: "Last problem",
    never: "not yet",
};

const TOKENS: Tokens = Tokens {
    title: "Tokens",
    lead: "What users have connected. Only they and you can see it.",
    none: "No token matches.",
    user: "User",
    consumer: "Consumer",
    every_consumer: "All consumers",
    search: "Search",
    state: "State",
    live: "valid",
    renewable: "expired, can be renewed",
    expired: "expired",
    revoked: "revoked",
    revoke_meaning: "{consumer} can then not use {application} as {user} any more. It has to ask again.",
    pages: "Pages",
    previous: "Newer",
    next: "Older",
};

const REFUSALS: Refusals = Refusals {
    title: "Recent refusals",
    lead: "Signed requests that were refused, with the reason that the consumer was told. The newest first.",
    memory: "This is what this process refused since {time}, as far as it remembers. Every refusal is in its log, with the \
             same reference.",
    none: "Nothing was refused.",
    request: "Request",
    from: "From",
    at: "Time",
    unregistered: "not registered",
    nobody: "No consumer named",
    times: Plural {
        one: "{count} time",
        other: "{count} times",
    },
};
