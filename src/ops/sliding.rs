//! How windows slide: sizes, strides, padding, dilation, groups.

use crate::kernels::{Convolution, Pooling};
use smallvec::SmallVec;

use crate::shape::Shape;

/// A number for every spatial axis: one for all, or one for each. Made from an integer or an array of integers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PerAxis(pub(super) Box<[usize]>);

impl From<usize> for PerAxis {
    fn from(all: usize) -> Self {
        Self(Box::new([all]))
    }
}

impl<const N: usize> From<[usize; N]> for PerAxis {
    fn from(each: [usize; N]) -> Self {
        Self(Box::new(each))
    }
}

impl PerAxis {
    /// One for each of `axes`, all at least `least`.
    pub(super) fn resolve(self, name: &str, axes: usize, least: usize) -> Result<Self, String> {
        let each = resolve(self.0, name, axes)?;
        match each.iter().find(|&&n| n < least) {
            Some(n) => Err(format!("a {name} of at least {least}, got {n}")),
            None => Ok(Self(each)),
        }
    }

    /// The numbers as sizes of three axes, of which missing ones come first.
    pub(super) fn three(&self, missing: usize) -> [usize; 3] {
        three(&self.0, missing)
    }

    pub(super) fn print(&self) -> String {
        print(&self.0)
    }
}

/// One entry for each axis, if there is one for all or for each.
fn resolve<P: Copy + std::fmt::Debug>(given: Box<[P]>, name: &str, axes: usize) -> Result<Box<[P]>, String> {
    match *given {
        [all] => Ok(vec![all; axes].into()),
        _ if given.len() == axes => Ok(given),
        _ => Err(format!("one {name} or one for each of the {axes} spatial axes, got {given:?}")),
    }
}

pub(super) fn three<P: Copy>(sizes: &[P], missing: P) -> [P; 3] {
    let mut all = [missing; 3];
    all[3 - sizes.len()..].copy_from_slice(sizes);
    all
}

/// A single number where all are the same.
fn print<P: PartialEq + std::fmt::Debug>(entries: &[P]) -> String {
    match entries {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => format!("{first:?}"),
        _ => format!("{entries:?}"),
    }
}

/// Padding in front and behind, along every axis. Behind it is negative where a transposed convolution makes its result
/// larger than the windows reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Padding(pub(super) Box<[(usize, isize)]>);

impl Padding {
    fn even(each: PerAxis) -> Self {
        Self::sides(each.0.iter().map(|&n| (n, n)))
    }

    fn sides(sides: impl IntoIterator<Item = (usize, usize)>) -> Self {
        Self(
            sides
                .into_iter()
                .map(|(before, after)| (before, isize::try_from(after).unwrap_or(isize::MAX)))
                .collect(),
        )
    }

    fn resolve(self, axes: usize) -> Result<Self, String> {
        resolve(self.0, "padding", axes).map(Self)
    }

    pub(super) fn before(&self) -> [usize; 3] {
        three(&self.0.iter().map(|side| side.0).collect::<SmallVec<[usize; 3]>>(), 0)
    }

    pub(super) fn after(&self) -> [isize; 3] {
        three(&self.0.iter().map(|side| side.1).collect::<SmallVec<[isize; 3]>>(), 0)
    }

    fn is_none(&self) -> bool {
        self.0.iter().all(|&sides| sides == (0, 0))
    }

    fn print(&self) -> String {
        if self.0.iter().all(|&(before, after)| usize::try_from(after) == Ok(before)) {
            return print(&self.0.iter().map(|side| side.0).collect::<Vec<_>>());
        }
        print(&self.0)
    }
}

/// How far a window reaches along each axis.
pub(super) fn reach(window: [usize; 3], dilation: [usize; 3]) -> [usize; 3] {
    std::array::from_fn(|a| (window[a] - 1).saturating_mul(dilation[a]).saturating_add(1))
}

