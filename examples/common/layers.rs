//! The sizes of a network, and the arrays of one layer.

use std::fmt;
use std::str::FromStr;

use gradus::ndarray::Array2;

/// How many units each layer has, from the input to the output.
#[derive(Clone)]
pub struct Layers(pub Vec<usize>);

/// The weights (n_l, n_{l-1}) and biases (n_l, 1) of a layer.
pub struct Layer {
    pub w: Array2<f64>,
    pub b: Array2<f64>,
}

impl Layers {
    /// The shape of the weights of each layer, from layer 1 on.
    pub fn shapes(&self) -> impl Iterator<Item = [usize; 2]> {
        self.0.windows(2).map(|pair| [pair[1], pair[0]])
    }
}

impl FromStr for Layers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units: Result<Vec<usize>, _> = text.split(',').map(|units| units.trim().parse()).collect();
        let units = units.ok().filter(|units| units.len() > 1 && !units.contains(&0));
        units.map(Self).ok_or_else(|| {
            "layers are their numbers of units from the input to the output, at least 1 each, as 12288,20,7,5,1"
                .to_owned()
        })
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&units.join(","))
    }
}
