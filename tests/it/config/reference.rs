//! The reference, `config/linkgate.toml`, and the quick start: what they say is what is read.

use std::fs;
use std::path::Path;

use super::Written;
use crate::manuals::manuals;
use crate::support::Authority;

#[test]
fn the_reference_works_unchanged() {
    let config = beside_its_files(&reference()).load(&[]).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn what_the_reference_calls_a_default_is_one() {
    let explicit = replaced(&reference(), |line| {
        line.strip_prefix('#').filter(|line| is_key(line))
    });
    assert_ne!(explicit, reference());
    let implicit = beside_its_files(&reference());
    let defaults = format!("{:#?}", implicit.load(&[]).unwrap());
    fs::write(implicit.path("linkgate.toml"), explicit).unwrap();
    assert_eq!(format!("{:#?}", implicit.load(&[]).unwrap()), defaults);
}

#[test]
fn the_examples_in_the_reference_are_keys() {
    let text = reference();
    let examples: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# ").filter(|line| is_key(line)))
        .collect();
    assert!(examples.len() > 5);
    for example in examples {
        let text = replaced(&text, |line| {
            line.strip_prefix("# ").filter(|line| *line == example)
        });
        // Some exclude what stands beside them; none is unknown, or of a wrong type.
        if let Err(error) = beside_its_files(&text).load(&[]) {
            let said = error.to_string();
            assert!(!said.contains("there is no such"), "{example}: {said}");
            assert!(!said.contains("expected"), "{example}: {said}");
        }
    }
}

#[test]
fn the_reference_leaves_no_key_out() {
    let text = reference();
    let headers: Vec<_> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert!(headers.len() >= 15);
    for header in headers {
        let with_a_stranger = text.replace(header, &format!("{header}\nstranger_among_keys = 1"));
        let said = beside_its_files(&with_a_stranger).refused(&[]);
        let (_, known) = said
            .split_once("known here: ")
            .unwrap_or_else(|| panic!("{header}: {said}"));
        for key in known.lines().next().unwrap().split(", ") {
            let dashed = key.replace('_', "-");
            assert!(
                text.contains(key) || text.contains(&dashed),
                "{header} has a key {key}"
            );
        }
    }
}

#[test]
fn the_quick_start_works() {
    let text = fs::read_to_string(root().join("config/quickstart.toml")).unwrap();
    let config = beside_its_files(&text).load(&[]).unwrap();
    assert_eq!(config.consumers.len(), 1);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn the_configurations_of_the_manuals_load() {
    let authority = Authority::new();
    let pair = authority.issue(&["builds.example.com"]);
    let mut methods = Vec::new();
    let mut blocks = 0;
    for page in manuals() {
        for block in page.blocks("toml") {
            if block.contains("[[users]]") || (block.contains("\"ldap\"") && cfg!(not(feature = "ldap"))) {
                continue;
            }
            blocks += 1;
            let written = beside_its_files(&completed(&block))
                .with("fullchain.pem", &pair.certificate)
                .with("privkey.pem", &pair.key)
                .with("internal-ca.pem", &authority.pem)
                .with("handoff.secret", "a-secret\n")
                .with("oidc.secret", "a-secret\n")
                .with("ldap.password", "a-secret\n");
            let config = written.load(&[]);
            let config = config.unwrap_or_else(|error| panic!("{}: {block}{error}", page.name));
            if let Some((_, method)) = block.split_once("method = \"") {
                assert!(config.warnings.is_empty(), "{block}: {:?}", config.warnings);
                methods.push(method.split('"').next().unwrap().to_owned());
            }
        }
    }
    assert!(blocks >= 15, "{blocks}");
    for method in ["probe", "handoff", "oidc", "trusted-header", "file"] {
        assert!(
            methods.iter().any(|shown| shown == method),
            "no manual shows {method}"
        );
    }
}

/// A part of a configuration with the sections that every configuration has, and with a whole key where it shows the
/// beginning of one.
fn completed(part: &str) -> String {
    let key = fs::read_to_string(root().join("tests/it/examples/bitbucket-old.pem")).unwrap();
    let key: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let sections = [
        "[server]\npublic_url = \"https://builds.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]\n",
        "[upstream]\nurl = \"http://127.0.0.1:9090\"\n",
        "[login]\nmethod = \"file\"\n[login.file]\npath = \"users.toml\"\n",
    ];
    let is_missing = |section: &&str| !part.contains(section.lines().next().unwrap());
    let missing: String = sections.into_iter().filter(is_missing).collect();
    let whole = |line: &str| match line.split_once("= \"MIIB") {
        Some((name, _)) => format!("{name}= \"{key}\"\n"),
        None => format!("{line}\n"),
    };
    part.lines().map(whole).collect::<String>() + &missing
}

fn reference() -> String {
    fs::read_to_string(root().join("config/linkgate.toml")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn beside_its_files(text: &str) -> Written {
    let key = fs::read_to_string(root().join("tests/it/examples/bitbucket-old.pem")).unwrap();
    Written::new(text)
        .with("bitbucket.pem", &key)
        .with(
            "logo.svg",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 3 1\"/>",
        )
        .with("bitbucket.secret", "correct-horse-battery-staple\n")
        .with_link_key("link.pem")
        .with_link_key("link-old.pem")
        .with("links.token", "correct-horse-battery-staple\n")
}

/// `listen = "..."`, and not a sentence.
fn is_key(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

fn replaced<'a>(text: &'a str, change: impl Fn(&'a str) -> Option<&'a str>) -> String {
    text.lines()
        .map(|line| change(line).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}
