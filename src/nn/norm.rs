//! Normalisations. Each divides what is left of the mean by the standard deviation, over axes of its own, and then multiplies by
//! a gain and adds a bias, if there are any: `[gamma, beta]`, or `None`.

use crate::element::Real;
use crate::error::{Error, fail};
use crate::graph::Var;

type Affine<'g, T> = Option<[Var<'g, T>; 2]>;

/// Mean 0 and variance 1 over these axes, then `· gamma + beta`, which broadcast: for `axes` -1 they have the shape of the last
/// axis. `(x - mean x) / √(var x + eps)` with the biased variance, as [`Var::layer_norm`].
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let x = g.input("x", array![[1.0, 3.0]]);
/// let (gamma, beta) = (g.param("gamma", array![2.0, 3.0]), g.param("beta", array![0.0, 1.0]));
/// let y = gradus::nn::layer_norm(x, -1, [gamma, beta], 0.0);
/// assert_eq!(y.value()?, array![[-2.0, 4.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If an axis is out of range or named twice, or if gain and bias do not broadcast.
#[track_caller]
#[must_use]
pub fn layer_norm<'g, T: Real>(
    x: Var<'g, T>,
    axes: impl Into<crate::Axes>,
    affine: impl Into<Option<[Var<'g, T>; 2]>>,
    eps: f64,
) -> Var<'g, T> {
    let y = x.layer_norm(axes, eps);
    match affine.into() {
        Some([gamma, beta]) => y * gamma + beta,
        None => y,
    }
}

/// `x / √(mean x² + eps)` over these axes, then `· gamma`, which broadcasts: layer norm without the mean (Zhang and Sennrich,
/// "Root Mean Square Layer Normalization", 2019).
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let x = g.input("x", array![[1.0, 7.0]]);
/// assert_eq!(gradus::nn::rms_norm(x, -1, None, 0.0).value()?, array![[0.2, 1.4]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If an axis is out of range or named twice, or if the gain does not broadcast.
#[track_caller]
#[must_use]
pub fn rms_norm<'g, T: Real>(
    x: Var<'g, T>,
    axes: impl Into<crate::Axes>,
    gamma: impl Into<Option<Var<'g, T>>>,
    eps: f64,
) -> Var<'g, T> {
    let y = x / (x.square().mean_keepdims(axes) + eps).sqrt();
    match gamma.into() {
        Some(gamma) => y * gamma,
        None => y,
    }
}

/// What [`batch_norm`] gives.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm<'g, T: Real = f64> {
    /// The normalised batch, of the shape of `x`.
    pub output: Var<'g, T>,
    /// The mean of each channel, `(channels,)`.
    pub mean: Var<'g, T>,
    /// The variance of each channel, `(channels,)`: the biased one, by which it is normalised.
    pub variance: Var<'g, T>,
    /// How many elements a channel has.
    count: Var<'g, T>,
}

impl<'g, T: Real> BatchNorm<'g, T> {
    /// The next running mean and variance, as PyTorch has them: `(1 - momentum) · old + momentum · new`, where the new variance
    /// is the unbiased one. What they are assigned to is for inference, with [`batch_norm_inference`].
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0], [3.0]]);
    /// let (mean, variance) = (g.param("mean", array![0.0]), g.param("variance", array![1.0]));
    /// let [m, v] = gradus::nn::batch_norm(x, None, 1e-5).running([mean, variance], 0.5);
    /// let mut step = g.compile((), [mean.assign(m), variance.assign(v)])?;
    /// step.run()?;
    /// assert_eq!((mean.value()?, variance.value()?), (array![1.0].into_dyn(), array![1.5].into_dyn()));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn running(&self, [mean, variance]: [Var<'g, T>; 2], momentum: f64) -> [Var<'g, T>; 2] {
        let unbiased = self.variance * (self.count / (self.count - 1.0));
        let kept = 1.0 - momentum;
        [mean * kept + self.mean * momentum, variance * kept + unbiased * momentum]
    }
}

/// Mean 0 and variance 1 of each channel over the whole batch, then `· gamma + beta`, which are `(channels,)`: what batch norm
/// does in training. `x` is (batch, channels, ..); the statistics are over all axes but 1, with the biased variance.
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let x = g.input("x", array![[1.0, 5.0], [3.0, 5.0]]);
/// let y = gradus::nn::batch_norm(x, None, 1e-300);
/// assert_eq!(y.output.value()?, array![[-1.0, 0.0], [1.0, 0.0]].into_dyn());
/// assert_eq!(y.mean.value()?, array![2.0, 5.0].into_dyn());
/// assert_eq!(y.variance.value()?, array![1.0, 0.0].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If there are fewer than two axes: "`batch_norm` requires (batch, channels, ..), got (3,)"; if gain and bias do not broadcast.
#[track_caller]
#[must_use]
pub fn batch_norm<'g, T: Real>(
    x: Var<'g, T>,
    affine: impl Into<Option<[Var<'g, T>; 2]>>,
    eps: f64,
) -> BatchNorm<'g, T> {
    require_channels("batch_norm", x, 2);
    let others: Vec<usize> = (0..x.ndim()).filter(|&axis| axis != 1).collect();
    let others = &others[..];
    BatchNorm {
        output: affine_along_channels("batch_norm", x.layer_norm(others, eps), affine.into()),
        mean: x.mean_keepdims(others).squeeze(others),
        variance: x.var_keepdims(others, 0.0).squeeze(others),
        count: x.size_of(others),
    }
}

