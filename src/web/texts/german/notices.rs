//! Every state that is not a question.

use super::super::Words;
use super::super::catalogue::Notices;

pub(super) const NOTICES: Notices = Notices {
    missing_token: Words {
        title: "Dieser Link ist unvollständig",
        reason: "Die Adresse nennt keine Anfrage (oauth_token fehlt oder steht zweimal darin). Es gibt also nichts zu \
                 entscheiden.",
        next: "Beginnen Sie noch einmal in der Anwendung, die Sie hierher geleitet hat.",
    },
    unknown: Words {
        title: "Diese Anfrage ist nicht bekannt",
        reason: "Zu dieser Adresse gibt es keine Zugriffsanfrage. Vielleicht ist die Adresse abgeschnitten, oder die \
                 Anfrage liegt lange zurück.",
        next: "Beginnen Sie noch einmal in der Anwendung, die Sie hierher geleitet hat.",
    },
    access_token: Words {
        title: "Dies ist keine Zugriffsanfrage",
        reason: "Die Adresse nennt ein Zugriffstoken, also eine früher erteilte Erlaubnis. Es wurde nichts geändert.",
        next: "Beginnen Sie noch einmal in der Anwendung, die Sie hierher geleitet hat. Wenn Sie wieder auf dieser Seite \
               landen, nennen Sie deren Administrator die Referenz unten.",
    },
    expired: Words {
        title: "Diese Anfrage ist abgelaufen",
        reason: "Eine Zugriffsanfrage lässt sich nur wenige Minuten lang beantworten. Es wurde nichts zugelassen.",
        next: "Gehen Sie zu der Anwendung zurück, die Sie hierher geleitet hat, und stellen Sie die Verbindung erneut her.",
    },
    used: Words {
        title: "Diese Anfrage ist abgeschlossen",
        reason: "Sie wurde genehmigt, und die Verbindung wurde hergestellt.",
        next: "Sie können diese Seite schließen. Wenn die Verbindung nicht funktioniert, beginnen Sie noch einmal in der \
               Anwendung, die Sie hierher geleitet hat.",
    },
    answered: Words {
        title: "Diese Anfrage wurde bereits beantwortet",
        reason: "Ein anderes Konto hat sie genehmigt, oder Sie selbst, bevor Sie sich abgemeldet haben.",
        next: "Wenn Sie es waren, gehen Sie zurück zu {consumer}. Wenn nicht, schließen Sie diese Seite und beginnen Sie \
               noch einmal in {consumer}.",
    },
    code_shown: Words {
        title: "Der Code wurde bereits angezeigt",
        reason: "Sie haben {consumer} erlaubt, in Ihrem Namen auf {application} zuzugreifen. Zu Ihrer Sicherheit wird der \
                 Code nur einmal angezeigt.",
        next: "Geben Sie ihn in {consumer} ein. Wenn Sie ihn nicht mehr haben, beginnen Sie noch einmal in {consumer}.",
    },
    denied: Words {
        title: "Der Zugriff wurde verweigert",
        reason: "{consumer} darf nicht in Ihrem Namen auf {application} zugreifen. Es wurden keine Daten weitergegeben.",
        next: "Sie können diese Seite schließen. Wenn Sie es sich anders überlegen, beginnen Sie noch einmal in {consumer}.",
    },
    consumer_disabled: Words {
        title: "{consumer} kann keine Verbindung herstellen",
        reason: "Der Zugriff von {consumer} wurde von der Administration abgeschaltet. Es wurde nichts zugelassen.",
        next: "Wenden Sie sich an die Administration von {application}, und nennen Sie die Referenz unten.",
    },
    user_changed: Words {
        title: "Sie sind jetzt als {user} angemeldet",
        reason: "Die Seite, die Sie beantwortet haben, wurde einem anderen Konto angezeigt. Es wurde nichts zugelassen.",
        next: "Sehen Sie sich die Anfrage noch einmal an, und entscheiden Sie als {user}.",
    },
    form_outdated: Words {
        title: "Diese Seite ist nicht mehr aktuell",
        reason: "Sie haben sich an- oder abgemeldet, nachdem die Seite geöffnet wurde, oder sie wurde unterwegs verändert. \
                 Es wurde nichts ausgeführt.",
        next: "Öffnen Sie die Seite erneut, und entscheiden Sie dort.",
    },
    no_cookie: Words {
        title: "Ihr Browser hat kein Cookie gesendet",
        reason: "Für die Anmeldung wird ein Cookie dieser Website benötigt. Ihr Browser hat es nicht zurückgesendet.",
        next: "Öffnen Sie diese Website unter ihrer üblichen Adresse, erlauben Sie ihr Cookies, und öffnen Sie die Seite \
               erneut.",
    },
    cross_site: Words {
        title: "Das kam von einer anderen Website",
        reason: "Eine andere Website hat versucht, dieses Formular in Ihrem Namen zu senden. Es wurde nichts ausgeführt.",
        next: "Sie können diese Seite schließen. Falls Sie es selbst wollten, beginnen Sie noch einmal in der Anwendung, \
               die Sie verwenden.",
    },
    bad_form: Words {
        title: "Dieses Formular konnte nicht gelesen werden",
        reason: "Ein Teil davon fehlt oder ist doppelt vorhanden. Es wurde nichts ausgeführt.",
        next: "Beginnen Sie noch einmal in der Anwendung, die Sie hierher geleitet hat.",
    },
    form_too_large: Words {
        title: "Dieses Formular ist zu groß",
        reason: "Es ist länger als jedes Formular dieser Website. Es wurde nichts ausgeführt.",
        next: "Beginnen Sie noch einmal in der Anwendung, die Sie hierher geleitet hat.",
    },
    not_by_link: Words {
        title: "Ein Link kann nicht entscheiden",
        reason: "Zugriff wird mit den Schaltflächen der Seite zugelassen oder verweigert, nie über ihre Adresse. Es wurde \
                 nichts entschieden.",
        next: "Öffnen Sie die Seite, und entscheiden Sie dort.",
    },
    method_not_allowed: Words {
        title: "So lässt sich diese Seite nicht verwenden",
        reason: "Diese Adresse kennt die Methode der Anfrage nicht. Es wurde nichts ausgeführt.",
        next: "Beginnen Sie noch einmal in der Anwendung, die Sie hierher geleitet hat.",
    },
    too_many: Words {
        title: "Zu viele Versuche",
        reason: "Mit diesem Benutzernamen oder aus Ihrem Netzwerk gab es zu viele Anmeldeversuche.",
        next: "Warten Sie {wait}, und versuchen Sie es dann erneut.",
    },
    login_unavailable: Words {
        title: "Die Anmeldung funktioniert gerade nicht",
        reason: "Ihr Benutzername und Ihr Passwort konnten nicht geprüft werden. Es wurde nichts zugelassen.",
        next: "Versuchen Sie es in einer Minute erneut. Wenn es dabei bleibt, nennen Sie der Administration von \
               {application} die Referenz unten.",
    },
    store_down: Words {
        title: "Dieser Dienst ist gerade nicht verfügbar",
        reason: "Die Datenbank antwortet nicht. Deshalb kann keine Entscheidung getroffen oder gespeichert werden.",
        next: "Versuchen Sie es in einer Minute erneut. Wenn es dabei bleibt, nennen Sie der Administration von \
               {application} die Referenz unten.",
    },
    signed_out: Words {
        title: "Sie sind abgemeldet",
        reason: "Von diesem Browser aus kann niemand etwas zulassen, bis Sie sich wieder anmelden.",
        next: "Sie können diese Seite schließen.",
    },
    signed_in: Words {
        title: "Sie sind als {user} angemeldet",
        reason: "Anwendungen, die in Ihrem Namen auf {application} zugreifen möchten, zeigen Ihnen vorher eine Seite.",
        next: "Sie können diese Seite schließen.",
    },
    not_admin: Words {
        title: "Diese Seite ist für Administratoren",
        reason: "Sie sind als {user} angemeldet und gehören damit nicht zu den Administratoren von linkgate.",
        next: "Wer linkgate betreibt, kann Sie eintragen: Die Benutzernamen der Administratoren stehen als subjects im \
               Abschnitt [admin] der Konfiguration. Oder melden Sie sich ab, und kommen Sie mit einem anderen Konto wieder.",
    },
    link_unknown: Words {
        title: "Diese Verknüpfung gibt es nicht",
        reason: "Unter diesem Namen ist keine andere Anwendung verknüpft, oder die Verknüpfung wurde entfernt.",
        next: "Gehen Sie zurück zu {application}, und beginnen Sie dort.",
    },
    link_lost: Words {
        title: "Diese Verbindung kam nicht zustande",
        reason: "Jemand anderes hat sie begonnen, sie ist bereits abgeschlossen, oder es hat zu lange gedauert. Was vorher verbunden war, ist es noch.",
        next: "Verbinden Sie {link} noch einmal.",
    },
    link_denied: Words {
        title: "Mit {link} ändert sich nichts",
        reason: "Sie haben in {link} abgelehnt, oder es wurde Ihnen nicht gestattet. Dadurch wurde nichts verbunden.",
        next: "Wenn Sie sich doch verbinden möchten, beginnen Sie noch einmal.",
    },
    link_refused: Words {
        title: "{link} weist {application} ab",
        reason: "Die Antwort lautet: {why} Was vorher verbunden war, ist es noch.",
        next: "Nennen Sie der Administration von {application} die Referenz unten.",
    },
    link_silent: Words {
        title: "{link} antwortet nicht",
        reason: "{why} Was vorher verbunden war, ist es noch.",
        next: "Versuchen Sie es in einer Minute erneut.",
    },
    link_no_way_back: Words {
        title: "Diesen Weg zurück gibt es nicht",
        reason: "Die Adresse führt an einen Ort, mit dem {application} nicht verknüpft ist, oder ein Teil von ihr fehlt. Niemand wurde dorthin geleitet.",
        next: "Tragen Sie zuerst die Gegenseite ein, `linkgate link add --outgoing`, und legen Sie die Verknüpfung noch einmal an.",
    },
};
