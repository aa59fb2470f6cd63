//! A formula in a cotangent, for a whole batch of cotangents at once.
//!
//! A derivative that the sweep has found is a formula in the result's cotangent `v`. Here it is built again for all
//! unit vectors in the place of `v`, stacked along a new first axis: row `i` of the batch is the formula at the unit
//! vector `i`, so the batch is the Jacobian. Every operation has to work on the batch as it does on each row; where
//! one cannot, there is no batch, and [`jacobian`](super::jacobian) goes row by row.
//!
//! The identity matrix that the batch starts from is not multiplied with: as long as row `i` has its `i`-th element
//! alone, the batch is known by its diagonal. Its zeros are zeros of structure, so an infinite or NaN factor stays in
//! the rows that depend on it, as it would in a Jacobian that is written by hand.

use hashbrown::HashMap;

use crate::element::{DType, Literal};
use crate::graph::{Expr, LeafKind, NodeId, reach};
use crate::ops::{Binary, Gather, Layout, Logic, MatMul, Op, Reduce, Running, Scan, Slicing, Unary};
use crate::shape::Axes;

/// What a node becomes for the batch of unit vectors. `B` is their number.
#[derive(Clone, Copy)]
enum Batch<'g> {
    /// Shape `(B,)` + the node's.
    Rows(Expr<'g>),
    /// Rows times a factor of the node's shape, or a scalar, which is the same for every row. A chain of factors is
    /// multiplied before it meets the batch, which is larger.
    Scaled(Expr<'g>, Expr<'g>),
    /// The node has `B` elements whatever is fed, and row `i` is zero but for element `i`, which is that of this
    /// expression. It has the node's shape.
    Diagonal(Expr<'g>),
}

/// A node that depends on the cotangent, with its batch.
#[derive(Clone, Copy)]
struct Image<'g> {
    node: Expr<'g>,
    batch: Batch<'g>,
}

pub(super) struct Batching<'g> {
    /// `0, 1, …, B - 1`, in shape `(B,)`.
    range: Expr<'g>,
    images: HashMap<NodeId, Image<'g>>,
}

impl<'g> Batching<'g> {
    /// A batch of as many unit vectors as `result` has elements, in the place of `cotangent`, which has the shape of
    /// `result` and is the only node that stands for it.
    pub fn new(result: Expr<'g>, cotangent: Expr<'g>) -> Self {
        let mut one = result.graph().literal(Literal::rounded(1.0, cotangent.dtype()));
        if cotangent.ndim() > 0 {
            one = one.broadcast_like(cotangent);
        }
        let image = Image { node: cotangent, batch: Batch::Diagonal(one) };
        let images = HashMap::from([(cotangent.id(), image)]);
        Self { range: result.flatten([0, -1]).index_along(0), images }
    }

    /// `formula` for the batch, in shape `(B,)` + its own; none, if an operation on the way has no batching.
    pub fn rows(&mut self, formula: Expr<'g>) -> Option<Expr<'g>> {
        let graph = formula.graph();
        let reads = |user, k| graph.handle(user).op().is_some_and(|op| op.reads(k));
        let nodes = reach(&graph.arena(), [formula.id()], reads);
        for id in nodes {
            let node = graph.handle(id);
            let Some(op) = node.op().filter(|_| !self.images.contains_key(&id)) else { continue };
            let inputs = node.inputs();
            let depends =
                |(k, input): (usize, &Expr<'g>)| op.reads(k) && self.images.contains_key(&input.id());
            if inputs.iter().enumerate().any(depends) {
                let batch = graph.with_origin(node.origin(), || self.operation(&op, node, &inputs))?;
                self.images.insert(id, Image { node, batch });
            }
        }
        Some(match self.images.get(&formula.id()) {
            Some(&image) => self.stacked(image),
            None => formula.broadcast_like(self.stretched(formula)),
        })
    }

    fn operation(&self, op: &Op, node: Expr<'g>, inputs: &[Expr<'g>]) -> Option<Batch<'g>> {
        let image = |k: usize| self.images.get(&inputs[k].id()).copied();
        match op {
            _ if op.is_elementwise() => self.elementwise(op, node, inputs),
            Op::Reduce(reduce) => Some(self.reduce(reduce, image(0)?)),
            Op::Layout(layout) => self.layout(layout, node, image(0)?, inputs),
            Op::MatMul(MatMul::Dot) => match (image(0), image(1)) {
                (Some(a), None) => Some(Batch::Rows(self.left(node, a, inputs[1]))),
                (None, Some(b)) => Some(Batch::Rows(self.right(node, inputs[0], b))),
                _ => None,
            },
            Op::MatMul(MatMul::MatMul) => Some(Batch::Rows(self.batched(inputs[0], inputs[1]))),
            Op::Slicing(slicing) => self.slice(slicing, inputs),
            Op::Gather(gather) => self.gather(gather, image(0)?, inputs),
            Op::Scan(scan) => self.scan(scan, image(0)?, inputs),
            Op::Order(_) => Some(image(0)?.batch),
            Op::Linalg(_) => self.matrices(op, inputs),
            // Rules are linear in the cotangent, and record no other operation of it.
            _ => None,
        }
    }

