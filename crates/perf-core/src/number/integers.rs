use std::cmp::Ordering;

use super::lanes::{Slices, Vectors};
use super::{Twofold, Whole};

/// Integers in a row, ready for loops over double-doubles.
///
/// ```
/// use perf_core::number::{Integers, Whole};
/// let integers = Integers::from(vec![12_i64, 1 << 60, -7]);
/// assert_eq!(integers.get(1), Some(Whole::from(1_i64 << 60)));
/// assert_eq!(integers.sign(2), std::cmp::Ordering::Less);
/// ```
#[derive(Clone, Debug)]
pub struct Integers(Parts);

#[derive(Clone, Debug)]
enum Parts {
    /// The sum of two `f64` values each, exactly; no second values where all are zero.
    Doubles(Vectors),
    Any(Vec<Whole>),
}

/// How [`Integers`] are seen by a loop.
pub(super) enum View<'a> {
    /// As `f64` values.
    Single(&'a [f64]),
    /// As double-doubles.
    Pairs(Slices<'a>),
    /// One by one.
    Any(&'a [Whole]),
}

impl Integers {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Parts::Doubles(vectors) => vectors.high.len(),
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
            Parts::Any(values) => values.get(index).map_or(Ordering::Equal, Whole::sign),
        }
    }

    /// How many are above zero.
    #[must_use]
    pub fn count_positive(&self) -> usize {
        match &self.0 {
            Parts::Doubles(vectors) => vectors.high.iter().filter(|high| **high > 0.0).count(),
            Parts::Any(values) => values.iter().filter(|value| value.sign() == Ordering::Greater).count(),
        }
    }

    /// Whether every sum with one of as many others is above zero.
    #[must_use]
    pub fn sums_are_positive(&self, others: &Self) -> bool {
        if let (View::Single(a), View::Single(b)) = (self.view(), others.view()) {
            // Integers of 53 bits: their rounded sum has the sign of the exact one.
            return a.iter().zip(b).filter(|(a, b)| **a + **b <= 0.0).count() == 0;
        }
        let sums = (0..self.len()).filter_map(|index| Some(&self.get(index)? + &others.get(index)?));
        sums.filter(|sum| sum.sign() != Ordering::Greater).count() == 0
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
            Parts::Any(values) => Self(Parts::Any(kept(values, keep))),
        }
    }

    /// Numbers with the signs of these.
    pub(super) fn signs(&self) -> Option<&[f64]> {
        match &self.0 {
            Parts::Doubles(vectors) => Some(&vectors.high),
            Parts::Any(_) => None,
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        match &self.0 {
            Parts::Doubles(vectors) if vectors.low.is_empty() => View::Single(&vectors.high),
            Parts::Doubles(vectors) => View::Pairs(vectors.as_slices()),
            Parts::Any(values) => View::Any(values),
        }
    }
}

impl From<Vec<i64>> for Integers {
    fn from(values: Vec<i64>) -> Self {
        /// Up to here every integer is an `f64`.
        const SINGLE: u64 = 1 << 53;
        let largest = values.iter().fold(0, |largest, value| value.unsigned_abs().max(largest));
        if largest <= SINGLE {
            let high = values.iter().map(|value| *value as f64).collect();
            return Self(Parts::Doubles(Vectors { high, low: Vec::new() }));
        }
        Self::from(values.into_iter().map(Whole::from).collect::<Vec<_>>())
    }
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

    proptest! {
        #[test]
        fn mean_what_each_integer_means(
            short in prop::collection::vec((any::<i64>(), 0_u32..64), 1..20),
            long in prop::collection::vec((any::<i128>(), 0_u32..128), 0..20),
        ) {
            let short: Vec<i64> = short.into_iter().map(|(value, bits)| value >> bits).collect();
            let long: Vec<Whole> = long.into_iter().map(|(value, bits)| Whole::from(value >> bits)).collect();
            let wholes: Vec<Whole> = short.iter().map(|value| Whole::from(*value)).collect();
            for (integers, expected) in [(Integers::from(short), &wholes), (Integers::from(long.clone()), &long)] {
                prop_assert_eq!(integers.len(), expected.len());
                for (index, value) in expected.iter().enumerate() {
                    prop_assert_eq!(integers.get(index), Some(value.clone()));
                    prop_assert_eq!(integers.sign(index), value.sign());
                }
                let positive = expected.iter().filter(|value| value.sign() == Ordering::Greater).count();
                prop_assert_eq!(integers.count_positive(), positive);
                let doubled = expected.iter().all(|value| (value + value).sign() == Ordering::Greater);
                prop_assert_eq!(integers.sums_are_positive(&integers), doubled);
                let odd = integers.keeping(|index| index % 2 == 1);
                prop_assert_eq!(odd.get(0), expected.get(1).cloned());
            }
        }
    }
}
