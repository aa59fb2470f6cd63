//! Convolutions and pools as methods. What they compute is recorded by [`Window`].

use super::sliding::{Conv, Pool};
use super::transposed::ConvTranspose;
use super::{IntoVar, Op, Window};
use crate::element::Real;
use crate::error::{Error, fail};
use crate::graph::Var;

impl<'g, T: Real> Var<'g, T> {
    /// The convolution of images with `w`, as networks understand it: the cross-correlation
    ///
    /// `y[n, o, p] = Σ_{c, k} x[n, c, p · stride + k · dilation - padding] · w[o, c, k]`,
    ///
    /// where `p` and `k` have 1, 2 or 3 spatial axes, and what lies in the padding is zero.
    ///
    /// Shapes: `x` (batch, channels, ..), `w` (outputs, channels / groups, ..) → (batch, outputs, ..), with
    /// `⌊(size + padding - dilation · (window - 1) - 1) / stride⌋ + 1` along each spatial axis. With several groups
    /// the first outputs see only the first channels, and so on.
    ///
    /// Derivatives: with respect to `x`, each element of the cotangent times the weights, added where the window was; with
    /// respect to `w`, the correlation of `x` with the cotangent.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::Conv;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array::from_iter((1..=9).map(f64::from)).to_shape((1, 1, 3, 3)).unwrap());
    /// let w = g.param("w", ndarray::Array4::<f64>::ones((1, 1, 2, 2)));
    /// let y = x.conv(w, Conv::new().stride(2).padding(1));
    /// assert_eq!(y.value()?.iter().copied().collect::<Vec<_>>(), [1.0, 5.0, 11.0, 28.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// - If the operands do not have 1 to 3 spatial axes: "`conv` requires (batch, channels, ..) with 1 to 3 spatial
    ///   axes, got (3, 3)",
    /// - if the channels do not fit: "`conv` requires (batch, c, ..) and (outputs, c / groups, ..), got (2, 3, 5, 5) and
    ///   (4, 2, 3, 3): 3 / 1 != 2",
    /// - if a window does not fit into the padded input: "`conv` requires windows within the padded input, got 3 in 2
    ///   (axis 2)".
    #[track_caller]
    #[must_use]
    pub fn conv(self, w: impl IntoVar<'g, T>, conv: Conv) -> Self {
        let w = w.into_var(self.graph(), self.dtype_beside());
        self.graph().emit(Op::Window(Window::Conv(Box::new(conv))), [self.erase(), w.erase()]).retype()
    }

    /// [`conv`](Self::conv) of signals (batch, channels, length) with stride 1 and without padding.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[[1.0, 2.0, 3.0]]]);
    /// assert_eq!(x.conv1d(array![[[1.0, -1.0]]]).value()?, array![[[-1.0, -1.0]]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`conv`](Self::conv), and if there is not one spatial axis.
    #[track_caller]
    #[must_use]
    pub fn conv1d(self, w: impl IntoVar<'g, T>) -> Self {
        self.conv(w, Conv::new().stride([1]))
    }

    /// [`conv`](Self::conv) of images (batch, channels, height, width) with stride 1 and without padding.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", ndarray::Array4::<f64>::ones((32, 1, 28, 28)));
    /// let w = g.param("w", ndarray::Array4::<f64>::ones((8, 1, 3, 3)));
    /// assert_eq!(x.conv2d(w).shape(), [32, 8, 26, 26]);
    /// assert_eq!(x.conv2d(w).mean().item()?, 9.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`conv`](Self::conv), and if there are not two spatial axes.
    #[track_caller]
    #[must_use]
    pub fn conv2d(self, w: impl IntoVar<'g, T>) -> Self {
        self.conv(w, Conv::new().stride([1, 1]))
    }

    /// [`conv`](Self::conv) of volumes (batch, channels, depth, height, width) with stride 1 and without padding.
    ///
    /// # Panics
    /// As [`conv`](Self::conv), and if there are not three spatial axes.
    #[track_caller]
    #[must_use]
    pub fn conv3d(self, w: impl IntoVar<'g, T>) -> Self {
        self.conv(w, Conv::new().stride([1, 1, 1]))
    }

