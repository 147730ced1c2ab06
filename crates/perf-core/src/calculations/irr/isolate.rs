//! Every root of a stream, one by one.

use std::cell::Cell;
use std::cmp::Ordering;

use super::stream::{Stream, Sums};
use crate::model::Reason;
use crate::number::{Failure, Figure, Real};

/// Work allowed for one solution, in terms evaluated.
const MAX_TERMS_EVALUATED: usize = 20_000_000;
/// Derivatives that isolation may climb: roots of higher multiplicity are not separated.
const MAX_ORDER: u64 = 12;
/// Width, in durations, below which the derivative's roots are asked for.
const NARROW: f64 = 1.0 / 32.0;
const MAX_STEPS: usize = 200;
/// Where an interval is cut: another place where the sum is dust at the first.
const CUTS: [f64; 4] = [0.5, 0.463_7, 0.529_1, 0.371_3];

/// Finds the roots of one stream within a bound on the work.
pub(crate) struct Finder<'a> {
    stream: &'a Stream,
    evaluated: Cell<usize>,
}

/// An interval of `w` and the sums at both of its ends.
struct Span<R> {
    low: f64,
    high: f64,
    at_low: Sums<R>,
    at_high: Sums<R>,
}

impl<R: Real> Span<R> {
    /// Gains and losses both fall as `w` grows, which bounds their difference.
    fn excludes_zero(&self) -> bool {
        excludes_zero([&self.at_low.gains, &self.at_high.gains], [&self.at_low.losses, &self.at_high.losses])
    }

    fn is_monotone(&self) -> bool {
        excludes_zero(
            [&self.at_low.slope_gains, &self.at_high.slope_gains],
            [&self.at_low.slope_losses, &self.at_high.slope_losses],
        )
    }
}

/// Whether gains − losses keeps one sign between two points, both falling.
fn excludes_zero<R: Real>(gains: [&R; 2], losses: [&R; 2]) -> bool {
    let [most_gains, least_gains] = gains;
    let [most_losses, least_losses] = losses;
    least_gains.compare(most_losses) == Ok(Ordering::Greater)
        || most_gains.compare(least_losses) == Ok(Ordering::Less)
}

impl<'a> Finder<'a> {
    pub(crate) fn new(stream: &'a Stream) -> Self {
        Self { stream, evaluated: Cell::new(0) }
    }

    pub(crate) fn sums<R: Real>(&self, w: &R, order: u64) -> Figure<Sums<R>> {
        let evaluated = self.evaluated.get() + self.stream.len();
        self.evaluated.set(evaluated);
        if evaluated > MAX_TERMS_EVALUATED {
            return Err(Reason::NotIsolated.into());
        }
        Ok(self.stream.sums(w, order))
    }

    fn span<R: Real>(&self, low: f64, high: f64, order: u64) -> Figure<Span<R>> {
        let at_low = self.sums(&R::approximately(low), order)?;
        let at_high = self.sums(&R::approximately(high), order)?;
        Ok(Span { low, high, at_low, at_high })
    }

    /// All roots above zero, ascending. A root at zero itself is not among them.
    pub(crate) fn positive_roots<R: Real>(&self) -> Figure<Vec<R>> {
        let bound = self.stream.domination_bound();
        if bound <= 0.0 {
            return Ok(Vec::new());
        }
        let start = self.start::<R>(bound)?;
        self.roots(&self.span(start, bound, 0)?, 0)
    }

    /// Zero; or, where zero is a root, a point up to which there is no other:
    /// one below which the first derivative that does not vanish keeps its sign.
    fn start<R: Real>(&self, bound: f64) -> Figure<f64> {
        for order in 0..MAX_ORDER {
            if self.sums(&R::zero(), order)?.sign()? == Ordering::Equal {
                continue;
            }
            let mut end = if order == 0 { 0.0 } else { bound };
            for _ in 0..MAX_STEPS {
                if order == 0 || self.span::<R>(0.0, end, order)?.excludes_zero() {
                    return Ok(end);
                }
                end /= 2.0;
            }
        }
        Err(Reason::NotIsolated.into())
    }

    /// Roots of the derivative of order `order` within the span, ascending.
    fn roots<R: Real>(&self, span: &Span<R>, order: u64) -> Figure<Vec<R>> {
        if span.excludes_zero() {
            return Ok(Vec::new());
        }
        if span.is_monotone() {
            return self.root_between(span, order);
        }
        if (span.high - span.low) * self.stream.years() > NARROW
            && let Some((left, right)) = self.cut(span, order)?
        {
            let mut roots = self.roots(&left, order)?;
            roots.extend(self.roots(&right, order)?);
            return Ok(roots);
        }
        self.roots_between_extrema(span, order)
    }

