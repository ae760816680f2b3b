//! A directory: OpenLDAP's `slapd`, with StartTLS and ldaps under an authority of the test's own.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use linkgate::login::{Ldap, LdapConfig, SignInError};
use linkgate::model::UserStatus;
use linkgate::oauth::{Secret, Timestamp};
use linkgate::setting::FromFile;
use linkgate::tls::Roots;
use tempfile::TempDir;

use crate::login::site::Site;
use crate::support::{Authority, Text as _, assert_notice, question, reserved};

use super::counterpart::Counterpart;

const NOW: Timestamp = Timestamp::from_seconds(7);

/// A running directory. Dropping it ends it.
struct Slapd {
    folder: TempDir,
    authority: Authority,
    plain: u16,
    secure: u16,
    running: Option<Counterpart>,
}

impl Slapd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let issued = authority.issue(&["127.0.0.1"]);
        let place = |name: &str| folder.path().join(name);
        fs::write(place("ca.pem"), &authority.pem).unwrap();
        fs::write(place("cert.pem"), &issued.certificate).unwrap();
        fs::write(place("key.pem"), &issued.key).unwrap();
        fs::create_dir(place("db")).unwrap();
        fs::write(place("people.ldif"), PEOPLE).unwrap();
        let config = CONFIG.replace("{folder}", &folder.path().display().to_string());
        fs::write(place("slapd.conf"), config).unwrap();
        let added = Command::new("/usr/sbin/slapadd")
            .arg("-f")
            .arg(place("slapd.conf"))
            .arg("-l")
            .arg(place("people.ldif"))
            .output()
            .expect("slapd is installed (Debian: apt-get install slapd; tests/run does)");
        assert!(added.status.success(), "{added:?}");
        let (plain, secure) = (reserved().port(), reserved().port());
        let running = run(folder.path(), plain, secure);
        Self {
            folder,
            authority,
            plain,
            secure,
            running: Some(running),
        }
    }

    fn stop(&mut self) {
        self.running = None;
    }

    fn options(&self) -> LdapConfig {
        LdapConfig {
            url: format!("ldap://127.0.0.1:{}", self.plain),
            start_tls: true,
            ca_file: Some(roots(&self.authority)),
            bind_dn: Some(SEARCHER.to_owned()),
            bind_password: Some(Secret::new("searching")),
            base_dn: "ou=people,dc=example,dc=com".to_owned(),
            user_filter: "(uid={name})".to_owned(),
            user_attribute: "uid".to_owned(),
            display_attribute: "cn".to_owned(),
            timeout: Duration::from_secs(5),
        }
    }

    fn secure(&self) -> LdapConfig {
        LdapConfig {
            url: format!("ldaps://127.0.0.1:{}", self.secure),
            start_tls: false,
            ..self.options()
        }
    }

    fn ca_file(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }
}

fn roots(authority: &Authority) -> FromFile<Roots> {
    FromFile {
        path: "ca.pem".into(),
        content: Roots::parse(authority.pem.as_bytes()).unwrap(),
    }
}

