//! Normalisations, attention and cells: against JAX, special points, batches of other sizes, mistakes.

use gradus::nn::{self, Attention, Linear, MultiHeadAttention};
use gradus::{Float, Graph, Var, concat};
use ndarray::{Array2, Array3, ArrayD, Axis, IxDyn, array};

use crate::support::{Referred, Rng, assert_close, check_references, panicked};

const INF: f64 = f64::INFINITY;

#[test]
fn normalisations_are_jaxs() {
    let rows: &[Referred<'_>] = &[
        ("layer_norm", &[&[2, 3, 4], &[4], &[4]], &|x| nn::layer_norm(x[0], -1, [x[1], x[2]], 1e-5)),
        ("layer_norm of two axes", &[&[2, 3, 4], &[3, 4], &[3, 4]], &|x| {
            nn::layer_norm(x[0], [1, 2], [x[1], x[2]], 1e-2)
        }),
        ("rms_norm", &[&[3, 4], &[4]], &|x| nn::rms_norm(x[0], -1, x[1], 1e-6)),
        ("batch_norm", &[&[2, 3, 2, 2], &[3], &[3]], &|x| nn::batch_norm(x[0], [x[1], x[2]], 1e-5).output),
        ("batch_norm of rows", &[&[5, 3], &[3], &[3]], &|x| nn::batch_norm(x[0], [x[1], x[2]], 1e-5).output),
        ("batch_norm_inference", &[&[2, 3, 4], &[3], &[3], &[3], &[3]], &|x| {
            nn::batch_norm_inference(x[0], [x[1], x[2].square()], [x[3], x[4]], 1e-3)
        }),
        ("group_norm", &[&[2, 4, 3], &[4], &[4]], &|x| nn::group_norm(x[0], 2, [x[1], x[2]], 1e-5)),
        ("group_norm of rows", &[&[3, 6]], &|x| nn::group_norm(x[0], 2, None, 1e-5)),
        ("instance_norm", &[&[2, 3, 2, 3], &[3], &[3]], &|x| nn::instance_norm(x[0], [x[1], x[2]], 1e-5)),
    ];
    check_references(83, rows);
}

/// Heads whose layers are the operands from number `first`.
fn heads<'g>(x: &[Var<'g>], first: usize, bias: Var<'g>, heads: usize) -> MultiHeadAttention<'g> {
    let layer = |k: usize| Linear::new(x[first + k], None);
    let output = Linear::new(x[first + 3], bias);
    MultiHeadAttention { query: layer(0), key: layer(1), value: layer(2), output, heads }
}

#[test]
fn layers_are_jaxs() {
    let mask = array![[true, false, true], [true, true, false]];
    let rows: &[Referred<'_>] = &[
        ("linear", &[&[2, 3, 4], &[4, 5], &[5]], &|x| nn::linear(x[0], x[1], x[2])),
        ("attention", &[&[3, 4], &[5, 4], &[5, 2]], &|x| nn::attention(x[0], x[1], x[2])),
        ("attention in batches", &[&[2, 1, 3, 4], &[3, 5, 4], &[3, 5, 2]], &|x| {
            nn::attention(x[0], x[1], x[2])
        }),
        ("causal attention", &[&[2, 3, 4], &[2, 3, 4], &[2, 3, 2]], &|x| {
            Attention::new().causal().apply(x[0], x[1], x[2])
        }),
        ("causal attention, more keys", &[&[3, 4], &[5, 4], &[5, 2]], &|x| {
            Attention::new().causal().apply(x[0], x[1], x[2])
        }),
        ("masked attention", &[&[2, 4], &[3, 4], &[3, 2], &[2, 3]], &|x| {
            let mask = x[0].graph().constant(&mask);
            Attention::new().mask(mask).bias(x[3]).scale(0.3).apply(x[0], x[1], x[2])
        }),
        ("multi-head attention", &[&[2, 3, 4], &[4, 6], &[4, 6], &[4, 4], &[4, 5], &[5]], &|x| {
            heads(x, 1, x[5], 2).apply(x[0], x[0], x[0], &Attention::new().causal())
        }),
        ("rnn_tanh", &[&[4, 2, 3], &[2, 2], &[3, 2], &[2, 2], &[2]], &|x| {
            nn::rnn_tanh(x[0], x[1], x[2], x[3], x[4])[3]
        }),
        ("gru_cell", &[&[2, 3], &[2, 2], &[3, 6], &[2, 6], &[6], &[6]], &|x| {
            nn::gru_cell(x[0], x[1], x[2], x[3], x[4], x[5])
        }),
        ("lstm_cell", &[&[2, 3], &[2, 2], &[2, 2], &[3, 8], &[2, 8], &[8]], &|x| {
            concat(&nn::lstm_cell(x[0], [x[1], x[2]], x[3], x[4], x[5]), 0)
        }),
    ];
    check_references(84, rows);
}