    /// Two halves, cut where the sum is not dust; `None` where it is everywhere.
    fn cut<R: Real>(&self, span: &Span<R>, order: u64) -> Figure<Option<(Span<R>, Span<R>)>> {
        for place in CUTS {
            let middle = span.low + place * (span.high - span.low);
            let left: Span<R> = self.span(span.low, middle, order)?;
            if left.at_high.sign()? != Ordering::Equal {
                return Ok(Some((left, self.span(middle, span.high, order)?)));
            }
        }
        Ok(None)
    }

    /// The root of a monotone sum, where its ends differ in sign.
    fn root_between<R: Real>(&self, span: &Span<R>, order: u64) -> Figure<Vec<R>> {
        Ok(match (span.at_low.sign()?, span.at_high.sign()?) {
            (Ordering::Equal, _) => vec![R::approximately(span.low)],
            (_, Ordering::Equal) => vec![R::approximately(span.high)],
            (low, high) if low == high => Vec::new(),
            (low, _) => vec![self.refine(span.low, span.high, low, order)?],
        })
    }

    /// Between neighbouring extrema the sum is monotone; an extremum that is dust
    /// touches zero and is a root itself.
    fn roots_between_extrema<R: Real>(&self, span: &Span<R>, order: u64) -> Figure<Vec<R>> {
        if order == MAX_ORDER {
            return Err(Reason::NotIsolated.into());
        }
        let extrema = self.roots(&self.span::<R>(span.low, span.high, order + 1)?, order + 1)?;
        let mut roots = Vec::new();
        let (mut low, mut sign) = (span.low, span.at_low.sign()?);
        for extremum in extrema {
            let here = self.sums(&extremum, order)?.sign()?;
            let place = extremum.approximate();
            match here {
                Ordering::Equal => roots.push(extremum),
                _ if here == sign.reverse() => roots.push(self.refine(low, place, sign, order)?),
                _ => {}
            }
            (low, sign) = (place, here);
        }
        let end = span.at_high.sign()?;
        if sign != Ordering::Equal && end == sign.reverse() {
            roots.push(self.refine(low, span.high, sign, order)?);
        }
        Ok(roots)
    }

    /// The root between `low`, where the sum has `sign_low`, and `high`, where it
    /// has the other sign: safeguarded Newton, then a proof by change of sign.
    pub(crate) fn refine<R: Real>(&self, low: f64, high: f64, sign_low: Ordering, order: u64) -> Figure<R> {
        let mut root = R::approximately(self.approach::<R>(low, high, sign_low, order)?);
        for _ in 0..MAX_STEPS {
            let sums = self.sums(&root, order)?;
            // Times are in units, w in years; the sum falls by its slope.
            let slope = sums.slope() / R::integer(self.stream.units_per_year());
            let step = sums.value() / slope;
            root = (root + step.clone()).center();
            if step.approximate().abs() <= R::RESOLUTION.sqrt() * self.scale(&root) {
                return self.enclose(root, order);
            }
        }
        Err(Failure::Imprecise)
    }

    /// The root to the last bits of an `f64`.
    fn approach<R: Real>(&self, mut low: f64, mut high: f64, sign_low: Ordering, order: u64) -> Figure<f64> {
        let mut w = f64::midpoint(low, high);
        for _ in 0..MAX_STEPS {
            let sums: Sums<R> = self.sums(&R::approximately(w), order)?;
            let (value, slope) = (sums.value().approximate(), sums.slope().approximate());
            if value == 0.0 {
                return Ok(w);
            }
            if (value > 0.0) == (sign_low == Ordering::Greater) {
                low = w;
            } else {
                high = w;
            }
            let newton = w + value / slope * self.stream.units_per_year() as f64;
            let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
            if (next - w).abs() <= 4.0 * f64::EPSILON * (w.abs() + 1e-12) {
                return Ok(next);
            }
            w = next;
        }
        Ok(w)
    }

    /// The root with an error bound: the sum changes sign across it.
    fn enclose<R: Real>(&self, root: R, order: u64) -> Figure<R> {
        for digits_lost in [1e3, 1e5, 1e7, 1e9] {
            let reach = R::approximately(R::RESOLUTION * digits_lost * self.scale(&root));
            let before = self.sums(&(root.clone() - reach.clone()).center(), order)?.value().sign();
            let after = self.sums(&(root.clone() + reach.clone()).center(), order)?.value().sign();
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
