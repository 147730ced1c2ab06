//! Order statistics: value at risk and what lies beyond it.

use std::cmp::Ordering;

use dashu_int::IBig;

use super::chain::Link;
use super::dispersion::{count, sum};
use crate::model::Reason;
use crate::number::{Exact, Figure, Real, Series, Whole};

/// Links and their returns, to be compared exactly.
struct Ranking<'a, R: Real> {
    links: &'a [&'a Link],
    returns: &'a R::Series,
}

impl<R: Real> Ranking<'_, R> {
    fn compare(&self, a: usize, b: usize) -> Ordering {
        /// Far above the rounding of an approximation: beyond it the order is certain.
        const CERTAIN: f64 = 1e-12;
        let (x, y) = (self.returns.approximate(a), self.returns.approximate(b));
        let certain = (x - y).abs() > CERTAIN * x.abs().max(y.abs());
        if certain && x.is_finite() && y.is_finite() {
            return x.total_cmp(&y);
        }
        match (self.links.get(a), self.links.get(b)) {
            (Some(first), Some(second)) => first.compare(second),
            _ => Ordering::Equal,
        }
    }
}

/// Index of the largest or the smallest return.
pub(crate) fn extreme<R: Real>(links: &[&Link], returns: &R::Series, side: Ordering) -> Option<usize> {
    let ranking = Ranking::<R> { links, returns };
    (0..links.len()).reduce(|best, index| if ranking.compare(index, best) == side { index } else { best })
}

/// The lower tail of the returns at 1 − confidence level.
pub(crate) struct Tail<R> {
    /// The quantile, interpolated linearly between order statistics (type 7 of
    /// Hyndman and Fan, 1996).
    pub(crate) quantile: R,
    /// Mean of the returns at or below the quantile.
    pub(crate) mean: R,
}

pub(crate) fn tail<R: Real>(
    links: &[&Link],
    returns: &R::Series,
    confidence_level: &Exact,
) -> Figure<Tail<R>> {
    let ranking = Ranking::<R> { links, returns };
    let (lower, fraction) = position(links.len(), confidence_level);
    let mut order: Vec<usize> = (0..links.len()).collect();
    if lower >= order.len() {
        return Err(Reason::TooFewReturns.into());
    }
    let (below, at, above) = order.select_nth_unstable_by(lower, |a, b| ranking.compare(*a, *b));
    let at = *at;
    let next =
        above.iter().copied().reduce(|a, b| if ranking.compare(b, a) == Ordering::Less { b } else { a });
    let rate = |index: usize| returns.get(index).ok_or(Reason::TooFewReturns);
    let (low, high) = (rate(at)?, rate(next.unwrap_or(at))?);
    let fraction = R::ratio(&fraction.0, &fraction.1);
    let quantile = low.clone() + fraction * (high - low);
    // Returns equal to the one below the quantile may stand above its rank.
    let equal = above.iter().copied().filter(|index| ranking.compare(*index, at) == Ordering::Equal);
    let members: Vec<usize> = below.iter().copied().chain([at]).chain(equal).collect();
    let total = sum(members.iter().filter_map(|index| returns.get(*index)))?;
    Ok(Tail { quantile, mean: total / count(members.len()) })
}

/// (n − 1)(1 − c) as a rank and the exact fraction above it.
fn position(returns: usize, confidence_level: &Exact) -> (usize, (Whole, Whole)) {
    let scale = confidence_level.scale();
    let denominator = Whole::power_of_ten(scale).to_big();
    let tail = &denominator - confidence_level.mantissa().to_big();
    let numerator = tail * IBig::from(returns.saturating_sub(1));
    let rank = &numerator / &denominator;
    let fraction = numerator - &rank * &denominator;
    (usize::try_from(rank).unwrap_or(0), (fraction.into(), denominator.into()))
}
