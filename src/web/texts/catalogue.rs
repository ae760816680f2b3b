//! What a language has to say.

/// Declares structures whose every field is a text, or holds texts; tests walk over them.
macro_rules! texts {
    ($(
        $(#[doc = $about:literal])+
        struct $name:ident {
            $($(#[doc = $why:literal])* $field:ident: $kind:ty,)+
        }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(in crate::web) struct $name {
            $($(#[doc = $why])* pub(in crate::web) $field: $kind,)+
        }

        #[cfg(test)]
        impl Entries for $name {
            fn entries(&self, at: &str, found: &mut Vec<(String, &'static str)>) {
                $(self.$field.entries(&format!("{at}{}.", stringify!($field)), found);)+
            }
        }
    )+};
}

texts! {
    /// The texts of one language.
    struct Texts {
        /// The language, for the `lang` attribute.
        lang: &'static str,
        /// The approval page.
        approve: Approve,
        /// The page with the code, for a consumer without a callback.
        verifier: Verifier,
        /// The login page.
        login: Login,
        /// Every other state.
        notices: Notices,
        /// The states of a sign-in that others take part in.
        signing_in: SigningIn,
        /// What a user has connected.
        connections: Connections,
        /// The pages for administrators.
        admin: Admin,
        /// The other direction on that page.
        outgoing: Outgoing,
        /// How a moment is written.
        dates: Dates,
        /// What stands before the number that finds a page's line in the log.
        reference: &'static str,
        /// The name of the link back to what was refused.
        again: &'static str,
        /// The button that ends a session.
        sign_out: &'static str,
        /// A time to wait, short.
        seconds: Plural,
        /// A time to wait, longer.
        minutes: Plural,
    }

    /// The approval page.
    struct Approve {
        title: &'static str,
        heading: &'static str,
        account: &'static str,
        through_password: &'static str,
        through_application: &'static str,
        /// An identity provider, or a proxy in front.
        through_provider: &'static str,
        not_you: &'static str,
        another_account: &'static str,
        abilities: &'static str,
        ability: [&'static str; 3],
        password: &'static str,
        returns: &'static str,
        returns_with_code: &'static str,
        deny: &'static str,
        allow: &'static str,
    }

    /// The page with the code.
    struct Verifier {
        title: &'static str,
        heading: &'static str,
        next: &'static str,
        label: &'static str,
        once: &'static str,
    }

    /// The login page.
    struct Login {
        title: &'static str,
        heading: &'static str,
        why: &'static str,
        name: &'static str,
        password: &'static str,
        submit: &'static str,
        wrong: &'static str,
        fresh: &'static str,
        consumer_never: &'static str,
    }

    /// The other direction: where the application acts as the user.
    struct Outgoing {
        title: &'static str,
        lead: &'static str,
        host: &'static str,
        connect: &'static str,
        disconnect: &'static str,
        disconnect_meaning: &'static str,
    }

    /// What happened, why, and what to do next.
    struct Words {
        title: &'static str,
        reason: &'static str,
        next: &'static str,
    }

    /// One entry for each state of `Notice`.
    struct Notices {
        missing_token: Words,
        unknown: Words,
        access_token: Words,
        expired: Words,
        used: Words,
        answered: Words,
        code_shown: Words,
        denied: Words,
        consumer_disabled: Words,
        user_changed: Words,
        form_outdated: Words,
        no_cookie: Words,
        cross_site: Words,
        bad_form: Words,
        form_too_large: Words,
        not_by_link: Words,
        method_not_allowed: Words,
        too_many: Words,
        login_unavailable: Words,
        store_down: Words,
        signed_out: Words,
        signed_in: Words,
        not_admin: Words,
        link_unknown: Words,
        link_lost: Words,
        link_denied: Words,
        link_refused: Words,
        link_silent: Words,
        link_no_way_back: Words,
    }

    /// The states of a sign-in that the application, a proxy or an identity provider takes part in.
    struct SigningIn {
        /// The name of the link to the login page.
        again: &'static str,
        /// The name of the link that signs out of the application.
        leave: &'static str,
        source_failed: Words,
        still_nobody: Words,
        not_named: Words,
        trip_unknown: Words,
        trip_used: Words,
        trip_late: Words,
        trip_refused: Words,
        trip_wrong: Words,
        another_account: Words,
        pause: Words,
    }

    /// What a user has connected.
    struct Connections {
        title: &'static str,
        lead: &'static str,
        none: &'static str,
        none_next: &'static str,
        host: &'static str,
        connected: &'static str,
        last_used: &'static str,
        never: &'static str,
        from: &'static str,
        expires: &'static str,
        revoke: &'static str,
        revoke_meaning: &'static str,
        revoke_confirm: &'static str,
        revoke_all: &'static str,
        revoke_all_meaning: &'static str,
        revoke_all_confirm: &'static str,
        revoked: &'static str,
        /// Above the form that signs out.
        signed_in_as: &'static str,
    }

    /// The pages for administrators.
    struct Admin {
        /// Names the navigation.
        title: &'static str,
        links: Links,
        other_sides: OtherSides,
        tokens: Tokens,
        refusals: Refusals,
    }

    /// What to enter in Bitbucket.
    struct Links {
        title: &'static str,
        lead: &'static str,
        none: &'static str,
        none_next: &'static str,
        steps_title: &'static str,
        steps: [&'static str; 3],
        form_title: &'static str,
        copy: &'static str,
        copied: &'static str,
        unchecked: &'static str,
        secret_in_file: &'static str,
        secret_in_entry: &'static str,
        secret_by_command: &'static str,
        own_key: &'static str,
        key_size: &'static str,
        settings_title: &'static str,
        methods: &'static str,
        callbacks: &'static str,
        two_legged: &'static str,
        impersonation: &'static str,
        yes: &'static str,
        yes_as: &'static str,
        no: &'static str,
        shows_title: &'static str,
        shows: [&'static str; 3],
        off: &'static str,
        warning: &'static str,
        warn_path: &'static str,
        warn_http: &'static str,
        warn_key: &'static str,
        warn_no_callbacks: &'static str,
        warn_off: &'static str,
        warn_clock: &'static str,
        clock: &'static str,
    }

    /// The other direction, in which the application calls others.
    struct OtherSides {
        title: &'static str,
        lead: &'static str,
        key: &'static str,
        reached: &'static str,
        success: &'static str,
        clock: &'static str,
        seconds: &'static str,
        problem: &'static str,
        never: &'static str,
    }

    /// Every access token.
    struct Tokens {
        title: &'static str,
        lead: &'static str,
        none: &'static str,
        user: &'static str,
        consumer: &'static str,
        every_consumer: &'static str,
        search: &'static str,
        state: &'static str,
        live: &'static str,
        renewable: &'static str,
        expired: &'static str,
        revoked: &'static str,
        revoke_meaning: &'static str,
        pages: &'static str,
        previous: &'static str,
        next: &'static str,
    }

    /// What was refused lately.
    struct Refusals {
        title: &'static str,
        lead: &'static str,
        memory: &'static str,
        none: &'static str,
        request: &'static str,
        from: &'static str,
        at: &'static str,
        unregistered: &'static str,
        nobody: &'static str,
        times: Plural,
    }

    /// How a moment is written.
    struct Dates {
        /// With `{year}`, `{month}`, `{day}`, `{hour}` and `{minute}`.
        moment: &'static str,
        /// From January.
        months: [&'static str; 12],
    }

    /// A text with a number in it, `{count}`.
    struct Plural {
        /// For one.
        one: &'static str,
        /// For every other number.
        other: &'static str,
    }
}

impl Plural {
    /// The text for a number.
    pub(in crate::web) fn of(&self, count: u64) -> String {
        let text = if count == 1 { self.one } else { self.other };
        text.replace("{count}", &count.to_string())
    }
}

/// A part of the catalogue that can list what it says.
#[cfg(test)]
pub(super) trait Entries {
    fn entries(&self, at: &str, found: &mut Vec<(String, &'static str)>);
}

#[cfg(test)]
impl Entries for &'static str {
    fn entries(&self, at: &str, found: &mut Vec<(String, &'static str)>) {
        found.push((at.trim_end_matches('.').to_owned(), self));
    }
}

#[cfg(test)]
impl<const N: usize> Entries for [&'static str; N] {
    fn entries(&self, at: &str, found: &mut Vec<(String, &'static str)>) {
        for text in self {
            text.entries(at, found);
        }
    }
}
