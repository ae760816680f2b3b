//! Tables and times for a terminal.

use crate::characters::is_invisible;
use crate::clock::utc;
use crate::oauth::Timestamp;

/// A table: columns with a heading each, as wide as their widest value. Characters with which a name could write over the
/// screen, or turn its line round, become question marks.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let printable = |value: String| match value.as_str() {
        "" => "-".to_owned(),
        _ => value.replace(is_invisible, "?"),
    };
    let mut lines = vec![headings.map(str::to_uppercase)];
    lines.extend(rows.map(|row| row.map(printable)));
    let mut widths = [0; N];
    for line in &lines {
        for (width, value) in widths.iter_mut().zip(line) {
            *width = (*width).max(value.chars().count());
        }
    }
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<_> = cells.map(|(value, width)| format!("{value:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The value of a cell that may be empty.
pub(super) fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The value of a cell that answers a question.
pub(super) fn yes_or_no(answer: bool) -> String {
    if answer { "yes" } else { "no" }.to_owned()
}

/// Writes a time to the second: `2026-11-23 21:36:59 UTC`.
pub(super) fn format_time_exactly(at: Timestamp) -> String {
    utc(at).format("%F %T UTC").to_string()
}

/// Writes a time to the minute: `2026-11-23 21:36 UTC`.
pub(super) fn format_time(at: Timestamp) -> String {
    utc(at).format("%F %R UTC").to_string()
}
