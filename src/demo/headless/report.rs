//! One line for each step: whether it went as expected, its name, what came back, and what was expected.

use std::io::{self, Write};

use crate::demo::bitbucket::calls::CallError;
use crate::demo::browser::BrowserError;
use crate::demo::operator::OperatorError;
use crate::demo::wire::WireError;

/// A step that went as expected.
pub(super) struct Passed<T> {
    /// What came back, in a few words.
    pub(super) got: String,
    /// What later steps need.
    pub(super) value: T,
}

/// What a step led to.
pub(super) type Outcome<T = ()> = Result<Passed<T>, Mismatch>;

/// How what came back differs from what was expected.
#[derive(Debug)]
pub(super) struct Mismatch(pub(super) String);

/// The end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many steps were made.
    pub steps: usize,
    /// How many of them went otherwise than expected, or could not be reached.
    pub failed: usize,
}

/// Prints as the steps come in.
pub(super) struct Report<'a> {
    out: &'a mut (dyn Write + Send),
    summary: Summary,
    broken: io::Result<()>,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            out,
            summary: Summary { steps: 0, failed: 0 },
            broken: Ok(()),
        }
    }

    /// Begins a group of steps.
    pub(super) fn title(&mut self, title: &str) {
        self.line(&format!("\n{title}"));
    }

    /// Notes a step; `None` when it failed.
    pub(super) fn step<T>(&mut self, name: &str, expected: &str, outcome: Outcome<T>) -> Option<T> {
        self.summary.steps += 1;
        match outcome {
            Ok(passed) => {
                self.line(&format!("  ✓ {name:<24} {:<22} {expected}", passed.got));
                Some(passed.value)
            }
            Err(Mismatch(why)) => {
                self.summary.failed += 1;
                self.line(&format!(
                    "  ✗ {name:<24} {:<22} {expected}\n      {why}",
                    "not as expected"
                ));
                None
            }
        }
    }

    /// Notes the end of a part, which stops where a step fails on which the next ones stand.
    pub(super) fn part(&mut self, reached: Option<()>) {
        if reached.is_none() {
            self.line("      the steps that stand on this one were not made");
        }
    }

    /// Prints the summary.
    pub(super) fn finish(mut self) -> io::Result<Summary> {
        let Summary { steps, failed } = self.summary;
        match failed {
            0 => self.line(&format!("\nAll {steps} steps went exactly as expected.")),
            _ => self.line(&format!("\n{failed} of {steps} steps did not go as expected.")),
        }
        self.broken.map(|()| self.summary)
    }

    fn line(&mut self, text: &str) {
        if self.broken.is_ok() {
            self.broken = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
        }
    }
}

impl<T> Passed<T> {
    pub(super) fn new(got: impl Into<String>, value: T) -> Self {
        Self {
            got: got.into(),
            value,
        }
    }
}

impl Mismatch {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl From<CallError> for Mismatch {
    fn from(error: CallError) -> Self {
        Self(error.to_string())
    }
}

impl From<WireError> for Mismatch {
    fn from(error: WireError) -> Self {
        Self(error.to_string())
    }
}

impl From<BrowserError> for Mismatch {
    fn from(error: BrowserError) -> Self {
        Self(error.to_string())
    }
}

impl From<OperatorError> for Mismatch {
    fn from(error: OperatorError) -> Self {
        Self(error.to_string())
    }
}
