//! Every root of a stream, one by one.

use std::cell::Cell;
use std::cmp::Ordering;

use super::stream::{Stream, Sums, Weights};
use crate::model::Reason;
use crate::number::{Failure, Figure, Real};

/// Work allowed for one solution, in terms evaluated on the fast type.
const MAX_WORK: usize = 20_000_000;
const MAX_STEPS: usize = 200;

/// Finds the roots of one stream within a bound on the work.
pub(crate) struct Finder<'a> {
    stream: &'a Stream,
    work: Cell<usize>,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(stream: &'a Stream) -> Self {
        Self { stream, work: Cell::new(0) }
    }

    fn spend(&self, work: usize) -> Figure<()> {
        self.work.set(self.work.get().saturating_add(work));
        if self.work.get() > MAX_WORK { Err(Reason::NotIsolated.into()) } else { Ok(()) }
    }

    fn sums<R: Real>(&self, weights: &Weights<R>, w: &R) -> Figure<Sums<R>> {
        self.spend(self.stream.len().saturating_mul(R::COST))?;
        Ok(self.stream.sums(weights, w))
    }

    /// All roots above zero, ascending. A root at zero itself is not among them.
    ///
    /// Between neighbouring roots of the derivative of e^(wτ)·Σ the sum has at most
    /// one root. Each derivative, with τ at a change of sign, has one change less;
    /// the last has none, and so no root. From there the roots are found level by
    /// level, back to the sum itself.
    pub(crate) fn positive_roots<R: Real>(&self) -> Figure<Vec<R>> {
        let bound = self.stream.domination_bound();
        if bound <= 0.0 {
            return Ok(Vec::new());
        }
        let flows = self.stream.weights::<R>();
        self.spend(flows.sign_changes().saturating_mul(self.stream.len()).saturating_mul(R::COST))?;
        let mut levels = vec![flows];
        while let Some((weights, change)) = levels.last().and_then(|last| Some((last, last.first_change()?)))
        {
            let derived = self.stream.derived(weights, change);
            levels.push(derived);
        }
        let mut roots: Vec<R> = Vec::new();
        for (level, weights) in levels.iter().enumerate().rev().skip(1) {
            roots = self.between_extrema(weights, &roots, bound, level)?;
        }
        Ok(roots)
    }

    /// The roots of a sum, given its extrema: one between two of them where the
    /// sign changes, and an extremum itself where it touches zero.
    fn between_extrema<R: Real>(
        &self,
        weights: &Weights<R>,
        extrema: &[R],
        bound: f64,
        level: usize,
    ) -> Figure<Vec<R>> {
        let mut roots = Vec::new();
        let (mut low, mut sign) = (0.0, self.sign_at_zero(weights, level)?);
        for extremum in extrema {
            let here = self.sums(weights, extremum)?.sign()?;
            let place = extremum.approximate();
            if here == Ordering::Equal {
                roots.push(extremum.clone());
            } else if sign == here.reverse() {
                roots.push(self.refine(weights, low, place, sign)?);
            }
            (low, sign) = (place, here);
        }
        let end = self.sums(weights, &R::approximately(bound))?.sign()?;
        if sign != Ordering::Equal && end == sign.reverse() {
            roots.push(self.refine(weights, low, bound, sign)?);
        }
        Ok(roots)
    }

    fn sign_at_zero<R: Real>(&self, weights: &Weights<R>, level: usize) -> Figure<Ordering> {
        if level == 0 { Ok(self.stream.total_sign()) } else { self.sums(weights, &R::zero())?.sign() }
    }

    /// The root of the flows' sum between zero and its bound, where they differ in sign.
    ///
    /// Where there are several, any of them.
    pub(crate) fn crossing<R: Real>(&self, sign_at_zero: Ordering) -> Figure<R> {
        let weights = self.stream.weights::<R>();
        let bound = self.stream.domination_bound();
        self.spend(self.stream.len())?;
        let start =
            approach(0.0, bound, sign_at_zero, self.stream.units_per_year(), |w| Ok(self.stream.sketch(w)))?;
        match self.polish(&weights, R::approximately(start)) {
            Err(Failure::Imprecise) => self.refine(&weights, 0.0, bound, sign_at_zero),
            decided => decided,
        }
    }

    /// The root between `low`, where the sum has `sign_low`, and `high`, where it
    /// has the other sign: safeguarded Newton, then a proof by change of sign.
    fn refine<R: Real>(&self, weights: &Weights<R>, low: f64, high: f64, sign_low: Ordering) -> Figure<R> {
        let start = approach(low, high, sign_low, self.stream.units_per_year(), |w| {
            let sums = self.sums(weights, &R::approximately(w))?;
            Ok((sums.value.approximate(), sums.slope.approximate()))
        })?;
        self.polish(weights, R::approximately(start))
    }

    /// The root near `root`: Newton's method, then a proof by change of sign.
    fn polish<R: Real>(&self, weights: &Weights<R>, mut root: R) -> Figure<R> {
        for _ in 0..MAX_STEPS {
            let sums = self.sums(weights, &root)?;
            // Times are in units, w in years; the sum falls by its slope.
            let step = sums.value / (sums.slope / R::integer(self.stream.units_per_year()));
            root = (root + step.clone()).center();
            if step.approximate().abs() <= R::RESOLUTION.sqrt() * self.scale(&root) {
                return self.enclose(weights, root);
            }
        }
        Err(Failure::Imprecise)
    }

    /// The root with an error bound: the sum changes sign across it.
    fn enclose<R: Real>(&self, weights: &Weights<R>, root: R) -> Figure<R> {
        for digits_lost in [1e3, 1e5, 1e7, 1e9] {
            let reach = R::approximately(R::RESOLUTION * digits_lost * self.scale(&root));
            let before = self.sums(weights, &(root.clone() - reach.clone()).center())?.value.sign();
            let after = self.sums(weights, &(root.clone() + reach.clone()).center())?.value.sign();
            if let (Ok(before), Ok(after)) = (before, after)
                && before != after
            {
                return Ok(root.widened(&reach));
            }
        }
        Err(Failure::Imprecise)
    }

    /// The size against which errors of a root are measured.
    fn scale<R: Real>(&self, root: &R) -> f64 {
        root.approximate().abs() + 1.0 / self.stream.years()
    }
}

/// The root between `low` and `high` to the last bits of an `f64`, by Newton's
/// method within the bracket; `sums` are the sum and its slope.
fn approach(
    mut low: f64,
    mut high: f64,
    sign_low: Ordering,
    units_per_year: i64,
    sums: impl Fn(f64) -> Figure<(f64, f64)>,
) -> Figure<f64> {
    let mut w = f64::midpoint(low, high);
    for _ in 0..MAX_STEPS {
        let (value, slope) = sums(w)?;
        if value == 0.0 {
            return Ok(w);
        }
        if (value > 0.0) == (sign_low == Ordering::Greater) {
            low = w;
        } else {
            high = w;
        }
        let newton = w + value / slope * units_per_year as f64;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - w).abs() <= 4.0 * f64::EPSILON * (w.abs() + 1e-12) {
            return Ok(next);
        }
        w = next;
    }
    Ok(w)
}
