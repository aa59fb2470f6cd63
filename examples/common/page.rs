//! What an example says, as a page to read.

use std::fmt::{self, Display, Write};

/// How long a line of text is at most.
const WIDTH: usize = 100;

/// A page, written from top to bottom.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// A paragraph of one line, however long.
    pub fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.0, "{line}\n");
    }

    /// A paragraph, its words in lines.
    pub fn text(&mut self, text: &str) {
        let mut length = 0;
        for word in text.split_whitespace() {
            let more = 1 + word.chars().count();
            if length > 0 {
                let fits = length + more <= WIDTH;
                self.0.push(if fits { ' ' } else { '\n' });
                length = if fits { length } else { 0 };
            }
            self.0.push_str(word);
            length += more;
        }
        self.0.push_str("\n\n");
    }

    /// What somebody else says, line by line.
    pub fn quote(&mut self, text: impl Display) {
        for line in text.to_string().lines() {
            let _ = writeln!(self.0, "> {line}");
        }
        self.0.push('\n');
    }
}

impl Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0.trim_end())
    }
}

/// Prints a heading, with space above and a line under it.
pub fn heading(text: &str) {
    println!("\n{text}\n{}", "-".repeat(text.chars().count()));
}

/// Prints rows of cells in columns that are aligned as the letters of `columns` say: `l` to the left, `r` to the right.
pub fn table(columns: &str, head: &[&str], rows: &[Vec<String>]) {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let all = || std::iter::once(&head).chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for row in all() {
        let cells = row.iter().zip(&widths).zip(columns.chars());
        let cells: Vec<String> = cells
            .map(
                |((cell, &width), side)| {
                    if side == 'l' { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        println!("{}", cells.join("   ").trim_end());
    }
}

/// A number in the shortest form that reads back as the same.
pub fn number(x: f64) -> String {
    let (plain, scientific) = (x.to_string(), format!("{x:e}"));
    if plain.len() <= scientific.len().max(8) { plain } else { scientific }
}

/// The number to six digits behind the point.
pub fn rounded(x: f64) -> f64 {
    let rounded = (x * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { x }
}
