//! Order statistics: value at risk and what lies beyond it.

use std::cmp::Ordering;

use dashu_int::IBig;

use super::chain::Link;
use super::dispersion::{count, sum};
use crate::model::Reason;
use crate::number::{Ball, Exact, Figure, Real, Whole};

/// Links from the smallest return to the largest, ordered exactly.
pub(crate) fn ascending(links: &[Link]) -> Vec<&Link> {
    /// Far above the rounding of an approximation: beyond it the order is certain.
    const CERTAIN: f64 = 1e-12;
    let mut keyed: Vec<(f64, &Link)> =
        links.iter().map(|link| (link.rate::<Ball>().approximate(), link)).collect();
    keyed.sort_by(|(a, first), (b, second)| {
        let certain = (a - b).abs() > CERTAIN * a.abs().max(b.abs());
        if certain && a.is_finite() && b.is_finite() { a.total_cmp(b) } else { first.compare(second) }
    });
    keyed.into_iter().map(|(_, link)| link).collect()
}

/// The lower tail of the returns at 1 − confidence level.
pub(crate) struct Tail<R> {
    /// The quantile, interpolated linearly between order statistics (type 7 of
    /// Hyndman and Fan, 1996).
    pub(crate) quantile: R,
    /// Mean of the returns at or below the quantile.
    pub(crate) mean: R,
}

pub(crate) fn tail<R: Real>(ascending: &[&Link], confidence_level: &Exact) -> Figure<Tail<R>> {
    let (lower, fraction) = position(ascending.len(), confidence_level);
    let Some(at) = ascending.get(lower) else {
        return Err(Reason::TooFewReturns.into());
    };
    let next = ascending.get(lower + 1).unwrap_or(at);
    let (low, high): (R, R) = (at.rate(), next.rate());
    let fraction = R::ratio(&fraction.0, &fraction.1);
    let quantile = low.clone() + fraction * (high - low);
    // Returns equal to the one below the quantile may stand above its rank.
    let equal =
        ascending.iter().skip(lower + 1).take_while(|link| link.compare(at) == Ordering::Equal).count();
    let members = lower + 1 + equal;
    let total = sum(ascending.iter().take(members).map(|link| link.rate::<R>()))?;
    Ok(Tail { quantile, mean: total / count(members) })
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
