//! What the parameters of a network begin with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use gradus::Graph;
use gradus::ndarray::{Array2, Ix2};

use super::Error;
use super::data::{Npz, Raw};
use super::layers::{Layer, Layers};

/// How many weights a network may have: a gigabyte of them.
const MOST_WEIGHTS: usize = 1 << 27;

/// What the weights begin with. The biases begin with 0, unless they are read.
#[derive(Clone)]
pub enum Init {
    /// 0 everywhere.
    Zeros,
    /// The same number everywhere.
    Equal(f64),
    /// Normally distributed numbers of this standard deviation.
    Normal(f64),
    /// Normally distributed, of standard deviation `√(1/n)` behind a layer of n units (X. Glorot and Y. Bengio, 2010, for
    /// tanh; here without the size of the layer that follows).
    Xavier,
    /// Normally distributed, of standard deviation `√(2/n)` (K. He et al., 2015, for relu).
    He,
    /// An archive with W1 (n_1, n_0), b1 (n_1, 1) or (n_1), W2, b2, …
    File(PathBuf),
}

impl FromStr for Init {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
        match text.split_once(':') {
            None if text == "zeros" => Ok(Self::Zeros),
            None if text == "xavier" => Ok(Self::Xavier),
            None if text == "he" => Ok(Self::He),
            Some(("equal", c)) => {
                number(c).map(Self::Equal).ok_or_else(|| "C of equal:C is a number".to_owned())
            }
            Some(("normal", s)) => (number(s).filter(|&s| s >= 0.0).map(Self::Normal))
                .ok_or_else(|| "S of normal:S, a standard deviation, is a number of at least 0".to_owned()),
            _ if text.ends_with(".npz") => Ok(Self::File(text.into())),
            _ => Err("expected zeros, equal:C, normal:S, xavier, he or FILE.npz".to_owned()),
        }
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zeros => f.write_str("zeros"),
            Self::Equal(c) => write!(f, "equal:{c}"),
            Self::Normal(s) => write!(f, "normal:{s}"),
            Self::Xavier => f.write_str("xavier"),
            Self::He => f.write_str("he"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Init {
    /// The layers that a file has weights for; an initialiser by name fits any.
    pub fn layers(&self) -> Result<Option<Layers>, Error> {
        let Self::File(path) = self else { return Ok(None) };
        let mut archive = Npz::open(path)?;
        let names = archive.names();
        let known = |l: &usize| names.contains(&format!("W{l}"));
        let count = (1..).take_while(known).count().max(1);
        let mut shapes: Vec<[usize; 2]> = Vec::new();
        for l in 1..=count {
            let w = archive.array(&format!("W{l}"), &arrays(count))?.numbers;
            let shape = follow(l, shapes.last(), w.shape()).map_err(|text| Error::in_file(path, text))?;
            shapes.push(shape);
        }
        Ok(Some(Layers(shapes.iter().take(1).map(|w| w[1]).chain(shapes.iter().map(|w| w[0])).collect())))
    }

    /// The arrays of each layer, from layer 1 on. What is drawn at random is a function of the seed and the layers.
    pub fn parameters(&self, layers: &Layers, seed: u64) -> Result<Vec<Layer>, Error> {
        match self {
            Self::Zeros => filled(layers, 0.0),
            Self::Equal(c) => filled(layers, *c),
            Self::Normal(s) => drawn(layers, seed, |_| *s),
            Self::Xavier => drawn(layers, seed, |n| (1.0 / n).sqrt()),
            Self::He => drawn(layers, seed, |n| (2.0 / n).sqrt()),
            Self::File(path) => read(path, layers),
        }
    }
}

/// The shape of the weights of layer `l`, behind those of the layer before.
fn follow(l: usize, before: Option<&[usize; 2]>, shape: &[usize]) -> Result<[usize; 2], String> {
    let &[n, n_before] = shape else {
        return Err(format!("expected W{l} of shape (n_{l}, n_{}), found {shape:?}", l - 1));
    };
    match before {
        _ if n * n_before == 0 => Err(format!("layer {l}: W{l} of shape {shape:?} is empty")),
        Some(other) if other[0] != n_before => Err(format!(
            "layer {l}: W{l} of shape {shape:?} does not fit W{} of shape {other:?}: {n_before} != {}",
            l - 1,
            other[0]
        )),
        _ => Ok([n, n_before]),
    }
}

fn filled(layers: &Layers, c: f64) -> Result<Vec<Layer>, Error> {
    check_size(layers)?;
    Ok(layers.shapes().map(|shape| unbiased(Array2::from_elem(shape, c))).collect())
}

/// Normally distributed numbers, of a standard deviation that depends on the size of the layer before.
fn drawn(layers: &Layers, seed: u64, deviation: impl Fn(f64) -> f64) -> Result<Vec<Layer>, Error> {
    check_size(layers)?;
    let g = Graph::new();
    let rng = g.rng("rng", seed);
    let layers = layers.shapes().map(|shape| {
        let z = rng.standard_normal::<f64>(shape).value()?;
        let z = z.into_dimensionality::<Ix2>().map_err(Error::new)?;
        Ok(unbiased(z * deviation(shape[1] as f64)))
    });
    layers.collect()
}

fn unbiased(w: Array2<f64>) -> Layer {
    let b = Array2::zeros((w.nrows(), 1));
    Layer { w, b }
}

/// Refuses a network that is too large before anything is allocated for it.
fn check_size(layers: &Layers) -> Result<(), Error> {
    let mut sizes = layers.shapes().map(|[n, before]| n.checked_mul(before));
    let total = sizes.try_fold(0_usize, |total, size| total.checked_add(size?));
    match total {
        Some(total) if total <= MOST_WEIGHTS => Ok(()),
        _ => Err(Error::new(format_args!(
            "the layers {layers} have more than {MOST_WEIGHTS} weights, the most that are taken"
        ))),
    }
}

fn read(path: &Path, layers: &Layers) -> Result<Vec<Layer>, Error> {
    let mut archive = Npz::open(path)?;
    let count = layers.0.len() - 1;
    let expected = format!("{} for the layers {layers}", arrays(count));
    let names = archive.names();
    if names.contains(&format!("W{}", count + 1)) {
        return Err(Error::in_file(path, format!("expected {expected}, found {names:?}")));
    }
    let mut read = |name: &str, l: usize, shape: [usize; 2], or: &str| {
        let Raw { numbers, .. } = archive.array(name, &expected)?;
        let found = numbers.shape().to_vec();
        let fits = found == shape || (!or.is_empty() && found == [shape[0]]);
        let matrix = numbers.into_shape_with_order(shape).ok().filter(|_| fits);
        matrix.ok_or_else(|| {
            let text = format!(
                "layer {l}: expected {name} of shape {shape:?}{or} for the layers {layers}, found {found:?}"
            );
            Error::in_file(path, text)
        })
    };
    let layers = (1..).zip(layers.shapes()).map(|(l, [n, before])| {
        Ok(Layer {
            w: read(&format!("W{l}"), l, [n, before], "")?,
            b: read(&format!("b{l}"), l, [n, 1], &format!(" or [{n}]"))?,
        })
    });
    layers.collect()
}

/// The names of the arrays of so many layers.
fn arrays(count: usize) -> String {
    let names: Vec<String> = (1..=count).map(|l| format!("W{l}, b{l}")).collect();
    names.join(", ")
}
