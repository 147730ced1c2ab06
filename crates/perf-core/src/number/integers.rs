use std::borrow::Cow;
use std::cmp::Ordering;

use super::lanes::{Slices, Vectors};
use super::{Chosen, Twofold, Whole, plain};

/// Integers in a row, ready for loops over double-doubles.
///
/// ```
/// use perf_core::number::{Integers, Whole};
/// let integers = Integers::from(&[12_i64, 1 << 60, -7][..]);
/// assert_eq!(integers.get(1), Some(Whole::from(1_i64 << 60)));
/// assert_eq!(integers.sign(2), std::cmp::Ordering::Less);
/// ```
#[derive(Clone, Debug)]
pub struct Integers(Parts);

#[derive(Clone, Debug)]
enum Parts {
    /// The sum of two `f64` values each, exactly; no second values where all are zero.
    Doubles(Vectors),
    /// Up to [`MAX_SHORT`].
    Short(Vec<i64>),
    Any(Vec<Whole>),
}

/// The last power of ten that is an `f64`.
pub(super) const MAX_SINGLE_POWER: u8 = 22;

/// The powers of ten that are an `f64`, by their exponent; zeros behind them.
pub(super) const SINGLE_POWERS: [f64; 256] = {
    let short = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    let mut powers = [0.0; 256];
    let (start, _) = powers.split_at_mut(short.len());
    start.copy_from_slice(&short);
    powers
};

/// Up to here the nearest `f64` is an integer of 64 bits.
const MAX_SHORT: u64 = 1 << 62;

