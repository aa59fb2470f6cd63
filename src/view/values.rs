//! Present values, and gradients, in the boxes of a drawing.

use ndarray::ArrayViewD;

use super::graph::Picture;
use crate::element::{DType, Element};
use crate::error::Result;
use crate::grad::{Derivative, derive};
use crate::graph::{Expr, Graph, Var};

/// How many elements of a value are shown one by one.
const FEW: usize = 6;
/// And how many characters they take.
const WIDE: usize = 34;

/// Adds a line with its value to each box.
pub(super) fn add_values(picture: &mut Picture<'_>) -> Result<()> {
    let nodes: Vec<Expr<'_>> = picture.vertices.iter().map(|vertex| vertex.node).collect();
    let Some(first) = nodes.first() else { return Ok(()) };
    for (vertex, value) in picture.vertices.iter_mut().zip(evaluate(first.graph(), &nodes)?) {
        vertex.label.push(format!("= {value}"));
    }
    Ok(())
}

/// Adds a line with the gradient of a scalar to each box on which the scalar depends.
pub(super) fn add_gradients<'g>(picture: &mut Picture<'g>, of: Expr<'g>) -> Result<()> {
    let graph = of.graph();
    // What is derived is for this drawing alone.
    let mark = graph.mark();
    let found = gradients(picture, of);
    graph.truncate(mark);
    let of = of.name().unwrap_or_default();
    for (place, gradient) in found? {
        let vertex = &mut picture.vertices[place];
        vertex.label.push(match &vertex.name {
            Some(name) => format!("∂{of}/∂{name} = {gradient}"),
            None => format!("∂{of} = {gradient}"),
        });
    }
    Ok(())
}

fn gradients<'g>(picture: &Picture<'g>, of: Expr<'g>) -> Result<Vec<(usize, String)>> {
    let nodes = picture.vertices.iter().map(|vertex| vertex.node).enumerate();
    let (places, targets): (Vec<usize>, Vec<Expr<'g>>) =
        nodes.filter(|(_, node)| node.dtype().is_float()).unzip();
    let derivatives = derive(of, &targets)?;
    let known = places.into_iter().zip(derivatives).filter_map(|(place, derivative)| match derivative {
        Derivative::Of(e) => Some((place, e)),
        _ => None,
    });
    let (places, gradients): (Vec<usize>, Vec<Expr<'g>>) = known.unzip();
    Ok(places.into_iter().zip(evaluate(of.graph(), &gradients)?).collect())
}

/// The present values of nodes in words, from one program.
fn evaluate<'g>(graph: &'g Graph, nodes: &[Expr<'g>]) -> Result<Vec<String>> {
    fn of<'g, T: Element>(nodes: &[Expr<'g>]) -> Vec<Var<'g, T>> {
        nodes.iter().filter_map(|node| node.typed().ok()).collect()
    }
    let lists = (of::<f64>(nodes), of::<f32>(nodes), of::<i64>(nodes), of::<bool>(nodes));
    let mut program = graph.compile_still(lists, &[])?;
    let (doubles, floats, integers, masks) = program.run()?;
    let (mut doubles, mut floats) = (doubles.into_iter(), floats.into_iter());
    let (mut integers, mut masks) = (integers.into_iter(), masks.into_iter());
    let texts = nodes.iter().filter_map(|node| match node.dtype() {
        DType::F64 => doubles.next().map(|value| numbers(&value)),
        DType::F32 => floats.next().map(|value| numbers(&value.mapv(f64::from).view())),
        DType::I64 => integers.next().map(|value| numbers(&value.mapv(|i| i as f64).view())),
        DType::Bool => masks.next().map(|value| truths(&value)),
    });
    Ok(texts.collect())
}

/// All numbers if they are few, else the least and the greatest.
fn numbers(value: &ArrayViewD<'_, f64>) -> String {
    if value.len() <= FEW {
        let all = each(value, |&x| short(x));
        if all.len() <= WIDE {
            return all;
        }
    }
    let finite = || value.iter().copied().filter(|x| x.is_finite());
    let (least, greatest) =
        finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let others = value.len() - finite().count();
    match others {
        0 if least == greatest => format!("{} everywhere", short(least)),
        0 => format!("{} … {}", short(least), short(greatest)),
        _ if others == value.len() => "not finite".to_owned(),
        _ => format!("{} … {}, {others} not finite", short(least), short(greatest)),
    }
}

fn truths(value: &ArrayViewD<'_, bool>) -> String {
    if value.len() <= FEW {
        return each(value, bool::to_string);
    }
    format!("{} of {} true", value.iter().filter(|holds| **holds).count(), value.len())
}

/// Every element, in the brackets of NumPy.
fn each<T>(value: &ArrayViewD<'_, T>, text: impl Fn(&T) -> String) -> String {
    let shape = value.shape();
    if value.is_empty() {
        return "empty".to_owned();
    }
    // How many axes begin, or end, before or behind element i.
    let borders = |i: usize| {
        let sizes = shape.iter().rev().scan(1, |size, &n| {
            *size *= n;
            Some(*size)
        });
        sizes.filter(|size| i.is_multiple_of(*size)).count()
    };
    let mut result = String::new();
    for (i, element) in value.iter().enumerate() {
        if i > 0 {
            result += ", ";
        }
        result += &"[".repeat(borders(i));
        result += &text(element);
        result += &"]".repeat(borders(i + 1));
    }
    result
}

/// Four significant digits.
fn short(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    if !x.is_finite() {
        return x.to_string();
    }
    let size = x.abs().log10().floor();
    if !(-4.0..6.0).contains(&size) {
        let text = format!("{x:.3e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trimmed(digits));
    }
    trimmed(&format!("{x:.*}", (3.0 - size).max(0.0) as usize)).to_owned()
}

/// Without zeros at the end of the fraction.
fn trimmed(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}
