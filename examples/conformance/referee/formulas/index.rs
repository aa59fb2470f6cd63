//! Elements at indices, and arrays with some elements replaced.

use gradus::Var;
use gradus::ndarray::ArrayD;

use super::super::attributes::{Attributes, Result};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "take" => {
            let (axis, indices) = (a.axis("axis")?, a.the_indices("indices")?);
            x.one(|x| axis.map_or_else(|| x.ravel().take(0, &indices), |axis| x.take(axis, &indices)))?
        }
        "take_along_axis" => {
            let (axis, indices) = (a.axis("axis")?.unwrap_or(-1), a.the_indices("indices")?);
            x.one(|x| x.take_along_axis(axis, indices))?
        }
        "gather_nd" => {
            let places = [a.the_indices("rows")?, a.the_indices("cols")?];
            x.one(|x| x.gather_nd(places))?
        }
        "mask_select" => {
            let mask = a.the_mask("mask")?;
            x.one(|x| x.mask_select(mask))?
        }
        "embedding" => {
            let indices = a.the_indices("indices")?;
            x.one(|x| x.embedding(indices))?
        }
        "scatter_add" => scatter(x, a, |x, axis, indices, y| x.scatter_add(axis, indices, y))?,
        "scatter_set" => scatter(x, a, |x, axis, indices, y| x.scatter_set(axis, indices, y))?,
        "segment_sum" => {
            let (segments, count) = (a.the_indices("segments")?, a.the_integer("num")?);
            x.one(|x| x.segment_sum(segments, count))?
        }
        _ => return Ok(None),
    })
}

fn scatter<'g>(
    x: Operands<'_, 'g>,
    a: &Attributes<'_>,
    f: impl FnOnce(Var<'g>, i32, ArrayD<i64>, Var<'g>) -> Var<'g>,
) -> Result<Var<'g>> {
    if a.has("rows") {
        // Elements of a matrix, as elements of its rows one behind the other.
        let (rows, columns) = (a.the_indices("rows")?, a.the_indices("cols")?);
        return x.two(|x, y| {
            let sizes = [x.shape()[0] as i64, x.shape()[1] as i64];
            let place =
                rows.mapv(|i| i.rem_euclid(sizes[0])) * sizes[1] + columns.mapv(|j| j.rem_euclid(sizes[1]));
            f(x.ravel(), 0, place, y).reshape_like(x)
        });
    }
    let (axis, indices) = (a.axis("axis")?.unwrap_or(0), a.the_indices("indices")?);
    x.two(|x, y| f(x, axis, indices, y))
}
