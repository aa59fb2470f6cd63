//! The graph of an expression as a drawing.

use hashbrown::HashSet;

use super::formula::Bodies;
use super::graph::{Detail, Picture};
use super::{dot, svg, values};
use crate::element::Real;
use crate::error::{Error, Result};
use crate::graph::{Expr, NodeId, Var, VarList};
use crate::rewrite::as_in_textbooks;

/// How many boxes a drawing has at most, unless it is [expanded](Drawing::expanded).
const BOXES: usize = 24;

/// The graph of expressions as a drawing, for Graphviz or as an SVG picture.
///
/// Inputs, parameters, constants and operations are boxes that look different, and the edges between them carry the shape
/// of what flows, unless that is a number. Results have a thick border. What a derivation has recorded has another colour,
/// and is drawn as it is printed, in the form of textbooks: in a drawing of a cost and its gradients, that is the backward
/// pass.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::view::Drawing;
/// let g = Graph::new();
/// let (a, b, c) = (g.input("a", 5.0), g.input("b", 3.0), g.input("c", 2.0));
/// let u = (b * c).named("u");
/// let v = (a + u).named("v");
/// let j = (3.0 * v).named("J");
/// let drawing = Drawing::of(j).values().gradients(j);
/// assert!(drawing.to_svg()?.starts_with("<svg "));
/// let dot = drawing.to_dot()?;
/// assert!(dot.contains(r#"label="v = a + u\n= 11\n∂J/∂v = 3""#));
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// A drawing of many operations is collapsed: it has a box for each named node, with its formula, and for each subexpression
/// that [as text](Var#impl-Display-for-Var<'_,+T>) would have a line of its own.
#[derive(Clone, Debug)]
pub struct Drawing<'g> {
    results: Vec<Expr<'g>>,
    detail: Option<Detail>,
    values: bool,
    gradients: Option<Expr<'g>>,
}

impl<'g> Drawing<'g> {
    /// A drawing of what `results` are computed from. It is given in the forms that [`grad`](Var::grad) takes and gives:
    /// `Drawing::of(cost)`, `Drawing::of([cost, db])`, `Drawing::of((cost, cost.grad([w, b])))`.
    pub fn of<L: VarList<'g>>(results: L) -> Self {
        Self { results: results.exprs(), detail: None, values: false, gradients: None }
    }

    /// With a box for each named node and each leaf, however few there are.
    #[must_use]
    pub fn collapsed(self) -> Self {
        Self { detail: Some(Detail::Names), ..self }
    }

    /// With a box for each operation, however many there are.
    #[must_use]
    pub fn expanded(self) -> Self {
        Self { detail: Some(Detail::Operations), ..self }
    }

    /// With the present value in each box: a few numbers, or the least and the greatest of many.
    #[must_use]
    pub fn values(self) -> Self {
        Self { values: true, ..self }
    }

    /// With the present value of the gradient of this scalar in each box on which it depends.
    #[must_use]
    pub fn gradients<T: Real>(self, of: Var<'g, T>) -> Self {
        Self { gradients: Some(of.erase()), ..self }
    }

    /// The drawing in the language of Graphviz: `dot -Tsvg` draws it.
    ///
    /// # Errors
    /// - [`Error::Freed`] and [`Error::OtherGraph`] for results that are freed, or not all of one graph;
    /// - if values are asked for, as [`Var::value`]; if gradients are, as [`Var::try_grad`].
    pub fn to_dot(&self) -> Result<String> {
        self.picture(dot::write)
    }

    /// The drawing as an SVG picture that needs nothing else. It flows to the right, or downwards if that is narrower and
    /// the picture would be wide.
    ///
    /// # Errors
    /// As [`to_dot`](Self::to_dot).
    pub fn to_svg(&self) -> Result<String> {
        self.picture(svg::write)
    }

    /// What `read` makes of the picture. Derivatives are in the form of textbooks for so long.
    fn picture(&self, read: impl FnOnce(&Picture<'g>) -> String) -> Result<String> {
        let op = "Drawing";
        for e in self.results.iter().chain(&self.gradients) {
            if !std::ptr::eq(e.graph(), self.results.first().unwrap_or(e).graph()) {
                return Err(Error::OtherGraph { op });
            }
            if e.op().is_none() {
                return Err(Error::Freed { op });
            }
        }
        let ends: HashSet<NodeId> = self.results.iter().map(|result| result.id()).collect();
        let mut written = Bodies::default().in_order(&self.results, |_| false);
        written.retain(|e| e.leaf().is_none() && (e.is_named() || ends.contains(&e.id())));
        as_in_textbooks(&written, |formulas| {
            let bodies = Bodies::new(&written, formulas);
            let mut picture = self.detailed(&bodies);
            if self.values {
                values::add_values(&mut picture)?;
            }
            if let Some(of) = self.gradients {
                values::add_gradients(&mut picture, of)?;
            }
            Ok(read(&picture))
        })
    }

    fn detailed(&self, bodies: &Bodies<'g>) -> Picture<'g> {
        let picture = Picture::new(&self.results, bodies, self.detail.unwrap_or(Detail::Operations));
        match self.detail {
            None if picture.vertices.len() > BOXES => Picture::new(&self.results, bodies, Detail::Names),
            _ => picture,
        }
    }
}