#[test]
fn channels_that_do_not_spread() {
    let g = Graph::new();
    let x = g.input("x", array![[1.0, 4.0], [1.0, 8.0]]);
    let y = nn::batch_norm(x, None, 1e-4);
    assert_eq!(y.output.slice(1, ..1).value().unwrap(), array![[0.0], [0.0]].into_dyn());
    let d = (y.output.slice(1, ..1) * array![[1.0], [0.0]]).sum().grad(x);
    // That of (x - mean) / √ε.
    assert_close(&d.value().unwrap(), &array![[50.0, 0.0], [-50.0, 0.0]].into_dyn(), 1e-12);
    let dd = d.square().sum().grad(x).value().unwrap();
    assert!(dd.iter().all(|d| d.is_finite()), "{dd}");
    assert_eq!(y.mean.value().unwrap(), array![1.0, 6.0].into_dyn());
    assert_eq!(y.variance.value().unwrap(), array![0.0, 4.0].into_dyn());
    let zeros = g.input("zeros", array![[0.0, 0.0]]);
    let y = nn::rms_norm(zeros, -1, None, 1e-2);
    assert_eq!(y.value().unwrap(), array![[0.0, 0.0]].into_dyn());
    assert_close(&y.sum().grad(zeros).value().unwrap(), &array![[10.0, 10.0]].into_dyn(), 1e-14);
}

#[test]
fn running_statistics_are_pytorchs() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 3, 2]);
    let (mean, variance) =
        (g.param("mean", array![0.0, 0.0, 0.0]), g.param("variance", array![1.0, 1.0, 1.0]));
    let y = nn::batch_norm(x, None, 1e-5);
    let [m, v] = y.running([mean, variance], 0.1);
    let inference = nn::batch_norm_inference(x, [mean, variance], None, 1e-5);
    let mut train = g.compile(y.output, [mean.assign(m), variance.assign(v)]).unwrap();
    let mut predict = g.compile(inference, ()).unwrap();
    let mut rng = Rng(85);
    let (mut expected_mean, mut expected_variance) = ([0.0; 3], [1.0; 3]);
    for n in [2, 5, 3] {
        let batch = rng.array(&[n, 3, 2], -2.0, 2.0);
        train.run_with(&[x.feed(&batch)]).unwrap();
        for c in 0..3 {
            let channel = batch.index_axis(Axis(1), c);
            let all: Vec<f64> = channel.iter().copied().collect();
            let m = all.iter().sum::<f64>() / all.len() as f64;
            let v = all.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (all.len() - 1) as f64;
            expected_mean[c] = 0.9 * expected_mean[c] + 0.1 * m;
            expected_variance[c] = 0.9 * expected_variance[c] + 0.1 * v;
        }
    }
    let of = |numbers: [f64; 3]| array![numbers[0], numbers[1], numbers[2]].into_dyn();
    assert_close(&mean.value().unwrap(), &of(expected_mean), 1e-15);
    assert_close(&variance.value().unwrap(), &of(expected_variance), 1e-15);
    let batch = rng.array(&[1, 3, 2], -2.0, 2.0);
    let found = predict.run_with(&[x.feed(&batch)]).unwrap().to_owned();
    let by_hand = ArrayD::from_shape_fn(IxDyn(&[1, 3, 2]), |at| {
        (batch[&at] - expected_mean[at[1]]) / (expected_variance[at[1]] + 1e-5).sqrt()
    });
    assert_close(&found, &by_hand, 1e-14);
}

