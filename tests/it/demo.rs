//! `linkgate demo --headless`: the real program, end to end.

use std::process::Command;

#[test]
fn every_step_without_a_browser_goes_as_expected() {
    let output = Command::new(env!("CARGO_BIN_EXE_linkgate"))
        .args(["demo", "--headless"])
        .output()
        .unwrap();
    let lines = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines}\n{complaints}");
    assert_eq!(lines.matches("  ✓ ").count(), STEPS, "{lines}");
    assert!(
        lines.ends_with(&format!("\nAll {STEPS} steps passed.\n")),
        "{lines}"
    );
    assert!(!lines.contains('✗'), "{lines}");
    assert_eq!(complaints, "");
}

/// Seven for each link, three without a token, four of the own users, two of administrators, and five about a restart.
const STEPS: usize = 28;
