//! What an optimiser remembers: parameters of the graph, which start at zero.

use ndarray::{ArcArray, IxDyn};

use crate::element::{DType, Element, Value};
use crate::error::{OrFail, Origin};
use crate::graph::{Expr, LeafKind, Signature};

/// A parameter of zeros in the shape of `like`, called `like`'s name with `suffix`, and a number where that is taken:
/// a parameter may have two optimisers.
pub(super) fn zeros_like<'g>(like: Expr<'g>, suffix: &str, origin: Origin) -> Expr<'g> {
    let name = like.name().unwrap_or_else(|| "parameter".to_owned());
    let signature = Signature { dtype: like.dtype(), shape: like.shape() };
    zeros(like, &format!("{name}.{suffix}"), signature, origin)
}

/// A parameter of zeros with this name, or with a number behind it where it is taken, on the graph of `beside`.
pub(super) fn zeros<'g>(beside: Expr<'g>, name: &str, signature: Signature, origin: Origin) -> Expr<'g> {
    let graph = beside.graph();
    let numbered = (2..).map(|n| format!("{name}.{n}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| graph.find(name).is_none());
    let value = match signature.dtype {
        DType::F32 => array::<f32>(&signature),
        DType::F64 => array::<f64>(&signature),
        DType::I64 => array::<i64>(&signature),
        DType::Bool => array::<bool>(&signature),
    };
    graph.add_leaf(LeafKind::Parameter, free.as_deref(), signature, Some(value), origin).or_fail()
}

fn array<T: Element>(signature: &Signature) -> Value {
    T::value(ArcArray::from_elem(IxDyn(&signature.shape), T::default()))
}
