//! Linking and annualising.

use std::cmp::Ordering;

use super::chain::Link;
use super::day_count::YearFraction;
use crate::model::Reason;
use crate::number::{Figure, Real, Series};

/// Π(1 + r): geometric linking.
///
/// One exactly where the gain is dust; zero once a sub-period has lost everything; [`Reason::TotalLoss`] where one
/// has lost more than everything.
pub(crate) fn linked<R: Real>(links: &[&Link], returns: &R::Series) -> Figure<R> {
    linked_where(links, returns, |_| true)
}

/// The same over the chosen ones of the links.
pub(crate) fn linked_where<R: Real>(
    links: &[&Link],
    returns: &R::Series,
    chosen: impl Fn(usize) -> bool,
) -> Figure<R> {
    let factors = links.iter().enumerate().filter(|(index, _)| chosen(*index));
    let smallest = factors.map(|(_, link)| link.factor_sign()).min();
    let growth = match smallest {
        Some(Ordering::Less) => return Err(Reason::TotalLoss.into()),
        Some(Ordering::Equal) => R::zero(),
        _ => returns.growth(chosen),
    };
    let gained = growth.minus(&R::one())?.sign()? != Ordering::Equal;
    Ok(if gained { growth } else { R::one() })
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
