//! A folder of cases: `index.json`, which describes them, and `cases.bin`, which holds their numbers.

use std::fmt;
use std::path::Path;

use gradus::ndarray::ArrayD;
use serde_json::{Map, Value};

/// All cases of a folder, in its order.
pub struct Folder {
    pub cases: Vec<Case>,
}

/// An operation on given inputs, and what it gives.
#[derive(Clone)]
pub struct Case {
    pub name: String,
    pub op: String,
    /// The formula in the notation of JAX, for readers.
    pub expression: String,
    pub attributes: Map<String, Value>,
    /// x, one array for each operand.
    pub inputs: Vec<ArrayD<f64>>,
    /// y = f(x).
    pub outputs: Vec<ArrayD<f64>>,
    /// c, one for each output.
    pub cotangents: Vec<ArrayD<f64>>,
    /// The derivative of Σ⟨c, y⟩ in each input.
    pub vjp: Vec<ArrayD<f64>>,
    /// k, a direction for each input.
    pub directions: Vec<ArrayD<f64>>,
    /// The Hessian of ⟨c, f⟩ times k, one for each input.
    pub second_x: Vec<ArrayD<f64>>,
    /// The Jacobian times k, one for each output.
    pub second_c: Vec<ArrayD<f64>>,
}

/// Why a folder cannot be read.
#[derive(Debug)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

type Result<T> = std::result::Result<T, Unreadable>;

fn fail<T>(text: impl Into<String>) -> Result<T> {
    Err(Unreadable(text.into()))
}

impl Folder {
    /// Reads `index.json` and `cases.bin` of a folder.
    ///
    /// # Errors
    /// If a file is missing or is not what it should be.
    pub fn read(folder: &Path) -> Result<Self> {
        let read = |file: &str| {
            let path = folder.join(file);
            std::fs::read(&path).map_err(|error| Unreadable(format!("{}: {error}", path.display())))
        };
        let text = String::from_utf8(read("index.json")?);
        let text = text.map_err(|_| Unreadable("index.json is not UTF-8".to_owned()))?;
        Self::parse(&text, &read("cases.bin")?)
    }

    /// The same from the contents of the two files.
    ///
    /// # Errors
    /// If one is not what it should be.
    pub fn parse(index: &str, bin: &[u8]) -> Result<Self> {
        let index: Value = serde_json::from_str(&quoted(index))
            .map_err(|error| Unreadable(format!("index.json is not JSON: {error}")))?;
        let Some(list) = index.get("cases").and_then(Value::as_array) else {
            return fail("index.json has no list `cases`");
        };
        match index.get("count").map(Value::as_u64) {
            Some(Some(count)) if count as usize == list.len() => {}
            None => {}
            Some(_) => {
                return fail(format!(
                    "index.json has {} cases where `count` is {}",
                    list.len(),
                    index["count"]
                ));
            }
        }
        let cases = list.iter().enumerate().map(|(i, case)| {
            let name = case.get("name").and_then(Value::as_str).map(str::to_owned);
            let name = name.unwrap_or_else(|| format!("number {i}"));
            Case::parse(case, bin).map_err(|error| Unreadable(format!("case {name}: {error}")))
        });
        Ok(Self { cases: cases.collect::<Result<_>>()? })
    }
}

impl Case {
    fn parse(case: &Value, bin: &[u8]) -> Result<Self> {
        let text = |key: &str| match case.get(key).and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => fail(format!("`{key}` is not a text")),
        };
        let attributes = match case.get("attrs") {
            Some(Value::Object(attributes)) => attributes.clone(),
            None => Map::new(),
            Some(_) => return fail("`attrs` is not an object"),
        };
        let arrays = |key: &str| -> Result<Vec<ArrayD<f64>>> {
            let Some(list) = case.get(key).and_then(Value::as_array) else {
                return fail(format!("`{key}` is not a list"));
            };
            list.iter()
                .map(|place| array(place, bin).map_err(|e| Unreadable(format!("{key}: {e}"))))
                .collect()
        };
        let case = Self {
            name: text("name")?,
            op: text("op")?,
            expression: text("expr").unwrap_or_default(),
            attributes,
            inputs: arrays("inputs")?,
            outputs: arrays("outputs")?,
            cotangents: arrays("cotangents")?,
            vjp: arrays("vjp")?,
            directions: arrays("k")?,
            second_x: arrays("second_x")?,
            second_c: arrays("second_c")?,
        };
        case.check()?;
        Ok(case)
    }

    /// Refuses lists that do not stand beside each other: what is asked for each input, and for each output.
    fn check(&self) -> Result<()> {
        let inputs = [("vjp", &self.vjp), ("k", &self.directions), ("second_x", &self.second_x)];
        let outputs = [("cotangents", &self.cotangents), ("second_c", &self.second_c)];
        let each = inputs.iter().map(|list| (list, ("inputs", &self.inputs)));
        for ((key, list), (of, beside)) in
            each.chain(outputs.iter().map(|list| (list, ("outputs", &self.outputs))))
        {
            let shapes = |list: &[ArrayD<f64>]| list.iter().map(|a| a.shape().to_vec()).collect::<Vec<_>>();
            let (found, expected) = (shapes(list), shapes(beside));
            if found != expected {
                return fail(format!("`{key}` has the shapes {found:?}, and `{of}` {expected:?}"));
            }
        }
        if self.inputs.is_empty() || self.outputs.is_empty() {
            return fail("a case has an input and an output");
        }
        Ok(())
    }
}

fn array(place: &Value, bin: &[u8]) -> Result<ArrayD<f64>> {
    let whole = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    let shape: Option<Vec<usize>> =
        place.get("shape").and_then(Value::as_array).and_then(|shape| shape.iter().map(whole).collect());
    let Some(shape) = shape else { return fail("an array has no `shape` of whole numbers") };
    let Some(offset) = place.get("offset").and_then(whole) else {
        return fail("an array has no `offset` that is a whole number");
    };
    let bytes = shape.iter().try_fold(8_usize, |bytes, &n| bytes.checked_mul(n));
    let end = bytes.and_then(|bytes| offset.checked_add(bytes));
    let Some(bytes) = end.and_then(|end| bin.get(offset..end)) else {
        return fail(format!(
            "an array of shape {shape:?} at byte {offset} ends behind the {} bytes of cases.bin",
            bin.len()
        ));
    };
    let numbers = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default()));
    ArrayD::from_shape_vec(shape, numbers.collect()).map_err(|error| Unreadable(error.to_string()))
}

/// The text with `Infinity`, `-Infinity` and `NaN`, which Python writes and JSON does not know, in quotes.
fn quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let (mut rest, mut inside) = (text, false);
    while let Some(next) = rest.chars().next() {
        let word =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !inside && rest.starts_with(word));
        let length = match word {
            Some(word) => {
                result.extend(["\"", word, "\""]);
                word.len()
            }
            None => {
                // What is escaped does not end a text.
                let escaped = inside && next == '\\';
                let length = next.len_utf8()
                    + if escaped { rest[1..].chars().next().map_or(0, char::len_utf8) } else { 0 };
                inside ^= next == '"';
                result.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    result
}
