//! Order statistics: value at risk and what lies beyond it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::RangeInclusive;

use dashu_int::IBig;

use super::dispersion::mean;
use super::links::Links;
use crate::model::Reason;
use crate::number::{Exact, Failure, Figure, Real, Series, Whole, places_within};

/// Returns in order, by their `f64` values where these leave no doubt and by their
/// exact fractions where they do.
struct Ranking<'a> {
    links: &'a Links,
    values: Cow<'a, [f64]>,
}

/// The returns around one rank, by index.
struct Split {
    below: Vec<usize>,
    /// Those that the `f64` values do not tell apart, in exact order.
    near: Vec<usize>,
    /// The smallest of those above, where there are any.
    next: Option<usize>,
}

impl Ranking<'_> {
    /// The values between which, around this one, only the exact fractions tell.
    fn near(value: f64) -> RangeInclusive<f64> {
        /// Far above the rounding of an approximation.
        const CERTAIN: f64 = 1e-12;
        let reach = CERTAIN * value.abs();
        value - reach..=value + reach
    }

    fn value(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(f64::NAN)
    }

    /// The first of the smallest or the largest returns among some of them, `best`
    /// being the smallest or the largest value.
    fn extreme(&self, among: impl Iterator<Item = usize>, best: f64, side: Ordering) -> Option<usize> {
        let near = Self::near(best);
        // What is not a number is not outside.
        let outside = |value: f64| value < *near.start() || value > *near.end();
        let candidates = among.filter(|index| !outside(self.value(*index)));
        candidates.reduce(|best, index| if self.links.compare(index, best) == side { index } else { best })
    }

    /// Indices of at least the `count` smallest values, and of none that is larger than
    /// these: most often few, by a bound that a sample suggests.
    fn smallest(&self, count: usize) -> Vec<usize> {
        const SAMPLE: usize = 32;
        /// So many of the sample above what it should hold: rarely not enough.
        const MARGIN: usize = 3;
        let every = (self.values.len() / SAMPLE).max(1);
        let mut sample: Vec<f64> = self.values.iter().step_by(every).copied().collect();
        sample.sort_unstable_by(f64::total_cmp);
        let bound = sample.get(count / every + MARGIN).copied().unwrap_or(f64::INFINITY);
        // What is near the bound is near to values below it.
        let end = *Self::near(bound).end();
        // Each index is written, and written over where it is not wanted: no branch to foresee.
        let (mut found, mut length) = (vec![0; self.values.len()], 0);
        for (index, value) in self.values.iter().enumerate() {
            if let Some(slot) = found.get_mut(length) {
                *slot = index;
            }
            length += usize::from(*value <= end);
        }
        found.truncate(length);
        if length < count { (0..self.values.len()).collect() } else { found }
    }

    /// What lies below, at and next above the return of this rank.
    fn split(&self, rank: usize) -> Option<Split> {
        // With the next one above; without it where there is none.
        let candidates = self.smallest((rank + 2).min(self.values.len()));
        let mut sorted: Vec<f64> = candidates.iter().map(|index| self.value(*index)).collect();
        if rank >= sorted.len() {
            return None;
        }
        let (_, pivot, _) = sorted.select_nth_unstable_by(rank, f64::total_cmp);
        let close = Self::near(*pivot);
        let (mut below, mut near) = (Vec::with_capacity(rank), Vec::new());
        let mut least = f64::INFINITY;
        for index in candidates.iter().copied() {
            let value = self.value(index);
            if value > *close.end() {
                least = if value < least { value } else { least };
            } else if value < *close.start() {
                below.push(index);
            } else {
                near.push(index);
            }
        }
        near.sort_by(|a, b| self.links.compare(*a, *b));
        let above = candidates.into_iter().filter(|index| self.value(*index) > *close.end());
        Some(Split { below, near, next: self.extreme(above, least, Ordering::Less) })
    }
}

/// Index of the largest or the smallest return.
pub(crate) fn extreme<R: Real>(links: &Links, returns: &R::Series, side: Ordering) -> Option<usize> {
    let ranking = Ranking { links, values: returns.approximations() };
    let [least, most] = returns.extremes();
    let best = if side == Ordering::Less { least } else { most };
    let near = Ranking::near(best);
    match places_within(&ranking.values, *near.start(), *near.end()) {
        (1, place) => Some(place),
        _ => ranking.extreme(0..links.len(), best, side),
    }
}

/// The lower tail of the returns at 1 − confidence level.
pub(crate) struct Tail<R> {
    /// The quantile, interpolated linearly between order statistics (type 7 of
    /// Hyndman and Fan, 1996).
    pub(crate) quantile: R,
    /// Mean of the returns at or below the quantile.
    pub(crate) mean: R,
}

pub(crate) fn tail<R: Real>(links: &Links, returns: &R::Series, confidence_level: &Exact) -> Figure<Tail<R>> {
    let ranking = Ranking { links, values: returns.approximations() };
    let (lower, fraction) = position(links.len(), confidence_level);
    let Split { below, near, next } = ranking.split(lower).ok_or(Reason::TooFewReturns)?;
    let rank = lower.saturating_sub(below.len());
    let at = *near.get(rank).ok_or(Failure::Imprecise)?;
    let next = near.get(rank + 1).copied().or(next).unwrap_or(at);
    let rate = |index: usize| returns.get(index).ok_or(Reason::TooFewReturns);
    let (low, high) = (rate(at)?, rate(next)?);
    let fraction = R::ratio(&fraction.0, &fraction.1);
    let quantile = low.clone() + fraction * (high - low);
    // Returns equal to the one below the quantile may stand above its rank.
    let at_most = near.iter().copied().filter(|index| links.compare(*index, at) != Ordering::Greater);
    let members: Vec<usize> = below.into_iter().chain(at_most).collect();
    Ok(Tail { quantile, mean: mean::<R>(&returns.select(&members))? })
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
