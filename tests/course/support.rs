//! Networks as a first course writes them, with their derivatives by hand: all examples at once, and one after another.

use gradus::concat;
use gradus::ndarray::{ArrayD, IxDyn};
use gradus::prelude::*;

/// Numbers between -1 and 1 that look random.
pub fn numbers(shape: &[usize], seed: usize) -> ArrayD<f64> {
    let mut k = seed * 1000;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        k += 1;
        ((k as f64 * 12.9898).sin() * 43758.5453).fract()
    })
}

/// Zeros and ones that look random.
pub fn labels(shape: &[usize], seed: usize) -> ArrayD<f64> {
    numbers(shape, seed).mapv(|x| if x > 0.0 { 1.0 } else { 0.0 })
}

/// Equal to 1e-12 of the largest entry.
#[track_caller]
pub fn assert_close(found: &ArrayD<f64>, by_hand: &ArrayD<f64>) {
    assert_eq!(found.shape(), by_hand.shape());
    let size = by_hand.iter().fold(1e-300, |most: f64, x| most.max(x.abs()));
    for (f, h) in found.iter().zip(by_hand) {
        assert!((f - h).abs() <= 1e-12 * size, "{f} is not {h}");
    }
}

#[track_caller]
pub fn assert_equal(found: Var<'_>, by_hand: Var<'_>) {
    assert_close(&found.value().unwrap(), &by_hand.value().unwrap());
}

/// `-1/m Σ (y ln a + (1 - y) ln(1 - a))`.
pub fn cross_entropy<'g>(a: Var<'g>, y: Var<'g>) -> Var<'g> {
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()).mean()
}

/// What the hidden layers apply.
#[derive(Clone, Copy)]
pub enum Activation {
    Tanh,
    Relu,
}

impl Activation {
    pub fn of(self, z: Var<'_>) -> Var<'_> {
        match self {
            Self::Tanh => z.tanh(),
            Self::Relu => z.relu(),
        }
    }

    /// g'(z), where a = g(z).
    fn slope<'g>(self, z: Var<'g>, a: Var<'g>) -> Var<'g> {
        match self {
            Self::Tanh => 1.0 - a.square(),
            Self::Relu => z.gt(0.0).cast(),
        }
    }
}

/// A network: linear → activation, …, linear → sigmoid. Columns are examples. With two sizes it is logistic regression.
pub struct Network<'g> {
    pub x: Var<'g>,
    pub y: Var<'g>,
    /// W and b of every layer.
    pub parameters: Vec<[Var<'g>; 2]>,
    activation: Activation,
}

/// What every layer computes; `a[0]` is X, and `z[l]` gives `a[l + 1]`.
pub struct Forward<'g> {
    pub a: Vec<Var<'g>>,
    pub z: Vec<Var<'g>>,
}

/// The derivatives of J with respect to A, Z, W and b of every layer.
pub struct Backward<'g> {
    pub da: Vec<Var<'g>>,
    pub dz: Vec<Var<'g>>,
    pub dw: Vec<Var<'g>>,
    pub db: Vec<Var<'g>>,
}

/// The first values of W and b of layer `l`.
pub fn start(sizes: &[usize], l: usize) -> [ArrayD<f64>; 2] {
    [numbers(&[sizes[l + 1], sizes[l]], 2 * l + 3), numbers(&[sizes[l + 1], 1], 2 * l + 4)]
}

impl<'g> Network<'g> {
    pub fn new(g: &'g Graph, sizes: &[usize], activation: Activation, m: usize) -> Self {
        let layer = |l: usize| {
            let [w, b] = start(sizes, l);
            [g.param(&format!("W{}", l + 1), w), g.param(&format!("b{}", l + 1), b)]
        };
        Self {
            x: g.input("X", numbers(&[sizes[0], m], 1)),
            y: g.input("Y", labels(&[1, m], 2)),
            parameters: (0..sizes.len() - 1).map(layer).collect(),
            activation,
        }
    }

    /// The layers, of all examples or of some.
    pub fn forward(&self, x: Var<'g>) -> Forward<'g> {
        let mut layers = Forward { a: vec![x], z: Vec::new() };
        for (l, &[w, b]) in self.parameters.iter().enumerate() {
            let z = w.dot(layers.a[l]) + b;
            layers.z.push(z);
            let last = l + 1 == self.parameters.len();
            layers.a.push(if last { z.sigmoid() } else { self.activation.of(z) });
        }
        layers
    }

    /// The derivatives of `1/m` times the sum of the losses of these examples, from the last layer to the first.
    fn backward(&self, Forward { a, z }: &Forward<'g>, y: Var<'g>, m: Var<'g>) -> Backward<'g> {
        let layers = self.parameters.len();
        let al = a[layers];
        let mut back = Backward { da: Vec::new(), dz: Vec::new(), dw: Vec::new(), db: Vec::new() };
        let mut da = -(y / al - (1.0 - y) / (1.0 - al)) / m;
        for l in (0..layers).rev() {
            let last = l + 1 == layers;
            let slope = if last { al * (1.0 - al) } else { self.activation.slope(z[l], a[l + 1]) };
            let dz = da * slope;
            back.da.insert(0, da);
            back.dz.insert(0, dz);
            back.dw.insert(0, dz.dot(a[l].t()));
            back.db.insert(0, dz.sum_keepdims(1));
            da = self.parameters[l][0].t().dot(dz);
        }
        back
    }

    /// By hand, all examples at once.
    pub fn at_once(&self) -> Backward<'g> {
        self.backward(&self.forward(self.x), self.y, self.y.size_of(1))
    }

    /// By hand, in a loop over the examples: columns side by side for dA and dZ, sums for dW and db.
    pub fn one_by_one(&self) -> Backward<'g> {
        let m = self.y.shape()[1] as isize;
        let each = (0..m).map(|i| {
            let (x, y) = (self.x.slice(1, i..i + 1), self.y.slice(1, i..i + 1));
            self.backward(&self.forward(x), y, self.y.size_of(1))
        });
        let each: Vec<Backward<'g>> = each.collect();
        let columns =
            |of: &dyn Fn(&Backward<'g>) -> Var<'g>| concat(&each.iter().map(of).collect::<Vec<_>>(), 1);
        let sum = |of: &dyn Fn(&Backward<'g>) -> Var<'g>| {
            each.iter().map(of).reduce(|sum, term| sum + term).unwrap()
        };
        let layers = 0..self.parameters.len();
        Backward {
            da: layers.clone().map(|l| columns(&|back| back.da[l])).collect(),
            dz: layers.clone().map(|l| columns(&|back| back.dz[l])).collect(),
            dw: layers.clone().map(|l| sum(&|back| back.dw[l])).collect(),
            db: layers.map(|l| sum(&|back| back.db[l])).collect(),
        }
    }
}