    /// The transpose of a convolution in its input, as a layer of its own: what [`conv`](Self::conv) with the same weights and the
    /// same sliding gathers from, this scatters to. PyTorch's `conv_transpose1d`, `2d` and `3d`:
    ///
    /// `y[n, o, q] = Σ x[n, c, p] · w[c, o, k]` over all `c`, `p` and `k` with `q = p · stride + k · dilation - padding`.
    ///
    /// Shapes: `x` (batch, c, ..), `w` (c, outputs / groups, ..) → (batch, outputs, ..), with
    /// `(size - 1) · stride - 2 · padding + dilation · (window - 1) + output padding + 1` along each of the 1 to 3 spatial
    /// axes. The output padding makes the result longer behind: a convolution with a stride gives the same size for inputs of
    /// several sizes.
    ///
    /// Derivatives: with respect to `x`, the convolution of the cotangent with `w`; with respect to `w`, the correlation of
    /// the cotangent with `x`.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::ConvTranspose;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[[1.0, 2.0]]]);
    /// let y = x.conv_transpose(array![[[1.0, 10.0, 100.0]]], ConvTranspose::new().stride(2));
    /// assert_eq!(y.value()?, array![[[1.0, 10.0, 102.0, 20.0, 200.0]]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// - If the operands do not have 1 to 3 spatial axes,
    /// - if the channels do not fit: "`conv_transpose` requires (batch, c, ..) and (c, outputs / groups, ..), got (2, 3, 5, 5)
    ///   and (4, 2, 3, 3): 3 != 4",
    /// - if nothing is left beside the padding: "`conv_transpose` requires a result of at least 1, got -1 (axis 2)",
    /// - if the output padding is too large: "`conv_transpose` requires an output padding below the stride or the dilation,
    ///   got 2 for 2 and 1 (axis 2)".
    #[track_caller]
    #[must_use]
    pub fn conv_transpose(self, w: impl IntoVar<'g, T>, conv: ConvTranspose) -> Self {
        let w = w.into_var(self.graph(), self.dtype_beside());
        let op = Op::Window(Window::ConvTranspose(Box::new(conv)));
        self.graph().emit(op, [self.erase(), w.erase()]).retype()
    }

    /// The maximum of each window of each channel: `y[n, c, p] = max_k x[n, c, p · stride + k - padding]`, where what
    /// lies in the padding does not count. NaN if an element of the window is.
    ///
    /// Shapes: (batch, channels, ..) → (batch, channels, ..), with `⌊(size + padding - window) / stride⌋ + 1` along
    /// each of the 1 to 3 spatial axes: windows that would reach beyond are left out.
    ///
    /// Derivative: the cotangent of a window goes to its maximum, shared evenly by ties, as for
    /// [`max`](Self::max); an element in several windows gets their sum. It is NaN for all elements of a window with
    /// a NaN. PyTorch gives everything to the first of several equal elements.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::Pool;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 3.0, 2.0, 3.0, 3.0].to_shape((1, 1, 5)).unwrap());
    /// let y = x.max_pool(Pool::new(3).stride(2));
    /// assert_eq!(y.value()?.as_slice(), Some(&[3.0, 3.0][..]));
    /// assert_eq!(y.sum().grad(x).value()?.as_slice(), Some(&[0.0, 1.0, 0.0, 0.5, 0.5][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// - If there are not 1 to 3 spatial axes,
    /// - if a window does not fit: "`max_pool` requires windows within the padded input, got 3 in 2 (axis 2)",
    /// - if a window could lie in the padding alone: "`max_pool` requires less padding than the window, got 2 for 2
    ///   (axis 2)".
    #[track_caller]
    #[must_use]
    pub fn max_pool(self, pool: Pool) -> Self {
        self.graph().emit(Op::Window(Window::MaxPool(Box::new(pool))), [self.erase()]).retype()
    }