/// How many windows there are along each axis; their first ones begin in the padding.
fn places(
    input: [usize; 3],
    padding: &Padding,
    reach: [usize; 3],
    stride: [usize; 3],
    axes: usize,
) -> Result<[usize; 3], String> {
    let (before, after) = (padding.before(), padding.after());
    let mut places = [1; 3];
    for a in 0..3 {
        let padded = input[a].saturating_add(before[a]).saturating_add_signed(after[a]);
        if reach[a] > padded {
            let axis = a + 2 + axes - 3;
            return Err(format!(
                "windows within the padded input, got {} in {padded} (axis {axis})",
                reach[a]
            ));
        }
        places[a] = (padded - reach[a]) / stride[a] + 1;
    }
    Ok(places)
}

/// How a [convolution](crate::Var::conv) slides: with stride 1, without padding, without dilation, in one group, unless
/// told otherwise. What is given for each spatial axis may be given once for all.
///
/// ```
/// use gradus::ops::Conv;
/// let same = Conv::new().padding(1);                              // keeps the size, for windows of 3
/// let halved = Conv::new().stride([2, 2]).padding_sides([(0, 1)]); // padding behind only
/// assert_ne!(same, halved);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conv {
    pub(super) stride: PerAxis,
    pub(super) padding: Padding,
    pub(super) dilation: PerAxis,
    pub(super) groups: usize,
}

impl Default for Conv {
    fn default() -> Self {
        Self { stride: 1.into(), padding: Padding::even(0.into()), dilation: 1.into(), groups: 1 }
    }
}

impl Conv {
    /// The default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How far a window is from the next.
    #[must_use]
    pub fn stride(self, stride: impl Into<PerAxis>) -> Self {
        Self { stride: stride.into(), ..self }
    }

    /// How many zeros stand on either side.
    #[must_use]
    pub fn padding(self, padding: impl Into<PerAxis>) -> Self {
        Self { padding: Padding::even(padding.into()), ..self }
    }

    /// How many zeros stand in front and behind, along each axis.
    #[must_use]
    pub fn padding_sides<const N: usize>(self, sides: [(usize, usize); N]) -> Self {
        Self { padding: Padding::sides(sides), ..self }
    }

    /// How far an element of a window is from the next: 1 if there are no gaps.
    #[must_use]
    pub fn dilation(self, dilation: impl Into<PerAxis>) -> Self {
        Self { dilation: dilation.into(), ..self }
    }

    /// Into how many groups the channels are divided, each with outputs of its own.
    #[must_use]
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    pub(super) fn resolve(self, axes: usize) -> Result<Self, String> {
        if self.groups == 0 {
            return Err("at least 1 group, got 0".to_owned());
        }
        Ok(Self {
            stride: self.stride.resolve("stride", axes, 1)?,
            padding: self.padding.resolve(axes)?,
            dilation: self.dilation.resolve("dilation", axes, 1)?,
            groups: self.groups,
        })
    }

    pub(super) fn attributes(&self) -> Option<String> {
        let mut parts = Vec::new();
        let one = |per_axis: &PerAxis| per_axis.0.iter().all(|&n| n == 1);
        if !one(&self.stride) {
            parts.push(format!("stride {}", self.stride.print()));
        }
        if !self.padding.is_none() {
            parts.push(format!("padding {}", self.padding.print()));
        }
        if !one(&self.dilation) {
            parts.push(format!("dilation {}", self.dilation.print()));
        }
        if self.groups != 1 {
            parts.push(format!("groups {}", self.groups));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// All sizes, for an input and weights of these shapes; or what is required of them.
    pub(super) fn sizes(&self, x: &Shape, w: &Shape) -> Result<Convolution, String> {
        let (axes, groups) = (x.ndim() - 2, self.groups);
        if w.ndim() != x.ndim() {
            return Err(format!("weights with as many axes as the input, got {x} and {w}"));
        }
        if x[1] != groups * w[1] {
            let requires = "(batch, c, ..) and (outputs, c / groups, ..)";
            return Err(format!("{requires}, got {x} and {w}: {} / {groups} != {}", x[1], w[1]));
        }
        if !w[0].is_multiple_of(groups) {
            return Err(format!("outputs that are divided by the {groups} groups, got {}", w[0]));
        }
        if let Some(axis) = (2..w.ndim()).find(|&axis| w[axis] == 0) {
            return Err(format!("windows of at least 1, got 0 (axis {axis})"));
        }
        let (input, window) = (three(&x[2..], 1), three(&w[2..], 1));
        let (stride, dilation) = (self.stride.three(1), self.dilation.three(1));
        let reach = reach(window, dilation);
        Ok(Convolution {
            images: x[0],
            groups,
            inputs: w[1],
            outputs: w[0] / groups,
            input,
            window,
            output: places(input, &self.padding, reach, stride, axes)?,
            stride,
            dilation,
            before: self.padding.before(),
        })
    }
}

/// The windows of a [pool](crate::Var::max_pool): side by side and without padding, unless told otherwise. What is given
/// for each spatial axis may be given once for all.
///
/// ```
/// use gradus::ops::Pool;
/// assert_eq!(Pool::new(2), Pool::new(2).stride(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    window: PerAxis,
    stride: PerAxis,
    padding: Padding,
    count_include_pad: bool,
}

impl Pool {
    /// Windows of this size.
    #[must_use]
    pub fn new(window: impl Into<PerAxis>) -> Self {
        let window = window.into();
        Self { stride: window.clone(), window, padding: Padding::even(0.into()), count_include_pad: true }
    }

