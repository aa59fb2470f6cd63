//! Drawings.

use std::time::{Duration, Instant};

use gradus::Error;
use gradus::prelude::*;
use gradus::view::Drawing;

use crate::svg::{Element, elements, unescaped};

/// Left, top, right, bottom.
type Frame = [f64; 4];

fn frame(rect: &Element) -> Frame {
    let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| rect.number(name));
    [x, y, x + w, y + h]
}

fn overlap(a: &Frame, b: &Frame) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// How wide the letters of the widest usual monospaced font are, for size 1.
const LETTER: f64 = 0.603;

/// Checks that a drawing can be read, and gives the texts in it.
fn check(drawing: &Drawing<'_>) -> Vec<String> {
    let svg = drawing.to_svg().unwrap();
    assert_eq!(svg, drawing.to_svg().unwrap(), "drawn again");
    let elements = elements(&svg);
    let picture = &elements[0];
    let view: Vec<f64> = picture.text_of("viewBox").unwrap().split(' ').map(|x| x.parse().unwrap()).collect();
    assert_eq!(elements[1].name, "title");
    assert!(!elements[1].text.is_empty());
    let boxes: Vec<Frame> = elements
        .iter()
        .filter(|e| e.name == "rect" && e.text_of("stroke-width").is_some())
        .map(frame)
        .collect();
    let mut inside = vec![0; boxes.len()];
    let mut labels: Vec<Frame> = Vec::new();
    let mut texts = Vec::new();
    for text in elements.iter().filter(|e| e.name == "text") {
        let (x, y, written) = (text.number("x"), text.number("y"), unescaped(&text.text));
        let size = text.text_of("font-size").map_or(13.0, |size| size.parse().unwrap());
        let width = written.chars().count() as f64 * LETTER * size;
        let is_label = text.text_of("text-anchor").is_none();
        let left = if is_label { x } else { x - width / 2.0 };
        let frame = [left, y - 0.75 * size, left + width, y + 0.2 * size];
        assert!(
            frame[0] >= 0.0 && frame[2] <= view[2] && frame[1] >= 0.0 && frame[3] <= view[3],
            "{written} is cut off"
        );
        if is_label {
            labels.push(frame);
        } else {
            let holds =
                |b: &Frame| b[0] <= frame[0] && frame[2] <= b[2] && b[1] <= frame[1] && frame[3] <= b[3];
            let place = boxes.iter().position(holds).unwrap_or_else(|| panic!("{written} is in no box"));
            inside[place] += 1;
        }
        texts.push(written);
    }
    assert!(inside.iter().all(|&lines| lines > 0), "a box is empty");
    for (i, a) in boxes.iter().enumerate() {
        assert!(a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= view[2] && a[3] <= view[3], "a box is cut off");
        assert!(boxes[..i].iter().chain(&labels).all(|b| !overlap(a, b)), "box {i} overlaps");
    }
    for (i, a) in labels.iter().enumerate() {
        assert!(labels[..i].iter().all(|b| !overlap(a, b)), "label {i} overlaps");
    }
    for arrow in elements.iter().filter(|e| e.text_of("marker-end").is_some()) {
        let path = arrow.text_of("d").unwrap();
        let numbers: Vec<f64> =
            path.split([' ', 'M', 'L', 'C']).filter_map(|number| number.parse().ok()).collect();
        let end = &numbers[numbers.len() - 2..];
        let near = |b: &Frame| {
            let within = |k: usize| b[k] - 0.2 <= end[k] && end[k] <= b[k + 2] + 0.2;
            let on = |k: usize| (end[k] - b[k]).abs() < 0.2 || (end[k] - b[k + 2]).abs() < 0.2;
            within(0) && within(1) && (on(0) || on(1))
        };
        // What leaves a result ends in the open.
        let leaves = boxes.iter().any(|b| (numbers[0] - b[2]).abs() < 0.2 || (numbers[1] - b[3]).abs() < 0.2);
        assert!(boxes.iter().any(near) || leaves, "{path} ends nowhere");
    }
    texts
}

fn two_layers(g: &Graph) -> (Var<'_>, [Var<'_>; 4]) {
    let x = g.input("X", array![[0.5, -1.0, 2.0], [1.0, 0.3, -0.7]]);
    let y = g.input("Y", array![[1.0, 0.0, 1.0]]);
    let w1 = g.param("W1", array![[0.1, 0.2], [-0.3, 0.4], [0.2, 0.1]]);
    let b1 = g.param("b1", Array2::<f64>::zeros((3, 1)));
    let w2 = g.param("W2", array![[0.3, -0.2, 0.5]]);
    let b2 = g.param("b2", Array2::<f64>::zeros((1, 1)));
    let a1 = (w1.dot(x) + b1).named("Z1").tanh().named("A1");
    let a2 = (w2.dot(a1) + b2).named("Z2").sigmoid().named("A2");
    let cost = (-(y * a2.ln() + (1.0 - y) * (1.0 - a2).ln()).mean()).named("J");
    (cost, [w1, b1, w2, b2])
}

