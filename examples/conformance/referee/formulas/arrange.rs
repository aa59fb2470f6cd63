//! The same elements in another arrangement.

use gradus::{Axes, Cut, Pad, Shape, Sizes, Var, concat, stack};
use serde_json::Value;

use super::super::attributes::{Attributes, Place, Result, axes, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "reshape" => {
            let sizes: Vec<isize> = a.the_integers("shape")?.into_iter().map(|n| n as isize).collect();
            x.one(|x| x.reshape(Sizes::from(&sizes[..])))?
        }
        "flatten_T" => x.one(Var::flatten_t)?,
        "transpose" => {
            let order = a.axes("perm")?;
            x.one(|x| x.transpose(order))?
        }
        "swapaxes" => match a.the_integers("axes")?[..] {
            [first, second] => x.one(|x| x.swapaxes(axes(&[first]), axes(&[second])))?,
            _ => return unsupported("the attribute `axes` is not a pair"),
        },
        "moveaxis" => {
            let (from, to) = (a.the_integers("src")?, a.the_integers("dst")?);
            x.one(|x| x.moveaxis(axes(&from), axes(&to)))?
        }
        "broadcast_to" => {
            let shape = Shape::from(a.the_sizes("shape")?);
            x.one(|x| x.broadcast_to(shape))?
        }
        "squeeze" => {
            let axis = a.integers("axis")?;
            x.one(|x| {
                let ones = || (0..x.ndim() as i64).filter(|&axis| x.shape()[axis as usize] == 1).collect();
                x.squeeze(axes(&axis.unwrap_or_else(ones)))
            })?
        }
        "expand_dims" => {
            let axes = axes(&a.the_integers("axis")?);
            x.one(|x| x.expand_dims(axes))?
        }
        // Without an axis, of all elements as one line.
        "concat" if a.is_null("axis") => concat(&x.0.iter().map(|x| x.ravel()).collect::<Vec<_>>(), 0),
        "concat" => concat(x.0, a.axis("axis")?.unwrap_or(0)),
        "stack" => stack(x.0, a.axis("axis")?.unwrap_or(0)),
        "split" => return split(x, a),
        "slice" => {
            let places = a.the_places("index")?;
            x.one(|x| {
                let places = spread(&places, x.ndim());
                x.slice_each(cuts(&places)).squeeze(gone(&places)).expand_dims(new(&places))
            })?
        }
        "slice_assign" => part(x, a, |x, cuts, y| x.slice_assign(cuts, y))?,
        "slice_add" => part(x, a, |x, cuts, y| x.slice_add(cuts, y))?,
        "pad" => pad(x, a)?,
        "flip" => {
            let axes = a.axes("axis")?;
            x.one(|x| x.flip(axes))?
        }
        "roll" => roll(x, a)?,
        "rot90" => {
            let k = if a.has("k") { a.the_integer("k")? } else { 1 };
            let plane = if a.has("axes") { a.axes("axes")? } else { Axes::from([0, 1]) };
            x.one(|x| x.rot90(k, plane))?
        }
        "tile" => {
            let reps = a.the_sizes("reps")?;
            x.one(|x| x.tile(&reps))?
        }
        "repeat" => repeat(x, a)?,
        "diag" => diagonal(x, a, true)?,
        "trace" => diagonal(x, a, false)?,
        "tril" => {
            let k = a.integer("k")?.unwrap_or(0);
            x.one(|x| x.tril(k as isize))?
        }
        "triu" => {
            let k = a.integer("k")?.unwrap_or(0);
            x.one(|x| x.triu(k as isize))?
        }
        _ => return Ok(None),
    })
}

/// Parts along an axis: a number of equal ones, or those between the places `at`.
fn split<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    let [x] = x.exactly()?;
    let axis = a.axis("axis")?.unwrap_or(0);
    // As in NumPy, one number is that of equal parts.
    let names = ["sections", "indices_or_sections", "parts", "num", "n", "at"];
    let counted = names.into_iter().find(|key| a.get(key).is_some_and(Value::is_number));
    if let Some(key) = counted {
        return Ok(Some(x.split(axis, a.the_integer(key)?)));
    }
    let at = if a.has("indices_or_sections") { "indices_or_sections" } else { "at" };
    let at: Vec<isize> = a.the_integers(at)?.into_iter().map(|at| at as isize).collect();
    Ok(Some(x.split_at(axis, &at)))
}

/// The places with an ellipsis written out.
fn spread(places: &[Place], rank: usize) -> Vec<Place> {
    let named = places.iter().filter(|place| matches!(place, Place::Range { .. } | Place::At(_))).count();
    let whole = Place::Range { start: None, stop: None, step: 1 };
    let each = |place: &Place| match place {
        Place::Rest => vec![whole; rank.saturating_sub(named)],
        &other => vec![other],
    };
    places.iter().flat_map(each).collect()
}

/// A place along each of the first axes; an element is a range of one.
fn cuts(places: &[Place]) -> Vec<Cut> {
    let cut = |place: &Place| match *place {
        Place::Range { start, stop, step } => Some(Cut::python(start, stop, step)),
        Place::At(i) => Some(Cut::python(i, Some(i + 1).filter(|&end| end != 0), 1)),
        Place::New | Place::Rest => None,
    };
    places.iter().filter_map(cut).collect()
}