    /// How far a window is from the next: as far as it is long, unless told otherwise.
    #[must_use]
    pub fn stride(self, stride: impl Into<PerAxis>) -> Self {
        Self { stride: stride.into(), ..self }
    }

    /// How much padding there is on either side: less than a window.
    #[must_use]
    pub fn padding(self, padding: impl Into<PerAxis>) -> Self {
        Self { padding: Padding::even(padding.into()), ..self }
    }

    /// How much padding there is in front and behind, along each axis.
    #[must_use]
    pub fn padding_sides<const N: usize>(self, sides: [(usize, usize); N]) -> Self {
        Self { padding: Padding::sides(sides), ..self }
    }

    /// Whether what lies in the padding counts as zeros in a mean: it does, unless told otherwise.
    #[must_use]
    pub fn count_include_pad(self, count_include_pad: bool) -> Self {
        Self { count_include_pad, ..self }
    }

    pub(super) fn counts_padding(&self) -> bool {
        self.count_include_pad
    }

    pub(super) fn resolve(self, axes: usize) -> Result<Self, String> {
        let pool = Self {
            window: self.window.resolve("window", axes, 1)?,
            stride: self.stride.resolve("stride", axes, 1)?,
            padding: self.padding.resolve(axes)?,
            ..self
        };
        for (a, (&(before, after), &window)) in pool.padding.0.iter().zip(&pool.window.0).enumerate() {
            let most = before.max(usize::try_from(after).unwrap_or_default());
            if most >= window {
                return Err(format!(
                    "less padding than the window, got {most} for {window} (axis {})",
                    a + 2
                ));
            }
        }
        Ok(pool)
    }

    pub(super) fn attributes(&self) -> String {
        let mut parts = vec![self.window.print()];
        if self.stride != self.window {
            parts.push(format!("stride {}", self.stride.print()));
        }
        if !self.padding.is_none() {
            parts.push(format!("padding {}", self.padding.print()));
        }
        if !self.count_include_pad {
            parts.push("count_include_pad false".to_owned());
        }
        parts.join(", ")
    }

    /// All sizes, for an input of this shape; or what is required of it.
    pub(super) fn sizes(&self, x: &Shape) -> Result<Pooling, String> {
        let axes = x.ndim() - 2;
        if let Some(axis) = (2..x.ndim()).find(|&axis| x[axis] == 0) {
            return Err(format!("at least 1 element along every spatial axis, got 0 (axis {axis})"));
        }
        let (input, window, stride) = (three(&x[2..], 1), self.window.three(1), self.stride.three(1));
        Ok(Pooling {
            planes: x[0] * x[1],
            input,
            window,
            output: places(input, &self.padding, window, stride, axes)?,
            stride,
            before: self.padding.before(),
        })
    }
}
