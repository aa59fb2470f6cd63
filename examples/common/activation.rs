//! Activations by name.

use clap::ValueEnum;
use gradus::{Float, Var};

/// What a hidden layer makes of `z = W a + b`.
#[derive(Clone, Copy, ValueEnum)]
pub enum Activation {
    /// 1 / (1 + e⁻ᶻ)
    Sigmoid,
    /// tanh z
    Tanh,
    /// max(0, z)
    Relu,
    /// z, and z / 100 below 0
    LeakyRelu,
    /// z itself: layers that collapse to one
    Linear,
}

impl Activation {
    pub fn of<T: Float>(self, z: Var<'_, T>) -> Var<'_, T> {
        match self {
            Self::Sigmoid => z.sigmoid(),
            Self::Tanh => z.tanh(),
            Self::Relu => z.relu(),
            Self::LeakyRelu => z.leaky_relu(0.01),
            Self::Linear => z,
        }
    }
}
