//! Elements at indices, and arrays with some elements replaced.

use gradus::Var;
use gradus::ndarray::{ArrayD, Axis};

use super::super::attributes::{Attributes, Result};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "take" => {
            let (axis, indices) = (a.axis("axis")?, a.the_indices("indices")?);
            x.one(|x| axis.map_or_else(|| x.ravel().take(0, &indices), |axis| x.take(axis, &indices)))?
        }
        "take_along_axis" => {
            let (line, axis) = (a.is_null("axis"), a.axis("axis")?.unwrap_or(-1));
            let indices = a.the_indices("indices")?;
            x.one(|x| if line { x.ravel() } else { x }.take_along_axis(axis, indices))?
        }
        "gather_nd" => {
            let places = places(a)?;
            x.one(|x| x.gather_nd(places))?
        }
        "mask_select" => {
            let mask = a.the_mask("mask")?;
            // As in NumPy, one truth value selects all or nothing, along a new axis.
            let whole = mask.ndim() == 0;
            x.one(|x| {
                if whole {
                    x.expand_dims(0).mask_select(mask.insert_axis(Axis(0)))
                } else {
                    x.mask_select(mask)
                }
            })?
        }
        "embedding" => {
            let indices = a.the_indices("indices")?;
            x.one(|x| x.embedding(indices))?
        }
        "scatter_add" => scatter(x, a, |x, axis, indices, y| x.scatter_add(axis, indices, y))?,
        "scatter_set" => scatter(x, a, |x, axis, indices, y| x.scatter_set(axis, indices, y))?,
        "segment_sum" => {
            let (segments, count) = (a.the_indices("segments")?, a.the_integer::<usize>("num")?);
            // JAX drops what belongs to no segment; here it belongs to one more, which is cut off.
            let known = |segment: i64| usize::try_from(segment).is_ok_and(|segment| segment < count);
            if segments.iter().all(|&segment| known(segment)) {
                x.one(|x| x.segment_sum(segments, count))?
            } else {
                let segments = segments.mapv(|segment| if known(segment) { segment } else { count as i64 });
                x.one(|x| x.segment_sum(segments, count + 1).split_at(0, &[count as isize]).swap_remove(0))?
            }
        }
        _ => return Ok(None),
    })
}

/// An index array for each of the first axes: each under a name of its own, or all in one list.
fn places(a: &Attributes<'_>) -> Result<Vec<ArrayD<i64>>> {
    if a.has("indices") {
        return Ok(a.the_indices("indices")?.outer_iter().map(|line| line.to_owned()).collect());
    }
    let named = ["rows", "cols", "depths"].into_iter().filter(|key| a.has(key));
    named.map(|key| a.the_indices(key)).collect()
}

/// With `axis`, along it; with `rows` and `cols`, at these places of the first two axes.
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