#[test]
fn queries_that_attend_to_nothing() {
    let g = Graph::new();
    let mut rng = Rng(86);
    let mut input = |name: &str, shape: &[usize]| g.input(name, rng.array(shape, -1.0, 1.0));
    let (q, k, v) = (input("q", &[3, 4]), input("k", &[3, 4]), input("v", &[3, 2]));
    let mask = array![[true, true, false], [false, false, false], [false, true, true]];
    let attention = Attention::new().mask(g.constant(&mask));
    let y = attention.apply(q, k, v);
    assert_eq!(y.slice(0, 1..2).value().unwrap(), array![[0.0, 0.0]].into_dyn());
    let gradients = y.square().sum().grad([q, k, v]);
    assert_eq!(gradients[0].slice(0, 1..2).value().unwrap(), array![[0.0; 4]].into_dyn());
    let square = gradients[0].square().sum() + gradients[1].square().sum() + gradients[2].square().sum();
    for d in gradients.into_iter().chain(square.grad([q, k, v])) {
        assert!(d.value().unwrap().iter().all(|d| d.is_finite()));
    }
    // With causality beside the mask: the first query has lost its only key.
    let late = Attention::new().causal().mask(g.constant(array![false, true, true]));
    let y = late.apply(q, k, v);
    assert_eq!(y.slice(0, ..1).value().unwrap(), array![[0.0, 0.0]].into_dyn());
    assert_close(&y.slice(0, 1..2).value().unwrap(), &v.slice(0, 1..2).value().unwrap(), 1e-15);
    // A bias of -∞ is what a mask does, but for a query that has nothing left.
    let minus = mask.mapv(|keep| if keep { 0.0 } else { -INF });
    let biased = Attention::new().bias(g.constant(&minus)).apply(q, k, v).value().unwrap();
    let masked = attention.apply(q, k, v).value().unwrap();
    for row in [0, 2] {
        let of = |y: &ArrayD<f64>| y.index_axis(Axis(0), row).to_owned();
        assert_close(&of(&biased), &of(&masked), 1e-15);
    }
    assert!(biased[[1, 0]].is_nan());
    // Scores of any size.
    let sharp = nn::attention(q * 1e4, k, v).value().unwrap();
    assert!(sharp.iter().all(|y| y.is_finite()));
}

#[test]
fn attention_adds_up_values_by_its_weights() {
    let g = Graph::new();
    let mut rng = Rng(89);
    let mut input = |name: &str, shape: &[usize]| g.input(name, rng.array(shape, -1.0, 1.0));
    let (q, k, v) = (input("q", &[2, 3, 4]), input("k", &[2, 5, 4]), input("v", &[2, 5, 4]));
    let weight = ["wq", "wk", "wv", "wo"].map(|name| Linear::new(input(name, &[4, 4]), None));
    let [query, key, value, output] = weight;
    let mask = g.constant(Array2::from_shape_fn((3, 5), |(i, j)| i != 1 && (i + j) % 3 > 0));
    for attention in [Attention::new(), Attention::new().causal().scale(2.0), Attention::new().mask(mask)] {
        // One head. The weights of a query sum to 1, unless it attends to nothing.
        let weights = attention.weights(q, k);
        let y = attention.apply(q, k, v).value().unwrap();
        assert_eq!(weights.matmul(v).value().unwrap(), y);
        for (at, sum) in weights.sum_axis(-1).value().unwrap().indexed_iter() {
            let expected = if y[[at[0], at[1], 0]] == 0.0 { 0.0 } else { 1.0 };
            assert!((sum - expected).abs() < 1e-15, "{at:?}: {sum}");
        }
        // Two heads, put together by hand: halves of the queries, keys and values.
        let both = MultiHeadAttention { query, key, value, output, heads: 2 };
        let weights = both.weights(q, k, &attention);
        assert_eq!(weights.shape(), [2, 2, 3, 5]);
        let values = value.apply(v);
        let half = |head: isize| {
            let part = weights.slice(1, head..head + 1).squeeze(1);
            part.matmul(values.slice(-1, 2 * head..2 * head + 2))
        };
        let by_hand = output.apply(concat(&[half(0), half(1)], -1)).value().unwrap();
        assert_close(&both.apply(q, k, v, &attention).value().unwrap(), &by_hand, 1e-15);
    }
}

