//! Deutsch

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
    lang: "de",
    notices: NOTICES,
    admin: ADMIN,
    signing_in: SIGNING_IN,
    dates: Dates {
        moment: "{day}. {month} {year}, {hour}:{minute}\u{a0}Uhr\u{a0}UTC",
        months: [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
    },
    outgoing: Outgoing {
        title: "Wo die Anwendung in Ihrem Namen handelt",
        lead: "{application} kann diese in Ihrem Namen nutzen, sobald Sie sie verbinden.",
        host: "Adresse",
        connect: "Verbinden",
        disconnect: "Trennen",
        disconnect_meaning: "{application} kann {link} dann nicht mehr in Ihrem Namen nutzen, bis Sie sich erneut verbinden. Damit auch {link} den Zugriff vergisst, widerrufen Sie ihn dort.",
    },
    connections: Connections {
        title: "Verbundene Anwendungen",
        lead: "Diese Anwendungen können in Ihrem Namen auf {application} zugreifen, bis der Zugriff abläuft oder Sie ihn \
               widerrufen.",
        none: "Es ist nichts verbunden.",
        none_next: "Um eine Anwendung zu verbinden, beginnen Sie dort: Sie werden dann zu {application} geleitet und um \
                    Ihre Erlaubnis gebeten.",
        host: "Rückkehr zu",
        connected: "Verbunden",
        last_used: "Zuletzt verwendet",
        never: "Nie",
        from: "von {address}",
        expires: "Läuft ab",
        revoke: "Widerrufen",
        revoke_meaning: "Danach kann {consumer} nicht mehr in Ihrem Namen auf {application} zugreifen und muss Sie erneut \
                         um Erlaubnis bitten.",
        revoke_confirm: "Zugriff widerrufen",
        revoke_all: "Alle widerrufen",
        revoke_all_meaning: "Danach kann keine Anwendung mehr in Ihrem Namen auf {application} zugreifen. Jede muss Sie \
                             erneut um Erlaubnis bitten.",
        revoke_all_confirm: "Alle Zugriffe widerrufen",
        revoked: "Der Zugriff wurde widerrufen.",
        signed_in_as: "Angemeldet als {user}",
    },
    reference: "Referenz",
    again: "Seite erneut öffnen",
    sign_out: "Abmelden",
    seconds: Plural {
        one: "{count} Sekunde",
        other: "{count} Sekunden",
    },
    minutes: Plural {
        one: "{count} Minute",
        other: "{count} Minuten",
    },
    approve: Approve {
        title: "{consumer} zulassen?",
        heading: "Darf {consumer} als {user} auf {application} zugreifen?",
        account: "Ihr Konto",
        through_password: "mit Passwort angemeldet",
        through_application: "über {application} angemeldet",
        through_provider: "über Ihren Anmeldedienst angemeldet",
        not_you: "Sind Sie das nicht?",
        another_account: "Anderes Konto verwenden",
        abilities: "{consumer} kann dann:",
        ability: [
            "mit Ihren Berechtigungen in {application} handeln",
            "alles lesen und ändern, was auch Sie lesen und ändern können",
            "diesen Zugriff behalten, bis Sie ihn widerrufen",
        ],
        password: "{consumer} erfährt Ihr Passwort nicht.",
        returns: "Danach gelangen Sie zurück zu {host}.",
        returns_with_code: "Danach erhalten Sie einen Code, den Sie in {consumer} eingeben.",
        deny: "Verweigern",
        allow: "Zulassen",
    },
    verifier: Verifier {
        title: "Ihr Code",
        heading: "Geben Sie diesen Code in {consumer} ein",
        next: "Sie haben {consumer} erlaubt, in Ihrem Namen auf {application} zuzugreifen. Geben Sie den Code dort ein, \
               um den Vorgang abzuschließen.",
        label: "Code",
        once: "Er wird nur jetzt angezeigt und gilt nur einmal. Geben Sie ihn an niemanden weiter. Schließen Sie diese \
               Seite, sobald Sie ihn eingegeben haben.",
    },
    login: Login {
        title: "Anmelden",
        heading: "Bei {application} anmelden",
        why: "{consumer} möchte in Ihrem Namen auf {application} zugreifen. Nach der Anmeldung können Sie darüber \
              entscheiden.",
        name: "Benutzername",
        password: "Passwort",
        submit: "Anmelden",
        wrong: "Benutzername oder Passwort ist falsch.",
        fresh: "Melden Sie sich zu Ihrer Sicherheit noch einmal an, bevor Sie entscheiden.",
        consumer_never: "{consumer} erfährt Ihr Passwort nicht.",
    },
};