    /// [`max_pool`](Self::max_pool) of signals (batch, channels, length).
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool), and if there is not one spatial axis.
    #[track_caller]
    #[must_use]
    pub fn max_pool1d(self, size: usize, stride: usize) -> Self {
        self.max_pool(Pool::new([size]).stride([stride]))
    }

    /// [`max_pool`](Self::max_pool) of images (batch, channels, height, width) with square windows.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]].to_shape((1, 1, 2, 2)).unwrap());
    /// assert_eq!(x.max_pool2d(2, 2).item()?, 4.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool), and if there are not two spatial axes.
    #[track_caller]
    #[must_use]
    pub fn max_pool2d(self, size: usize, stride: usize) -> Self {
        self.max_pool(Pool::new([size, size]).stride([stride, stride]))
    }

    /// [`max_pool`](Self::max_pool) of volumes (batch, channels, depth, height, width) with cubes as windows.
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool), and if there are not three spatial axes.
    #[track_caller]
    #[must_use]
    pub fn max_pool3d(self, size: usize, stride: usize) -> Self {
        self.max_pool(Pool::new([size; 3]).stride([stride; 3]))
    }

    /// The mean of each window of each channel. What lies in the padding counts as zeros, as in PyTorch; with
    /// [`Pool::count_include_pad(false)`](Pool::count_include_pad) it does not count.
    ///
    /// Shapes: as for [`max_pool`](Self::max_pool). Derivative: `1/n` for each of the `n` elements that count.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// use gradus::ops::Pool;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![1.0, 3.0, 2.0].to_shape((1, 1, 3)).unwrap());
    /// let y = x.avg_pool(Pool::new(2).padding(1));
    /// assert_eq!(y.value()?.as_slice(), Some(&[0.5, 2.5][..]));
    /// let y = x.avg_pool(Pool::new(2).padding(1).count_include_pad(false));
    /// assert_eq!(y.value()?.as_slice(), Some(&[1.0, 2.5][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool).
    #[track_caller]
    #[must_use]
    pub fn avg_pool(self, pool: Pool) -> Self {
        self.graph().emit(Op::Window(Window::AvgPool(Box::new(pool))), [self.erase()]).retype()
    }

    /// [`avg_pool`](Self::avg_pool) of signals (batch, channels, length).
    ///
    /// # Panics
    /// As [`avg_pool`](Self::avg_pool), and if there is not one spatial axis.
    #[track_caller]
    #[must_use]
    pub fn avg_pool1d(self, size: usize, stride: usize) -> Self {
        self.avg_pool(Pool::new([size]).stride([stride]))
    }

    /// [`avg_pool`](Self::avg_pool) of images (batch, channels, height, width) with square windows.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[1.0, 2.0], [3.0, 4.0]].to_shape((1, 1, 2, 2)).unwrap());
    /// assert_eq!(x.avg_pool2d(2, 2).item()?, 2.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// As [`max_pool`](Self::max_pool), and if there are not two spatial axes.
    #[track_caller]
    #[must_use]
    pub fn avg_pool2d(self, size: usize, stride: usize) -> Self {
        self.avg_pool(Pool::new([size, size]).stride([stride, stride]))
    }

    /// [`avg_pool`](Self::avg_pool) of volumes (batch, channels, depth, height, width) with cubes as windows.
    ///
    /// # Panics
    /// As [`avg_pool`](Self::avg_pool), and if there are not three spatial axes.
    #[track_caller]
    #[must_use]
    pub fn avg_pool3d(self, size: usize, stride: usize) -> Self {
        self.avg_pool(Pool::new([size; 3]).stride([stride; 3]))
    }

    /// The mean over all spatial axes: (batch, channels, ..) → (batch, channels). NaN of no elements.
    ///
    /// ```
    /// # use gradus::prelude::*;
    /// # let g = Graph::new();
    /// let x = g.input("x", array![[[1.0, 3.0], [10.0, 20.0]]]);
    /// assert_eq!(x.global_avg_pool().value()?, array![[2.0, 15.0]].into_dyn());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there is no spatial axis: "`global_avg_pool` requires (batch, channels, ..) with spatial axes, got (2, 3)".
    #[track_caller]
    #[must_use]
    pub fn global_avg_pool(self) -> Self {
        if self.ndim() < 3 {
            let operand = Box::new(self.graph().arena().describe(self.id()));
            let expected = "(batch, channels, ..) with spatial axes";
            fail(&Error::Rank { op: "global_avg_pool", expected, operand });
        }
        let spatial: Vec<usize> = (2..self.ndim()).collect();
        self.mean_axis(&spatial[..])
    }
}
