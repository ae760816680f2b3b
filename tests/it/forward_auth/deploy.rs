//! The rest of `config/deploy`, and what its manual shows of it: what cannot be run here is at least what its program reads.
//!
//! Traefik is in neither Debian nor `PyPI` nor npm. Its sub-requests are those of [`verdicts`](super::verdicts), and its file is
//! read as TOML. There is no Docker engine to start the compose file with: its schema is the specification's own.

use std::process::Command;

use crate::support::{deployed, prepared};

#[test]
fn the_units_are_such() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_linkgate").to_owned();
    for (name, replacements) in [
        ("linkgate.service", &[("/usr/local/bin/linkgate", program)][..]),
        ("linkgate.socket", &[]),
    ] {
        std::fs::write(folder.path().join(name), deployed(name, replacements)).unwrap();
    }
    let files = ["linkgate.service", "linkgate.socket"].map(|name| folder.path().join(name));
    let output = Command::new("systemd-analyze").arg("verify").args(files).output();
    let output = output.expect("systemd-analyze runs: apt-get install systemd");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("linkgate."), "{said}");
}

#[test]
fn the_compose_file_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("compose.yaml");
    std::fs::write(&file, deployed("compose.yaml", &[])).unwrap();
    let output = Command::new(prepared("check-jsonschema"))
        .args(["--builtin-schema", "vendor.compose-spec"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn traefik_asks_for_every_path_and_believes_no_client() {
    let file: toml::Table = toml::from_str(&deployed("traefik.toml", &[])).unwrap();
    let http = &file["http"];
    for (name, router) in http["routers"].as_table().unwrap() {
        let asks = router
            .get("middlewares")
            .map(|names| names.as_array().unwrap().len());
        assert_eq!(asks, (name != "linkgate").then_some(1), "{name}");
        let service = router["service"].as_str().unwrap();
        let address = &http["services"][service]["loadBalancer"]["servers"][0]["url"];
        assert!(
            address.as_str().unwrap().starts_with("http://127.0.0.1:90"),
            "{name}"
        );
        for middleware in router
            .get("middlewares")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            let asked = &http["middlewares"][middleware.as_str().unwrap()]["forwardAuth"];
            let found = asked["address"].as_str();
            assert_eq!(found, Some("http://127.0.0.1:9080/forward-auth"));
            assert_eq!(asked["trustForwardHeader"].as_bool(), Some(false));
            let found = asked["authResponseHeadersRegex"].as_str();
            assert_eq!(found, Some("(?i)^(remote.user|x.linkgate..+)$"));
            assert_eq!(asked.get("forwardBody").is_some(), name == "forms", "{name}");
        }
    }
}

#[test]
fn the_manual_shows_the_file() {
    let manual = include_str!("../../../config/deploy/README.md");
    let (_, shown) = manual.split_once("```nginx\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let file = deployed("nginx-proxy.conf", &[]);
    let said: Vec<_> = file.lines().map(str::trim).collect();
    assert!(shown.lines().count() > 5, "{shown}");
    for line in shown.lines() {
        assert!(said.iter().any(|said| said.starts_with(line.trim())), "{line}");
    }
}