/// `(x - mean) / √(variance + eps)`, then `· gamma + beta`, with given statistics of each channel, `(channels,)`: what batch norm
/// does once it is trained. `x` is (batch, channels, ..).
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let x = g.input("x", array![[1.0], [5.0]]);
/// let (mean, variance) = (g.param("mean", array![3.0]), g.param("variance", array![4.0]));
/// let y = gradus::nn::batch_norm_inference(x, [mean, variance], None, 0.0);
/// assert_eq!(y.value()?, array![[-1.0], [1.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If there are fewer than two axes: "`batch_norm_inference` requires (batch, channels, ..), got (3,)"; if statistics, gain and
/// bias do not broadcast.
#[track_caller]
#[must_use]
pub fn batch_norm_inference<'g, T: Real>(
    x: Var<'g, T>,
    [mean, variance]: [Var<'g, T>; 2],
    affine: impl Into<Option<[Var<'g, T>; 2]>>,
    eps: f64,
) -> Var<'g, T> {
    let op = "batch_norm_inference";
    require_channels(op, x, 2);
    let rank = x.ndim();
    let scale = (variance + eps).sqrt().recip();
    let y = (x - along_channels(op, mean, rank)) * along_channels(op, scale, rank);
    affine_along_channels(op, y, affine.into())
}

/// Mean 0 and variance 1 of each group of neighbouring channels of each example, then `· gamma + beta`, which are `(channels,)`
/// (Wu and He, "Group Normalization", 2018). `x` is (batch, channels, ..).
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let x = g.input("x", array![[1.0, 3.0, 10.0, 10.0]]);
/// let y = gradus::nn::group_norm(x, 2, None, 1e-300);
/// assert_eq!(y.value()?, array![[-1.0, 1.0, 0.0, 0.0]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// - If there are fewer than two axes: "`group_norm` requires (batch, channels, ..), got (3,)",
/// - if the channels are not divided by the groups: "`group_norm` requires channels that are divided by the 3 groups, got 4",
/// - if gain and bias do not broadcast.
#[track_caller]
#[must_use]
pub fn group_norm<'g, T: Real>(
    x: Var<'g, T>,
    groups: usize,
    affine: impl Into<Option<[Var<'g, T>; 2]>>,
    eps: f64,
) -> Var<'g, T> {
    require_channels("group_norm", x, 2);
    let channels = x.shape()[1];
    if groups == 0 || !channels.is_multiple_of(groups) {
        let requires = format!("channels that are divided by the {groups} groups, got {channels}");
        let operand = Box::new(x.graph().arena().describe(x.id()));
        fail(&Error::Attribute { op: "group_norm", requires, operand });
    }
    let rest: Vec<usize> = (2..=x.ndim()).collect();
    let grouped = x.unflatten(1, [groups as isize, -1]).layer_norm(&rest[..], eps);
    affine_along_channels("group_norm", grouped.flatten([1, 2]), affine.into())
}

/// Mean 0 and variance 1 of each channel of each example, then `· gamma + beta`, which are `(channels,)`: [`group_norm`] with as
/// many groups as channels. `x` is (batch, channels, ..) with at least one more axis.
///
/// ```
/// # use gradus::prelude::*;
/// # let g = Graph::new();
/// let x = g.input("x", array![[[1.0, 3.0], [10.0, 30.0]]]);
/// let y = gradus::nn::instance_norm(x, None, 0.0);
/// assert_eq!(y.value()?, array![[[-1.0, 1.0], [-1.0, 1.0]]].into_dyn());
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// # Panics
/// If there are fewer than three axes: "`instance_norm` requires (batch, channels, ..) with spatial axes, got (3, 2)"; if gain
/// and bias do not broadcast.
#[track_caller]
#[must_use]
pub fn instance_norm<'g, T: Real>(
    x: Var<'g, T>,
    affine: impl Into<Option<[Var<'g, T>; 2]>>,
    eps: f64,
) -> Var<'g, T> {
    require_channels("instance_norm", x, 3);
    let spatial: Vec<usize> = (2..x.ndim()).collect();
    affine_along_channels("instance_norm", x.layer_norm(&spatial[..], eps), affine.into())
}

#[track_caller]
fn require_channels<'g, T: Real>(op: &'static str, x: Var<'g, T>, rank: usize) {
    if x.ndim() < rank {
        let expected =
            if rank == 2 { "(batch, channels, ..)" } else { "(batch, channels, ..) with spatial axes" };
        fail(&Error::Rank { op, expected, operand: Box::new(x.graph().arena().describe(x.id())) });
    }
}

/// `(channels,)` as it stands along axis 1 of an array with `rank` axes.
#[track_caller]
fn along_channels<'g, T: Real>(op: &'static str, each: Var<'g, T>, rank: usize) -> Var<'g, T> {
    if each.ndim() != 1 {
        let operand = Box::new(each.graph().arena().describe(each.id()));
        fail(&Error::Rank { op, expected: "one number for each channel", operand });
    }
    let behind: Vec<usize> = (1..rank - 1).collect();
    if behind.is_empty() { each } else { each.expand_dims(&behind[..]) }
}

#[track_caller]
fn affine_along_channels<'g, T: Real>(op: &'static str, y: Var<'g, T>, affine: Affine<'g, T>) -> Var<'g, T> {
    match affine {
        Some([gamma, beta]) => {
            let (gamma, beta) = (along_channels(op, gamma, y.ndim()), along_channels(op, beta, y.ndim()));
            y * gamma + beta
        }
        None => y,
    }
}
