//! Functions of two and three numbers: what a call costs, and what an operation.

use gradus::Graph;

use super::{Function, data};

/// `J = 3 (a + b c)` and its three derivatives.
pub fn scalar3(g: &Graph) -> Function<'_, 3, 4> {
    let [a, b, c] = ["a", "b", "c"].map(|name| g.input(name, 0.0));
    let rows = data::uniform::<f64>(&[1000, 3], 1);
    let table = rows.rows().into_iter().map(|row| [row[0], row[1], row[2]]).collect();

    Function::new([a, b, c], table, move || {
        let j = 3.0 * (a + b * c);
        let [da, db, dc] = j.grad([a, b, c]);
        [j, da, db, dc]
    })
}

/// `v = x`, then a thousand times `v ← y sin v + v/2`: the result and its two derivatives.
pub fn chain1000(g: &Graph) -> Function<'_, 2, 3> {
    let [x, y] = ["x", "y"].map(|name| g.input(name, 0.0));
    let (xs, ys) = (data::uniform::<f64>(&[1000], 1), data::uniform::<f64>(&[1000], 2));
    let table = xs.iter().zip(&ys).map(|(x, y)| [1.0 + x, 0.5 + 0.1 * y]).collect();

    Function::new([x, y], table, move || {
        let mut v = x;
        for _ in 0..1000 {
            v = v.sin() * y + v * 0.5;
        }
        let [dx, dy] = v.grad([x, y]);
        [v, dx, dy]
    })
}
