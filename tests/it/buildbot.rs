//! A real third-party application behind linkgate, with the files of the worked example in `config/examples`: Buildbot,
//! which nobody here wrote, believes `Remote-User` and decides by itself what alice and bob may do.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Program, Request, Response, Running, reserved};

/// A running Buildbot, with a linkgate in front.
struct World {
    _buildbot: Running,
    /// Buildbot's own address, which in a real installation only linkgate reaches.
    inside: SocketAddr,
    linkgate: Program,
}

impl World {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["users.toml", "force.py"] {
            fs::copy(example(name), directory.path().join(name)).unwrap();
        }
        fs::write(
            directory.path().join("bitbucket.secret"),
            "a secret of this test alone\n",
        )
        .unwrap();
        let inside = reserved();
        let buildbot = start_buildbot(&directory, inside);
        let linkgate = Program::serve(directory, |address, admin| {
            replaced(
                "linkgate.toml",
                &[
                    ("127.0.0.1:9080", &address.to_string()),
                    ("127.0.0.1:9081", &admin.to_string()),
                    ("127.0.0.1:8010", &inside.to_string()),
                ],
            )
        });
        let world = Self {
            _buildbot: buildbot,
            inside,
            linkgate,
        };
        world.wait();
        world
    }

    /// Waits until Buildbot listens.
    fn wait(&self) {
        let until = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(self.inside).is_err() {
            let log = fs::read_to_string(self.linkgate.file("master/twistd.log")).unwrap_or_default();
            assert!(Instant::now() < until, "Buildbot does not start:\n{log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Runs the example's client as a user; what it printed, and whether it was content.
    fn force(&self, user: &str) -> (String, bool) {
        let output = Command::new(installed("python"))
            .arg(self.linkgate.file("force.py"))
            .args([user, self.linkgate.base()])
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8(said).unwrap(), output.status.success())
    }

    /// What Buildbot itself says, past linkgate.
    async fn api(&self, target: &str) -> Value {
        let answer = Request::get(format!("/api/v2/{target}"))
            .header("Accept", "application/json")
            .send(self.inside)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Whom Buildbot's page calls its user, for a client that sends some header; and the cookie that it sets.
    async fn user_of(&self, said: &str) -> (Value, String) {
        let request = Request::get("/").header(said, "alice");
        let answer = request.send(self.linkgate.address()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let (_, rest) = answer.body.split_once("\"user\": ").unwrap();
        let user = serde_json::Deserializer::from_str(rest).into_iter().next();
        (user.unwrap().unwrap(), cookie(&answer))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_forced_as_alice_and_denied_to_bob() {
    let world = tokio::task::block_in_place(World::start);

    let (said, content) = tokio::task::block_in_place(|| world.force("alice"));
    assert!(content, "{said}\n{}", world.linkgate.log());
    assert!(said.starts_with("200 "), "{said}\n{}", world.linkgate.log());
    let sets = world.api("buildsets").await;
    assert_eq!(sets["meta"]["total"], 1, "{sets}");
    let found = &sets["buildsets"][0]["reason"];
    assert_eq!(found, "A build was forced by 'alice': a test");
    let build = world.built().await;
    assert_eq!(build["properties"]["owner"][0], "alice", "{build}");
    assert_eq!(build["results"], 0, "{build}");

    // Buildbot knows bob as well, and says no by itself.
    let (said, content) = tokio::task::block_in_place(|| world.force("bob"));
    assert!(!content && said.starts_with("403 "), "{said}");
    assert!(said.contains("you need to have role 'releaser'"), "{said}");

    // A call that names an unknown user does not reach Buildbot.
    let (said, content) = tokio::task::block_in_place(|| world.force("mallory"));
    assert!(
        !content && said.starts_with("401 oauth_problem=permission_denied"),
        "{said}"
    );
    assert_eq!(world.api("buildsets").await["meta"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_request_is_not_alice() {
    let world = tokio::task::block_in_place(World::start);
    for said in "Remote-User REMOTE_USER remote_user Remote.User X-Other".split(' ') {
        let (user, cookie) = world.user_of(said).await;
        assert_eq!(user["anonymous"], true, "{said}: {user}");
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"force","params":{"builderid":1,"owner":"alice"}}"#;
        let answer = Request::post("/api/v2/forceschedulers/force")
            .header("Cookie", cookie)
            .header("Content-Type", "application/json")
            .header(said, "alice")
            .body(call)
            .send(world.linkgate.address())
            .await;
        assert_eq!(answer.status, 403, "{said}: {answer:?}");
    }
    assert_eq!(world.api("buildsets").await["meta"]["total"], 0);
    // The header is what counts: who reaches Buildbot past linkgate is whom they say.
    let request = Request::get("/").header("Remote-User", "alice");
    let answer = request.send(world.inside).await;
    assert!(answer.body.contains(r#""username": "alice""#), "{answer:?}");
}

impl World {
    /// The one build, when it is done.
    async fn built(&self) -> Value {
        for _ in 0..200 {
            let builds = self.api("builds?property=owner").await;
            if builds["builds"][0]["complete"] == true {
                assert_eq!(builds["meta"]["total"], 1, "{builds}");
                return builds["builds"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the build does not end");
    }
}

fn start_buildbot(directory: &TempDir, address: SocketAddr) -> Running {
    let made = Command::new(installed("buildbot"))
        .args(["create-master", "--quiet", "master"])
        .current_dir(directory.path())
        .status();
    let made = made.unwrap_or_else(|error| panic!("Buildbot: {error}; run tests/clients/prepare"));
    assert!(made.success());
    let master = directory.path().join("master");
    let port = format!("tcp:{}:", address.port());
    fs::write(
        master.join("master.cfg"),
        replaced("master.cfg", &[("tcp:8010:", &port)]),
    )
    .unwrap();
    let twistd = Command::new(installed("twistd"))
        .args([
            "--nodaemon",
            "--no_save",
            "--logfile=twistd.log",
            "--python=buildbot.tac",
        ])
        .current_dir(&master)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(twistd.unwrap())
}

fn cookie(answer: &Response) -> String {
    let set = answer.header("set-cookie").expect("Buildbot begins a session");
    set.split(';').next().unwrap().to_owned()
}

/// A file of the example, with addresses of this test's own.
fn replaced(name: &str, replacements: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(example(name)).unwrap();
    for (theirs, ours) in replacements {
        assert!(text.contains(theirs), "{name} still says {theirs}");
        text = text.replace(theirs, ours);
    }
    text
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config/examples/buildbot")
        .join(name)
}

/// What `tests/clients/prepare` put beside the build.
fn installed(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("clients/buildbot/bin").join(name)
}