#[test]
fn a_computation_graph_with_values_and_gradients() {
    let g = Graph::new();
    let (a, b, c) = (g.input("a", 5.0), g.input("b", 3.0), g.input("c", 2.0));
    let u = (b * c).named("u");
    let v = (a + u).named("v");
    let j = (3.0 * v).named("J");
    let drawing = Drawing::of(j).values().gradients(j);
    let mut texts = check(&drawing);
    texts.sort();
    let mut expected = vec!["a", "= 5", "∂J/∂a = 3", "b", "= 3", "∂J/∂b = 6", "c", "= 2", "∂J/∂c = 9"];
    expected.extend(["u = b * c", "= 6", "∂J/∂u = 3", "v = a + u", "= 11", "∂J/∂v = 3"]);
    expected.extend(["J = 3 * v", "= 33", "∂J/∂J = 1", "input", "operation"]);
    expected.sort();
    assert_eq!(texts, expected);
    let length = g.len();
    drawing.to_svg().unwrap();
    assert_eq!(g.len(), length, "a drawing leaves nothing on the tape");
    a.set_value(ndarray::arr0(6.0)).unwrap();
    assert!(check(&drawing).contains(&"= 36".to_owned()), "present values");
}

#[test]
fn graphviz_text() {
    let g = Graph::new();
    let x = g.input("a \"b\" \\", array![1.0, 2.0]);
    let w = g.param("w", array![3.0, 4.0]);
    let y = (x * w).named("y").sum();
    assert_eq!(
        Drawing::of(y).to_dot().unwrap(),
        r##"digraph {
  rankdir=LR;
  node [fontname="monospace", fontsize=11];
  edge [fontname="monospace", fontsize=9];
  n0 [shape=box, style="filled,rounded", fillcolor="#dbeafe", color="#2563eb", penwidth=1, label="a \"b\" \\"];
  n1 [shape=box, style="filled,rounded", fillcolor="#fef3c7", color="#b45309", penwidth=1, label="w"];
  n2 [shape=box, style="filled", fillcolor="#ffffff", color="#334155", penwidth=1, label="y = a \"b\" \\ * w"];
  n3 [shape=box, style="filled", fillcolor="#ffffff", color="#334155", penwidth=2.5, label="y.sum()"];
  n0 -> n2 [label="(2,)"];
  n1 -> n2 [label="(2,)"];
  n2 -> n3 [label="(2,)"];
}
"##
    );
}

#[test]
fn a_network_collapsed_by_name_and_expanded() {
    let g = Graph::new();
    let (cost, parameters) = two_layers(&g);
    let names = ["Z1 = W1.dot(X) + b1", "A1 = Z1.tanh()", "Z2 = W2.dot(A1) + b2", "A2 = Z2.sigmoid()"];
    let texts = check(&Drawing::of(cost).collapsed());
    assert!(names.iter().all(|name| texts.contains(&(*name).to_owned())), "{texts:?}");
    let texts = check(&Drawing::of(cost).expanded());
    for text in
        ["Z1 = · + b1", "W1.dot(X)", "A1 = Z1.tanh()", "1 - A2", "A2.ln()", "mean", "J = -·", "(3, 3)"]
    {
        assert!(texts.contains(&text.to_owned()), "{text} in {texts:?}");
    }
    // With the gradients there are too many operations, so it is collapsed.
    let gradients = cost.grad(parameters);
    for (gradient, name) in gradients.into_iter().zip(["dW1", "db1", "dW2", "db2"]) {
        gradient.named(name);
    }
    let texts = check(&Drawing::of((cost, gradients)));
    for text in ["dW2 = (A2 - Y).dot(A1.t()) / 3", "db2 = (A2 - Y).sum_keepdims(1) / 3", "derivative"] {
        assert!(texts.contains(&text.to_owned()), "{text} in {texts:?}");
    }
    check(&Drawing::of((cost, gradients)).expanded().values());
    check(&Drawing::of(cost).collapsed().values().gradients(cost));
}

