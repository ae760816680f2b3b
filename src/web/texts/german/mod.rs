//! Deutsch

mod notices;

use super::catalogue::{Approve, Login, Verifier};
use super::{Plural, Texts};

use notices::NOTICES;

/// The catalogue.
pub(super) static TEXTS: Texts = Texts {
    lang: "de",
    notices: NOTICES,
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
        not_you: "Sind Sie das nicht?",
        another_account: "Anderes Konto verwenden",
        abilities: "{consumer} kann dann:",
        ability: [
            "mit Ihren Berechtigungen in {application} handeln",
            "alles lesen und ändern, was auch Sie lesen und ändern können",
            "diesen Zugriff behalten, bis er widerrufen wird",
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
        consumer_never: "{consumer} erfährt Ihr Passwort nicht.",
    },
};
