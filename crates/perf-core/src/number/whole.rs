use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

use dashu_int::IBig;

use super::Twofold;

/// An integer of any size: 128 bits in place, more on the heap.
///
/// ```
/// use perf_core::number::Whole;
/// let large = &Whole::from(i128::MAX) * &Whole::from(10);
/// assert_eq!(large.to_string(), "1701411834604692317316873037158841057270");
/// assert!(&large - &large == Whole::ZERO);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole(Parts);

/// `Large` only holds what 128 bits do not: so equal values have equal parts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Parts {
    /// Two halves rather than an `i128`, whose alignment would cost a third more memory.
    Small {
        high: i64,
        low: u64,
    },
    Large(Box<IBig>),
}

/// Powers of ten up to this one fit 128 bits.
const MAX_SMALL_POWER: u32 = 38;

/// The last power of ten that 64 bits hold.
pub(super) const MAX_SHORT_POWER: u8 = 18;

/// The powers of ten that 64 bits hold.
pub(super) const SHORT_POWERS: [i64; 19] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
    100_000_000_000_000_000,
    1_000_000_000_000_000_000,
];

/// 10^`exponent`, where 64 bits hold it.
#[inline]
pub(super) fn short_power_of_ten(exponent: u32) -> Option<i64> {
    SHORT_POWERS.get(exponent as usize).copied()
}

impl Whole {
    /// Zero.
    pub const ZERO: Self = Self(Parts::Small { high: 0, low: 0 });
    /// One.
    pub const ONE: Self = Self(Parts::Small { high: 0, low: 1 });

    /// The value, where 128 bits hold it.
    #[inline]
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        match self.0 {
            Parts::Small { high, low } => Some(i128::from(high) << 64 | i128::from(low)),
            Parts::Large(_) => None,
        }
    }

    /// The value, where 64 bits hold it.
    #[inline]
    pub(crate) fn to_i64(&self) -> Option<i64> {
        match self.0 {
            Parts::Small { high, low } if high == low.cast_signed() >> 63 => Some(low.cast_signed()),
            _ => None,
        }
    }

    /// The value as a large integer.
    pub(crate) fn to_big(&self) -> IBig {
        match &self.0 {
            Parts::Large(value) => IBig::clone(value),
            Parts::Small { .. } => IBig::from(self.to_i128().unwrap_or_default()),
        }
    }

    /// 10^`exponent`.
    pub(crate) fn power_of_ten(exponent: u32) -> Self {
        match exponent {
            0..=MAX_SMALL_POWER => Self::from(10_i128.pow(exponent)),
            _ => Self::from(IBig::from(10).pow(exponent as usize)),
        }
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        match (self.to_i128(), &self.0) {
            (Some(value), _) => nearest(value),
            (None, Parts::Large(value)) => value.to_f64().value(),
            (None, Parts::Small { .. }) => f64::NAN,
        }
    }

    /// The nearest double-double, and whether it is the value itself.
    #[inline]
    pub(crate) fn to_twofold(&self) -> (Twofold, bool) {
        /// Beyond this the nearest `f64` may not fit 128 bits any more.
        const CERTAIN: u128 = 1 << 120;
        /// Up to here the nearest `f64` fits 64 bits.
        const SHORT: u64 = 1 << 62;
        if let Some(value) = self.to_i128().and_then(|value| i64::try_from(value).ok())
            && value.unsigned_abs() <= SHORT
        {
            let high = value as f64;
            return (Twofold { high, low: (value - high as i64) as f64 }, true);
        }
        if let Some(value) = self.to_i128()
            && value.unsigned_abs() < CERTAIN
        {
            let high = nearest(value);
            let rest = value - high as i128;
            let low = nearest(rest);
            return (Twofold { high, low }, low as i128 == rest);
        }
        let value = self.to_big();
        let high = value.to_f64().value();
        let rest = IBig::try_from(high).map(|high| value - high).unwrap_or(IBig::ZERO);
        let low = rest.to_f64().value();
        let complete = IBig::try_from(low).is_ok_and(|low| low == rest);
        (Twofold::renormalized(high, low), complete)
    }

    /// Whether the value is zero.
    #[inline]
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Whether the value is below zero.
    #[inline]
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Parts::Small { high, .. } => *high < 0,
            Parts::Large(value) => **value < IBig::ZERO,
        }
    }

    /// The value compared with zero.
    #[inline]
    #[must_use]
    pub fn sign(&self) -> Ordering {
        match &self.0 {
            Parts::Small { high: 0, low: 0 } => Ordering::Equal,
            Parts::Small { high, .. } if *high >= 0 => Ordering::Greater,
            Parts::Small { .. } => Ordering::Less,
            Parts::Large(value) => (**value).cmp(&IBig::ZERO),
        }
    }

    /// On 128 bits if the result fits, else on large integers.
    #[inline(always)]
    fn combine(
        &self,
        other: &Self,
        small: impl FnOnce(i128, i128) -> Option<i128>,
        large: impl FnOnce(IBig, IBig) -> IBig,
    ) -> Self {
        let result = self.to_i128().zip(other.to_i128()).and_then(|(a, b)| small(a, b));
        result.map_or_else(|| Self::from(large(self.to_big(), other.to_big())), Self::from)
    }
}

