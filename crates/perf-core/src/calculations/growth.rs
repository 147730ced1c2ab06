//! Linking and annualising.

use std::cmp::Ordering;

use super::day_count::YearFraction;
use super::links::Links;
use crate::model::Reason;
use crate::number::{Chosen, Figure, Real, Series};

/// Π(1 + r): geometric linking.
///
/// One exactly where the gain is dust; zero once a sub-period has lost everything; [`Reason::TotalLoss`] where one
/// has lost more than everything.
pub(crate) fn linked<R: Real>(links: &Links, returns: &R::Series) -> Figure<R> {
    linked_where(links, returns, &Chosen::All)
}

/// The same over the chosen ones of the links.
pub(crate) fn linked_where<R: Real>(links: &Links, returns: &R::Series, chosen: &Chosen<'_>) -> Figure<R> {
    let [least, _] = returns.extremes();
    let growth = match smallest_factor(links, least, chosen) {
        Ordering::Less => return Err(Reason::TotalLoss.into()),
        Ordering::Equal => R::zero(),
        Ordering::Greater => returns.growth(chosen),
    };
    let gained = growth.minus(&R::one())?.sign()? != Ordering::Equal;
    Ok(if gained { growth } else { R::one() })
}

/// The sign of the smallest 1 + r, `least` being about the smallest r.
fn smallest_factor(links: &Links, least: f64, chosen: &Chosen<'_>) -> Ordering {
    if links.are_solvent(least) {
        return Ordering::Greater;
    }
    let indices = (0..links.len()).filter(|index| chosen.contains(*index));
    indices.map(|index| links.factor_sign(index)).min().unwrap_or(Ordering::Greater)
}

/// growth^(1/years), of a growth factor that is not negative.
pub(crate) fn per_year<R: Real>(growth: &R, years: YearFraction) -> Figure<R> {
    if years.numerator <= 0 {
        return Err(Reason::ZeroLengthPeriod.into());
    }
    scaled(growth, years.denominator, years.numerator)
}

/// growth^(numerator/denominator), of a growth factor that is not negative.
pub(crate) fn scaled<R: Real>(growth: &R, numerator: i64, denominator: i64) -> Figure<R> {
    let whole = numerator == denominator;
    if whole || growth.sign()? == Ordering::Equal {
        return Ok(growth.clone());
    }
    Ok(growth.clone().power(R::integer(numerator) / R::integer(denominator)))
}

/// The return per period that compounds to `annual` over `periods_per_year`.
pub(crate) fn periodic<R: Real>(annual: &R, periods_per_year: u32) -> Figure<R> {
    scaled(&(R::one() + annual.clone()), 1, i64::from(periods_per_year))?.minus(&R::one())
}
