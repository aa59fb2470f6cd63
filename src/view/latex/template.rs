//! The LaTeX of a record, with operands in the places of `#1`, `#2`, …

use super::{Binding, Piece};

/// What a place asks of an operand that stands there without parentheses.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Nothing: something is around it already.
    Closed,
    /// It has an exponent, or an index.
    Base,
    /// It begins the formula.
    First,
    /// It stands behind a sign that binds so strongly.
    Behind(Binding),
}

/// The template filled in: `#1`, `#2`, … are the operands, `#*` is all of them, `#n` the attributes, without which the index
/// in which they stand is left out.
pub(super) fn fill(template: &str, binding: Binding, attributes: Option<&str>, operands: &[Piece]) -> Piece {
    if template == "#1" {
        return operands.first().cloned().unwrap_or_else(|| Piece::new("", Binding::Atom));
    }
    let mut found = Piece::new(String::new(), binding);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('#') {
        found.text += before;
        let (what, behind) = after.split_at(after.len().min(1));
        rest = behind;
        match (what, attributes) {
            ("n", Some(attributes)) => found.text += attributes,
            ("n", None) => {
                let index = found.text.rfind("_{").unwrap_or(found.text.len());
                found.text.truncate(index);
                rest = behind.split_once('}').map_or("", |(_, rest)| rest);
            }
            ("*", _) => {
                let all: Vec<&str> = operands.iter().map(|piece| &*piece.text).collect();
                found.text += &all.join(", ");
            }
            (digit, _) => {
                let operand = digit.parse::<usize>().ok().and_then(|k| operands.get(k.checked_sub(1)?));
                let Some(operand) = operand else { continue };
                let place = place(&found, before, behind);
                let text = fitted(&mut found, operand, place, behind.is_empty());
                if place == Place::Base && is_bare(&text, &behind[1..]) {
                    // Without the braces of the template.
                    found.text.pop();
                    rest = &behind[1..];
                }
                found.text += &text;
            }
        }
    }
    found.text += rest;
    found
}

fn place(found: &Piece, before: &str, after: &str) -> Place {
    let closed = [r"\right", ",", "]", " &", r"\\"].iter().any(|end| after.starts_with(end));
    if before.ends_with('{') {
        let is_base = after.starts_with("}^") || after.starts_with("}_");
        if is_base { Place::Base } else { Place::Closed }
    } else if before.ends_with("+ ") {
        Place::Behind(Binding::Sum)
    } else if closed {
        Place::Closed
    } else if found.text.is_empty() {
        Place::First
    } else {
        Place::Behind(found.binding)
    }
}

/// An operand, in parentheses where it needs them. The formula binds no more strongly than what it ends with.
fn fitted(found: &mut Piece, operand: &Piece, place: Place, last: bool) -> String {
    let is_prefix = matches!(&*found.text, "-" | r"\neg ");
    // What reaches to the end may stand there.
    let reaches = operand.binding == Binding::Big && last;
    let fits = match place {
        Place::Closed => true,
        Place::Base => operand.binding == Binding::Atom,
        Place::First => operand.binding >= found.binding,
        Place::Behind(_) if is_prefix => operand.binding >= Binding::Big,
        Place::Behind(Binding::Big) => operand.binding >= Binding::Big,
        Place::Behind(bound) => operand.binding > bound || reaches && bound >= Binding::Product,
    };
    let leads = matches!(place, Place::Closed | Place::First);
    if !fits || !leads && operand.text.starts_with('-') {
        return format!(r"\left({}\right)", operand.text);
    }
    if last && !leads {
        found.binding = found.binding.min(operand.binding);
    }
    operand.text.clone()
}

/// Whether a base needs no braces before a script: nothing in it could be taken for another one.
fn is_bare(base: &str, script: &str) -> bool {
    let clashes = base.contains(['^', '\'']) || script.starts_with('_') && base.contains('_');
    base.starts_with(r"\left(") || !clashes
}
