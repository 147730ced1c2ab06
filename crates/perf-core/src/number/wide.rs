use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use dashu_base::{Approximation, Sign};
use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, FBig, FpError, Repr};

use super::dyadic::Dyadic;
use super::{Failure, Figure, OneByOne, Real, Rounded, Twofold, Whole};
use crate::model::Reason;

/// About 120 decimal digits.
const CONTEXT: Context<HalfEven> = Context::new(400);
/// Enough for a [`Twofold`] result, at a fraction of the cost.
const SHORT: Context<HalfEven> = Context::new(128);
/// Digits of a wide value that are trusted when it is rounded: the rest is room
/// for the cancellation that the dust rule allows.
const TRUSTED_DIGITS: u32 = 60;

type Value = FBig<HalfEven, 2>;

/// A float of about 120 digits; every operation is rounded correctly. `None` is
/// a value that does not exist (a division by zero, the root of a negative).
#[derive(Clone, Debug)]
pub struct Wide(Option<Repr<2>>);

impl Wide {
    fn from_result(result: Result<Approximation<Value, dashu_float::round::Rounding>, FpError>) -> Self {
        let repr = match result {
            Ok(value) => value.value().into_repr(),
            Err(FpError::Underflow(_)) => Repr::zero(),
            Err(_) => return Self(None),
        };
        Self(repr.is_finite().then_some(repr))
    }

    fn map(self, function: impl FnOnce(&Repr<2>) -> Self) -> Self {
        self.0.as_ref().map_or(Self(None), function)
    }

    fn combine(&self, other: &Self, function: impl FnOnce(&Repr<2>, &Repr<2>) -> Self) -> Self {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => function(a, b),
            _ => Self(None),
        }
    }

    /// A double-double, exactly; a value that does not exist where it is not finite.
    #[must_use]
    pub fn from_twofold(value: Twofold) -> Self {
        let part = |part: f64| Value::try_from(part).map_or(Self(None), |part| Self(Some(part.into_repr())));
        part(value.high) + part(value.low)
    }

    /// The nearest double-double; `None` where the value does not exist or is
    /// beyond the range of `f64`.
    #[must_use]
    pub fn to_twofold(&self) -> Option<Twofold> {
        let high = self.approximate();
        let low = self.sub_twofold(Twofold::from_f64(high))?;
        (high.is_finite() && low.is_finite()).then(|| Twofold::renormalized(high, low))
    }

    /// self − value, to the nearest `f64`.
    pub(crate) fn sub_twofold(&self, value: Twofold) -> Option<f64> {
        let difference = (self.clone() - Self::from_twofold(value)).0?;
        Some(SHORT.to_f64_of(&difference))
    }

    /// e to this power, to 128 bits.
    pub(crate) fn exp_short(self) -> Self {
        self.map(|value| Self::from_result(SHORT.exp(value, None)))
    }

    /// Natural logarithm, to 128 bits.
    pub(crate) fn ln_short(self) -> Self {
        self.positive().map(|value| Self::from_result(SHORT.ln(value, None)))
    }

    fn positive(self) -> Self {
        Self(self.0.filter(|value| !value.significand().is_zero() && value.sign() == Sign::Positive))
    }
}

/// The nearest `f64` of a representation.
trait ToF64 {
    fn to_f64_of(&self, value: &Repr<2>) -> f64;
}

impl ToF64 for Context<HalfEven> {
    fn to_f64_of(&self, value: &Repr<2>) -> f64 {
        Value::from_repr(value.clone(), CONTEXT).to_f64().value()
    }
}

impl Real for Wide {
    type Series = OneByOne<Self>;

    const RESOLUTION: f64 = 1e-119;
    const NOISE: f64 = 1e-90;
    const COST: usize = 30;

    fn dust() -> Self {
        let hair = Whole::power_of_ten(29);
        Self::ratio(&(&hair + &Whole::ONE), &(&hair * &Whole::power_of_ten(24)))
    }

    fn pi() -> Self {
        Self(Some(CONTEXT.pi::<2>(None).value().into_repr()))
    }

