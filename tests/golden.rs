//! Losses and gradients of the workloads are those that JAX computes in double precision: `golden/NAME.json` holds them, and
//! `benches/peers/python/peers.py golden` has made them.

#[path = "../benches/workloads/models/mod.rs"]
mod models;

use std::path::Path;

use gradus::ndarray::ArrayViewD;
use gradus::{Float, Graph, Result, Var};
use models::{Function, Problem, number};
use serde_json::Value;

/// The first steps' losses, and at step 0 each derivative's norm and first five entries.
struct Golden {
    losses: Vec<f64>,
    derivatives: Vec<Derivative>,
}

struct Derivative {
    shape: Vec<usize>,
    norm: f64,
    first: Vec<f64>,
}

impl Golden {
    /// Of a workload; the derivatives in `variables` stand under `key`.
    fn read<T: Float>(name: &str, key: &str, variables: &[Var<'_, T>]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
        let text = std::fs::read_to_string(path).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let losses = json.get("loss_all").map_or_else(Vec::new, numbers);
        let derivative = |variable: &Var<'_, T>| match &json[key] {
            one if one.get("shape").is_some() => Derivative::read(one),
            several => Derivative::read(&several[variable.name().unwrap()]),
        };
        Self { losses, derivatives: variables.iter().map(derivative).collect() }
    }
}

impl Derivative {
    fn read(json: &Value) -> Self {
        let shape = numbers(&json["shape"]).iter().map(|&n| n as usize).collect();
        Self { shape, norm: json["l2"].as_f64().unwrap(), first: numbers(&json["first5"]) }
    }

    /// Entries are compared relative to the largest of them.
    fn check<T: Float>(&self, name: &str, found: &ArrayViewD<'_, T>) {
        assert_eq!(found.shape(), self.shape, "{name}");
        let found: Vec<f64> = found.iter().map(|x| x.to_f64()).collect();
        let norm = found.iter().map(|x| x * x).sum::<f64>().sqrt();
        close::<T>(&format!("{name}: norm"), norm, self.norm, self.norm);
        let largest = self.first.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        assert_eq!(self.first.len(), found.len().min(5), "{name}");
        for (&found, &expected) in found.iter().zip(&self.first) {
            close::<T>(name, found, expected, largest);
        }
    }
}

fn numbers(json: &Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Relative to `scale`, as far as rounding in the element type lets them differ.
fn close<T: Float>(what: &str, found: f64, expected: f64, scale: f64) {
    let tolerance = if size_of::<T>() == 4 { 2e-5 } else { 1e-10 };
    let difference = (found - expected).abs();
    assert!(
        difference <= tolerance * scale,
        "{what}: {found} is not {expected}, the difference is {:.1e} of {scale}",
        difference / scale
    );
}

/// A function of numbers: values of the first 11 calls, derivatives of the first.
fn function<const A: usize, const N: usize>(name: &str, function: &Function<'_, A, N>) -> Result<()> {
    let golden = Golden::read(name, "grads", &function.arguments);
    let mut compiled = function.compile()?;
    assert_eq!(golden.losses.len(), 11);
    for (i, &expected) in golden.losses.iter().enumerate() {
        let results = compiled.call(i)?;
        close::<f64>(&format!("{name}({i})"), results[0], expected, expected.abs());
        if i == 0 {
            for (&found, derivative) in results[1..].iter().zip(&golden.derivatives) {
                derivative.check(name, &gradus::ndarray::arr0(found).view().into_dyn());
            }
        }
    }
    Ok(())
}

/// A model: its gradients, then the losses of the first steps, of which the last is 10.
fn training<T: Float>(name: &str, g: &Graph, problem: &Problem<'_, T, 1>, steps: usize) -> Result<()> {
    let parameters = problem.parameters.handles();
    let golden = Golden::read(name, "grads", &parameters);
    let recorded = problem.record();
    let [cost] = recorded.outputs;
    let gradients = cost.grad(&parameters);
    for (k, (gradient, derivative)) in
        g.compile(gradients, ())?.run()?.iter().zip(&golden.derivatives).enumerate()
    {
        derivative.check(&format!("{name}: gradient {k}"), gradient);
    }
    let mut step = g.compile([cost], recorded.updates.unwrap())?;
    for (i, &expected) in golden.losses[..steps].iter().enumerate() {
        let [loss] = step.run()?;
        close::<T>(&format!("{name}: loss at step {i}"), number(&loss), expected, expected.abs());
    }
    // And so it begins again.
    problem.parameters.reset()?;
    close::<T>(name, cost.item()?.to_f64(), golden.losses[0], golden.losses[0]);
    Ok(())
}

/// A cost with its derivatives, or derivatives alone, which are the last outputs.
fn derivatives<T: Float, const N: usize>(
    name: &str,
    key: &str,
    g: &Graph,
    problem: &Problem<'_, T, N>,
) -> Result<()> {
    let golden = Golden::read(name, key, &problem.parameters.handles());
    let mut program = g.compile(problem.record().outputs, ())?;
    let outputs = program.run()?;
    let (losses, derivatives) = outputs.split_at(N - golden.derivatives.len());
    for (found, derivative) in derivatives.iter().zip(&golden.derivatives) {
        derivative.check(name, found);
    }
    for (found, &expected) in losses.iter().zip(&golden.losses) {
        close::<T>(name, number(found), expected, expected.abs());
    }
    Ok(())
}

#[test]
fn scalar3() -> Result<()> {
    function("scalar3", &models::scalar3(&Graph::new()))
}

#[test]
fn chain1000() -> Result<()> {
    function("chain1000", &models::chain1000(&Graph::new()))
}

#[test]
fn logreg() -> Result<()> {
    let g = Graph::new();
    training("logreg", &g, &models::logreg(&g), 11)
}

#[test]
fn planar() -> Result<()> {
    let g = Graph::new();
    training("planar", &g, &models::planar(&g), 11)
}

#[test]
fn deep() -> Result<()> {
    let g = Graph::new();
    training("deep", &g, &models::deep(&g), 11)
}

#[test]
fn wide() -> Result<()> {
    let g = Graph::new();
    training("wide", &g, &models::wide(&g), 2)
}

#[test]
fn elementwise() -> Result<()> {
    let g = Graph::new();
    derivatives("elementwise", "grads", &g, &models::elementwise(&g))
}

#[test]
fn mlp() -> Result<()> {
    let g = Graph::new();
    training("mlp", &g, &models::mlp(&g), 11)
}

#[test]
fn conv() -> Result<()> {
    let g = Graph::new();
    training("conv", &g, &models::conv(&g), 11)
}

#[test]
fn attention() -> Result<()> {
    let g = Graph::new();
    training("attention", &g, &models::attention(&g), 11)
}

#[test]
fn hvp() -> Result<()> {
    let g = Graph::new();
    derivatives("hvp", "hvp", &g, &models::hvp(&g))
}

#[test]
fn hessian() -> Result<()> {
    let g = Graph::new();
    derivatives("hessian", "hessian", &g, &models::hessian(&g))
}
