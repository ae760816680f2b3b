//! Front proxies as administrators run them: nginx and Caddy from Debian, Envoy from `PyPI` (`tests/proxies/prepare`), and
//! `PgBouncer` in front of the database. Each has a configuration, a port and a folder of its own.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running front proxy. Dropping it stops it.
pub(crate) struct FrontProxy {
    directory: TempDir,
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl FrontProxy {
    /// nginx with a file of `conf.d`.
    pub(crate) fn nginx(address: SocketAddr, site: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("  {name}_temp_path {home}/{name};\n"))
            .concat();
        // Only root changes to another user, who could not read the folder.
        let user = if is_root() { "user root;\n" } else { "" };
        let main = format!(
            "{user}daemon off;\nworker_processes 1;\npid {home}/pid;\nerror_log {home}/error.log info;\n\
             events {{ worker_connections 256; }}\n\
             http {{\n  log_subrequest on;\n  log_format uri \"$request_uri $uri $status\";\n  access_log {home}/access.log uri;\n\
             {temporary}  include {home}/site.conf;\n}}\n"
        );
        fs::write(directory.path().join("nginx.conf"), main).unwrap();
        fs::write(directory.path().join("site.conf"), site).unwrap();
        let mut command = Command::new(program("nginx", "/usr/sbin/nginx"));
        command
            .arg("-p")
            .arg(directory.path())
            .arg("-e")
            .arg(directory.path().join("error.log"))
            .arg("-c")
            .arg(directory.path().join("nginx.conf"));
        Self::start(command, directory, address)
    }

    /// Caddy with a Caddyfile.
    pub(crate) fn caddy(address: SocketAddr, caddyfile: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("Caddyfile");
        fs::write(&file, caddyfile).unwrap();
        let mut command = Command::new(program("caddy", "/usr/bin/caddy"));
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(file);
        Self::start(command, directory, address)
    }

    /// Envoy with its one file.
    pub(crate) fn envoy(address: SocketAddr, yaml: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("envoy.yaml");
        fs::write(&file, yaml).unwrap();
        let mut command = Command::new(prepared("envoy"));
        command
            .args([
                "--use-dynamic-base-id",
                "--concurrency",
                "1",
                "--log-level",
                "warn",
                "-c",
            ])
            .arg(file);
        Self::start(command, directory, address)
    }

    /// `PgBouncer` in front of a server whose user needs no password.
    pub(crate) fn pgbouncer(address: SocketAddr, server: SocketAddr, user: &str, mode: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={} port={} user={user}\n[pgbouncer]\nlisten_addr = {}\nlisten_port = {}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\n",
            server.ip(),
            server.port(),
            address.ip(),
            address.port()
        );
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(program("pgbouncer", "/usr/sbin/pgbouncer"));
        if is_root() {
            command.args(["-u", "postgres"]);
        }
        command.arg(file);
        Self::start(command, directory, address)
    }

    /// What it wrote into a file of its folder.
    pub(crate) fn wrote(&self, file: &str) -> String {
        fs::read_to_string(self.directory.path().join(file)).unwrap_or_default()
    }

    fn start(mut command: Command, directory: TempDir, address: SocketAddr) -> Self {
        let log = fs::File::create(directory.path().join("output")).unwrap();
        let child = command
            .current_dir(directory.path())
            .env("HOME", directory.path())
            .env("XDG_DATA_HOME", directory.path())
            .env("XDG_CONFIG_HOME", directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut front = Self {
            directory,
            child,
            address,
        };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            let ended = front.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "{command:?} does not start: {}",
                front.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        front
    }

    fn said(&self) -> String {
        ["output", "error.log"].map(|file| self.wrote(file)).concat()
    }
}

impl Drop for FrontProxy {
    fn drop(&mut self) {
        // Asked, and not killed: nginx has children of its own.
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

/// A file of `config/deploy` with other addresses than its own. What is to be replaced must be there.
pub(crate) fn deployed(file: &str, replacements: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config/deploy")
        .join(file);
    let mut text = fs::read_to_string(path).unwrap();
    for (theirs, ours) in replacements {
        assert!(text.contains(theirs), "{file} still says {theirs:?}");
        text = text.replace(theirs, ours);
    }
    text
}

/// A program that `tests/proxies/prepare` installed.
pub(crate) fn prepared(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("proxies/bin").join(name);
    assert!(
        path.exists(),
        "{} is missing: run tests/proxies/prepare",
        path.display()
    );
    path
}

/// A program of a Debian package, which may lie beside the path of an ordinary user.
fn program(package: &str, path: &str) -> PathBuf {
    let path = PathBuf::from(path);
    assert!(
        path.exists(),
        "{} is missing: apt-get install {package}",
        path.display()
    );
    path
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}
