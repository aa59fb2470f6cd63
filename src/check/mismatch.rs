//! The report on a formula that is not what it should be.

use std::fmt;

use super::Slip;

/// A formula that is not what it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// What it should be.
    pub expected: Expected,
    /// What was done wrong; empty if it is none of the usual slips.
    pub slips: Vec<Slip>,
    /// Shapes of the formula and of what it should be.
    pub shapes: [Vec<usize>; 2],
    /// Where they differ most, with the values of the formula and of what it should be, if their shapes are one.
    pub worst: Option<(Vec<usize>, f64, f64)>,
}

/// What a formula should be.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// The derivative.
    Derivative {
        /// With respect to this variable.
        wrt: String,
    },
    /// The same function as a reference.
    Reference {
        /// Its name, or its formula.
        formula: String,
    },
}

impl Expected {
    /// What it is by itself.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Derivative { .. } => self.to_string(),
            Self::Reference { formula } => format!("`{formula}`"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Derivative { wrt } => write!(f, "the derivative with respect to `{wrt}`"),
            Self::Reference { formula } => write!(f, "the same function as `{formula}`"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is not {}: ", self.expected)?;
        if !self.slips.is_empty() {
            let slips: Vec<String> = self.slips.iter().map(Slip::to_string).collect();
            return f.write_str(&slips.join(", and "));
        }
        let [found, expected] = &self.shapes;
        match &self.worst {
            Some((index, found, expected)) => {
                write!(f, "at {index:?} it is {found:e} and should be {expected:e}; ")?;
                f.write_str("the difference is none of the usual slips")
            }
            None => write!(f, "its shape is {found:?} and should be {expected:?}"),
        }
    }
}