/// The nearest `f64`; through 64 bits where possible, which is one instruction.
#[inline]
fn nearest(value: i128) -> f64 {
    i64::try_from(value).map_or_else(|_| value as f64, |value| value as f64)
}

impl From<i128> for Whole {
    #[inline]
    fn from(value: i128) -> Self {
        Self(Parts::Small { high: (value >> 64) as i64, low: value as u64 })
    }
}

impl From<i64> for Whole {
    #[inline]
    fn from(value: i64) -> Self {
        Self::from(i128::from(value))
    }
}

impl From<i32> for Whole {
    #[inline]
    fn from(value: i32) -> Self {
        Self::from(i128::from(value))
    }
}

impl From<IBig> for Whole {
    fn from(value: IBig) -> Self {
        i128::try_from(&value).map_or_else(|_| Self(Parts::Large(Box::new(value))), Self::from)
    }
}

impl std::fmt::Display for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.to_i128(), &self.0) {
            (Some(value), _) => value.fmt(f),
            (None, Parts::Large(value)) => value.fmt(f),
            (None, Parts::Small { .. }) => Ok(()),
        }
    }
}

impl Add for &Whole {
    type Output = Whole;
    #[inline]
    fn add(self, other: Self) -> Whole {
        self.combine(other, i128::checked_add, |a, b| a + b)
    }
}

impl Sub for &Whole {
    type Output = Whole;
    #[inline]
    fn sub(self, other: Self) -> Whole {
        self.combine(other, i128::checked_sub, |a, b| a - b)
    }
}

impl Mul for &Whole {
    type Output = Whole;
    #[inline]
    fn mul(self, other: Self) -> Whole {
        self.combine(other, product, |a, b| a * b)
    }
}

/// a × b, if it fits.
#[inline]
fn product(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        _ => a.checked_mul(b),
    }
}

impl Neg for &Whole {
    type Output = Whole;
    #[inline]
    fn neg(self) -> Whole {
        &Whole::ZERO - self
    }
}

impl PartialOrd for Whole {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Whole {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.to_i128(), other.to_i128()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.to_big().cmp(&other.to_big()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::dyadic::Dyadic;
    use proptest::prelude::*;

    #[test]
    fn short_powers_of_ten_are_all_that_64_bits_hold() {
        for exponent in 0..25 {
            assert_eq!(short_power_of_ten(exponent), 10_i64.checked_pow(exponent));
        }
    }

    fn whole() -> impl Strategy<Value = Whole> {
        let ends = [i128::MAX, i128::MIN, i128::MIN + 1, 0, 1, -1, 1 << 53, (1 << 106) + 1];
        prop_oneof![
            prop::sample::select(ends.to_vec()).prop_map(Whole::from),
            any::<i128>().prop_map(Whole::from),
            (any::<i128>(), 0_u32..128).prop_map(|(value, bits)| Whole::from(value >> bits)),
            (any::<i128>(), any::<i128>()).prop_map(|(a, b)| Whole::from(IBig::from(a) * IBig::from(b))),
        ]
    }

    proptest! {
        #[test]
        fn means_what_a_large_integer_means(a in whole(), b in whole()) {
            let (x, y) = (a.to_big(), b.to_big());
            prop_assert_eq!((&a + &b).to_big(), &x + &y);
            prop_assert_eq!((&a - &b).to_big(), &x - &y);
            prop_assert_eq!((&a * &b).to_big(), &x * &y);
            prop_assert_eq!((-&a).to_big(), -&x);
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
            prop_assert_eq!(a == b, x == y);
            prop_assert_eq!((a.is_zero(), a.is_negative()), (x == IBig::ZERO, x < IBig::ZERO));
            prop_assert_eq!(a.sign(), x.cmp(&IBig::ZERO));
            prop_assert_eq!(a.to_i64(), i64::try_from(&x).ok());
            prop_assert_eq!(a.to_string(), x.to_string());
            prop_assert_eq!(a.to_f64().to_bits(), x.to_f64().value().to_bits());
            // One value, one representation: a sum of large terms may be small.
            prop_assert_eq!(&(&(&a + &b) - &b), &a);
        }

        #[test]
        fn a_double_double_is_complete_or_close(a in whole()) {
            let (value, complete) = a.to_twofold();
            let (found, expected) = (Dyadic::from_twofold(value).expect("finite"), Dyadic::new(a.to_big(), 0));
            let error = found.sub(&expected).abs();
            prop_assert_eq!(complete, error.le(&Dyadic::new(IBig::ZERO, 0)));
            prop_assert!(error.le(&expected.abs().shifted(-106)));
        }
    }
}
