//! Exact binary fractions, for the moment a result is rounded to decimals.

use dashu_base::{Abs, BitTest, Signed, UnsignedAbs};
use dashu_int::IBig;

use super::{Twofold, power_of_ten};

/// `mantissa` × 2^`exponent`, exactly.
#[derive(Clone, Debug)]
pub(crate) struct Dyadic {
    mantissa: IBig,
    exponent: i64,
}

impl Dyadic {
    pub(crate) fn new(mantissa: IBig, exponent: i64) -> Self {
        Self { mantissa, exponent }
    }

    /// The value of a finite `f64`, else `None`.
    pub(crate) fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let bits = value.to_bits();
        let biased = (bits >> 52) & 0x7ff;
        let fraction = bits & ((1 << 52) - 1);
        let (fraction, biased) = match biased {
            0 => (fraction, 1),
            _ => (fraction | (1 << 52), biased),
        };
        let mantissa = IBig::from(fraction);
        let mantissa = if value.is_sign_negative() { -mantissa } else { mantissa };
        Some(Self { mantissa, exponent: biased.cast_signed() - 1075 })
    }

    pub(crate) fn from_twofold(value: Twofold) -> Option<Self> {
        Some(Self::from_f64(value.high)?.add(&Self::from_f64(value.low)?))
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let mantissa = self.mantissa_at(exponent) + other.mantissa_at(exponent);
        Self { mantissa, exponent }
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        self.add(&Self { mantissa: -&other.mantissa, exponent: other.exponent })
    }

    fn mantissa_at(&self, exponent: i64) -> IBig {
        &self.mantissa << usize::try_from(self.exponent - exponent).unwrap_or(0)
    }

    /// The nearest decimal of `digits` significant digits, ties to even: an
    /// integer and the power of ten it is multiplied by.
    pub(crate) fn round(&self, digits: u32) -> (IBig, i64) {
        if self.mantissa.is_zero() {
            return (IBig::ZERO, 0);
        }
        let magnitude = self.mantissa.clone().abs();
        let limit = power_of_ten(digits);
        let mut power = i64::from(digits) - 1 - self.decimal_exponent_floor();
        let mut quotient = self.scaled_to(&magnitude, power);
        while quotient > limit {
            power -= 1;
            quotient = self.scaled_to(&magnitude, power);
        }
        (if self.mantissa.is_negative() { -quotient } else { quotient }, -power)
    }

    /// ⌊log10 |value|⌋, or one less.
    fn decimal_exponent_floor(&self) -> i64 {
        let bits = i64::try_from(self.mantissa.clone().unsigned_abs().bit_len()).unwrap_or(i64::MAX);
        let binary = i128::from(bits - 1 + self.exponent);
        // log10(2) = 0.301029995663…, rounded towards the smaller result.
        let log = if binary >= 0 { 301_029_995_663 } else { 301_029_995_664 };
        i64::try_from((binary * log).div_euclid(1_000_000_000_000)).unwrap_or(0)
    }

    /// round(`magnitude` × 2^exponent × 10^`power`), ties to even.
    fn scaled_to(&self, magnitude: &IBig, power: i64) -> IBig {
        let ten = power_of_ten(u32::try_from(power.unsigned_abs()).unwrap_or(u32::MAX));
        let two = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(0);
        let numerator = if power >= 0 { magnitude * &ten } else { magnitude.clone() };
        let numerator = if self.exponent >= 0 { numerator << two } else { numerator };
        let denominator = if power >= 0 { IBig::ONE } else { ten };
        let denominator = if self.exponent >= 0 { denominator } else { denominator << two };
        divide_half_even(&numerator, &denominator)
    }
}

/// numerator / denominator to the nearest integer, ties to even; both positive.
pub(crate) fn divide_half_even(numerator: &IBig, denominator: &IBig) -> IBig {
    let quotient = numerator / denominator;
    let twice_rest = (numerator - &quotient * denominator) << 1;
    let odd = quotient.bit(0);
    match twice_rest.cmp(denominator) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Equal if !odd => quotient,
        _ => quotient + IBig::ONE,
    }
}

#[cfg(test)]
impl Dyadic {
    pub(crate) fn mul(&self, other: &Self) -> Self {
        Self::new(&self.mantissa * &other.mantissa, self.exponent + other.exponent)
    }

    pub(crate) fn abs(&self) -> Self {
        Self::new(self.mantissa.clone().abs(), self.exponent)
    }

    pub(crate) fn shifted(&self, bits: i64) -> Self {
        Self::new(self.mantissa.clone(), self.exponent + bits)
    }

    pub(crate) fn le(&self, other: &Self) -> bool {
        !other.sub(self).mantissa.is_negative()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(mantissa: i64, exponent: i64, digits: u32) -> (String, i64) {
        let (value, power) = Dyadic::new(IBig::from(mantissa), exponent).round(digits);
        (value.to_string(), power)
    }

    #[test]
    fn rounds_ties_to_even() {
        assert_eq!(round(5, -1, 1), ("2".into(), 0)); // 2.5
        assert_eq!(round(7, -1, 1), ("4".into(), 0)); // 3.5
        assert_eq!(round(-5, -1, 1), ("-2".into(), 0));
    }

    #[test]
    fn carries_into_a_new_digit() {
        assert_eq!(round(999_999, 0, 3), ("1000".into(), 3));
    }

    #[test]
    fn handles_both_ends_of_the_binary_range() {
        assert_eq!(round(1, 100, 5), ("12677".into(), 26)); // 2^100 = 1.2677e30
        assert_eq!(round(1, -100, 5), ("78886".into(), -35));
    }
}
