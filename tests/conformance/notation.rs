//! What attributes and formulas may say beyond the cases that are here.

use gradus::Graph;
use gradus::ndarray::{ArrayD, array};
use serde_json::{Value, json};

use crate::referee::attributes::{Attributes, Reason};
use crate::referee::formulas;

/// The first result of an operation.
fn value(op: &str, expression: &str, attributes: &Value, x: &[ArrayD<f64>]) -> Result<ArrayD<f64>, Reason> {
    let graph = Graph::new();
    let x: Vec<_> = x.iter().enumerate().map(|(i, x)| graph.input(&format!("x{i}"), x)).collect();
    let attributes = Attributes::new(attributes.as_object().unwrap(), expression);
    let y = formulas::build(op, &x, &attributes)?;
    attributes.all_read().map(|()| y[0].value().unwrap())
}

/// The same, as a number.
fn number(op: &str, expression: &str, attributes: &Value, x: &[ArrayD<f64>]) -> f64 {
    let y = value(op, expression, attributes, x).unwrap();
    assert_eq!(y.ndim(), 0);
    y.sum()
}

#[test]
fn a_network_has_any_depth() {
    let (one, x, labels) =
        (array![[1.0]].into_dyn(), array![[0.5, 2.0]].into_dyn(), array![[1.0, 0.0]].into_dyn());
    let zero = &one - 1.0;
    // -ln σ(0.5) and -ln(1 - σ(2)).
    let expected = ((1.0 + (-0.5_f64).exp()).ln() + (1.0 + 2_f64.exp()).ln()) / 2.0;
    for depth in 1..5 {
        let mut operands = vec![one.clone(), zero.clone()];
        operands = (0..depth).flat_map(|_| operands.clone()).collect();
        operands.extend([x.clone(), labels.clone()]);
        assert!((number("relu_net_cost", "", &json!({}), &operands) - expected).abs() < 1e-15, "{depth}");
    }
    assert!(value("tanh_net_cost", "", &json!({}), &[x.clone(), labels.clone()]).is_err());
    assert!(value("tanh_net_cost", "", &json!({}), &[one, x, labels]).is_err());
}

#[test]
fn losses_broadcast_and_are_reduced_as_asked() {
    let (x, y) = (array![[0.5], [-2.0]].into_dyn(), array![[1.0, -1.0]].into_dyn());
    let operands = [x, y];
    let hinges = array![[0.5, 1.5], [3.0, 0.0]].into_dyn();
    assert_eq!(value("hinge", "", &json!({"reduction": "none"}), &operands).unwrap(), hinges);
    assert_eq!(number("hinge", "", &json!({}), &operands), 1.25);
    assert_eq!(number("squared_hinge", "", &json!({"reduction": "sum"}), &operands), 11.5);
    assert_eq!(number("l1_mean", "", &json!({}), &operands), (0.5 + 1.5 + 3.0 + 1.0) / 4.0);
    assert_eq!(number("l2_sum", "", &json!({}), &operands), 0.25 + 2.25 + 9.0 + 1.0);
    let logs = [array![[0.0], [0.0]].into_dyn(), array![[1.0], [0.0]].into_dyn()];
    let divergence = number("kl_div", "", &json!({"reduction": "batchmean"}), &logs);
    assert!((divergence - 1_f64.exp() / 2.0).abs() < 1e-15);
}

#[test]
fn chains_and_powers_are_those_of_the_formula() {
    let x = [array![0.5].into_dyn()];
    let chain = |link: &str| {
        let expression = format!("functools.reduce(lambda a, _: {link}, range(2), x0)");
        value("deep_chain", &expression, &json!({"repeat": 2}), &x).map(|y| y[0])
    };
    let assert_twice = |link: &str, f: fn(f64) -> f64| {
        assert!((chain(link).unwrap() - f(f(0.5))).abs() < 1e-14, "{link}");
    };
    assert_twice("jnp.tanh(a) + 0.5*a", |a| a.tanh() + 0.5 * a);
    assert_twice("a + jnp.exp(a)", |a| a + a.exp());
    assert!(chain("a ** 2").is_err());
    let powers = |end: u32| {
        value("fan_out", &format!("sum(x0**i for i in range(1, {end}))"), &json!({}), &x).unwrap()[0]
    };
    assert_eq!((powers(2), powers(4)), (0.5, 0.875));
}

#[test]
fn heads_are_parts_of_the_width() {
    // One query and one key: all weight is on it.
    let q = array![[[1.0, 2.0, 3.0, 4.0]]].into_dyn();
    let y = value("attention", "", &json!({"heads": 2}), &[q.clone(), q.clone(), q.clone()]).unwrap();
    assert_eq!(y, q);
    // The second head's keys differ, the first one's do not.
    let k = array![[[1.0, 0.0], [1.0, 1000.0]]].into_dyn();
    let q = array![[[1.0, 1.0]]].into_dyn();
    let v = array![[[1.0, 1.0], [3.0, 3.0]]].into_dyn();
    let y = value("attention", "", &json!({"heads": 2, "causal": false}), &[q, k, v]).unwrap();
    assert_eq!(y, array![[[2.0, 3.0]]].into_dyn());
}

#[test]
fn normalisation_by_what_is_given() {
    let x = array![[1.0, 2.0], [3.0, 4.0]].into_dyn();
    let (weight, bias) = (array![1.0, 2.0].into_dyn(), array![0.0, 1.0].into_dyn());
    let attributes = json!({"eps": 0.0, "training": false, "mean": [1.0, 2.0], "var": [1.0, 4.0]});
    let y = value("batch_norm", "", &attributes, &[x.clone(), weight, bias]).unwrap();
    assert_eq!(y, array![[0.0, 1.0], [2.0, 3.0]].into_dyn());
    let attributes = json!({"eps": 0.0, "normalized_shape": [2, 2]});
    let y = value("layer_norm", "", &attributes, std::slice::from_ref(&x)).unwrap();
    assert!((y[[1, 1]] - 1.5 / 1.25_f64.sqrt()).abs() < 1e-15);
    let y = value("softmax", "", &json!({"axis": null}), &[x * 0.0]).unwrap();
    assert_eq!(y, ArrayD::from_elem(vec![2, 2], 0.25));
}

#[test]
fn a_mask_of_ones_and_zeros() {
    let x = [array![1.0, 2.0].into_dyn()];
    let mask = |mask: Value| value("dropout_mask", "", &json!({"mask": mask, "keep": 0.5}), &x);
    assert_eq!(mask(json!([0, 1])), Ok(array![0.0, 4.0].into_dyn()));
    assert!(mask(json!([0, 2])).is_err());
}
