//! Losses, layers and cells: functions and small structs of expressions, composed of the operations of [`Var`](crate::Var).
//!
//! Nothing here owns parameters or knows a training loop: what is trained is made with [`Graph::param`](crate::Graph::param) and
//! handed in. All of it holds for f32 and f64, for any batch, and for derivatives of any order.
//!
//! ```
//! use gradus::nn::{self, Reduction};
//! use gradus::prelude::*;
//!
//! let g = Graph::new();
//! let x = g.input("x", array![[1.0, 2.0], [3.0, 5.0]]);
//! let w = g.param("w", array![[1.0, -1.0], [0.5, 0.0]]);
//! let b = g.param("b", array![0.0, 1.0]);
//! let logits = nn::linear(x, w, b);
//! let cost = nn::cross_entropy(logits, array![0_i64, 1], -1, Reduction::Mean);
//! assert_eq!(cost.grad([w, b])[0].shape(), [2, 2]);
//! ```
//!
//! - [Losses](Reduction): [`mse`], [`l1`], [`huber`], [`smooth_l1`], [`hinge`], [`squared_hinge`], [`bce`], [`bce_with_logits`],
//!   [`cross_entropy`], [`cross_entropy_smoothed`], [`soft_cross_entropy`], [`nll`], [`kl_div`].
//! - Normalisations: [`layer_norm`], [`rms_norm`], [`batch_norm`], [`batch_norm_inference`], [`group_norm`], [`instance_norm`].
//! - Layers: [`linear`], [`Linear`], [`attention`], [`Attention`], [`MultiHeadAttention`].
//! - Recurrent: [`rnn_cell`], [`gru_cell`], [`lstm_cell`], [`unroll`], [`rnn_tanh`].

mod attention;
mod classes;
mod linear;
mod losses;
mod norm;
mod recurrent;

pub use self::attention::{Attention, MultiHeadAttention, attention};
pub use self::classes::{cross_entropy, cross_entropy_smoothed, nll, soft_cross_entropy};
pub use self::linear::{Linear, linear};
pub use self::losses::{
    Reduction, bce, bce_with_logits, hinge, huber, kl_div, l1, mse, smooth_l1, squared_hinge,
};
pub use self::norm::{
    BatchNorm, batch_norm, batch_norm_inference, group_norm, instance_norm, layer_norm, rms_norm,
};
pub use self::recurrent::{gru_cell, lstm_cell, rnn_cell, rnn_tanh, unroll};
