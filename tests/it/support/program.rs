//! The program as an administrator runs it: `linkgate serve --config`, in a directory of its own, on either database.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use tempfile::TempDir;

use super::databases::Database;

/// A running `linkgate serve`. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Program {
    directory: TempDir,
    child: Child,
    address: SocketAddr,
}

impl Program {
    /// Writes a configuration and starts the program with it; returns when it listens.
    pub(crate) fn start(database: &Database, application: SocketAddr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        write_keys(directory.path());
        fs::write(directory.path().join("users.toml"), USERS).unwrap();
        if !database.is_sqlite() {
            // SQLite's is made at the first start; replicas need one that they share.
            let made = program(directory.path())
                .args(["key", "generate", "--out", "linkgate.key"])
                .status();
            assert!(made.unwrap().success());
        }
        // Somebody else may take the ports between here and the program's start.
        for _ in 0..5 {
            let [address, admin] = free_ports();
            fs::write(
                directory.path().join("linkgate.toml"),
                config(address, admin, application, &database.url()),
            )
            .unwrap();
            let mut child = spawn(directory.path());
            if listens(&mut child, address) {
                return Self {
                    directory,
                    child,
                    address,
                };
            }
        }
        panic!(
            "linkgate does not start: {}",
            fs::read_to_string(directory.path().join("log")).unwrap()
        );
    }

    /// The URL that consumers sign and browsers see.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A file of its directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Everything that it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap()
    }

    /// `kill -9`, and a fresh start on the same directory.
    pub(crate) fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.directory.path());
        assert!(
            listens(&mut self.child, self.address),
            "it starts again: {}",
            self.log()
        );
    }

    /// `kill -TERM`, as systemd and container engines stop it.
    pub(crate) fn ask_to_stop(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self, patience: Duration) -> ExitStatus {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it does not stop: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(directory: &Path) -> Child {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("log"))
        .unwrap();
    program(directory)
        .args(["serve", "--config", "linkgate.toml"])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn program(directory: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_linkgate"));
    program.current_dir(directory);
    program
}

/// Waits until it listens; `false` when it ended instead.
fn listens(child: &mut Child, address: SocketAddr) -> bool {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("linkgate neither listens nor ends");
}

fn free_ports() -> [SocketAddr; 2] {
    let held = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}

/// Bitbucket's own key pair: ours to sign with, and the public half as its consumer-info shows it.
fn write_keys(directory: &Path) {
    #[expect(clippy::disallowed_methods, reason = "a key for this test alone")]
    let key = PrivateKey::new(&mut rand::rng(), 2048).unwrap();
    let private = key.to_pkcs1_pem(LineEnding::LF).unwrap();
    fs::write(directory.join("bitbucket.pem"), private.as_bytes()).unwrap();
    let public = key.to_public_key().to_public_key_der().unwrap();
    fs::write(
        directory.join("bitbucket.pub"),
        STANDARD.encode(public.as_bytes()),
    )
    .unwrap();
}

/// The sidecar of the examples, with addresses and a key of this test's own.
fn config(address: SocketAddr, admin: SocketAddr, application: SocketAddr, store: &str) -> String {
    format!(
        r#"
[server]
listen = "{address}"
admin_listen = "{admin}"
public_url = "http://{address}"

[upstream]
url = "http://{application}"

[store]
url = "{store}"

[keys]
secret_key_file = "linkgate.key"

[login]
method = "file"

[login.file]
path = "users.toml"

[[consumers]]
key = "bitbucket-form"
name = "Bitbucket"
shared_secret = "{SHARED_SECRET}"
callbacks = ["http://127.0.0.1:*", "http://localhost:*"]
two_legged = true
two_legged_user = "svc-bitbucket"

[[consumers]]
key = "Stash:8277239845"
name = "Bitbucket (own key)"
public_key_file = "bitbucket.pub"
callbacks = ["http://127.0.0.1:*"]
two_legged = true
two_legged_user = "svc-bitbucket"
impersonation = true

[identity]
preset = "remote-user"

[[routes]]
path = "/api/**"
auth = "oauth"
"#
    )
}

/// A secret of every kind of character that a signing key must encode.
pub(crate) const SHARED_SECRET: &str = "correct horse & battery=staple +%7E/ü";

const USERS: &str = include_str!("../examples/users.toml");
