//! Windows that move over images.

use gradus::Var;
use gradus::ops::{Conv, ConvTranspose, Pool};

use super::super::attributes::{Attributes, Result, unsupported};
use super::{Built, Operands, one};

pub fn build<'g>(op: &str, x: Operands<'_, 'g>, a: &Attributes<'_>) -> Built<'g> {
    one(match op {
        "conv1d" => convolved(x, conv::<1>(a)?)?,
        "conv2d" => convolved(x, conv::<2>(a)?)?,
        "conv3d" => convolved(x, conv::<3>(a)?)?,
        "conv_transpose1d" => transposed::<1>(x, a)?,
        "conv_transpose2d" => transposed::<2>(x, a)?,
        "conv_transpose3d" => transposed::<3>(x, a)?,
        "max_pool1d" => max_pooled(x, pool::<1>(a)?)?,
        "max_pool2d" => max_pooled(x, pool::<2>(a)?)?,
        "max_pool3d" => max_pooled(x, pool::<3>(a)?)?,
        "avg_pool1d" => avg_pooled(x, pool::<1>(a)?, a)?,
        "avg_pool2d" => avg_pooled(x, pool::<2>(a)?, a)?,
        "avg_pool3d" => avg_pooled(x, pool::<3>(a)?, a)?,
        _ => return Ok(None),
    })
}

fn convolved<'g>(x: Operands<'_, 'g>, conv: Conv) -> Result<Var<'g>> {
    x.two(|x, w| x.conv(w, conv))
}

fn max_pooled<'g>(x: Operands<'_, 'g>, pool: Pool) -> Result<Var<'g>> {
    x.one(|x| x.max_pool(pool))
}

fn avg_pooled<'g>(x: Operands<'_, 'g>, pool: Pool, a: &Attributes<'_>) -> Result<Var<'g>> {
    // What lies in the padding counts unless the case says that it does not.
    let counted = !a.has("count_include_pad") || a.flag("count_include_pad")?;
    x.one(|x| x.avg_pool(pool.count_include_pad(counted)))
}

fn conv<const N: usize>(a: &Attributes<'_>) -> Result<Conv> {
    let pairs = a.the_pairs("pad")?;
    let sides: [(usize, usize); N] = each("pad", pairs)?;
    Ok(Conv::new()
        .stride(sizes::<N>(a, "stride")?)
        .padding_sides(sides)
        .dilation(sizes::<N>(a, "dilation")?)
        .groups(groups(a)?))
}

fn transposed<'g, const N: usize>(x: Operands<'_, 'g>, a: &Attributes<'_>) -> Result<Var<'g>> {
    let or_zero = |key: &str| if a.has(key) { sizes::<N>(a, key) } else { Ok([0; N]) };
    let conv = ConvTranspose::new()
        .stride(sizes::<N>(a, "stride")?)
        .padding(or_zero("pad")?)
        .output_padding(or_zero("output_padding")?)
        .dilation(sizes::<N>(a, "dilation")?)
        .groups(groups(a)?);
    x.two(|x, w| x.conv_transpose(w, conv))
}

fn groups(a: &Attributes<'_>) -> Result<usize> {
    if a.has("groups") { a.the_integer("groups") } else { Ok(1) }
}

fn pool<const N: usize>(a: &Attributes<'_>) -> Result<Pool> {
    let kernel = sizes::<N>(a, "kernel")?;
    let stride = if a.has("stride") { sizes::<N>(a, "stride")? } else { kernel };
    let pool = Pool::new(kernel).stride(stride);
    Ok(if a.has("pad") { pool.padding_sides(each::<_, N>("pad", a.the_pairs("pad")?)?) } else { pool })
}

fn sizes<const N: usize>(a: &Attributes<'_>, key: &str) -> Result<[usize; N]> {
    let sizes = if a.has(key) { a.the_sizes(key)? } else { vec![1] };
    each(key, sizes)
}

/// One entry for each axis, from as many or from one for all.
fn each<P: Copy, const N: usize>(key: &str, list: Vec<P>) -> Result<[P; N]> {
    match list[..] {
        [all] => Ok([all; N]),
        _ => list.try_into().or_else(|_| unsupported(format!("the attribute `{key}` has not {N} entries"))),
    }
}