/// The axes of which one element is named.
fn gone(places: &[Place]) -> Axes {
    numbered(places.iter().filter(|place| !matches!(place, Place::New)), |place| {
        matches!(place, Place::At(_))
    })
}

/// The new axes of the result.
fn new(places: &[Place]) -> Axes {
    numbered(places.iter().filter(|place| !matches!(place, Place::At(_))), |place| {
        matches!(place, Place::New)
    })
}

/// The numbers of those that are asked for.
fn numbered<'a>(places: impl Iterator<Item = &'a Place>, asked: impl Fn(&Place) -> bool) -> Axes {
    let found = places.enumerate().filter(|(_, place)| asked(place)).map(|(axis, _)| axis);
    Axes::from(&found.collect::<Vec<_>>()[..])
}

/// What is done to a part of an array with another one.
fn part<'g>(
    x: Operands<'_, 'g>,
    a: &Attributes<'_>,
    f: impl FnOnce(Var<'g>, Vec<Cut>, Var<'g>) -> Var<'g>,
) -> Result<Var<'g>> {
    let places = a.the_places("index")?;
    if places.iter().any(|place| matches!(place, Place::New)) {
        return unsupported("a part with a new axis");
    }
    x.two(|x, y| {
        let places = spread(&places, x.ndim());
        // An update has no axis where one element is named; one that stretches may have fewer axes anyhow.
        let named = places.iter().filter(|place| matches!(place, Place::At(_))).count();
        if named == 0 {
            return f(x, cuts(&places), y);
        }
        let missing = (x.ndim() - named).saturating_sub(y.ndim());
        let y = y.expand_dims(&(0..missing).collect::<Vec<_>>()[..]);
        f(x, cuts(&places), y.expand_dims(gone(&places)))
    })
}

fn pad<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let [x] = x.exactly()?;
    let widths = widths(a, x.ndim())?;
    let value = a.number("value")?.or(a.number("constant_values")?).unwrap_or(0.0);
    let mode = match a.text("mode")? {
        None | Some("constant") => Pad::Constant(value),
        Some("edge") => Pad::Edge,
        Some("reflect") => Pad::Reflect,
        Some("symmetric") => Pad::Symmetric,
        Some("wrap") => Pad::Wrap,
        Some(other) => return unsupported(format!("the attribute `mode` = \"{other}\" is not known here")),
    };
    Ok(x.pad(&widths, mode))
}

/// What is added before and behind along each axis: as in NumPy, a number or one pair stand for all of them.
fn widths(a: &Attributes<'_>, rank: usize) -> Result<Vec<[usize; 2]>> {
    let flat =
        a.get("widths").and_then(Value::as_array).is_some_and(|list| list.iter().all(Value::is_number));
    let pairs = match &a.get("widths") {
        Some(Value::Number(_)) => a.the_sizes("widths")?.into_iter().map(|n| (n, n)).collect(),
        Some(Value::Array(list)) if flat && list.len() == 2 => {
            let both = a.the_sizes("widths")?;
            vec![(both[0], both[1])]
        }
        _ => a.the_pairs("widths")?,
    };
    let pairs: Vec<[usize; 2]> = pairs.into_iter().map(|(before, after)| [before, after]).collect();
    Ok(if let [both] = pairs[..] { vec![both; rank] } else { pairs })
}

/// One shift after another, each along its axis; without an axis, of all elements as one line.
fn roll<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let shifts = a.the_integers("shift")?;
    let [x] = x.exactly()?;
    let Some(along) = a.integers("axis")? else {
        return Ok(x.roll_flat(shifts.iter().sum::<i64>() as isize));
    };
    let count = shifts.len().max(along.len());
    let each = |list: &[i64], i: usize| if list.len() == 1 { Some(list[0]) } else { list.get(i).copied() };
    (0..count).try_fold(x, |x, i| match (each(&shifts, i), each(&along, i)) {
        (Some(shift), Some(axis)) => Ok(x.roll(shift as isize, axes(&[axis]))),
        _ => unsupported("the attributes `shift` and `axis` are not of one length"),
    })
}

fn repeat<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let (counts, axis) = (a.the_sizes("repeats")?, a.axis("axis")?);
    x.one(|x| match (&counts[..], axis) {
        (&[count], None) => x.repeat_flat(count),
        (&[count], Some(axis)) => x.repeat(count, axis),
        (counts, None) => x.ravel().repeat_each(counts, 0),
        (counts, Some(axis)) => x.repeat_each(counts, axis),
    })
}

/// The diagonal of matrices, along a last axis, or its sum; a matrix with a vector on its diagonal.
fn diagonal<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>, kept: bool) -> Result<Var<'g>> {
    let offset = a.integer("offset")?.or(a.integer("k")?).unwrap_or(0) as isize;
    let plane = [a.axis("axis1")?.unwrap_or(0), a.axis("axis2")?.unwrap_or(1)];
    x.one(|x| match (kept, x.ndim()) {
        (true, ..=1) => x.diag(offset),
        (true, _) => x.diagonal(offset, plane),
        (false, _) => x.trace(offset, plane),
    })
}
