//! A table for the terminal.

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

    /// Adds a row. Control characters, with which a name could write over the screen, become question marks.
    pub(super) fn row<const N: usize>(&mut self, values: [String; N]) {
        let printable = |value: String| match value.as_str() {
            "" => "-".to_owned(),
            _ => value.replace(char::is_control, "?"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let mut table = Table::new(["key", "name"]);
        table.row(["ck".into(), "Bit\u{1b}[2Jbucket".into()]);
        table.row(["longer".into(), String::new()]);
        assert_eq!(
            table.to_text(),
            "KEY     NAME\nck      Bit?[2Jbucket\nlonger  -\n"
        );
    }
}
