//! Tables of numbers as text.

use std::path::Path;

use gradus::ndarray::{Array1, Array2};

use crate::common::Error;
use crate::common::files::read_text;

/// Examples with labels, as a table holds them.
pub struct Table {
    /// A column for each example: (n, m).
    pub x: Array2<f64>,
    /// A class for each example: 0, 1, … (m).
    pub y: Array1<f64>,
    /// What stands in the first line, if that is not a row of numbers.
    pub header: Vec<String>,
}

impl Table {
    /// A name for each number of an example: what stands above its column, if there is something above each.
    pub fn names(&self) -> Vec<String> {
        let n = self.x.nrows();
        match self.header.get(..n) {
            Some(names) if self.header.len() <= n + 1 => names.to_vec(),
            _ => (1..=n).map(|i| format!("x{i}")).collect(),
        }
    }
}

/// Reads a file with a row of numbers for each example, separated by commas, the class last: one of `classes`, which are
/// counted from 0. A first line in which anything else stands is a header; empty lines
/// are skipped.
pub fn table(path: &Path, classes: usize) -> Result<Table, Error> {
    let text = read_text(path)?;
    parse(&text, None, classes).map_err(|what| Error::in_file(path, what))
}

/// As [`table`], from the text of a file, with so many columns if that is given; an error says where it is and what is
/// wrong there.
pub fn parse(text: &str, columns: Option<usize>, classes: usize) -> Result<Table, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text); // the mark that some programs put before UTF-8
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let is_header = |line: &str| line.split(',').any(|field| field.trim().parse::<f64>().is_err());
    let header = lines.next_if(|&(_, line)| is_header(line));
    let header =
        header.map_or(Vec::new(), |(_, line)| line.split(',').map(|s| s.trim().to_owned()).collect());

    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    let mut width = columns;
    for (i, line) in lines {
        let row = numbers(line, i + 1)?;
        let width = *width.get_or_insert(row.len());
        match row[..] {
            [_, .., label] if row.len() == width => {
                if !(0..classes).any(|class| class as f64 == label) {
                    let last = classes - 1;
                    return Err(format!(
                        "line {}, column {width}: expected a label from 0 to {last}, found {label}",
                        i + 1
                    ));
                }
                rows.extend_from_slice(&row[..width - 1]);
                labels.push(label);
            }
            [_] if width == 1 => {
                return Err(format!("line {}: expected numbers and a label, found one number", i + 1));
            }
            _ => return Err(format!("line {}: expected {width} numbers, found {}", i + 1, row.len())),
        }
    }
    let Some(width) = width.filter(|_| !labels.is_empty()) else {
        return Err("expected rows of numbers with a label, found none".to_owned());
    };
    let x = Array2::from_shape_vec((labels.len(), width - 1), rows).map_err(|error| error.to_string())?;
    Ok(Table { x: x.reversed_axes(), y: labels.into(), header })
}

fn numbers(line: &str, row: usize) -> Result<Vec<f64>, String> {
    let fields = line.split(',').map(str::trim).enumerate();
    let number = |(i, field): (usize, &str)| match field.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(other) => Err(format!("line {row}, column {}: expected a finite number, found {other}", i + 1)),
        Err(_) => Err(format!("line {row}, column {}: expected a number, found {field:?}", i + 1)),
    };
    fields.map(number).collect()
}
