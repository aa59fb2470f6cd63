//! What a specification of `einsum` says.

use super::Label;

/// A specification: the names of the axes of every operand and of the result.
#[derive(Debug, PartialEq)]
pub(super) struct Spec {
    pub operands: Vec<Vec<Label>>,
    pub output: Vec<Label>,
}

/// The first name of the axes that an ellipsis stands for, which are counted from the last one: no letter has such a number.
const ELLIPSIS: Label = 0x0011_0000;

/// A letter, or an ellipsis.
#[derive(Clone, Copy, PartialEq)]
enum Symbol {
    Index(char),
    Ellipsis,
}

/// How an axis is called in an error.
pub(super) fn name_of(label: Label) -> String {
    match char::from_u32(label) {
        Some(letter) => format!("`{letter}`"),
        None => format!("number -{} of `...`", label - ELLIPSIS + 1),
    }
}

impl Spec {
    /// Reads a specification for operands with so many axes; or says why it cannot be read.
    pub fn read(spec: &str, ranks: &[usize]) -> Result<Self, String> {
        let (left, right) = match spec.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (spec, None),
        };
        let operands: Vec<Vec<Symbol>> = left.split(',').map(symbols).collect::<Result<_, _>>()?;
        if operands.len() != ranks.len() {
            return Err(format!("it is for {} operands, not for {}", operands.len(), ranks.len()));
        }
        let labels = |(k, (symbols, &rank)): (usize, (&Vec<Symbol>, &usize))| named(k, symbols, rank);
        let operands: Vec<Vec<Label>> =
            operands.iter().zip(ranks).enumerate().map(labels).collect::<Result<_, _>>()?;
        let output = match right {
            Some(right) => explicit(&symbols(right)?, &operands)?,
            None => implicit(&operands),
        };
        Ok(Self { operands, output })
    }
}

fn symbols(part: &str) -> Result<Vec<Symbol>, String> {
    let mut found = Vec::new();
    let mut rest: &str = part;
    while let Some(letter) = rest.chars().next() {
        let symbol = match rest.strip_prefix("...") {
            Some(behind) => {
                rest = behind;
                Some(Symbol::Ellipsis)
            }
            None => {
                rest = &rest[letter.len_utf8()..];
                match letter {
                    ' ' => None,
                    letter if letter.is_alphabetic() => Some(Symbol::Index(letter)),
                    other => return Err(format!("`{other}` is no index")),
                }
            }
        };
        if symbol == Some(Symbol::Ellipsis) && found.contains(&Symbol::Ellipsis) {
            return Err("there is more than one `...` in a row of indices".to_owned());
        }
        found.extend(symbol);
    }
    Ok(found)
}

/// The names of the axes of operand `k`.
fn named(k: usize, symbols: &[Symbol], rank: usize) -> Result<Vec<Label>, String> {
    let letters = symbols.iter().filter(|symbol| **symbol != Symbol::Ellipsis).count();
    let open = symbols.len() > letters;
    if letters > rank || letters < rank && !open {
        let more = if open { " at least" } else { "" };
        return Err(format!("it names{more} {letters} axes of operand {k}, which has {rank}"));
    }
    Ok(symbols.iter().flat_map(|&symbol| labels_of(symbol, rank - letters)).collect())
}

/// The names that a symbol stands for, where an ellipsis stands for so many axes.
fn labels_of(symbol: Symbol, ellipsis: usize) -> Vec<Label> {
    match symbol {
        Symbol::Index(letter) => vec![Label::from(letter)],
        Symbol::Ellipsis => (0..ellipsis).rev().map(|k| ELLIPSIS + k as Label).collect(),
    }
}

/// How many axes the widest ellipsis stands for.
fn widest(operands: &[Vec<Label>]) -> usize {
    let ellipses = operands.iter().flatten().filter(|&&label| label >= ELLIPSIS);
    ellipses.map(|label| (label - ELLIPSIS + 1) as usize).max().unwrap_or(0)
}

fn explicit(symbols: &[Symbol], operands: &[Vec<Label>]) -> Result<Vec<Label>, String> {
    for (place, &symbol) in symbols.iter().enumerate() {
        let Symbol::Index(letter) = symbol else { continue };
        if symbols[..place].contains(&symbol) {
            return Err(format!("the output has the index `{letter}` twice"));
        }
        if !operands.iter().any(|operand| operand.contains(&Label::from(letter))) {
            return Err(format!("no operand has the index `{letter}` of the output"));
        }
    }
    let ellipsis = widest(operands);
    Ok(symbols.iter().flat_map(|&symbol| labels_of(symbol, ellipsis)).collect())
}

/// The axes of ellipses, then the indices that there are once, in the order of the alphabet.
fn implicit(operands: &[Vec<Label>]) -> Vec<Label> {
    let all: Vec<Label> = operands.concat();
    let once = |label: &Label| *label < ELLIPSIS && all.iter().filter(|other| *other == label).count() == 1;
    let mut letters: Vec<Label> = all.iter().copied().filter(once).collect();
    letters.sort_unstable();
    [labels_of(Symbol::Ellipsis, widest(operands)), letters].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(spec: &str, ranks: &[usize]) -> String {
        let spec = Spec::read(spec, ranks).unwrap();
        spec.output.iter().map(|&label| char::from_u32(label).unwrap_or('.')).collect()
    }

    #[test]
    fn what_is_not_said_is_in_the_order_of_the_alphabet() {
        assert_eq!(output("ij,jk", &[2, 2]), "ik");
        assert_eq!(output("ba", &[2]), "ab");
        assert_eq!(output("bA", &[2]), "Ab");
        assert_eq!(output("ii", &[2]), "");
        assert_eq!(output("...ij, j...", &[4, 3]), "..i");
        assert_eq!(output("", &[0]), "");
        assert_eq!(output("i j , j k -> k i", &[2, 2]), "ki");
    }

    #[test]
    fn an_ellipsis_counts_from_the_last_axis() {
        let spec = Spec::read("i...,...->...i", &[3, 1]).unwrap();
        let (e, i) = (ELLIPSIS, Label::from('i'));
        assert_eq!(spec.operands, [vec![i, e + 1, e], vec![e]]);
        assert_eq!(spec.output, [e + 1, e, i]);
    }
}
