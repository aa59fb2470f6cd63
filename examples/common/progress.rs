//! A bar in a terminal; plain lines elsewhere.

use std::fmt;
use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a training is.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// For `total` steps.
    pub fn new(total: usize) -> Self {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        Self(terminal.then(|| {
            let bar = ProgressBar::new(total as u64);
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} iterations, {eta} left") {
                bar.set_style(style);
            }
            bar
        }))
    }

    /// One more step is done.
    pub fn step(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    /// A line above the bar.
    pub fn line(&self, line: impl fmt::Display) {
        match &self.0 {
            Some(bar) => bar.suspend(|| println!("{line}")),
            None => println!("{line}"),
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.0 {
            bar.finish_and_clear();
        }
    }
}