    fn approximately(value: f64) -> Self {
        Self::from_twofold(Twofold::from_f64(value))
    }

    fn center(self) -> Self {
        self
    }

    /// Wide values carry no bound: their digits to spare stand in for it.
    fn widened(self, _error: &Self) -> Self {
        self
    }

    fn ratio(numerator: &Whole, denominator: &Whole) -> Self {
        let integer =
            |value: &Whole| Self(Some(CONTEXT.convert_int::<2>(value.to_big()).value().into_repr()));
        integer(numerator) / integer(denominator)
    }

    fn sqrt(self) -> Self {
        self.map(|value| Self::from_result(CONTEXT.sqrt(value)))
    }

    fn exp(self) -> Self {
        self.map(|value| Self::from_result(CONTEXT.exp(value, None)))
    }

    fn ln(self) -> Self {
        self.positive().map(|value| Self::from_result(CONTEXT.ln(value, None)))
    }

    fn sign(&self) -> Figure<Ordering> {
        let value = self.0.as_ref().ok_or(Failure::Undefined(Reason::OutOfRange))?;
        Ok(match (value.significand().is_zero(), value.sign()) {
            (true, _) => Ordering::Equal,
            (_, Sign::Positive) => Ordering::Greater,
            (_, Sign::Negative) => Ordering::Less,
        })
    }

    fn approximate(&self) -> f64 {
        self.0.as_ref().map_or(f64::NAN, |value| CONTEXT.to_f64_of(value))
    }

    fn round_to(&self, digits: u32) -> Figure<Rounded> {
        let value = self.0.as_ref().ok_or(Failure::Undefined(Reason::OutOfRange))?;
        let exponent = i64::try_from(value.exponent()).unwrap_or(i64::MAX);
        if exponent.abs() > MAX_BINARY_EXPONENT {
            return if exponent < 0 { Ok(Rounded::ZERO) } else { Err(Reason::OutOfRange.into()) };
        }
        let (mantissa, exponent) = Dyadic::new(value.significand().clone(), exponent).round(TRUSTED_DIGITS);
        Rounded::to_digits(&mantissa, exponent, digits).ok_or(Failure::Undefined(Reason::OutOfRange))
    }
}

/// Exponents beyond this are far outside what any figure may be.
const MAX_BINARY_EXPONENT: i64 = 100_000;

impl Add for Wide {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.combine(&other, |a, b| Self::from_result(CONTEXT.add(a, b)))
    }
}

impl Sub for Wide {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.combine(&other, |a, b| Self::from_result(CONTEXT.sub(a, b)))
    }
}

impl Mul for Wide {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.combine(&other, |a, b| Self::from_result(CONTEXT.mul(a, b)))
    }
}

impl Div for Wide {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        self.combine(&other, |a, b| Self::from_result(CONTEXT.div(a, b)))
    }
}

impl Neg for Wide {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.map(|value| -value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_zero_does_not_exist() {
        for missing in [
            Wide::one() / Wide::zero(),
            Wide::zero() / Wide::zero(),
            (-Wide::one()).sqrt(),
            Wide::zero().ln(),
        ] {
            assert_eq!(missing.sign(), Err(Failure::Undefined(Reason::OutOfRange)));
            assert_eq!((missing + Wide::one()).round(), Err(Failure::Undefined(Reason::OutOfRange)));
        }
    }

    #[test]
    fn both_types_mean_the_same_dust() {
        let difference = Wide::dust().sub_twofold(crate::number::Ball::dust().middle());
        assert!(difference.is_some_and(|difference| difference.abs() < 1e-55));
    }

    #[test]
    fn rounds_to_twenty_digits() {
        let digits = |value: Wide| value.round().expect("a value").to_string();
        assert_eq!(digits(Wide::integer(2).sqrt()), "1.4142135623730950488");
        assert_eq!(digits(Wide::integer(2).ln()), "0.69314718055994530942");
        assert_eq!(digits(Wide::one().exp()), "2.7182818284590452354");
        assert_eq!(digits(Wide::ratio(&Whole::ONE, &Whole::from(4))), "0.25");
    }
}
