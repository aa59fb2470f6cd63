//! The attributes of a case, each of which has to be understood.

use std::cell::RefCell;
use std::collections::BTreeSet;

use gradus::Axes;
use gradus::ndarray::{ArrayD, IxDyn};
use serde_json::{Map, Value};

/// Why a case is not supported.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason(pub String);

pub type Result<T> = std::result::Result<T, Reason>;

/// A reason, as an error.
pub fn unsupported<T>(reason: impl Into<String>) -> Result<T> {
    Err(Reason(reason.into()))
}

/// The attributes, and which of them have been read: one that nothing reads is one that is not understood.
pub struct Attributes<'a> {
    all: &'a Map<String, Value>,
    expression: &'a str,
    read: RefCell<BTreeSet<String>>,
}

/// A place along one axis: a range in Python's sense, or one element, whose axis goes away; or a new axis, or an ellipsis,
/// all axes that are not named.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Range { start: Option<isize>, stop: Option<isize>, step: isize },
    At(isize),
    New,
    Rest,
}

impl<'a> Attributes<'a> {
    /// Those of a case, and its formula in the notation of JAX, for the operation whose attributes do not say all of it.
    pub fn new(all: &'a Map<String, Value>, expression: &'a str) -> Self {
        // What is written for readers.
        Self { all, expression, read: RefCell::new(BTreeSet::from(["note".to_owned()])) }
    }

    pub fn expression(&self) -> &'a str {
        self.expression
    }

    /// Refuses attributes that nothing has read.
    pub fn all_read(&self) -> Result<()> {
        let read = self.read.borrow();
        match self.all.iter().find(|(key, _)| !read.contains(*key)) {
            Some((key, value)) => unsupported(format!("the attribute `{key}` = {value} is not known here")),
            None => Ok(()),
        }
    }

    /// The attribute, unless it is missing or null.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.all.get(key).filter(|value| !value.is_null())
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether the attribute is null, which in NumPy is something else than a missing one where that has a value.
    pub fn is_null(&self, key: &str) -> bool {
        self.read.borrow_mut().insert(key.to_owned());
        self.all.get(key).is_some_and(Value::is_null)
    }

    fn understood<T>(&self, key: &str, value: &Value, expected: &str, read: Option<T>) -> Result<T> {
        read.map_or_else(|| unsupported(format!("the attribute `{key}` = {value} is not {expected}")), Ok)
    }

    fn with<T>(&self, key: &str, expected: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>> {
        self.get(key).map(|value| self.understood(key, value, expected, read(value))).transpose()
    }

    fn required<T>(&self, key: &str, found: Option<T>) -> Result<T> {
        found.map_or_else(|| unsupported(format!("the attribute `{key}` is missing")), Ok)
    }

    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        self.with(key, "a number", number)
    }

    pub fn the_number(&self, key: &str) -> Result<f64> {
        self.required(key, self.number(key)?)
    }

    /// Several numbers.
    pub fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        self.with(key, "a list of numbers", |value| value.as_array()?.iter().map(number).collect())
    }

    pub fn integer(&self, key: &str) -> Result<Option<i64>> {
        self.with(key, "an integer", integer)
    }

    pub fn the_integer<I: TryFrom<i64>>(&self, key: &str) -> Result<I> {
        let found = self.required(key, self.integer(key)?)?;
        I::try_from(found)
            .or_else(|_| unsupported(format!("the attribute `{key}` = {found} is out of range")))
    }

    pub fn flag(&self, key: &str) -> Result<bool> {
        Ok(self.with(key, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.with(key, "a text", Value::as_str)
    }

    /// The text, if there is one, is this.
    pub fn is(&self, key: &str, expected: &str) -> Result<()> {
        match self.text(key)? {
            Some(found) if found != expected => {
                unsupported(format!("the attribute `{key}` = \"{found}\" is not \"{expected}\""))
            }
            _ => Ok(()),
        }
    }

    /// One integer or several.
    pub fn integers(&self, key: &str) -> Result<Option<Vec<i64>>> {
        self.with(key, "an integer or a list of integers", |value| match value {
            Value::Array(list) => list.iter().map(integer).collect(),
            one => Some(vec![integer(one)?]),
        })
    }

    pub fn the_integers(&self, key: &str) -> Result<Vec<i64>> {
        self.required(key, self.integers(key)?)
    }

    /// One size or several.
    pub fn the_sizes(&self, key: &str) -> Result<Vec<usize>> {
        let read = self.integers(key)?.map(|list| list.iter().map(|&n| usize::try_from(n).ok()).collect());
        match read {
            Some(Some(sizes)) => Ok(sizes),
            Some(None) => unsupported(format!("the attribute `{key}` has a negative size")),
            None => unsupported(format!("the attribute `{key}` is missing")),
        }
    }

    /// One axis or several; all of them where there is none, or null.
    pub fn axes(&self, key: &str) -> Result<Axes> {
        Ok(self.integers(key)?.map_or(Axes::ALL, |list| axes(&list)))
    }

    /// One axis.
    pub fn axis(&self, key: &str) -> Result<Option<i32>> {
        self.integer(key)?.map(|axis| narrow(key, axis)).transpose()
    }

    /// Pairs of sizes; one number stands for an equal pair.
    pub fn the_pairs(&self, key: &str) -> Result<Vec<(usize, usize)>> {
        let size = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
            Some([a, b]) => Some((size(a)?, size(b)?)),
            Some(_) => None,
            None => size(value).map(|n| (n, n)),
        };
        let read = self.with(key, "a list of pairs", |value| value.as_array()?.iter().map(pair).collect())?;
        self.required(key, read)
    }

    /// An array of integers.
    pub fn the_indices(&self, key: &str) -> Result<ArrayD<i64>> {
        let read = self.with(key, "an array of integers", |value| nested(value, &integer))?;
        self.required(key, read)
    }

    /// An array of booleans, also of ones and zeros.
    pub fn the_mask(&self, key: &str) -> Result<ArrayD<bool>> {
        let flag = |value: &Value| match integer(value) {
            Some(bit) => matches!(bit, 0 | 1).then_some(bit == 1),
            None => value.as_bool(),
        };
        let read = self.with(key, "an array of booleans", |value| nested(value, &flag))?;
        self.required(key, read)
    }

    /// Places along the first axes: `[start, stop, step]` or an integer for each; null is a new axis, `"..."` the others.
    pub fn the_places(&self, key: &str) -> Result<Vec<Place>> {
        let bound = |value: &Value| if value.is_null() { Some(None) } else { small(value).map(Some) };
        let place = |value: &Value| match value {
            Value::Array(list) => {
                let (start, stop, step) = match &list[..] {
                    [start, stop, step] => (start, stop, bound(step)?.unwrap_or(1)),
                    [start, stop] => (start, stop, 1),
                    _ => return None,
                };
                Some(Place::Range { start: bound(start)?, stop: bound(stop)?, step })
            }
            Value::Null => Some(Place::New),
            Value::String(text) if text == "..." => Some(Place::Rest),
            one => small(one).map(Place::At),
        };
        let read =
            self.with(key, "a list of ranges", |value| value.as_array()?.iter().map(place).collect())?;
        self.required(key, read)
    }
}

