//! Elementary functions of a million numbers each.

use gradus::Graph;

use super::{Parameters, Problem};

/// `mean(tanh(x) σ(y) + ln(1 + e^-|z|) + relu(z))` and its gradients; nothing is updated.
pub fn elementwise(g: &Graph) -> Problem<'_, f32, 4> {
    let mut p = Parameters::of(g);
    let x = p.weight("x", [1_000_000], 1, 3.0);
    let y = p.weight("y", [1_000_000], 2, 3.0);
    let z = p.weight("z", [1_000_000], 3, 3.0);

    Problem::new(p, move || {
        let mean = (x.tanh() * y.sigmoid() + (-z.abs()).exp().ln_1p() + z.relu()).mean();
        let [dx, dy, dz] = mean.grad([x, y, z]);
        [mean, dx, dy, dz]
    })
}
