//! The same elements in another arrangement.

use gradus::ndarray::Slice;
use gradus::{Axes, Shape, Sizes, concat};

use super::super::attributes::{Attributes, axes, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "reshape" => {
            let sizes = sizes(&a.the_integers("shape")?);
            x.one(|x| x.reshape(sizes))?
        }
        "flatten_T" => x.one(|x| x.flatten(Axes::from(&(1..x.ndim()).collect::<Vec<_>>()[..])).t())?,
        "transpose" => {
            let order = a.axes("perm")?;
            x.one(|x| x.transpose(order))?
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
        "concat" => {
            let axis = a.axis("axis")?.unwrap_or(0);
            concat(x.0, axis)
        }
        "split" => return split(x, a),
        _ => return Ok(None),
    })
}

fn sizes(list: &[i64]) -> Sizes {
    let list: Vec<isize> = list.iter().map(|&n| n as isize).collect();
    Sizes::from(&list[..])
}

/// Parts along an axis: a number of equal ones, or those between the places `at`.
fn split<'g>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    let [x] = x.exactly()?;
    let axis = a.axis("axis")?.unwrap_or(0);
    if let Some(count) = a.integer("sections")? {
        let Ok(count) = usize::try_from(count) else { return unsupported("a negative number of sections") };
        return Ok(Some(x.split(axis, count)));
    }
    let size = x.shape()[if axis < 0 { axis + x.ndim() as i32 } else { axis } as usize];
    let mut bounds: Vec<usize> = a.the_sizes("at")?.into_iter().map(|at| at.min(size)).collect();
    bounds.insert(0, 0);
    bounds.push(size);
    let parts = bounds.windows(2);
    let cut = |part: &[usize]| x.slice(axis, Slice::from(part[0]..part[1].max(part[0])));
    Ok(Some(parts.map(cut).collect()))
}
