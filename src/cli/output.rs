//! Tables and times for a terminal.

use crate::characters::is_invisible;
use crate::clock::utc;
use crate::oauth::Timestamp;

/// Columns with a heading each, as wide as their widest value.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Begins a table.
    pub(super) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            rows: vec![headings.iter().map(|heading| heading.to_uppercase()).collect()],
        }
    }

    /// Adds a row. Characters with which a name could write over the screen, or turn its line round, become question marks.
    pub(super) fn row<const N: usize>(&mut self, values: [String; N]) {
        let printable = |value: String| match value.as_str() {
            "" => "-".to_owned(),
            _ => value.replace(is_invisible, "?"),
        };
        self.rows.push(values.into_iter().map(printable).collect());
    }

    /// The table as text, a line for each row.
    pub(super) fn to_text(&self) -> String {
        let width = |row: &Vec<String>, column: usize| row[column].chars().count();
        let widest = |column| self.rows.iter().map(|row| width(row, column)).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.rows[0].len()).map(widest).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(value, width)| format!("{value:width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Writes a time to the second: `2026-11-23 21:36:59 UTC`.
pub(super) fn format_time_exactly(at: Timestamp) -> String {
    utc(at).format("%F %T UTC").to_string()
}

/// Writes a time to the minute: `2026-11-23 21:36 UTC`.
pub(super) fn format_time(at: Timestamp) -> String {
    utc(at).format("%F %R UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let mut table = Table::new(["key", "name"]);
        table.row(["ck".into(), "Bit\u{1b}[2Jbucket".into()]);
        table.row(["lon\u{202e}ger".into(), String::new()]);
        assert_eq!(
            table.to_text(),
            "KEY      NAME\nck       Bit?[2Jbucket\nlon?ger  -\n"
        );
    }

    #[test]
    fn times_are_written_to_the_minute_or_the_second() {
        let at = Timestamp::from_seconds(1_795_473_419);
        assert_eq!(format_time(at), "2026-11-23 22:36 UTC");
        assert_eq!(format_time_exactly(at), "2026-11-23 22:36:59 UTC");
    }
}