#[test]
fn a_picture_of_anything() {
    let g = Graph::new();
    check(&Drawing::of(()));
    let x = g.input("x", 1.5);
    assert_eq!(check(&Drawing::of(x).values()), ["x", "= 1.5", "input"]);
    assert_eq!(check(&Drawing::of([x, x])), ["x", "input"]);
    check(&Drawing::of((x * x, x)).gradients(x * x));
    // Results of which one is made of another, and numbers alone.
    check(&Drawing::of([x.exp(), x.exp().ln(), g.constant(2.0)]).values());
    let odd = g.input("<weird> \"name\" & \\ ü\nof two\u{7} lines", Array2::<f64>::zeros((0, 3)));
    let texts = check(&Drawing::of((odd * 2.0).sum_axis(0)).values());
    assert!(texts.contains(&"<weird> \"name\" & \\ ü".to_owned()) && texts.contains(&"= empty".to_owned()));
    let mask = odd.gt(0.0);
    check(&Drawing::of((mask, mask.select(odd, 1.0), odd.argsort(1))).values());
    let constant = g.constant(array![[1.0, f64::NAN], [f64::INFINITY, -0.0]]);
    assert!(check(&Drawing::of(constant * 1e-9).values()).contains(&"= [[1, NaN], [inf, 0]]".to_owned()));
    let long = (0..40).fold(odd, |sum, k| sum + f64::from(k) * sum);
    check(&Drawing::of(long).collapsed());
}

#[test]
fn values_in_few_words() {
    let g = Graph::new();
    let says = |value: Var<'_>| check(&Drawing::of(value).values())[1].clone();
    let numbers = |numbers: &[f64]| g.constant(ndarray::Array1::from(numbers.to_vec()));
    assert_eq!(says(numbers(&[0.123456, -12345.678, 1e-12, 2e30])), "= [0.1235, -12346, 1e-12, 2e30]");
    assert_eq!(says(numbers(&[0.5; 100])), "= 0.5 everywhere");
    assert_eq!(says(numbers(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.5])), "= 1 … 7.5");
    assert_eq!(says(numbers(&[1.0, 2.0, 3.0, 4.0, 5.0, f64::NAN, 7.5])), "= 1 … 7.5, 1 not finite");
    assert_eq!(says(numbers(&[f64::NAN; 9])), "= not finite");
    let mask = numbers(&[1.0; 12]).gt(numbers(&[2.0; 12]));
    assert_eq!(check(&Drawing::of(mask).values()).last().unwrap(), "operation");
    assert!(check(&Drawing::of(mask).values()).contains(&"= 0 of 12 true".to_owned()));
}

#[test]
fn mistakes_have_texts() {
    let (g, other) = (Graph::new(), Graph::new());
    let (x, y) = (g.input("x", 1.0), other.input("y", 1.0));
    let error = |drawing: Drawing<'_>| {
        let error = drawing.to_svg().unwrap_err();
        assert_eq!(error.to_string(), drawing.to_dot().unwrap_err().to_string());
        error
    };
    assert!(matches!(error(Drawing::of([x, y])), Error::OtherGraph { .. }));
    assert!(matches!(error(Drawing::of(x).gradients(y)), Error::OtherGraph { .. }));
    let mark = g.mark();
    let freed = x.exp();
    g.truncate(mark);
    assert!(matches!(error(Drawing::of([x, freed])), Error::Freed { .. }));
    let vector = g.input("v", array![1.0, 2.0]);
    assert!(matches!(error(Drawing::of(vector).gradients(vector)), Error::GradOfArray { .. }));
    let empty = g.placeholder::<f64>("p", [2]);
    assert!(Drawing::of(empty).to_svg().is_ok());
    let text = error(Drawing::of(empty.exp()).values()).to_string();
    assert!(text.contains("`p`"), "{text}");
}

/// A chain of steps in which one input is used again and again.
fn chain(g: &Graph, steps: usize) -> Var<'_> {
    let start = g.input("x", 0.5);
    (0..steps).fold(start, |x, k| 0.9 * x.sin() + if k % 50 == 0 { start } else { x })
}

#[test]
fn large_graphs() {
    let g = Graph::new();
    let x = chain(&g, 200);
    assert!(check(&Drawing::of(x).expanded()).len() > 600);
    check(&Drawing::of(x));
    // Time is in proportion to the size.
    let g = Graph::new();
    let x = chain(&g, 2000);
    let began = Instant::now();
    assert!(Drawing::of(x).expanded().to_svg().unwrap().lines().count() > 12_000);
    assert!(Drawing::of(x).to_dot().unwrap().lines().count() > 500);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
