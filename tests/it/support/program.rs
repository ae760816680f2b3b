//! The program as an administrator runs it: `linkgate serve --config`, in a directory of its own, on either database.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use tempfile::TempDir;

use super::address::reserved;
use super::certificates::Issued;
use super::databases::Database;

/// Another program that runs. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `linkgate serve`. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Program {
    directory: TempDir,
    child: Child,
    address: SocketAddr,
    base: String,
    /// Its sockets, if this process opened them.
    opened: Option<[TcpListener; 2]>,
}

impl Program {
    /// Writes a configuration and starts the program with it; returns when it listens.
    pub(crate) fn start(database: &Database, application: SocketAddr) -> Self {
        Self::made(None, database, application, FILE_LOGIN)
    }

    /// The same, with another `[login]`, in which `{base}` stands for the public URL.
    pub(crate) fn start_with(database: &Database, application: SocketAddr, login: &str) -> Self {
        Self::made(None, database, application, login)
    }

    /// The same behind a proxy on this machine, which the world knows instead.
    pub(crate) fn behind(proxy: Option<SocketAddr>, database: &Database, application: SocketAddr) -> Self {
        Self::made(proxy, database, application, FILE_LOGIN)
    }

    fn made(proxy: Option<SocketAddr>, database: &Database, application: SocketAddr, login: &str) -> Self {
        let (directory, key) = files(database);
        let url = database.url();
        let mut program = Self::serve(directory, |address, admin| {
            let config = config(address, admin, application, &url, &key);
            assert!(config.contains(FILE_LOGIN), "the example has another login");
            let login = login.replace("{base}", &format!("http://{address}"));
            known_as(proxy, address, config.replace(FILE_LOGIN, &login))
        });
        if let Some(proxy) = proxy {
            program.base = format!("http://{proxy}");
        }
        program
    }

    /// The same over https, with a consumer that may send its secret itself (PLAINTEXT).
    pub(crate) fn over_https(database: &Database, application: SocketAddr, certificate: &Issued) -> Self {
        let (directory, key) = files(database);
        let url = database.url();
        fs::write(directory.path().join("certificate.pem"), &certificate.certificate).unwrap();
        fs::write(directory.path().join("certificate.key"), &certificate.key).unwrap();
        let mut program = Self::serve(directory, |address, admin| {
            let config = config(address, admin, application, &url, &key);
            let (clear, secret) = (
                format!("\"http://{address}\""),
                format!("shared_secret = \"{SHARED_SECRET}\""),
            );
            assert!(config.contains(&clear) && config.contains(&secret), "{config}");
            config
                .replace(&clear, &format!("\"https://{address}\"\n{TLS}"))
                .replace(&secret, &format!("{secret}\nsignature_methods = [\"PLAINTEXT\"]"))
        });
        program.base = format!("https://{}", program.address);
        program
    }

    /// Starts the program in a directory with its files, with the configuration that fits the addresses it gets.
    pub(crate) fn serve(directory: TempDir, config: impl Fn(SocketAddr, SocketAddr) -> String) -> Self {
        Self::serve_on([reserved(), reserved()], None, directory, config)
    }

    /// The same on sockets that this process opens and keeps open, as systemd does.
    pub(crate) fn activated(directory: TempDir, config: impl Fn(SocketAddr, SocketAddr) -> String) -> Self {
        let opened = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = [&opened[0], &opened[1]].map(|socket| socket.local_addr().unwrap());
        Self::serve_on(addresses, Some(opened), directory, config)
    }

    fn serve_on(
        [address, admin]: [SocketAddr; 2],
        opened: Option<[TcpListener; 2]>,
        directory: TempDir,
        config: impl Fn(SocketAddr, SocketAddr) -> String,
    ) -> Self {
        fs::write(directory.path().join("linkgate.toml"), config(address, admin)).unwrap();
        let child = spawn(directory.path(), opened.as_ref());
        let mut program = Self {
            directory,
            child,
            address,
            base: format!("http://{address}"),
            opened,
        };
        program.wait(0);
        program
    }

    /// The URL that consumers sign and browsers see.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the kernel says about its memory: `VmRSS`, `VmHWM` (proc(5)).
    pub(crate) fn kilobytes(&self, field: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let number = line.and_then(|line| line.split_ascii_whitespace().nth(1));
        number.unwrap().parse().unwrap()
    }

