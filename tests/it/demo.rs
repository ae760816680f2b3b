//! `linkgate demo --headless`: the real program, end to end.

use std::process::Command;

#[test]
fn every_step_without_a_browser_goes_as_expected() {
    let output = Command::new(env!("CARGO_BIN_EXE_linkgate"))
        .args(["demo", "--headless"])
        .output()
        .unwrap();
    let (lines, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{lines}\n{complaints}");
    assert!(!lines.contains('✗'), "{lines}");
    for (step, times) in STEPS {
        let opening = format!("  ✓ {step} ");
        assert_eq!(lines.matches(&opening).count(), *times, "{step}\n{lines}");
    }
    let made = lines.matches("  ✓ ").count();
    assert_eq!(
        made,
        STEPS.iter().map(|(_, times)| times).sum::<usize>(),
        "{lines}"
    );
    assert!(
        lines.contains(&format!("All {made} steps went exactly as expected.")),
        "{lines}"
    );
}

/// Each step, and how often it is made: most of them once for each link.
const STEPS: &[(&str, usize)] = &[
    ("request token", 2),
    ("authorize", 2),
    ("sign in as alice", 2),
    ("approve", 2),
    ("exchange, wrong verifier", 2),
    ("exchange  ", 2),
    ("exchange once more", 2),
    ("call as alice", 2),
    ("query: unicode, spaces", 2),
    ("query: repeated, empty", 2),
    ("query: reserved", 2),
    ("query: brackets, order", 2),
    ("query: encoded twice", 2),
    ("build as alice", 2),
    ("forged identity header", 2),
    ("no OAuth at all", 2),
    ("tampered query", 2),
    ("tampered form", 2),
    ("replay", 2),
    ("call as the application", 2),
    ("2LO with the form's key", 1),
    ("in the name of bob", 1),
    ("in the name of nobody", 1),
    ("renewal, wrong handle", 2),
    ("renewal  ", 2),
    ("denial", 2),
    ("revoke and retry", 2),
    ("connect again, as bob", 2),
    ("nobody", 1),
    ("own session", 1),
    ("own build button", 1),
    ("Generic link  ", 1),
    ("Own-key link  ", 1),
    ("pull requests  ", 1),
    ("sign in at linkgate", 1),
    ("allow at Bitbucket", 1),
    ("pull requests again", 1),
    ("HMAC at Bitbucket", 1),
    ("revoked at Bitbucket", 1),
    ("admin page, alice", 1),
    ("admin page, bob", 1),
    ("in the name of alice", 1),
    ("restart", 1),
    ("Generic link, replay", 1),
    ("Generic link, new call", 1),
    ("Own-key link, replay", 1),
    ("Own-key link, new call", 1),
];