/// How [`Integers`] are seen by a loop.
pub(super) enum View<'a> {
    /// As `f64` values.
    Single(&'a [f64]),
    /// Of up to 62 bits.
    Short(&'a [i64]),
    /// As double-doubles.
    Pairs(Slices<'a>),
    /// One by one.
    Any(&'a [Whole]),
}

impl Integers {
    /// 10 to each of these powers.
    #[must_use]
    pub fn powers_of_ten(exponents: &[u8]) -> Self {
        if exponents.iter().fold(0, |most: u8, exponent| most.max(*exponent)) > MAX_SINGLE_POWER {
            let powers = exponents.iter().map(|exponent| Whole::power_of_ten((*exponent).into()));
            return Self::from(powers.collect::<Vec<_>>());
        }
        Self(Parts::Doubles(Vectors { high: plain::looked_up(&SINGLE_POWERS, exponents), low: Vec::new() }))
    }

    /// Integers that are an `f64` each.
    pub(crate) fn from_doubles(integers: Vec<f64>) -> Self {
        Self(Parts::Doubles(Vectors { high: integers, low: Vec::new() }))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Parts::Doubles(vectors) => vectors.high.len(),
            Parts::Short(values) => values.len(),
            Parts::Any(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Whole> {
        match &self.0 {
            Parts::Doubles(vectors) => {
                let low = vectors.low.get(index).copied().unwrap_or_default();
                Some(Whole::from(*vectors.high.get(index)? as i128 + low as i128))
            }
            Parts::Short(values) => values.get(index).map(|value| Whole::from(*value)),
            Parts::Any(values) => values.get(index).cloned(),
        }
    }

    /// The sign of one of them; equal where there is none.
    #[must_use]
    pub fn sign(&self, index: usize) -> Ordering {
        match &self.0 {
            Parts::Doubles(vectors) => {
                vectors.high.get(index).and_then(|high| high.partial_cmp(&0.0)).unwrap_or(Ordering::Equal)
            }
            Parts::Short(values) => values.get(index).map_or(Ordering::Equal, |value| value.cmp(&0)),
            Parts::Any(values) => values.get(index).map_or(Ordering::Equal, Whole::sign),
        }
    }

    /// How many have this sign.
    #[must_use]
    pub fn count(&self, sign: Ordering) -> usize {
        Chosen::Beside(&self.signs(), sign).count(self.len())
    }

    /// Whether every sum with one of as many others, each above zero, is above zero.
    #[must_use]
    pub fn sums_are_positive(&self, others: &Self) -> bool {
        let mut sums = (0..self.len()).filter_map(|index| Some(&self.get(index)? + &others.get(index)?));
        sums.all(|sum| sum.sign() == Ordering::Greater)
    }

    /// Those whose index is to be kept.
    #[must_use]
    pub fn keeping(&self, keep: impl Fn(usize) -> bool) -> Self {
        fn kept<T: Clone>(values: &[T], keep: impl Fn(usize) -> bool) -> Vec<T> {
            let values = values.iter().enumerate().filter(|(index, _)| keep(*index));
            values.map(|(_, value)| value.clone()).collect()
        }
        match &self.0 {
            Parts::Doubles(Vectors { high, low }) => {
                Self(Parts::Doubles(Vectors { high: kept(high, &keep), low: kept(low, &keep) }))
            }
            Parts::Short(values) => Self(Parts::Short(kept(values, keep))),
            Parts::Any(values) => Self(Parts::Any(kept(values, keep))),
        }
    }

    /// Numbers with the signs of these.
    #[must_use]
    pub fn signs(&self) -> Cow<'_, [f64]> {
        match &self.0 {
            Parts::Doubles(vectors) => Cow::Borrowed(&vectors.high),
            Parts::Short(values) => Cow::Owned(plain::doubles(values)),
            Parts::Any(values) => values.iter().map(|value| f64::from(value.sign() as i8)).collect(),
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        match &self.0 {
            Parts::Doubles(vectors) if vectors.low.is_empty() => View::Single(&vectors.high),
            Parts::Doubles(vectors) => View::Pairs(vectors.as_slices()),
            Parts::Short(values) => View::Short(values),
            Parts::Any(values) => View::Any(values),
        }
    }
}

impl From<&[i64]> for Integers {
    fn from(values: &[i64]) -> Self {
        /// Up to here every integer is an `f64`.
        const SINGLE: u64 = 1 << 53;
        let largest = plain::largest(values);
        if largest <= SINGLE {
            return Self::from_doubles(plain::doubles(values));
        }
        if largest <= MAX_SHORT {
            return Self(Parts::Short(values.to_vec()));
        }
        Self::from(values.iter().copied().map(Whole::from).collect::<Vec<_>>())
    }
}

impl From<&[i128]> for Integers {
    fn from(values: &[i128]) -> Self {
        /// Up to here an integer is the sum of two `f64` values that are cut from it.
        const PAIR: u128 = 1 << 104;
        if values.iter().any(|value| value.unsigned_abs() >= PAIR) {
            return Self::from(values.iter().copied().map(Whole::from).collect::<Vec<_>>());
        }
        let mut vectors = Vectors::with_capacity(values.len());
        values.iter().for_each(|value| vectors.push(halves(*value)));
        Self(Parts::Doubles(vectors))
    }
}

/// The double-double that is an integer of up to 104 bits.
fn halves(value: i128) -> Twofold {
    const BITS: u32 = 52;
    const WEIGHT: f64 = (1_u64 << BITS) as f64;
    let low = value & ((1 << BITS) - 1);
    let (high, low) = ((value >> BITS) as i64 as f64 * WEIGHT, low as i64 as f64);
    Twofold::from_f64(high) + Twofold::from_f64(low)
}

impl From<Vec<Whole>> for Integers {
    fn from(values: Vec<Whole>) -> Self {
        let doubles: Option<Vec<Twofold>> = values.iter().map(exact_parts).collect();
        match doubles {
            Some(doubles) => Self(Parts::Doubles(doubles.into_iter().collect())),
            None => Self(Parts::Any(values)),
        }
    }
}

/// A double-double that is the integer, where there is one whose parts fit 128 bits.
fn exact_parts(value: &Whole) -> Option<Twofold> {
    const MAX_BITS: u32 = 120;
    let short = value.to_i128()?.unsigned_abs() < 1 << MAX_BITS;
    let (parts, complete) = value.to_twofold();
    (short && complete).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn powers_of_ten_are_exact() {
        let exponents: Vec<u8> = (0..=30).collect();
        for exponents in [&exponents[..], &exponents[..23]] {
            let powers = Integers::powers_of_ten(exponents);
            assert_eq!(powers.len(), exponents.len());
            for (exponent, index) in (0..).zip(0..powers.len()) {
                assert_eq!(powers.get(index), Some(Whole::power_of_ten(exponent)));
            }
        }
    }

    proptest! {
        #[test]
        fn mean_what_each_integer_means(
            short in prop::collection::vec((any::<i64>(), 0_u32..64), 1..20),
            least in 0_u32..20,
            medium in prop::collection::vec((any::<i128>(), 20_u32..128), 1..20),
            long in prop::collection::vec((any::<i128>(), 0_u32..128), 0..20),
        ) {
            let short: Vec<i64> = short.into_iter().map(|(value, bits)| value >> bits.max(least)).collect();
            let long: Vec<Whole> = long.into_iter().map(|(value, bits)| Whole::from(value >> bits)).collect();
            let medium: Vec<i128> = medium.into_iter().map(|(value, bits)| value >> bits).collect();
            let of_medium: Vec<Whole> = medium.iter().map(|value| Whole::from(*value)).collect();
            let wholes: Vec<Whole> = short.iter().map(|value| Whole::from(*value)).collect();
            for (integers, expected) in [(Integers::from(&short[..]), &wholes), (Integers::from(&medium[..]), &of_medium), (Integers::from(long.clone()), &long)] {
                prop_assert_eq!(integers.len(), expected.len());
                for (index, value) in expected.iter().enumerate() {
                    prop_assert_eq!(integers.get(index), Some(value.clone()));
                    prop_assert_eq!(integers.sign(index), value.sign());
                }
                let signs = integers.signs().iter().map(|sign| sign.partial_cmp(&0.0)).collect::<Vec<_>>();
                prop_assert_eq!(signs, expected.iter().map(|value| Some(value.sign())).collect::<Vec<_>>());
                for sign in [Ordering::Less, Ordering::Equal, Ordering::Greater] {
                    let counted = expected.iter().filter(|value| value.sign() == sign).count();
                    prop_assert_eq!(integers.count(sign), counted);
                }
                let doubled = expected.iter().all(|value| (value + value).sign() == Ordering::Greater);
                prop_assert_eq!(integers.sums_are_positive(&integers), doubled);
                let odd = integers.keeping(|index| index % 2 == 1);
                prop_assert_eq!(odd.get(0), expected.get(1).cloned());
            }
        }
    }
}