    /// A file of its directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Everything that it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// Runs another command with the same configuration; returns its exit code and all that it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = program(self.directory.path());
        command.args(arguments).env("LINKGATE_CONFIG", "linkgate.toml");
        let output = tokio::task::block_in_place(|| command.stdin(Stdio::null()).output()).unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        (output.status.code().unwrap(), said.concat())
    }

    /// `kill -9`, and a fresh start on the same directory.
    pub(crate) fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.start_again();
    }

    /// Stops, and starts again on the same directory.
    pub(crate) fn restart(&mut self) {
        self.ask_to_stop();
        let ended = self.end(Duration::from_secs(40));
        assert!(ended.success(), "{}", self.log());
        self.start_again();
    }

    fn start_again(&mut self) {
        let said_before = self.log().len();
        self.child = spawn(self.directory.path(), self.opened.as_ref());
        self.wait(said_before);
    }

    /// Waits until it says that it listens, after what it said before.
    fn wait(&mut self, said_before: usize) {
        let port = format!(":{}", self.address.port());
        let listens = |log: &str| {
            let mut words = log.split_whitespace();
            words.any(|word| word.starts_with("public=") && word.ends_with(&port))
        };
        let until = Instant::now() + Duration::from_secs(30);
        while !listens(&self.log()[said_before..]) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "linkgate does not start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -TERM`, as systemd and container engines stop it.
    pub(crate) fn ask_to_stop(&self) {
        self.signal("-TERM");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
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

fn spawn(directory: &Path, opened: Option<&[TcpListener; 2]>) -> Child {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join("log"))
        .unwrap();
    let mut program = program(directory);
    program.stdin(Stdio::null()).stdout(log.try_clone().unwrap());
    if let Some(opened) = opened {
        let [public, operators] = opened.each_ref().map(|socket| socket.try_clone().unwrap());
        program = Command::new("sh");
        program.args(["-c", ACTIVATE, "sh", env!("CARGO_BIN_EXE_linkgate")]);
        program.current_dir(directory);
        program
            .stdin(OwnedFd::from(public))
            .stdout(OwnedFd::from(operators));
        let notify = directory.join("notify");
        if notify.exists() {
            program
                .env("NOTIFY_SOCKET", notify)
                .env("WATCHDOG_USEC", "300000");
        }
    }
    program
        .args(["serve", "--config", "linkgate.toml"])
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Passes sockets as systemd does (`sd_listen_fds(3)`).
const ACTIVATE: &str = r#"exec 3<&0 4<&1 </dev/null >&2; LISTEN_FDS=2 LISTEN_PID=$$ exec "$@""#;

fn program(directory: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_linkgate"));
    program.current_dir(directory);
    program
}

/// A directory with what the configuration names, and the public key of Bitbucket.
fn files(database: &Database) -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let key = write_key(directory.path());
    fs::write(directory.path().join("users.toml"), USERS).unwrap();
    fs::write(directory.path().join("bitbucket-old.pem"), OLD_KEY).unwrap();
    if !database.is_sqlite() {
        // SQLite's is made at the first start; replicas need one that they share.
        let made = program(directory.path())
            .args(["key", "generate", "--out", "linkgate.key"])
            .status();
        assert!(made.unwrap().success());
    }
    (directory, key)
}

/// Bitbucket's own key pair: a file to sign with; returns the public half as its consumer-info shows it.
fn write_key(directory: &Path) -> String {
    #[expect(clippy::disallowed_methods, reason = "a key for this test alone")]
    let key = PrivateKey::new(&mut rand::rng(), 2048).unwrap();
    let private = key.to_pkcs1_pem(LineEnding::LF).unwrap();
    fs::write(directory.join("bitbucket.pem"), private.as_bytes()).unwrap();
    STANDARD.encode(key.to_public_key().to_public_key_der().unwrap().as_bytes())
}

/// The sidecar of the examples, with addresses, a database and keys of this test's own.
fn config(address: SocketAddr, admin: SocketAddr, application: SocketAddr, store: &str, key: &str) -> String {
    let keys = "\n\n[keys]\nsecret_key_file = \"linkgate.key\"\n";
    let replacements = [
        ("127.0.0.1:9080", address.to_string()),
        ("127.0.0.1:9081", admin.to_string()),
        ("127.0.0.1:9090", application.to_string()),
        ("\"sqlite://linkgate.db\"", format!("\"{store}\"{keys}")),
        ("\"correct-horse-battery-staple\"", format!("\"{SHARED_SECRET}\"")),
        (
            "\"http://127.0.0.1:*\"",
            "\"http://127.0.0.1:*\", \"http://localhost:*\"".to_owned(),
        ),
    ];
    let mut config = SIDECAR.to_owned();
    for (theirs, ours) in replacements {
        assert!(config.contains(theirs), "the example still says {theirs}");
        config = config.replace(theirs, &ours);
    }
    let (before, rest) = config.split_once("public_key = \"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}public_key = \"{key}\"{after}")
}

/// The same with a proxy in front.
fn known_as(proxy: Option<SocketAddr>, address: SocketAddr, config: String) -> String {
    let Some(proxy) = proxy else { return config };
    let own = format!("public_url = \"http://{address}\"");
    assert!(config.contains(&own), "the example still has a public_url");
    config.replace(
        &own,
        &format!("public_url = \"http://{proxy}\"\ntrusted_proxies = [\"127.0.0.1\"]"),
    )
}

/// A secret of every kind of character that a signing key must encode.
pub(crate) const SHARED_SECRET: &str = "correct horse & battery=staple +%7E/ü";

const FILE_LOGIN: &str = "[login]\nmethod = \"file\"\n\n[login.file]\npath = \"users.toml\"\n";

const TLS: &str = "tls = { cert_file = \"certificate.pem\", key_file = \"certificate.key\" }";
const SIDECAR: &str = include_str!("../examples/sidecar.toml");
const OLD_KEY: &str = include_str!("../examples/bitbucket-old.pem");
const USERS: &str = include_str!("../examples/users.toml");
