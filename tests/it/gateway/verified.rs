//! The samples of `config/verify-assertion`: each takes what linkgate signed, and nothing else. C#'s does not run here:
//! Debian 12 has no .NET.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linkgate::clock::Clock;
use linkgate::gateway::{Assertion, AssertionKey};
use tempfile::TempDir;

use super::signed::authorization;
use super::{get, options, serve, status};
use crate::support::App;

const ISSUER: &str = "https://builds.example.com";
const AUDIENCE: &str = "the-application";
const PATH: &str = "/api/a/../%C3%BC\\\"b";

/// Assertions of all kinds, and where the keys of linkgate stand.
struct Assertions {
    folder: TempDir,
    /// By the key of today, by the one before it, from an hour ago, and by another key.
    good: String,
    previous: String,
    old: String,
    stranger: String,
}

impl Assertions {
    async fn make() -> Self {
        let now = Clock::System.now();
        let key = |seed| AssertionKey::derive(&[seed; 32]).unwrap();
        let by = |seed, clock| Assertion::new(ISSUER, AUDIENCE, vec![key(seed)], clock);
        let folder = tempfile::tempdir().unwrap();
        let keys = Assertion::new(ISSUER, AUDIENCE, vec![key(1), key(2)], Clock::System).jwks();
        fs::write(folder.path().join("jwks.json"), keys).unwrap();
        Self {
            folder,
            good: sent(by(1, Clock::System)).await,
            previous: sent(by(2, Clock::System)).await,
            old: sent(by(1, Clock::fixed(now.plus(-3_600)))).await,
            stranger: sent(by(3, Clock::System)).await,
        }
    }

    /// Runs a sample; the name that it believes, if it believes one.
    fn shown(&self, sample: &[&str], token: &str, expected: [&str; 4]) -> Option<String> {
        let mut child = Command::new(sample[0])
            .args(&sample[1..])
            .arg(self.folder.path().join("jwks.json"))
            .args(expected)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{sample:?}: {error}; tests/run installs it"));
        child.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() || !complaint.is_empty() || !said.is_empty(),
            "it says why"
        );
        output.status.success().then_some(said)
    }

    /// A sample takes what is true, and only for this request.
    fn check(&self, sample: &[&str]) {
        let request = [ISSUER, AUDIENCE, "GET", PATH];
        for (name, token) in [("today's key", &self.good), ("yesterday's key", &self.previous)] {
            let found = self.shown(sample, token, request);
            assert_eq!(found.as_deref(), Some("svc"), "{sample:?}: {name}");
        }
        for (name, token) in [
            ("expired", self.old.clone()),
            ("somebody else's key", self.stranger.clone()),
            ("another name", tampered(&self.good, 1, "\"svc\"", "\"root\"")),
            ("another header", tampered(&self.good, 0, "\"JWT\"", "\"jwt\"")),
            ("no algorithm", unsigned(&self.good)),
            (
                "HMAC with the public key",
                tampered(&self.good, 0, "ES256", "HS256"),
            ),
            ("a bit of the signature", flipped(&self.good)),
            ("no signature", self.good.rsplit_once('.').unwrap().0.to_owned()),
            ("nonsense", "a.b.c".to_owned()),
        ] {
            assert_eq!(self.shown(sample, &token, request), None, "{sample:?}: {name}");
        }
        for other in [
            ["https://evil.example", AUDIENCE, "GET", PATH],
            [ISSUER, "another-application", "GET", PATH],
            [ISSUER, AUDIENCE, "POST", PATH],
            [ISSUER, AUDIENCE, "GET", "/api/b"],
        ] {
            let found = self.shown(sample, &self.good, other);
            assert_eq!(found, None, "{sample:?}: {other:?}");
        }
    }
}

/// The assertion that reaches an application.
async fn sent(assertion: Assertion) -> String {
    let app = App::start().await;
    let mut options = options(&app).await;
    options.assertion = Some(Arc::new(assertion));
    let gateway = serve(options).await;
    let answer = get(gateway, PATH, &authorization(PATH)).await;
    assert_eq!(status(&answer), "200", "{answer}");
    app.only().header("x-linkgate-assertion")[0].to_owned()
}

/// An assertion, one part of which says something else.
fn tampered(token: &str, part: usize, from: &str, to: &str) -> String {
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(&parts[part]).unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    parts[part] = URL_SAFE_NO_PAD.encode(text.replace(from, to));
    parts.join(".")
}

fn unsigned(token: &str) -> String {
    let token = tampered(token, 0, "ES256", "none");
    format!("{}.", token.rsplit_once('.').unwrap().0)
}

fn flipped(token: &str) -> String {
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[40] ^= 1;
    format!("{rest}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn python_verifies() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join("clients/python/bin/python");
    let assertions = Assertions::make().await;
    assertions.check(&[text(&python), text(&sample("verify.py"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_verifies() {
    Assertions::make()
        .await
        .check(&["node", text(&sample("verify.mjs"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn php_verifies() {
    Assertions::make()
        .await
        .check(&["php", text(&sample("verify.php"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn java_verifies() {
    let assertions = Assertions::make().await;
    let into = text(assertions.folder.path());
    built(Command::new("javac").args(["-d", into, text(&sample("VerifyAssertion.java"))]));
    assertions.check(&["java", "-XX:TieredStopAtLevel=1", "-cp", into, "VerifyAssertion"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn go_verifies() {
    let assertions = Assertions::make().await;
    let program = assertions.folder.path().join("verify");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
    built(
        Command::new("go")
            .args(["build", "-o", text(&program), text(&sample("verify.go"))])
            .env("GOCACHE", &cache)
            .env("GO111MODULE", "off"),
    );
    assertions.check(&[text(&program)]);
}

fn built(command: &mut Command) {
    let status = command.status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs it"));
    assert!(status.success(), "{command:?}");
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config/verify-assertion")
        .join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