/// Axes in the order given.
pub fn axes(list: &[i64]) -> Axes {
    let list: Vec<i32> = list.iter().map(|&axis| i32::try_from(axis).unwrap_or(i32::MAX)).collect();
    Axes::from(&list[..])
}

fn narrow(key: &str, axis: i64) -> Result<i32> {
    i32::try_from(axis).or_else(|_| unsupported(format!("the attribute `{key}` = {axis} is out of range")))
}

fn small(value: &Value) -> Option<isize> {
    isize::try_from(integer(value)?).ok()
}

/// An integer, also one that is written as a float.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 1e15).map(|x| x as i64))
}

/// A number, also one that JSON cannot write.
pub fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("inf" | "Infinity" | "+inf") => Some(f64::INFINITY),
        Some("-inf" | "-Infinity") => Some(f64::NEG_INFINITY),
        Some("nan" | "NaN") => Some(f64::NAN),
        Some(_) => None,
        None => value.as_f64(),
    }
}

/// Nested lists as an array.
fn nested<T>(value: &Value, element: &dyn Fn(&Value) -> Option<T>) -> Option<ArrayD<T>> {
    let mut shape = Vec::new();
    let mut first = Some(value);
    while let Some(Value::Array(list)) = first {
        shape.push(list.len());
        first = list.first();
    }
    let mut flat = Vec::new();
    flatten(value, shape.len(), element, &mut flat)?;
    // Lists of unequal lengths have another number of elements, but for those that make up for each other.
    let even = shape.iter().skip(1).product::<usize>();
    let regular = value.as_array().is_none_or(|list| {
        list.iter().all(|part| {
            let mut flat = Vec::new();
            flatten(part, shape.len() - 1, &|_| Some(()), &mut flat).is_some() && flat.len() == even
        })
    });
    regular.then(|| ArrayD::from_shape_vec(IxDyn(&shape), flat).ok())?
}

fn flatten<T>(
    value: &Value,
    depth: usize,
    element: &dyn Fn(&Value) -> Option<T>,
    flat: &mut Vec<T>,
) -> Option<()> {
    match (value, depth) {
        (Value::Array(list), 1..) => list.iter().try_for_each(|part| flatten(part, depth - 1, element, flat)),
        (Value::Array(_), 0) | (_, 1..) => None,
        (one, 0) => {
            flat.push(element(one)?);
            Some(())
        }
    }
}