/// In the foreground, so that it ends with us.
fn run(folder: &Path, plain: u16, secure: u16) -> Counterpart {
    let child = Command::new("/usr/sbin/slapd")
        .args(["-d", "0", "-h"])
        .arg(format!("ldap://127.0.0.1:{plain}/ ldaps://127.0.0.1:{secure}/"))
        .arg("-f")
        .arg(folder.join("slapd.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Counterpart::of(child);
    for _ in 0..200 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, plain)).is_ok() {
            return running;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("slapd does not listen");
}

async fn verify(options: LdapConfig, name: &str, password: &str) -> Result<(String, String), SignInError> {
    let user = Ldap::new(options)
        .unwrap()
        .verify(name, Secret::new(password), NOW)
        .await?;
    assert_eq!((user.proved_by.as_str(), user.proved_at), ("ldap", NOW));
    Ok((user.subject, user.display_name))
}

fn somebody(subject: &str, display_name: &str) -> (String, String) {
    (subject.to_owned(), display_name.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_its_password_make_a_user_over_start_tls_and_ldaps() {
    let slapd = Slapd::start();
    for options in [Slapd::options, Slapd::secure] {
        let alice = verify(options(&slapd), "alice", "alice-password").await;
        assert_eq!(alice, Ok(somebody("alice", "Alice Example")));
        let spelt_otherwise = verify(options(&slapd), "ALICE", "alice-password").await;
        assert_eq!(
            spelt_otherwise,
            Ok(somebody("alice", "Alice Example")),
            "the directory's spelling counts"
        );
        let hard = verify(options(&slapd), r"o(b*r)\ien", "strange").await;
        assert_eq!(hard, Ok(somebody(r"o(b*r)\ien", "O'Brien")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_entry_signs_no_user_in() {
    let slapd = Slapd::start();
    for (name, password) in [
        ("alice", "wrong"),
        ("alice", ""),
        ("", ""),
        ("", "alice-password"),
        ("nobody", "alice-password"),
        ("*", "alice-password"),
        ("al*", "alice-password"),
        ("alice)(uid=*", "alice-password"),
        ("*)(|(uid=alice", "alice-password"),
        ("alice\0", "alice-password"),
        ("alice", "alice-password\0"),
        ("nameless", "nameless-password"),
    ] {
        let said = verify(slapd.options(), name, password).await;
        assert!(
            matches!(said, Err(SignInError::Rejected(_))),
            "{name:?} {password:?}"
        );
    }
    let twins = LdapConfig {
        user_filter: "(|(uid={name})(sn=Example))".to_owned(),
        ..slapd.options()
    };
    let said = verify(twins, "alice", "alice-password").await;
    assert!(
        matches!(said, Err(SignInError::Rejected(_))),
        "two entries for one name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_not_believed_is_told_nothing() {
    let mut slapd = Slapd::start();
    let stranger = Some(roots(&Authority::new()));
    let mut wrong = vec![
        LdapConfig {
            ca_file: stranger.clone(),
            ..slapd.options()
        },
        LdapConfig {
            ca_file: stranger,
            ..slapd.secure()
        },
        LdapConfig {
            url: format!("ldap://localhost:{}", slapd.plain),
            ..slapd.options()
        },
        LdapConfig {
            bind_password: Some(Secret::new("wrong")),
            ..slapd.options()
        },
        // The directory wants TLS before it takes a password.
        LdapConfig {
            start_tls: false,
            ..slapd.options()
        },
    ];
    for options in wrong.drain(..) {
        let shown = format!("{options:?}");
        assert!(!shown.contains("searching"), "{shown}");
        let said = verify(options, "alice", "alice-password").await;
        assert!(
            matches!(said, Err(SignInError::Unavailable(_))),
            "{shown}: {said:?}"
        );
    }
    slapd.stop();
    let said = verify(slapd.options(), "alice", "alice-password").await;
    assert!(matches!(said, Err(SignInError::Unavailable(_))), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_knows_which_users_exist() {
    let mut slapd = Slapd::start();
    let ldap = Ldap::new(slapd.options()).unwrap();
    let known = UserStatus::Active {
        display_name: "Alice Example".to_owned(),
    };
    assert_eq!(ldap.user_status("alice").await, known);
    for nobody in ["nobody", "ALICE", "*", ""] {
        assert_eq!(ldap.user_status(nobody).await, UserStatus::NotFound, "{nobody}");
    }
    slapd.stop();
    assert_eq!(ldap.user_status("alice").await, known, "for some seconds");
    assert_eq!(ldap.user_status("bob").await, UserStatus::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_users_sign_in_at_our_page() {
    let mut slapd = Slapd::start();
    let login = format!(
        r#"
[login]
method = "ldap"

[login.ldap]
url = "ldap://127.0.0.1:{}"
ca_file = "{}"
bind_dn = "{SEARCHER}"
bind_password = "searching"
base_dn = "ou=people,dc=example,dc=com"
"#,
        slapd.plain,
        slapd.ca_file()
    );
    let site = Site::with("https://builds.example.com", "", &login).await;
    let token = site.question().await;
    let mut alice = site.browser();
    assert_eq!(alice.log_in("/", "alice", "wrong").await.status, 403);
    assert_eq!(alice.log_in("/", "alice", "alice-password").await.status, 303);
    let page = alice.get(&question(&token)).await;
    assert!(page.body.contains("as <bdi>Alice Example</bdi>?"), "{page:?}");
    assert!(page.body.contains("signed in with a password"), "{page:?}");
    assert_eq!(alice.press("approve", &token).await.status, 303);
    slapd.stop();
    let answer = site.browser().log_in("/", "bob", "bob-password").await;
    assert_notice(&answer, 503, "Sign-in is temporarily unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_diagnosis_names_what_failed() {
    let slapd = Slapd::start();
    let checks = Ldap::new(slapd.options()).unwrap().diagnose("alice").await;
    assert!(checks.iter().all(|check| check.help.is_none()), "{checks:?}");
    checks[2].seen.has("one entry, uid=alice,ou=people");
    let nobody = Ldap::new(slapd.options()).unwrap().diagnose("nobody").await;
    assert_eq!((nobody.len(), nobody[2].seen.as_str()), (3, "no entry"));
    let wrong = LdapConfig {
        bind_password: Some(Secret::new("wrong")),
        ..slapd.options()
    };
    let checks = Ldap::new(wrong).unwrap().diagnose("alice").await;
    assert!(checks.len() == 2 && checks[1].help.is_some(), "{checks:?}");
}

const SEARCHER: &str = "cn=linkgate,dc=example,dc=com";

const CONFIG: &str = r#"
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
security simple_bind=128
database mdb
maxsize 16777216
suffix "dc=example,dc=com"
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=linkgate,dc=example,dc=com" read by anonymous auth by * none
"#;

const PEOPLE: &str = r"
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: cn=linkgate,dc=example,dc=com
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: linkgate
userPassword: searching

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice Example
sn: Example
userPassword: alice-password

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob Example
sn: Example
userPassword: bob-password

dn: cn=O'Brien,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: o(b*r)\ien
cn: O'Brien
sn: O'Brien
userPassword: strange

dn: cn=Nameless,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
cn: Nameless
sn: nameless
userPassword: nameless-password
";
