//! The pages for administrators.

use super::super::catalogue::{Admin, Links, OtherSides, Plural, Refusals, Tokens};

pub(super) const ADMIN: Admin = Admin {
    title: "Verwaltung",
    links: LINKS,
    other_sides: OTHER_SIDES,
    tokens: TOKENS,
    refusals: REFUSALS,
};

const LINKS: Links = Links {
    title: "Verknüpfungen",
    lead: "Was in Bitbucket einzutragen ist, für jeden Consumer, den linkgate kennt. Nichts davon ist geheim.",
    none: "Es ist kein Consumer registriert.",
    none_next: "Ergänzen Sie in der Konfiguration von linkgate einen Eintrag [[consumers]], oder führen Sie linkgate consumer \
                add aus.",
    steps_title: "In Bitbucket",
    steps: [
        "Öffnen Sie Administration > Application Links > Create link. Wählen Sie ab Bitbucket 7.21 den Typ „Atlassian \
         product“: „External application“ bedeutet OAuth 2.",
        "Geben Sie dies als URL der Anwendung ein. Wenn Bitbucket meldet, dass keine Antwort kam, fahren Sie fort.",
        "Füllen Sie das Formular mit den Werten des Consumers aus, die unten stehen.",
    ],
    form_title: "Werte für das Formular in Bitbucket",
    copy: "Kopieren",
    copied: "Kopiert",
    unchecked: "Nicht ankreuzen",
    secret_in_file: "Der Inhalt der Datei {file}, ohne Leerzeichen oder Zeilenumbruch am Ende",
    secret_in_entry: "Das shared_secret im Eintrag dieses Consumers in der Konfiguration von linkgate",
    secret_by_command: "Das Geheimnis, mit dem dieser Consumer durch linkgate consumer add hinzugefügt wurde",
    own_key: "Dieser Consumer signiert mit seinem eigenen Schlüssel, deshalb wird nirgends ein Geheimnis eingetragen. \
              Bitbucket zeigt seinen Consumer Key und seinen öffentlichen Schlüssel unter \
              /plugins/servlet/oauth/consumer-info an: Es müssen diese sein.",
    key_size: "RSA, {bits} Bit, {fingerprint}",
    settings_title: "Was linkgate ihm erlaubt",
    methods: "Signaturverfahren",
    callbacks: "Erlaubte Callbacks",
    two_legged: "Darf als er selbst aufrufen",
    impersonation: "Darf als beliebiger Benutzer handeln",
    yes: "Ja",
    yes_as: "Ja, als {user}",
    no: "Nein",
    shows_title: "Was Bitbucket danach zeigt",
    shows: [
        "In der Liste der Anwendungsverknüpfungen steht die Verknüpfung unter dem Namen, den Sie eingegeben haben.",
        "Wer sie zum ersten Mal verwendet, wird gebeten, sich zu verbinden: Ein Fenster mit der Seite von linkgate öffnet \
         sich und schließt sich nach der Antwort.",
        "Danach steht die Verbindung unter „Tokens“.",
    ],
    off: "abgeschaltet",
    warning: "Warnung",
    warn_path: "public_url hat den Pfad {path}. Geben Sie die URL der Anwendung so ein, wie sie hier steht, ohne den Pfad: \
                Sonst ruft Bitbucket die drei URLs ohne ihn auf.",
    warn_http: "public_url beginnt mit http, deshalb lässt sich unterwegs mitlesen, was signiert ist. Verwenden Sie https, \
                außer zum Testen.",
    warn_key: "Ein Schlüssel mit {bits} Bit ist schwach. Bitten Sie um einen mit mindestens 2048 Bit.",
    warn_no_callbacks: "Es ist kein Callback erlaubt, deshalb müssen Benutzer einen Code von Hand übertragen. Ergänzen Sie \
                        unter callbacks die Adresse von Bitbucket.",
    warn_off: "Dieser Consumer ist abgeschaltet: Alles, was er signiert, wird abgelehnt.",
    warn_clock: "Aufrufe dieses Consumers wurden kürzlich wegen seiner Uhr abgelehnt. Vergleichen Sie die Zeit dort mit der \
                 Zeit hier.",
    clock: "Zeit dieses Servers",
};

const OTHER_SIDES: OtherSides = OtherSides {
    title: "Die andere Richtung",
    lead: "Wie die eigenen Aufrufe der Anwendung verlaufen sind, die linkgate signiert.",
    key: "Signierender Schlüssel (Fingerabdruck)",
    reached: "Zuletzt erreicht",
    success: "Letzter Erfolg",
    clock: "Deren Uhr gegenüber unserer",
    seconds: "{seconds} s",
    problem: "Letztes Problem",
    never: "noch nie",
};

const TOKENS: Tokens = Tokens {
    title: "Tokens",
    lead: "Was Benutzer verbunden haben. Nur sie selbst und Sie können es sehen.",
    none: "Kein Token passt dazu.",
    user: "Benutzer",
    consumer: "Consumer",
    every_consumer: "Alle Consumer",
    search: "Suchen",
    state: "Zustand",
    live: "gültig",
    renewable: "abgelaufen, erneuerbar",
    expired: "abgelaufen",
    revoked: "widerrufen",
    revoke_meaning: "Danach kann {consumer} nicht mehr als {user} auf {application} zugreifen und muss erneut um Erlaubnis \
                     bitten.",
    pages: "Seiten",
    previous: "Neuere",
    next: "Ältere",
};

const REFUSALS: Refusals = Refusals {
    title: "Letzte Ablehnungen",
    lead: "Signierte Anfragen, die abgelehnt wurden, mit dem Grund, der dem Consumer genannt wurde. Die neuesten zuerst.",
    memory: "Das hat dieser Prozess seit {time} abgelehnt, soweit er sich erinnert. Jede Ablehnung steht mit derselben \
             Referenz in seinem Protokoll.",
    none: "Es wurde nichts abgelehnt.",
    request: "Anfrage",
    from: "Von",
    at: "Zeit",
    unregistered: "nicht registriert",
    nobody: "Kein Consumer genannt",
    times: Plural {
        one: "{count}-mal",
        other: "{count}-mal",
    },
};