/// Whatever layers make of a batch of `n`, recorded for a batch of `recorded`.
fn layers<T: Float>(recorded: usize, n: usize) -> Vec<ArrayD<T>> {
    let g = Graph::new();
    let mut rng = Rng(87);
    let mut weight = |shape: &[usize]| g.constant(rng.array(shape, -1.0, 1.0).mapv(T::from_f64));
    let x = g.placeholder::<T>("x", [recorded, 5, 6]);
    let image = x.unflatten(1, [1, 5]).flatten([1, 2]);
    let [wq, wk, wv, wo] = [weight(&[6, 4]), weight(&[6, 4]), weight(&[6, 8]), weight(&[8, 6])];
    let layer = |w| Linear::new(w, None);
    let (query, key, value, output) = (layer(wq), layer(wk), layer(wv), layer(wo));
    let heads = MultiHeadAttention { query, key, value, output, heads: 2 };
    let (wx, wh, b) = (weight(&[6, 12]), weight(&[3, 12]), weight(&[12]));
    let start = x.sum_axis(1).slice(-1, ..3) * 0.1;
    let times = x.transpose([1, 0, 2]);
    let lstm = nn::unroll(times, [start, start], |x, state| nn::lstm_cell(x, state, wx, wh, b));
    let (gx, gh, gb) = (weight(&[6, 9]), weight(&[3, 9]), weight(&[9]));
    let gru = nn::unroll(times, start, |x, h| nn::gru_cell(x, h, gx, gh, gb, gb));
    let outputs = vec![
        heads.apply(x, x, x, &Attention::new().causal()),
        heads.weights(x, x, &Attention::new()),
        nn::group_norm(image, 5, None, 1e-5),
        nn::batch_norm(x, None, 1e-5).output,
        nn::rms_norm(x, [1, 2], None, 1e-6),
        nn::instance_norm(x, None, 1e-5),
        lstm[4][0],
        gru[4],
    ];
    let gradients: Vec<Var<'_, T>> = outputs.iter().map(|y| y.square().sum().grad(x)).collect();
    let mut program = g.compile([outputs, gradients].concat(), ()).unwrap();
    let batch = Rng(88).array(&[n, 5, 6], -1.0, 1.0).mapv(T::from_f64);
    let found = program.run_with(&[x.feed(&batch)]).unwrap();
    found.iter().map(|y| y.to_owned()).collect()
}

#[test]
fn batches_of_any_size_in_either_float() {
    for n in [1, 4] {
        let (found, expected) = (layers::<f64>(2, n), layers::<f64>(n, n));
        for ((found, expected), single) in found.iter().zip(&expected).zip(layers::<f32>(3, n)) {
            assert_close(found, expected, 1e-13);
            assert_close(&single.mapv(f64::from), expected, 1e-3);
        }
    }
}

