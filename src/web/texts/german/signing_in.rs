//! The states of a sign-in that others take part in.

use super::super::{SigningIn, Words};

pub(super) const SIGNING_IN: SigningIn = SigningIn {
    again: "Anmelden",
    leave: "Von {application} abmelden",
    source_failed: Words {
        title: "Die Anmeldung funktioniert gerade nicht",
        reason: "Die Stelle, die sagen soll, wer Sie sind, hat nicht oder nicht verständlich geantwortet. Es wurde nichts erlaubt.",
        next: "Versuchen Sie es in einer Minute noch einmal. Wenn es so bleibt, nennen Sie dem Administrator von {application} die Kennung unten.",
    },
    still_nobody: Words {
        title: "Sie sind nicht bei {application} angemeldet",
        reason: "Sie kommen von der Anmeldeseite zurück, und {application} weiß immer noch nicht, wer an diesem Browser ist. Es wurde nichts erlaubt.",
        next: "Melden Sie sich in diesem Browser bei {application} an, und versuchen Sie es dann noch einmal. Wenn Sie dort angemeldet sind, nennen Sie dem Administrator die Kennung unten.",
    },
    not_named: Words {
        title: "Niemand hat gesagt, wer Sie sind",
        reason: "Das Gateway vor dieser Website meldet Personen an, und Ihre Anfrage kam ohne seine Angabe. Es wurde nichts erlaubt.",
        next: "Öffnen Sie die Seite unter der üblichen Adresse dieser Website. Wenn es so bleibt, nennen Sie dem Administrator von {application} die Kennung unten.",
    },
    trip_unknown: Words {
        title: "Diese Anmeldung kann hier nicht beendet werden",
        reason: "Sie wurde in einem anderen Browser begonnen, war schon beendet, oder dieser Browser hat das Cookie nicht behalten. Durch sie wurde niemand angemeldet.",
        next: "Melden Sie sich noch einmal an. Erlauben Sie Cookies für diese Website, falls Ihr Browser sie blockiert.",
    },
    trip_used: Words {
        title: "Diese Anmeldung ist schon beendet",
        reason: "Ihre Antwort kam ein zweites Mal. Jede Antwort zählt nur einmal.",
        next: "Mit der Schaltfläche unten geht es weiter. Wenn Sie sich nicht gerade selbst angemeldet haben, nennen Sie dem Administrator von {application} die Kennung.",
    },
    trip_late: Words {
        title: "Diese Anmeldung hat zu lange gedauert",
        reason: "Sie muss innerhalb von zehn Minuten beendet werden. Es wurde niemand angemeldet.",
        next: "Melden Sie sich noch einmal an.",
    },
    trip_refused: Words {
        title: "Sie wurden nicht angemeldet",
        reason: "Der Anmeldedienst hat die Anmeldung beendet, ohne zu sagen, wer Sie sind. Es wurde nichts erlaubt.",
        next: "Melden Sie sich noch einmal an. Wenn der Anmeldedienst einen Fehler gezeigt hat, wenden Sie sich an dessen Administrator.",
    },
    trip_wrong: Words {
        title: "Dieser Antwort wird nicht geglaubt",
        reason: "Was von der Anmeldung zurückkam, gehört nicht zur Anfrage, ist nicht wie vereinbart signiert oder zu alt. Es wurde niemand angemeldet.",
        next: "Melden Sie sich noch einmal an. Wenn es so bleibt, nennen Sie dem Administrator von {application} die Kennung unten.",
    },
    another_account: Words {
        title: "Melden Sie sich zuerst von {application} ab",
        reason: "Sie sind hier mit dem Konto angemeldet, das Sie in {application} verwenden. Es wurde nichts erlaubt.",
        next: "Melden Sie sich von {application} ab, und kommen Sie wieder: Dann können Sie sich mit einem anderen Konto anmelden.",
    },
    pause: Words {
        title: "Melden Sie sich an",
        reason: "Sie sind hier zurzeit nicht angemeldet. Es wurde nichts erlaubt.",
        next: "Weiter zur Anmeldeseite. Danach kommen Sie hierher zurück.",
    },
};