    /// An expression whose shape is `(B,)` + that of `node`. Nobody reads more of it than the shape.
    fn stretched(&self, node: Expr<'g>) -> Expr<'g> {
        if let Some(Image { batch: Batch::Rows(rows) | Batch::Scaled(rows, _), .. }) =
            self.images.get(&node.id())
        {
            return *rows;
        }
        let axes: Vec<usize> = (1..=node.ndim()).collect();
        self.range.expand_dims(&axes[..]) + node.cast_to(DType::I64)
    }

    /// The batch as an array with a first axis of its own.
    fn stacked(&self, image: Image<'g>) -> Expr<'g> {
        let diagonal = match image.batch {
            Batch::Rows(rows) => return rows,
            Batch::Scaled(rows, factor) => return rows * factor,
            Batch::Diagonal(diagonal) => diagonal,
        };
        let flat = if diagonal.ndim() == 1 { diagonal } else { diagonal.reshape([-1]) };
        let rows = self.range.expand_dims(1).eq(self.range).select(flat, 0.0);
        if diagonal.ndim() == 1 { rows } else { rows.reshape_like(self.stretched(image.node)) }
    }

    fn elementwise(&self, op: &Op, node: Expr<'g>, inputs: &[Expr<'g>]) -> Option<Batch<'g>> {
        if let Some(diagonal) = self.along_diagonal(op, node, inputs) {
            return Some(Batch::Diagonal(diagonal));
        }
        if let Some((rows, factor)) = self.times(op, node, inputs) {
            return Some(Batch::Scaled(rows, factor));
        }
        let operands: Vec<Expr<'g>> = inputs
            .iter()
            .map(|input| match self.images.get(&input.id()) {
                Some(&image) => aligned(self.stacked(image), node.ndim()),
                None => *input,
            })
            .collect();
        node.graph().apply(op.clone(), &operands).ok().map(Batch::Rows)
    }