#[test]
fn times_are_those_that_were_recorded() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [3, 2, 1]);
    let w = g.constant(array![[0.5]]);
    let states = nn::rnn_tanh(x, g.constant(array![[0.0]]), w, w, g.constant(array![0.1]));
    assert_eq!(states.len(), 3);
    let mut program = g.compile(states[2], ()).unwrap();
    let last = program.run_with(&[x.feed(&Array3::<f64>::zeros((3, 7, 1)))]).unwrap();
    assert_eq!(last.shape(), [7, 1]);
    assert!(program.run_with(&[x.feed(&Array3::<f64>::zeros((6, 2, 1)))]).is_err());
    assert!(nn::rnn_tanh(x.slice(0, ..0), w, w, w, w).is_empty());
}

#[test]
fn mistakes() {
    let g = Graph::new();
    let x = g.placeholder::<f64>("x", [2, 4, 3]);
    let row = g.placeholder::<f64>("row", [3]);
    let flat = g.placeholder::<f64>("flat", [2, 3]);
    for (panic, text) in [
        (
            panicked(|| nn::group_norm(x, 3, None, 0.1)),
            "`group_norm` requires channels that are divided by the 3 groups, got 4",
        ),
        (
            panicked(|| nn::group_norm(x, 0, None, 0.1)),
            "`group_norm` requires channels that are divided by the 0 groups, got 4",
        ),
        (
            panicked(|| nn::group_norm(row, 1, None, 0.1)),
            "`group_norm` requires (batch, channels, ..), got (3,)",
        ),
        (
            panicked(|| nn::batch_norm(row, None, 0.1)),
            "`batch_norm` requires (batch, channels, ..), got (3,)",
        ),
        (
            panicked(|| nn::batch_norm_inference(row, [row, row], None, 0.1)),
            "`batch_norm_inference` requires (batch, channels, ..), got (3,)",
        ),
        (
            panicked(|| nn::instance_norm(flat, None, 0.1)),
            "`instance_norm` requires (batch, channels, ..) with spatial axes, got (2, 3)",
        ),
        (
            panicked(|| nn::layer_norm(x, -1, [flat, flat], 0.1)),
            "`*` cannot broadcast (2, 4, 3) and (2, 3): 4 (axis 1) != 2 (axis 0)",
        ),
        (panicked(|| nn::rms_norm(x, 3, None, 0.1)), "`mean` got axis 3 of an array with 3 axes"),
        (
            panicked(|| nn::batch_norm(x, [row, row], 0.1)),
            "`*` cannot broadcast (2, 4, 3) and (3, 1): 4 (axis 1) != 3 (axis 0)",
        ),
        (
            panicked(|| nn::batch_norm(x, [row, flat], 0.1)),
            "`batch_norm` requires one number for each channel, got (2, 3)",
        ),
        (
            panicked(|| nn::linear(flat, flat, row)),
            "`dot` requires (.., k) · (k, ..), got (2, 3) and (2, 3): 3 (axis 1) != 2 (axis 0)",
        ),
        (
            panicked(|| nn::attention(x, flat.t(), flat)),
            "`matmul` requires (.., k) · (k, ..), got (2, 4, 3) and (2, 3): 3 (axis 2) != 2 (axis 0)",
        ),
        (
            panicked(|| nn::attention(x, x.slice(1, ..0), x.slice(1, ..0))),
            "`softmax` of no elements is not defined, got (2, 4, 0)",
        ),
        (
            panicked(|| nn::lstm_cell(flat, [row, row], flat.t().dot(flat), flat.t().dot(flat), row)),
            "`slice` cannot take part 0 of 4 of axis 1, which has size 3",
        ),
    ] {
        assert!(panic.text.starts_with(text), "{}", panic.text);
        assert_eq!(panic.file, file!());
    }
    let w = Linear::new(g.constant(Array2::<f64>::zeros((3, 4))), None);
    let heads = MultiHeadAttention { query: w, key: w, value: w, output: w, heads: 3 };
    let panic = panicked(|| heads.apply(x, x, x, &Attention::new()));
    assert_eq!(panic.line, line!() - 1);
    assert!(panic.text.starts_with("`unflatten` cannot make (3, -1) from axis 2, which has size 4"));
}
