//! What an example says, as a page of Markdown.

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
