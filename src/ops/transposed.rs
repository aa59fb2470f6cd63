//! How the windows of a transposed convolution slide: those of the convolution that it transposes.

use super::sliding::{Conv, Padding, PerAxis, reach, three};
use crate::graph::Signature;
use crate::kernels::Convolution;
use crate::shape::Shape;

/// How a [transposed convolution](crate::Var::conv_transpose) slides: with stride 1, without padding, without dilation, in one
/// group, unless told otherwise. What is given for each spatial axis may be given once for all.
///
/// ```
/// use gradus::ops::ConvTranspose;
/// let doubled = ConvTranspose::new().stride(2).padding(1).output_padding(1); // for windows of 3
/// assert_ne!(doubled, ConvTranspose::new());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvTranspose {
    /// The convolution that is transposed, but for the output padding.
    conv: Conv,
    output_padding: PerAxis,
}

impl Default for ConvTranspose {
    fn default() -> Self {
        Self { conv: Conv::default(), output_padding: 0.into() }
    }
}

impl ConvTranspose {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How far a window is from the next, in the result.
    #[must_use]
    pub fn stride(self, stride: impl Into<PerAxis>) -> Self {
        Self { conv: self.conv.stride(stride), ..self }
    }

    /// How many elements of the result are left out on either side.
    #[must_use]
    pub fn padding(self, padding: impl Into<PerAxis>) -> Self {
        Self { conv: self.conv.padding(padding), ..self }
    }

    /// How many elements longer the result is, behind: fewer than the stride or the dilation.
    #[must_use]
    pub fn output_padding(self, output_padding: impl Into<PerAxis>) -> Self {
        Self { output_padding: output_padding.into(), ..self }
    }

    /// How far an element of a window is from the next: 1 if there are no gaps.
    #[must_use]
    pub fn dilation(self, dilation: impl Into<PerAxis>) -> Self {
        Self { conv: self.conv.dilation(dilation), ..self }
    }

    /// Into how many groups the channels are divided, each with outputs of its own.
    #[must_use]
    pub fn groups(self, groups: usize) -> Self {
        Self { conv: self.conv.groups(groups), ..self }
    }

    pub(super) fn resolve(self, axes: usize) -> Result<Self, String> {
        let conv = self.conv.resolve(axes)?;
        let output_padding = self.output_padding.resolve("output padding", axes, 0)?;
        let steps = conv.stride.0.iter().zip(&conv.dilation.0);
        for (a, (&longer, (&stride, &dilation))) in output_padding.0.iter().zip(steps).enumerate() {
            if longer >= stride.max(dilation) {
                return Err(format!(
                    "an output padding below the stride or the dilation, got {longer} for {stride} and {dilation} (axis {})",
                    a + 2
                ));
            }
        }
        Ok(Self { conv, output_padding })
    }

    pub(super) fn attributes(&self) -> Option<String> {
        let longer = self.output_padding.0.iter().any(|&n| n > 0);
        let longer = longer.then(|| format!("output padding {}", self.output_padding.print()));
        match (self.conv.attributes(), longer) {
            (Some(conv), Some(longer)) => Some(format!("{conv}, {longer}")),
            (conv, longer) => conv.or(longer),
        }
    }

    /// The convolution that takes the result's shape back to the input's: less padding behind makes the result longer.
    pub(super) fn transpose(&self) -> Conv {
        let sides = self.conv.padding.0.iter().zip(&self.output_padding.0);
        let sides = sides.map(|(&(before, after), &longer)| (before, after.saturating_sub_unsigned(longer)));
        Conv { padding: Padding(sides.collect()), ..self.conv.clone() }
    }

    /// The shape of the result, for an input and weights of these shapes; or what is required of them.
    pub(super) fn output(&self, x: &Shape, w: &Shape) -> Result<Shape, String> {
        let groups = self.conv.groups;
        if w.ndim() != x.ndim() {
            return Err(format!("weights with as many axes as the input, got {x} and {w}"));
        }
        if x[1] != w[0] {
            let requires = "(batch, c, ..) and (c, outputs / groups, ..)";
            return Err(format!("{requires}, got {x} and {w}: {} != {}", x[1], w[0]));
        }
        if !w[0].is_multiple_of(groups) {
            return Err(format!("channels that are divided by the {groups} groups, got {}", w[0]));
        }
        if let Some(axis) = (2..x.ndim()).find(|&axis| w[axis] == 0) {
            return Err(format!("windows of at least 1, got 0 (axis {axis})"));
        }
        if let Some(axis) = (2..x.ndim()).find(|&axis| x[axis] == 0) {
            return Err(format!("at least 1 element along every spatial axis, got 0 (axis {axis})"));
        }
        let spatial = self.spatial(x, w)?;
        Ok([x[0], groups.saturating_mul(w[1])].into_iter().chain(spatial).collect())
    }

    /// The sizes of the result along the spatial axes.
    fn spatial(&self, x: &Shape, w: &Shape) -> Result<Vec<usize>, String> {
        let (axes, transpose) = (x.ndim() - 2, self.transpose());
        let (input, window) = (three(&x[2..], 1), three(&w[2..], 1));
        let (before, after) = (transpose.padding.before(), transpose.padding.after());
        let (stride, reach) = (transpose.stride.three(1), reach(window, transpose.dilation.three(1)));
        let size = |a: usize| {
            let whole = (input[a] as i128 - 1) * stride[a] as i128 + reach[a] as i128;
            let size = whole - before[a] as i128 - after[a] as i128;
            match usize::try_from(size) {
                Ok(size) if size > 0 => Ok(size),
                _ => Err(format!("a result of at least 1, got {size} (axis {})", a + axes - 1)),
            }
        };
        (3 - axes..3).map(size).collect()
    }

    /// All sizes, of operands of these shapes.
    pub(super) fn convolution(&self, operands: &[Signature]) -> Convolution {
        let (x, w) = (&operands[0].shape, &operands[1].shape);
        let sizes = self.output(x, w).and_then(|y| self.transpose().sizes(&y, w));
        sizes.expect("the shapes have been checked")
    }
}
