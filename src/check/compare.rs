//! What both questions about a formula have in common: the comparison, and the search for the slip.

use super::diagnosis::{diagnose, kink};
use super::edits::{Scene, all_names, literals, names};
use super::mend::mend;
use super::mismatch::{Expected, Mismatch};
use super::places::{Places, Sample};
use super::report::report;
use super::{Failure, Slip, words};
use crate::element::DType;
use crate::error::{Error, Result};
use crate::graph::{Expr, Var};

/// What a formula is asked to be.
#[derive(Clone, Copy)]
pub(super) enum Question<'g> {
    /// The derivative of `cost` with respect to `wrt`.
    Derivative { cost: Expr<'g>, wrt: Expr<'g> },
    /// The same function as this.
    Reference(Expr<'g>),
}

impl<'g> Question<'g> {
    /// What is taken for right.
    fn given(self) -> Expr<'g> {
        match self {
            Self::Derivative { cost, .. } => cost,
            Self::Reference(reference) => reference,
        }
    }

    /// What the formula should be.
    fn answer(self) -> Result<Expr<'g>> {
        match self {
            Self::Derivative { cost, wrt } => Ok(cost.retype::<f64>().try_grad(wrt.retype::<f64>())?.erase()),
            Self::Reference(reference) => Ok(reference),
        }
    }

    fn expected(self) -> Expected {
        match self {
            Self::Derivative { wrt, .. } => {
                Expected::Derivative { wrt: wrt.graph().arena().describe(wrt.id()).name }
            }
            Self::Reference(reference) => Expected::Reference { formula: words::name_or_formula(reference) },
        }
    }
}

/// Answers a question about `hand`, and leaves the tape as it was.
pub(super) fn compare<'g>(hand: Expr<'g>, question: Question<'g>) -> Result<(), Failure> {
    let graph = hand.graph();
    let mark = graph.mark();
    let verdict = refuse(hand, question).and_then(|()| {
        // Expressions that are written again here were not written by a line of the library.
        graph.with_origin(hand.origin(), || judge(hand, question))
    });
    graph.truncate(mark);
    verdict
}

/// Refuses what cannot be compared.
fn refuse<'g>(hand: Expr<'g>, question: Question<'g>) -> Result<(), Failure> {
    let given = match question {
        Question::Derivative { cost, wrt } => [cost, wrt],
        Question::Reference(reference) => [reference; 2],
    };
    for e in [hand].into_iter().chain(given) {
        if !std::ptr::eq(e.graph(), hand.graph()) {
            return Err(Error::OtherGraph { op: "check" }.into());
        }
        if e.op().is_none() {
            return Err(Error::Freed { op: "check" }.into());
        }
        if e.dtype() != DType::F64 {
            let name = e.graph().arena().describe(e.id()).name;
            return Err(Failure::NotF64 { name, dtype: e.dtype() });
        }
    }
    Ok(())
}

fn judge<'g>(hand: Expr<'g>, question: Question<'g>) -> Result<(), Failure> {
    let (given, expected) = (question.given(), question.answer()?);
    let places = Places::new(&[hand, expected, given])?;
    let mut samples = Vec::new();
    for (place, values) in places.run(&[hand, expected])?.into_iter().enumerate() {
        let Ok([hand, expected]) = <[_; 2]>::try_from(values) else { continue };
        if expected.iter().all(|x| x.is_finite()) {
            samples.push(Sample { hand, expected });
        } else if place == 0 {
            return Err(Failure::NotFinite { what: question.expected().what() });
        }
    }
    if samples.iter().all(Sample::agrees) || rounds_alike(hand, expected, &places) {
        return Ok(());
    }
    let slips = find(hand, question, expected, &samples, &places)?;
    let shapes = [samples[0].hand.shape().to_vec(), samples[0].expected.shape().to_vec()];
    let worst = samples.iter().max_by(|a, b| a.off().total_cmp(&b.off()));
    let worst = worst.filter(|_| shapes[0] == shapes[1]).map(Sample::worst);
    Err(Failure::Mismatch(Box::new(Mismatch { expected: question.expected(), slips, shapes, worst })))
}

/// Whether a formula loses digits as the textbook's does, where the derivative keeps them: `a - y` of a saturated `a`, say.
fn rounds_alike<'g>(hand: Expr<'g>, expected: Expr<'g>, places: &Places<'g>) -> bool {
    let textbook = expected.retype::<f64>().simplify().erase();
    textbook.id() != expected.id() && places.agree(hand, textbook) && places.agree_far(hand, textbook)
}

/// The slips that explain what is wrong, or none.
fn find<'g>(
    hand: Expr<'g>,
    question: Question<'g>,
    expected: Expr<'g>,
    samples: &[Sample],
    places: &Places<'g>,
) -> Result<Vec<Slip>> {
    // One place alone would let anything pass for a rule.
    let [_, nearby @ ..] = samples else { return Ok(Vec::new()) };
    if nearby.is_empty() {
        return Ok(Vec::new());
    }
    if nearby.iter().all(Sample::agrees)
        && let Some(kink) = kink(&[question.given(), hand])?
    {
        return Ok(vec![kink]);
    }
    // What is seen nearby may be an accident of these values, if it is not so far away: a missing `abs` looks like a sign.
    let numbers = [expected, question.given()].map(literals).concat();
    let whole = diagnose(samples, &places.operands, &numbers);
    let all = [samples, &places.far(hand, expected)[..]].concat();
    let sure = !whole.is_empty() && diagnose(&all, &places.operands, &numbers) == whole;
    if sure && whole.iter().all(says_it_all) {
        return Ok(whole);
    }
    if let Question::Derivative { cost, wrt } = question
        && let Some(name) = of_another(cost, wrt, hand, places)
    {
        return Ok(vec![Slip::OfAnother { name }]);
    }
    let names = all_names(hand.graph());
    let roots: Vec<Expr<'g>> =
        [hand, expected, question.given()].into_iter().chain(names.iter().copied()).collect();
    let places = Places::new(&roots)?;
    let scene = Scene::new(hand, question.given(), expected, names, &places);
    let mended = mend(&scene, expected, &places, sure);
    Ok(match mended {
        Some((edit, far)) if far || whole.is_empty() => vec![report(&scene, &edit)],
        _ => whole,
    })
}

/// Whether the slip names what was done wrong, where others say how the outcome differs.
fn says_it_all(slip: &Slip) -> bool {
    !matches!(slip, Slip::Factor { size: None, .. } | Slip::NotSummed { .. } | Slip::SummedTooMuch { .. })
}

/// With respect to what else `hand` is the derivative.
fn of_another<'g>(cost: Expr<'g>, wrt: Expr<'g>, hand: Expr<'g>, places: &Places<'g>) -> Option<String> {
    let candidates = names(&[cost]).into_iter().filter(|other| other.id() != wrt.id());
    let same = |other: &Expr<'g>| {
        let derived = cost.retype::<f64>().try_grad(other.retype::<f64>()).ok();
        derived.map(Var::erase).is_some_and(|d| places.agree(hand, d) && places.agree_far(hand, d))
    };
    candidates.filter(|other| other.shape() == hand.shape()).find(same)?.name()
}
