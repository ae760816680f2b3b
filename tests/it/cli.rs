//! The command line, as a person or a script runs it.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use insta::assert_snapshot;
use linkgate::oauth::PrivateKey;
use linkgate::store::Keyring;
use tempfile::TempDir;

/// A directory with the sidecar example, in which commands run.
struct Here {
    directory: TempDir,
}

/// What a command answered.
struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Here {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/examples");
        for name in ["users.toml", "bitbucket-old.pem"] {
            fs::copy(examples.join(name), directory.path().join(name)).unwrap();
        }
        fs::copy(
            examples.join("sidecar.toml"),
            directory.path().join("linkgate.toml"),
        )
        .unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, line: &str) -> Answer {
        self.run_with(line, "", &[])
    }

    fn run_with(&self, line: &str, input: &str, variables: &[(&str, &str)]) -> Answer {
        let mut child = Command::new(env!("CARGO_BIN_EXE_linkgate"))
            .args(line.split_whitespace())
            .current_dir(self.directory.path())
            .env_remove("LINKGATE_CONFIG")
            .env_remove("RUST_LOG")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Answer::from(child.wait_with_output().unwrap())
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[test]
fn a_configuration_that_can_be_used() {
    let answer = Here::new().run("config check");
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert_snapshot!(answer.out, @r"
    linkgate.toml can be used: http://127.0.0.1:9080 in front of http://127.0.0.1:9090, 3 consumers, login by file, SQLite
    ");
}

#[test]
fn a_configuration_that_cannot_be_used() {
    let here = Here::new();
    let text = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    fs::write(
        here.path("bad.toml"),
        text.replace("public_url", "publik_url")
            .replace("\"users.toml\"", "7"),
    )
    .unwrap();
    let answer = here.run("config check --config bad.toml");
    assert_eq!((answer.code, answer.out.as_str()), (64, ""));
    assert_snapshot!(answer.err, @r#"
    error: bad.toml cannot be used: 3 things are wrong
    bad.toml:6:2: server.public_url: it is missing
        write the URL that consumers sign: public_url = "https://builds.example.com"
    bad.toml:9:1: server.publik_url: there is no such key
        did you mean public_url?
    bad.toml:21:8: login.file.path: expected a text, found a number
        write it in quotes
    "#);
    let named = here.run_with("config check", "", &[("LINKGATE_CONFIG", "bad.toml")]);
    assert_eq!(named.err, answer.err);
    for command in ["serve", "consumer list", "token list", "health"] {
        assert_eq!(
            here.run(&format!("{command} --config bad.toml")).code,
            64,
            "{command}"
        );
    }
    let variable = here.run_with("config check", "", &[("LINKGATE__STORE__URI", "x")]);
    assert_eq!(variable.code, 64);
    assert_snapshot!(variable.err, @r"
    error: linkgate.toml cannot be used
    LINKGATE__STORE__URI: store.uri: there is no such key
        did you mean url?
    ");
}

#[test]
fn files_that_other_parts_read_are_checked_too() {
    let here = Here::new();
    fs::write(here.path("linkgate.key"), "not a key\n").unwrap();
    let answer = here.run("config check");
    assert_eq!(answer.code, 64);
    assert!(
        answer.err.contains("keys.secret_key_file cannot be used"),
        "{}",
        answer.err
    );
    fs::remove_file(here.path("linkgate.key")).unwrap();
    fs::write(here.path("users.toml"), "[[users]]\nname = 7\n").unwrap();
    let answer = here.run("config check");
    assert_eq!(answer.code, 64);
    assert!(answer.err.contains("users.toml:2"), "{}", answer.err);
}

#[test]
fn warnings_are_told_and_do_not_fail() {
    let here = Here::new();
    let answer = here.run_with(
        "config check",
        "",
        &[("LINKGATE__SERVER__PUBLIC_URL", "https://h.example/ctx")],
    );
    assert_eq!(answer.code, 0);
    assert!(
        answer
            .err
            .starts_with("warning: LINKGATE__SERVER__PUBLIC_URL: server.public_url: it has a path")
    );
}

#[test]
fn a_password_becomes_a_hash() {
    let here = Here::new();
    for input in ["correct horse\n", "correct horse", "correct horse\r\n"] {
        let answer = here.run_with("user hash", input, &[]);
        assert_eq!((answer.code, answer.err.as_str()), (0, ""));
        assert!(
            answer.out.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            answer.out
        );
        let hash = PasswordHash::new(answer.out.trim_end()).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &hash).is_ok());
    }
    let empty = here.run_with("user hash", "\n", &[]);
    assert_eq!(
        (empty.code, empty.err.as_str()),
        (1, "error: the password is empty\n")
    );
}

#[test]
fn keys_are_made_for_their_owner_alone() {
    let here = Here::new();
    let shown = here.run("key generate");
    assert_eq!(shown.code, 0);
    assert!(Keyring::read(&shown.out).is_ok());

    assert_eq!(here.run("key generate --out secret.key").code, 0);
    let mode = fs::metadata(here.path("secret.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = fs::read_to_string(here.path("secret.key")).unwrap();
    assert!(Keyring::read(&first).is_ok());

    let again = here.run("key generate --out secret.key");
    assert_eq!(again.code, 1);
    assert_eq!(
        again.err,
        "error: secret.key exists already, and is left as it is\n"
    );
    assert_eq!(fs::read_to_string(here.path("secret.key")).unwrap(), first);
}

#[test]
fn rsa_keys_are_made_with_their_public_half() {
    let here = Here::new();
    let answer = here.run("key generate --rsa --out link.pem");
    assert_eq!(answer.code, 0);
    let key = PrivateKey::read(&fs::read_to_string(here.path("link.pem")).unwrap()).unwrap();
    assert_eq!(key.public_key().bits(), 2048);
    assert!(answer.err.contains(&key.public_key().to_base64()));
    assert_eq!(here.run("key generate --rsa 512").code, 2);
}

#[test]
fn consumers_come_and_go() {
    let here = Here::new();
    let none = here.run("consumer list");
    assert_eq!(none.code, 1);
    assert!(none.err.contains("there is no database"), "{}", none.err);
    assert!(!here.path("linkgate.key").exists(), "looking makes nothing");

    let added = here.run("consumer add ci --name CI --public-key-file bitbucket-old.pem --callback https://ci.example.com --two-legged");
    assert_eq!((added.code, added.err.as_str()), (0, ""));
    assert_snapshot!(here.run("consumer list").out, @r"
    KEY                 NAME                  METHODS    CALLBACKS                                         SOURCE                  ENABLED  FINGERPRINT
    ci                  CI                    RSA-SHA1   https://ci.example.com                            command                 yes      SHA256:i4RPTSLwVjOq7wEAD0ERvzsUFSCHWXiRV2TxNf3aJmg
    bitbucket-form      Bitbucket             HMAC-SHA1  https://bitbucket.example.com http://127.0.0.1:*  config, not loaded yet  yes      (shared secret)
    Stash:8277239845    Bitbucket (own key)   RSA-SHA1   https://bitbucket.example.com http://127.0.0.1:*  config, not loaded yet  yes      SHA256:blnGR28kFtzBRvl0x2Rwm8GpcPTH1QAw9hGwMbiBXpw
    bitbucket-rotating  Bitbucket (rotating)  RSA-SHA1   https://bitbucket.example.com                     config, not loaded yet  yes      SHA256:i4RPTSLwVjOq7wEAD0ERvzsUFSCHWXiRV2TxNf3aJmg SHA256:blnGR28kFtzBRvl0x2Rwm8GpcPTH1QAw9hGwMbiBXpw
    ");
    assert_snapshot!(here.run("consumer add ci --generate-secret").err, @r"
    error: the consumer `ci` exists already
    ");
    assert_snapshot!(here.run("consumer disable ci").out, @r"
    ci is disabled; it keeps its tokens
    ");
    assert_snapshot!(here.run("consumer disable ci").out, @r"
    ci was disabled before
    ");
    assert_snapshot!(here.run("consumer enable ci").out, @r"
    ci is enabled
    ");
    assert_snapshot!(here.run("consumer purge ci").out, @r"
    ci is deleted, with all its tokens
    ");
    assert_snapshot!(here.run("consumer purge ci").err, @r"
    error: there is no consumer ci; `linkgate consumer list` shows them
    ");
}

#[test]
fn a_shared_secret_is_made_or_read_and_never_listed() {
    let here = Here::new();
    let made = here.run("consumer add made --generate-secret");
    let secret = made.out.trim_end().rsplit(' ').next().unwrap();
    assert_eq!(secret.len(), 32, "{}", made.out);
    let read = here.run_with(
        "consumer add read --shared-secret-file -",
        "from standard input\n",
        &[],
    );
    assert_eq!(read.code, 0, "{}", read.err);
    let list = here.run("consumer list").out;
    assert!(!list.contains(secret) && !list.contains("from standard"));
    let database = fs::read(here.path("linkgate.db")).unwrap();
    let at_rest = String::from_utf8_lossy(&database);
    assert!(!at_rest.contains(secret) && !at_rest.contains("from standard"));
    assert_eq!(here.run("consumer add nothing").code, 2);
}

#[test]
fn the_configuration_is_the_truth_for_what_it_names() {
    let here = Here::new();
    assert_eq!(here.run("consumer add ci --generate-secret").code, 0);
    for command in ["disable", "enable", "purge"] {
        let answer = here.run(&format!("consumer {command} bitbucket-form"));
        assert_eq!(answer.code, 1);
        assert!(
            answer.err.starts_with(
                "error: bitbucket-form is consumers[0] of linkgate.toml, and only changed there"
            )
        );
    }
    let answer = here.run("consumer add bitbucket-form --generate-secret");
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.err,
        "error: bitbucket-form is in linkgate.toml already, and only changed there\n"
    );
}

#[test]
fn keys_of_consumers_are_explained() {
    let here = Here::new();
    assert_eq!(here.run("key generate --rsa --out own.pem").code, 0);
    let answer = here.run("consumer add ci --public-key-file own.pem");
    assert_eq!(answer.code, 1);
    assert_snapshot!(answer.err, @r"
    error: own.pem cannot be used
      because: This is a private key, and nobody but its owner may have it: paste the public key, and replace this key pair if the private key went through other hands.
    ");
    let answer = here.run("consumer add ci --public-key-file bitbucket-old.pem --method HMAC-SHA1");
    assert_snapshot!(answer.err, @r"
    error: HMAC-SHA1 does not go with this kind of key; RSA-SHA1 does
    ");
}

#[test]
fn tokens_that_are_not_there() {
    let here = Here::new();
    assert_eq!(here.run("consumer add ci --generate-secret").code, 0);
    assert_snapshot!(here.run("token list --consumer ci --user alice").out, @r"
    ID  CONSUMER  USER  ISSUED  LAST USED  EXPIRES  STATE
    ");
    let answer = here.run("token revoke 0123456789abcdef");
    assert_eq!(answer.code, 1);
    assert_snapshot!(answer.err, @r#"
    error: there is no token "0123456789abcdef"; `linkgate token list` shows them
    "#);
}

#[test]
fn health_is_an_exit_code_and_a_line() {
    let here = Here::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for status in ["200 OK", "503 Service Unavailable"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 1024];
            let read = std::io::Read::read(&mut stream, &mut bytes).unwrap();
            asked.push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    let good = here.run(&format!("health --url http://{address}"));
    assert_eq!(
        (good.code, good.out),
        (0, format!("http://{address}/readyz is ready\n"))
    );
    let variables = [("LINKGATE__SERVER__ADMIN_LISTEN", &*address.to_string())];
    let bad = here.run_with("health", "", &variables);
    assert_eq!(
        (bad.code, bad.err),
        (
            1,
            format!("error: http://{address}/readyz is not ready: it answers 503\n")
        )
    );
    assert!(
        answering
            .join()
            .unwrap()
            .iter()
            .all(|asked| asked.starts_with("GET /readyz HTTP/1.1\r\n"))
    );
    let gone = here.run(&format!("health --url http://{address}"));
    assert_eq!((gone.code, gone.err.lines().count()), (1, 1));
}

#[test]
fn every_command_has_examples() {
    let here = Here::new();
    for command in COMMANDS {
        let answer = here.run(&format!("{command} --help"));
        assert_eq!(answer.code, 0, "{command}");
        assert!(
            answer.out.contains(&format!("\n  linkgate {command}")),
            "{command}: {}",
            answer.out
        );
    }
    assert!(here.run("--help").out.contains("64 wrong configuration"));
    assert_eq!(
        here.run("--version").out,
        format!("linkgate {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(here.run("frobnicate").code, 2);
    assert_eq!(here.run("").code, 2);
}

const COMMANDS: [&str; 14] = [
    "serve",
    "config check",
    "user hash",
    "key generate",
    "consumer list",
    "consumer add",
    "consumer disable",
    "consumer enable",
    "consumer purge",
    "token list",
    "token revoke",
    "consumer",
    "token",
    "health",
];
