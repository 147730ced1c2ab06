//! Means, moments and deviations.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::model::{Deviation, Reason};
use crate::number::{Figure, Powers, Real, Series, Total};

/// Σ x, exactly zero where it is dust of the largest term.
pub(crate) fn sum<R: Real>(terms: impl IntoIterator<Item = R>) -> Figure<R> {
    let (mut value, mut largest) = (R::zero(), R::zero());
    for term in terms {
        largest = largest.larger(term.magnitude());
        value = value + term;
    }
    Total { value, largest }.settled()
}

/// The number of terms, as a divisor.
pub(crate) fn count<R: Real>(terms: usize) -> R {
    R::integer(i64::try_from(terms).unwrap_or(i64::MAX))
}

/// x̄.
pub(crate) fn mean<R: Real>(values: &R::Series) -> Figure<R> {
    if values.is_empty() {
        return Err(Reason::TooFewReturns.into());
    }
    Ok(values.sum().settled()? / count(values.len()))
}

impl Deviation {
    /// What a sum of so many squares is divided by.
    pub(crate) fn degrees(self, terms: usize) -> usize {
        match self {
            Self::Population => terms,
            Self::Sample => terms.saturating_sub(1),
        }
    }
}

/// At least two values x, seen from their mean: d = x − x̄.
pub(crate) struct Spread<R: Real> {
    values: Rc<R::Series>,
    /// x̄.
    pub(crate) mean: R,
    /// Σ d².
    squares: R,
    /// Σ d³ and Σ d⁴, once they are asked for.
    powers: OnceCell<Powers<R>>,
    /// max(1, |x|): what counts as a deviation at all.
    scale: R,
}

impl<R: Real> Spread<R> {
    pub(crate) fn new(values: Rc<R::Series>) -> Figure<Self> {
        if values.len() < 2 {
            return Err(Reason::TooFewReturns.into());
        }
        let mean = mean(values.as_ref())?;
        Ok(Self {
            squares: values.squares_about(&mean),
            mean,
            powers: OnceCell::new(),
            scale: R::one().larger(values.largest()),
            values,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Σ d².
    pub(crate) fn squares(&self) -> &R {
        &self.squares
    }

    /// Σ dd' with the deviations of as many other values.
    pub(crate) fn products(&self, others: &Self) -> Figure<R> {
        self.values.products_about(&self.mean, &others.values, &others.mean)
    }

    fn powers(&self) -> &Powers<R> {
        self.powers.get_or_init(|| self.values.powers_about(&self.mean))
    }

    /// √(Σ d²/n), or over n − 1: the standard deviation.
    ///
    /// Exactly zero at or below 1e-24 × max(1, the largest of the values).
    pub(crate) fn deviation(&self, basis: Deviation) -> Figure<R> {
        root_mean(self.squares.clone(), basis.degrees(self.len()), &self.scale)
    }

    /// m3 / m2^1.5.
    pub(crate) fn skewness(&self) -> Figure<R> {
        let deviation = self.deviation(Deviation::Population)?.nonzero(Reason::ZeroVolatility)?;
        let cubes = self.powers().cubes.clone()?;
        Ok(cubes / count(self.len()) / deviation.power_integer(3))
    }

    /// m4 / m2² − 3.
    pub(crate) fn excess_kurtosis(&self) -> Figure<R> {
        let deviation = self.deviation(Deviation::Population)?.nonzero(Reason::ZeroVolatility)?;
        let fourths = self.powers().fourths.clone()?;
        (fourths / count(self.len()) / deviation.power_integer(4)).minus(&R::integer(3))
    }
}

/// √(Σ min(r − m, 0)²/n): the deviation below m over all n returns.
pub(crate) fn below<R: Real>(values: &R::Series, threshold: &R) -> Figure<R> {
    if values.is_empty() {
        return Err(Reason::TooFewReturns.into());
    }
    let scale = R::one().larger(values.largest());
    root_mean(values.squares_below(threshold)?, values.len(), &scale)
}

/// √(`total`/n), exactly zero where it is dust of `scale`.
pub(crate) fn root_mean<R: Real>(total: R, degrees: usize, scale: &R) -> Figure<R> {
    (total / count(degrees)).sqrt().without_dust(scale)
}
