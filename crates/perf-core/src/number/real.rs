use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{Exact, OUTPUT_DIGITS, Rounded, Series, Whole};
use crate::model::Reason;

/// Why a figure has no value on this number type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The figure is undefined, whatever the precision.
    Undefined(Reason),
    /// The error bound is too wide to decide: compute again on [`Wide`](super::Wide).
    Imprecise,
}

impl Failure {
    /// The reason a caller is told.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Undefined(reason) => reason,
            // The wide type decides everything but roots that stay together at 120 digits.
            Self::Imprecise => Reason::NotIsolated,
        }
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Undefined(reason)
    }
}

/// A value, or why there is none.
pub type Figure<R> = Result<R, Failure>;

/// Real arithmetic as the formulas see it.
///
/// Values are approximations that know how far off they may be. A decision that
/// depends on digits the type does not have fails with [`Failure::Imprecise`];
/// so formulas are written once and run first on the fast type, then, rarely, on
/// the wide one.
pub trait Real:
    Sized
    + Clone
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Many of them.
    type Series: Series<Self>;

    /// numerator / denominator, of exact integers; the denominator is not zero.
    fn ratio(numerator: &Whole, denominator: &Whole) -> Self;

    /// Square root; of a negative number, a value that decides nothing.
    #[must_use]
    fn sqrt(self) -> Self;

    /// e to this power.
    #[must_use]
    fn exp(self) -> Self;

    /// Natural logarithm; of a number at or below zero, a value that decides nothing.
    #[must_use]
    fn ln(self) -> Self;

    /// The sign.
    ///
    /// # Errors
    /// [`Failure::Imprecise`] where the error bound reaches across zero.
    fn sign(&self) -> Figure<Ordering>;

    /// Relative size of what one operation may lose.
    const RESOLUTION: f64;

    /// A sum within this share of its terms is zero for all that the type can
    /// tell; none where the type knows its errors.
    const NOISE: f64;

    /// Work of one operation, the fast type's being 1.
    const COST: usize;

    /// The share of its largest term below which a result is zero: 1e-24 and a
    /// hair (1e-29 of it), so that what lies on the threshold is dust on every type.
    #[must_use]
    fn dust() -> Self;

    /// π.
    #[must_use]
    fn pi() -> Self;

    /// The figure of a decimal, which a type may have kept from the last time that
    /// `compute` was asked for the figure of an equal one.
    ///
    /// # Errors
    /// Those of `compute`.
    fn kept(_of: &Exact, compute: impl FnOnce() -> Figure<Self>) -> Figure<Self> {
        compute()
    }

    /// The nearest `f64`: a starting point, never a result.
    fn approximate(&self) -> f64;

    /// This `f64`, exactly; a value that decides nothing where it is not finite.
    #[must_use]
    fn approximately(value: f64) -> Self;

    /// The same value, taken as exact: the start of the next step of an iteration.
    #[must_use]
    fn center(self) -> Self;

    /// The same value, its error bound raised by the magnitude of `error`.
    #[must_use]
    fn widened(self, error: &Self) -> Self;

    /// The figure rounded to `digits` significant digits, at most twenty.
    ///
    /// # Errors
    /// [`Failure::Imprecise`] where the error bound leaves the last digit open.
    fn round_to(&self, digits: u32) -> Figure<Rounded>;

    /// The figure rounded to twenty digits.
    ///
    /// # Errors
    /// As [`round_to`](Self::round_to).
    fn round(&self) -> Figure<Rounded> {
        self.round_to(OUTPUT_DIGITS)
    }

    /// A figure that was rounded before, exactly.
    #[must_use]
    fn rounded(value: Rounded) -> Self {
        let (numerator, denominator) = value.as_fraction();
        Self::ratio(&numerator, &denominator)
    }

    /// Zero.
    #[must_use]
    fn zero() -> Self {
        Self::integer(0)
    }

    /// One.
    #[must_use]
    fn one() -> Self {
        Self::integer(1)
    }

    /// A whole number, exactly.
    #[must_use]
    fn integer(value: i64) -> Self {
        Self::ratio(&Whole::from(value), &Whole::ONE)
    }

    /// A decimal.
    #[must_use]
    fn exact(value: &Exact) -> Self {
        Self::ratio(value.mantissa(), &Whole::power_of_ten(value.scale()))
    }

    /// This to a real power; the base is positive.
    #[must_use]
    fn power(self, exponent: Self) -> Self {
        (exponent * self.ln()).exp()
    }

    /// This to a whole power, by repeated squaring.
    #[must_use]
    fn power_integer(&self, exponent: u64) -> Self {
        let (mut result, mut square, mut rest) = (Self::one(), self.clone(), exponent);
        while rest > 0 {
            if rest & 1 == 1 {
                result = result * square.clone();
            }
            rest >>= 1;
            if rest > 0 {
                square = square.clone() * square;
            }
        }
        result
    }

    /// This compared with another.
    ///
    /// # Errors
    /// [`Failure::Imprecise`] where the error bounds overlap.
    fn compare(&self, other: &Self) -> Figure<Ordering> {
        (self.clone() - other.clone()).sign()
    }

    /// The magnitude.
    ///
    /// # Errors
    /// [`Failure::Imprecise`] never: a value that may have either sign has a
    /// magnitude close to zero, whichever it is.
    fn magnitude(&self) -> Self {
        match self.sign() {
            Ok(Ordering::Less) => -self.clone(),
            _ => self.clone(),
        }
    }

    /// Whether this is at or below 1e-24 of `scale` (a magnitude): below that a
    /// result is rounding dust of its own terms, and counts as zero.
    ///
    /// # Errors
    /// [`Failure::Imprecise`] where the error bound reaches across the threshold.
    fn is_dust(&self, scale: &Self) -> Figure<bool> {
        self.is_within(&(scale.clone() * Self::dust()))
    }

    /// Whether the magnitude is at or below `threshold`, which is not negative.
    ///
    /// # Errors
    /// [`Failure::Imprecise`] where the error bound reaches across the threshold.
    fn is_within(&self, threshold: &Self) -> Figure<bool> {
        let above = (self.clone() - threshold.clone()).sign();
        let below = (self.clone() + threshold.clone()).sign();
        match (above, below) {
            (Ok(Ordering::Less | Ordering::Equal), Ok(Ordering::Greater | Ordering::Equal)) => Ok(true),
            (Ok(Ordering::Greater), _) | (_, Ok(Ordering::Less)) => Ok(false),
            _ => Err(Failure::Imprecise),
        }
    }

    /// This, or exactly zero where it is dust of `scale`.
    ///
    /// # Errors
    /// As [`is_dust`](Self::is_dust).
    fn without_dust(self, scale: &Self) -> Figure<Self> {
        Ok(if self.is_dust(scale)? { Self::zero() } else { self })
    }

    /// self − other, exactly zero where the difference is dust of the larger.
    ///
    /// # Errors
    /// As [`is_dust`](Self::is_dust).
    fn minus(&self, other: &Self) -> Figure<Self> {
        let scale = self.magnitude().larger(other.magnitude());
        (self.clone() - other.clone()).without_dust(&scale)
    }

    /// The larger of two; either one where they cannot be told apart.
    #[must_use]
    fn larger(self, other: Self) -> Self {
        match self.compare(&other) {
            Ok(Ordering::Less) => other,
            _ => self,
        }
    }

    /// This, unless it is zero.
    ///
    /// # Errors
    /// The reason given where this is zero; [`Failure::Imprecise`] where that is open.
    fn nonzero(self, reason: Reason) -> Figure<Self> {
        match self.sign()? {
            Ordering::Equal => Err(reason.into()),
            _ => Ok(self),
        }
    }
}
