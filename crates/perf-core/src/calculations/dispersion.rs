//! Means, moments and deviations.

use std::cmp::Ordering;

use crate::model::{Deviation, Reason};
use crate::number::{Figure, Real};

/// Σ x, exactly zero where it is dust of the largest term.
pub(crate) fn sum<R: Real>(terms: impl IntoIterator<Item = R>) -> Figure<R> {
    let (mut total, mut largest) = (R::zero(), R::zero());
    for term in terms {
        largest = largest.larger(term.magnitude());
        total = total + term;
    }
    total.without_dust(&largest)
}

/// The number of terms, as a divisor.
pub(crate) fn count<R: Real>(terms: usize) -> R {
    R::integer(i64::try_from(terms).unwrap_or(i64::MAX))
}

/// x̄.
pub(crate) fn mean<R: Real>(values: &[R]) -> Figure<R> {
    if values.is_empty() {
        return Err(Reason::TooFewReturns.into());
    }
    Ok(sum(values.iter().cloned())? / count(values.len()))
}

/// x − x̄ of at least two values.
pub(crate) fn deviations<R: Real>(values: &[R]) -> Figure<Vec<R>> {
    if values.len() < 2 {
        return Err(Reason::TooFewReturns.into());
    }
    let mean = mean(values)?;
    Ok(values.iter().map(|value| value.clone() - mean.clone()).collect())
}

/// √(Σ d²/n), or over n − 1: the standard deviation from deviations d.
///
/// Exactly zero at or below 1e-24 × max(1, the largest of the `values`).
pub(crate) fn deviation<R: Real>(deviations: &[R], values: &[R], basis: Deviation) -> Figure<R> {
    let degrees = match basis {
        Deviation::Population => deviations.len(),
        Deviation::Sample => deviations.len().saturating_sub(1),
    };
    root_mean_square(deviations.iter().cloned(), degrees, values)
}

/// √(Σ min(r − m, 0)²/n): the deviation below m over all n returns.
pub(crate) fn below<R: Real>(values: &[R], threshold: &R) -> Figure<R> {
    if values.is_empty() {
        return Err(Reason::TooFewReturns.into());
    }
    let mut shortfalls = Vec::new();
    for value in values {
        let difference = value.minus(threshold)?;
        if difference.sign()? == Ordering::Less {
            shortfalls.push(difference);
        }
    }
    root_mean_square(shortfalls, values.len(), values)
}

fn root_mean_square<R: Real>(terms: impl IntoIterator<Item = R>, degrees: usize, values: &[R]) -> Figure<R> {
    let squares = terms.into_iter().map(|term| term.clone() * term);
    let total = squares.fold(R::zero(), |total, square| total + square);
    let largest = values.iter().fold(R::one(), |largest, value| largest.larger(value.magnitude()));
    (total / count(degrees)).sqrt().without_dust(&largest)
}

/// Σ xy of two series of deviations, exactly zero where it is dust.
pub(crate) fn sum_of_products<R: Real>(x: &[R], y: &[R]) -> Figure<R> {
    sum(x.iter().zip(y).map(|(x, y)| x.clone() * y.clone()))
}

/// m3 / m2^1.5.
pub(crate) fn skewness<R: Real>(deviations: &[R], volatility: &R) -> Figure<R> {
    let volatility = volatility.clone().nonzero(Reason::ZeroVolatility)?;
    let cubes = sum(deviations.iter().map(|d| d.clone() * d.clone() * d.clone()))?;
    Ok(cubes / count(deviations.len()) / volatility.power_integer(3))
}

/// m4 / m2² − 3.
pub(crate) fn excess_kurtosis<R: Real>(deviations: &[R], volatility: &R) -> Figure<R> {
    let volatility = volatility.clone().nonzero(Reason::ZeroVolatility)?;
    let fourths = sum(deviations.iter().map(|d| d.power_integer(4)))?;
    (fourths / count(deviations.len()) / volatility.power_integer(4)).minus(&R::integer(3))
}