    /// The operation on diagonals, if it is linear in them and stretches none.
    fn along_diagonal(&self, op: &Op, node: Expr<'g>, inputs: &[Expr<'g>]) -> Option<Expr<'g>> {
        let diagonal = |k: usize| match self.images.get(&inputs[k].id()) {
            Some(Image { batch: Batch::Diagonal(diagonal), node: own })
                if own.shape_root().id() == node.shape_root().id() =>
            {
                Some(*diagonal)
            }
            _ => None,
        };
        let fixed = |k: usize| !self.images.contains_key(&inputs[k].id());
        let branch = |k: usize| diagonal(k).or_else(|| (inputs[k].as_literal()? == 0.0).then_some(inputs[k]));
        let operands: Vec<Expr<'g>> = match op {
            Op::Unary(Unary::Neg) | Op::Logic(Logic::Cast(_)) if node.dtype().is_float() => {
                vec![diagonal(0)?]
            }
            Op::Binary(Binary::Mul) if fixed(0) => vec![inputs[0], diagonal(1)?],
            Op::Binary(Binary::Mul | Binary::Div) if fixed(1) => vec![diagonal(0)?, inputs[1]],
            Op::Binary(Binary::Add | Binary::Sub) => vec![diagonal(0)?, diagonal(1)?],
            Op::Logic(Logic::Select) if fixed(0) => vec![inputs[0], branch(1)?, branch(2)?],
            _ => return None,
        };
        node.graph().apply(op.clone(), &operands).ok()
    }

    /// Rows and factor of a product of rows and a factor that stretches none.
    fn times(&self, op: &Op, node: Expr<'g>, inputs: &[Expr<'g>]) -> Option<(Expr<'g>, Expr<'g>)> {
        let k = match op {
            Op::Binary(Binary::Mul) => inputs.iter().position(|x| self.images.contains_key(&x.id()))?,
            _ => return None,
        };
        let (image, factor) = (self.images.get(&inputs[k].id())?, inputs[1 - k]);
        let stretches = image.node.shape_root().id() != node.shape_root().id();
        if stretches || self.images.contains_key(&factor.id()) {
            return None;
        }
        match image.batch {
            Batch::Rows(rows) => Some((rows, factor)),
            Batch::Scaled(rows, before) => Some((rows, before * factor)),
            Batch::Diagonal(_) => None,
        }
    }

    fn reduce(&self, reduce: &Reduce, image: Image<'g>) -> Batch<'g> {
        let graph = image.node.graph();
        let rows = self.stacked(image);
        Batch::Rows(
            graph.emit(Op::Reduce(Reduce { axes: shifted(&reduce.axes, 1), ..reduce.clone() }), [rows]),
        )
    }

    fn layout(
        &self,
        layout: &Layout,
        node: Expr<'g>,
        image: Image<'g>,
        inputs: &[Expr<'g>],
    ) -> Option<Batch<'g>> {
        let graph = node.graph();
        let apply = |layout: Layout, x: Expr<'g>| graph.emit(Op::Layout(layout), [x]);
        if let Batch::Diagonal(diagonal) = image.batch {
            let moved = match layout {
                Layout::Reshape { .. }
                | Layout::ExpandDims { .. }
                | Layout::Squeeze { .. }
                | Layout::Flatten { .. }
                | Layout::Unflatten { .. } => Some(apply(layout.clone(), diagonal)),
                Layout::UnflattenLike { .. } => {
                    Some(graph.emit(Op::Layout(layout.clone()), [diagonal, inputs[1]]))
                }
                Layout::Transpose { axes } if keeps_order(image.node, axes) => {
                    Some(apply(layout.clone(), diagonal))
                }
                Layout::ReshapeLike => Some(diagonal.reshape_like(inputs[1])),
                _ => None,
            };
            if let Some(moved) = moved {
                return Some(Batch::Diagonal(moved));
            }
        }
        let rows = self.stacked(image);
        Some(Batch::Rows(match layout {
            Layout::Transpose { axes } => {
                let axes: Vec<usize> = std::iter::once(0).chain(axes.iter().map(|axis| axis + 1)).collect();
                rows.transpose(&axes[..])
            }
            Layout::Reshape { .. } | Layout::ReshapeLike => rows.reshape_like(self.stretched(node)),
            Layout::ExpandDims { axes } => apply(Layout::ExpandDims { axes: shifted(axes, 1) }, rows),
            Layout::Squeeze { axes } => apply(Layout::Squeeze { axes: shifted(axes, 1) }, rows),
            Layout::Flatten { axes } => apply(Layout::Flatten { axes: shifted(axes, 1) }, rows),
            Layout::Unflatten { axis, sizes } => {
                apply(Layout::Unflatten { axis: shifted(axis, 1), sizes: sizes.clone() }, rows)
            }
            Layout::UnflattenLike { axes } => {
                let axes = shifted(axes, 1);
                graph.emit(Op::Layout(Layout::UnflattenLike { axes }), [rows, self.stretched(inputs[1])])
            }
            Layout::BroadcastTo { .. } => aligned(rows, node.ndim()).broadcast_like(self.stretched(node)),
            Layout::BroadcastLike { axes } => {
                // The axes that a broadcast puts in front stand behind the batch.
                let front = node.ndim() - image.node.ndim() - axes.count();
                let axes: Vec<usize> = (1..=front).chain(axes.iter().map(|axis| axis + 1 + front)).collect();
                let axes = Axes::from(&axes[..]);
                graph.emit(Op::Layout(Layout::BroadcastLike { axes }), [rows, self.stretched(inputs[1])])
            }
            Layout::SumLike => {
                let front: Vec<usize> = (1..=image.node.ndim() - node.ndim()).collect();
                let rows = if front.is_empty() { rows } else { rows.sum_axis(&front[..]) };
                rows.sum_like(self.stretched(inputs[1]))
            }
        }))
    }

    fn slice(&self, slicing: &Slicing, inputs: &[Expr<'g>]) -> Option<Batch<'g>> {
        let graph = inputs[0].graph();
        let behind = match slicing.clone() {
            Slicing::Slice { axes, cut } => Slicing::Slice { axes: shifted(&axes, 1), cut },
            Slicing::Unslice { axes, cut } => Slicing::Unslice { axes: shifted(&axes, 1), cut },
            Slicing::Diagonal { axes, offset } => Slicing::Diagonal { axes: shifted(&axes, 1), offset },
            Slicing::Undiagonal { axes, offset } => Slicing::Undiagonal { axes: shifted(&axes, 1), offset },
            Slicing::Concat { axis, count } => Slicing::Concat { axis: shifted(&axis, 1), count },
            Slicing::PartLike { axis, index, count } => {
                Slicing::PartLike { axis: shifted(&axis, 1), index, count }
            }
        };
        let op = Op::Slicing(behind);
        let operand = |(k, input): (usize, &Expr<'g>)| match self.images.get(&input.id()) {
            _ if !op.reads(k) => self.stretched(*input),
            Some(&image) => self.stacked(image),
            None => input.broadcast_like(self.stretched(*input)),
        };
        let operands: Vec<Expr<'g>> = inputs.iter().enumerate().map(operand).collect();
        graph.apply(op, &operands).ok().map(Batch::Rows)
    }

    /// Operations on the matrices of a batch: the rows are one more axis of it.
    fn matrices(&self, op: &Op, inputs: &[Expr<'g>]) -> Option<Batch<'g>> {
        let rank = inputs.iter().map(|input| input.ndim()).max()?;
        let operand = |input: &Expr<'g>| match self.images.get(&input.id()) {
            // A vector in a batch would be taken for a matrix.
            Some(_) if input.ndim() < 2 => None,
            Some(&image) => Some(aligned(self.stacked(image), rank)),
            None => Some(*input),
        };
        let operands: Vec<Expr<'g>> = inputs.iter().map(operand).collect::<Option<_>>()?;
        inputs[0].graph().apply(op.clone(), &operands).ok().map(Batch::Rows)
    }

    /// Of a batch at indices that are the same for every row.
    fn gather(&self, gather: &Gather, image: Image<'g>, inputs: &[Expr<'g>]) -> Option<Batch<'g>> {
        let rows = self.stacked(image);
        let indices = match gather {
            Gather::TakeAlong(_) | Gather::ScatterAlong(_) => {
                inputs[1].broadcast_like(self.stretched(inputs[1]))
            }
            _ => inputs[1],
        };
        let like = inputs.get(2).map(|like| self.stretched(*like));
        let operands: Vec<Expr<'g>> = [rows, indices].into_iter().chain(like).collect();
        rows.graph().apply(Op::Gather(gather.shifted(1)), &operands).ok().map(Batch::Rows)
    }

    /// Of a batch of what is summed, with coefficients that are the same for every row.
    fn scan(&self, scan: &Scan, image: Image<'g>, inputs: &[Expr<'g>]) -> Option<Batch<'g>> {
        let fixed = inputs[1..].iter().all(|input| !self.images.contains_key(&input.id()));
        if scan.running == Running::Product || !fixed {
            return None;
        }
        let rows = self.stacked(image);
        let coefficients = inputs.get(1).map(|a| a.broadcast_like(self.stretched(*a)));
        let operands: Vec<Expr<'g>> = [rows].into_iter().chain(coefficients).collect();
        let scan = Scan { axis: shifted(&scan.axis, 1), ..scan.clone() };
        rows.graph().apply(Op::Scan(scan), &operands).ok().map(Batch::Rows)
    }

    /// `a · b` of batches of matrices: the rows are one more axis of the batch. A vector is a matrix meanwhile.
    fn batched(&self, a: Expr<'g>, b: Expr<'g>) -> Expr<'g> {
        let operand = |x: Expr<'g>, vector: i32| {
            let image = self.images.get(&x.id());
            let rows = image.map_or(x, |&image| self.stacked(image));
            let rows = if x.ndim() == 1 { rows.expand_dims(vector) } else { rows };
            if image.is_some() { aligned(rows, a.ndim().max(b.ndim())) } else { rows }
        };
        let product = operand(a, -2).matmul(operand(b, -1));
        match (a.ndim(), b.ndim()) {
            (1, _) => product.squeeze(-2),
            (_, 1) => product.squeeze(-1),
            _ => product,
        }
    }

    /// `node = a · b`, of a batch and a factor that is the same for every row.
    fn left(&self, node: Expr<'g>, a: Image<'g>, b: Expr<'g>) -> Expr<'g> {
        let transposed = |b: Expr<'g>| if b.ndim() == 1 { b } else { b.t() };
        match (a.batch, a.node.ndim()) {
            // Row i is element i times row i of b.
            (Batch::Diagonal(d), 1) => scaled(b, d),
            (Batch::Diagonal(d), _) if is_fixed_one(a.node, 0) => {
                let d = d.reshape([-1]);
                aligned(scaled(b, d), node.ndim())
            }
            _ => match (self.stacked(a), b.ndim()) {
                (rows, _) if a.node.ndim() == 1 => rows.dot(b),
                (rows, 1) => rows.flatten([0, 1]).dot(transposed(b)).reshape_like(self.stretched(node)),
                (rows, _) => rows.flatten([0, 1]).dot(b).reshape_like(self.stretched(node)),
            },
        }
    }

    /// `node = a · b`, of a factor that is the same for every row and a batch.
    fn right(&self, node: Expr<'g>, a: Expr<'g>, b: Image<'g>) -> Expr<'g> {
        // Row i is element i times column i of a.
        let column = |d: Expr<'g>| if a.ndim() == 1 { scaled(a, d) } else { scaled(a.t(), d) };
        match (b.batch, b.node.ndim()) {
            (Batch::Diagonal(d), 1) => return column(d),
            (Batch::Diagonal(d), _) if is_fixed_one(b.node, 1) => {
                let rows = column(d.reshape([-1]));
                return if node.ndim() == a.ndim() { rows.expand_dims(-1) } else { rows };
            }
            _ => {}
        }
        let rows = self.stacked(b);
        match (a.ndim(), b.node.ndim()) {
            (1, 1) => rows.dot(a),
            (_, 1) => rows.dot(a.t()),
            // Row by row of the batch the columns of b, each of which meets a.
            (1, _) => rows.transpose([0, 2, 1]).flatten([0, 1]).dot(a).reshape_like(self.stretched(node)),
            // (k, B, n) as (k, B n): all columns of the batch side by side.
            (_, _) => {
                let all = a.dot(rows.transpose([1, 0, 2]).flatten([1, 2]));
                let stretched = self.stretched(node).transpose([1, 0, 2]);
                all.reshape_like(stretched).transpose([1, 0, 2])
            }
        }
    }
}

/// A batch of a node as an operand of something with `rank` axes, with new axes behind the batch.
fn aligned(rows: Expr<'_>, rank: usize) -> Expr<'_> {
    let new: Vec<usize> = (1..=(rank + 1).saturating_sub(rows.ndim())).collect();
    if new.is_empty() { rows } else { rows.expand_dims(&new[..]) }
}

fn shifted(axes: &Axes, by: usize) -> Axes {
    let axes: Vec<usize> = axes.iter().map(|axis| axis + by).collect();
    Axes::from(&axes[..])
}

/// `diag(d) · m`: every row (or element) of `m` times that of `d`.
fn scaled<'g>(m: Expr<'g>, d: Expr<'g>) -> Expr<'g> {
    let ones = matches!(d.op(), Some(Op::Layout(Layout::BroadcastLike { .. })))
        && d.inputs()[0].as_literal() == Some(1.0);
    match m.ndim() {
        _ if ones => m,
        1 => m * d,
        _ => m * d.expand_dims(1),
    }
}

/// Whether the axis has size 1 whatever is fed: the node has the shape of a leaf whose sizes are fixed.
fn is_fixed_one(node: Expr<'_>, axis: usize) -> bool {
    has_fixed_sizes(node) && node.shape()[axis] == 1
}

fn has_fixed_sizes(node: Expr<'_>) -> bool {
    node.shape_root().leaf().is_some_and(|leaf| leaf.kind != LeafKind::Input)
}

/// Whether a transpose leaves the elements in their order: axes of size 1 alone change places.
fn keeps_order(node: Expr<'_>, axes: &Axes) -> bool {
    let shape = node.shape();
    let long: Vec<usize> = axes.iter().filter(|&axis| shape[axis] != 1).collect();
    has_fixed_sizes(node) && long.is_sorted()
}
