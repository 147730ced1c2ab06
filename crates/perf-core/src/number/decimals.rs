use std::ops::Range;

use super::integers::MAX_SINGLE_POWER;
use super::whole::MAX_SHORT_POWER;
use super::{Exact, Integers, Whole, plain};

/// Decimals in a row, their mantissas and scales side by side: ready for loops.
///
/// ```
/// use perf_core::number::{Decimals, Exact};
/// let decimals: Decimals = [Exact::new(125, 1), Exact::new(3, 0)].into_iter().collect();
/// assert_eq!(decimals.view().get(0).map(|value| value.to_string()).as_deref(), Some("12.5"));
/// assert_eq!(decimals.view().scale(), 1);
/// assert_eq!(decimals.view().mantissas_at(1), Some(vec![125, 30]));
/// ```
#[derive(Clone, Debug)]
pub struct Decimals(Parts);

#[derive(Clone, Debug)]
enum Parts {
    /// Mantissas of 64 bits, with the scale of each.
    Short {
        mantissas: Vec<i64>,
        scales: Vec<u8>,
    },
    Any(Vec<Exact>),
}

/// Some of [`Decimals`], one after the other.
#[derive(Clone, Copy, Debug)]
pub struct DecimalsView<'a>(View<'a>);

#[derive(Clone, Copy, Debug)]
enum View<'a> {
    Short { mantissas: &'a [i64], scales: &'a [u8] },
    Any(&'a [Exact]),
}

impl Decimals {
    /// All of them.
    #[must_use]
    pub fn view(&self) -> DecimalsView<'_> {
        DecimalsView(match &self.0 {
            Parts::Short { mantissas, scales } => View::Short { mantissas, scales },
            Parts::Any(values) => View::Any(values),
        })
    }

    /// One more.
    pub fn push(&mut self, value: Exact) {
        match &mut self.0 {
            Parts::Short { mantissas, scales } => match value.as_short() {
                Some((mantissa, scale)) => {
                    mantissas.push(mantissa);
                    scales.push(scale);
                }
                None => {
                    let values = self.view().iter().chain([value]).collect();
                    self.0 = Parts::Any(values);
                }
            },
            Parts::Any(values) => values.push(value),
        }
    }

    /// Room for so many.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self(Parts::Short { mantissas: Vec::with_capacity(count), scales: Vec::with_capacity(count) })
    }
}

impl Exact {
    /// The mantissa in 64 bits and the scale in eight, below their largest, where they fit.
    #[inline]
    pub(crate) fn as_short(&self) -> Option<(i64, u8)> {
        let scale = u8::try_from(self.scale()).ok().filter(|scale| *scale < u8::MAX)?;
        Some((self.mantissa().to_i64()?, scale))
    }
}

impl Default for Decimals {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Default for DecimalsView<'_> {
    fn default() -> Self {
        Self(View::Any(&[]))
    }
}

impl FromIterator<Exact> for Decimals {
    fn from_iter<I: IntoIterator<Item = Exact>>(values: I) -> Self {
        let values = values.into_iter();
        let mut decimals = Self::with_capacity(values.size_hint().0);
        values.for_each(|value| decimals.push(value));
        decimals
    }
}

/// By value, as [`Exact`].
impl PartialEq for Decimals {
    fn eq(&self, other: &Self) -> bool {
        self.view().iter().eq(other.view().iter())
    }
}

impl Eq for Decimals {}

impl<'a> DecimalsView<'a> {
    /// How many.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            View::Short { mantissas, .. } => mantissas.len(),
            View::Any(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// One of them.
    #[must_use]
    pub fn get(self, index: usize) -> Option<Exact> {
        match self.0 {
            View::Short { mantissas, scales } => {
                Some(Exact::new(*mantissas.get(index)?, u32::from(*scales.get(index)?)))
            }
            View::Any(values) => values.get(index).cloned(),
        }
    }

    /// Those of a range that they have.
    #[must_use]
    pub fn range(self, range: Range<usize>) -> Option<Self> {
        Some(Self(match self.0 {
            View::Short { mantissas, scales } => {
                View::Short { mantissas: mantissas.get(range.clone())?, scales: scales.get(range)? }
            }
            View::Any(values) => View::Any(values.get(range)?),
        }))
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Exact> + 'a {
        (0..self.len()).filter_map(move |index| self.get(index))
    }

    /// Mantissas and scales, where each is short: see [`Exact::as_short`].
    pub(crate) fn as_short(self) -> Option<(&'a [i64], &'a [u8])> {
        match self.0 {
            View::Short { mantissas, scales } => Some((mantissas, scales)),
            View::Any(_) => None,
        }
    }

    /// The largest scale; 0 of none.
    #[must_use]
    pub fn scale(self) -> u32 {
        match self.0 {
            View::Short { scales, .. } => scales.iter().fold(0, |largest, scale| largest.max(*scale)).into(),
            View::Any(values) => values.iter().map(Exact::scale).max().unwrap_or_default(),
        }
    }

    /// The mantissas at a common scale that is no smaller than any of theirs, where
    /// each is an `f64`, and each difference of two.
    pub(crate) fn doubles_at(self, scale: u32) -> Option<Vec<f64>> {
        const LARGEST: f64 = (1_u64 << 52) as f64;
        let (mantissas, scales, scale) = self.within(MAX_SINGLE_POWER, scale)?;
        let (doubles, largest) = plain::doubles_at(mantissas, scales, scale);
        (largest <= LARGEST).then_some(doubles)
    }

    /// The mantissas at a common scale that is no smaller than any of theirs, where
    /// each has at most 61 bits.
    #[must_use]
    pub fn mantissas_at(self, scale: u32) -> Option<Vec<i64>> {
        /// Far enough above rounding below 2^61.
        const LARGEST: f64 = ((1_u64 << 61) - (1 << 12)) as f64;
        let (mantissas, scales, scale) = self.within(MAX_SHORT_POWER, scale)?;
        let (scaled, largest) = plain::scaled(mantissas, scales, scale);
        (largest <= LARGEST).then_some(scaled)
    }

    /// Short ones, and a scale that is at most so far above any of theirs.
    fn within(self, places: u8, scale: u32) -> Option<(&'a [i64], &'a [u8], u8)> {
        let (mantissas, scales) = self.as_short()?;
        let least = scales.iter().fold(u8::MAX, |least, scale| least.min(*scale));
        let scale = u8::try_from(scale).ok()?;
        (scale.saturating_sub(least) <= places).then_some((mantissas, scales, scale))
    }

    /// Each as a fraction: its mantissa, and the power of ten below it.
    #[must_use]
    pub fn fractions(self) -> (Integers, Integers) {
        match self.0 {
            View::Short { mantissas, scales } => (Integers::from(mantissas), Integers::powers_of_ten(scales)),
            View::Any(values) => {
                let numerators: Vec<Whole> = values.iter().map(|value| value.mantissa().clone()).collect();
                let power = |value: &Exact| Whole::power_of_ten(value.scale());
                (numerators.into(), values.iter().map(power).collect::<Vec<_>>().into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn mean_what_each_decimal_means(
            few in prop::collection::vec((any::<i64>(), 0_u32..64, 0_u32..25), 0..40),
            long in prop::collection::vec((any::<i128>(), 0_u32..128, 0_u32..400), 0..4),
            from in any::<prop::sample::Index>(),
        ) {
            let few = few.into_iter().map(|(mantissa, bits, scale)| Exact::new(mantissa >> bits, scale));
            let long = long.into_iter().map(|(mantissa, bits, scale)| Exact::new(mantissa >> bits, scale));
            let values: Vec<Exact> = few.chain(long).collect();
            let decimals: Decimals = values.iter().cloned().collect();
            let text = |values: &mut dyn Iterator<Item = Exact>| values.map(|value| value.to_string()).collect::<Vec<_>>();
            prop_assert_eq!(text(&mut decimals.view().iter()), text(&mut values.iter().cloned()));
            let from = from.index(values.len() + 1);
            let part = decimals.view().range(from..values.len()).expect("a part");
            let values = &values[from..];
            prop_assert_eq!(text(&mut part.iter()), text(&mut values.iter().cloned()));
            let scale = values.iter().map(Exact::scale).max().unwrap_or_default();
            prop_assert_eq!(part.scale(), scale);
            let expected: Vec<Whole> = values.iter().map(|value| value.mantissa_at(scale)).collect();
            let plain = |value: &Exact| {
                value.as_short().is_some() && scale <= 18 && value.mantissa_at(scale).to_f64().abs() < 1e18
            };
            match part.mantissas_at(scale) {
                Some(mantissas) => {
                    let mantissas: Vec<Whole> = mantissas.iter().map(|value| Whole::from(*value)).collect();
                    prop_assert_eq!(&mantissas, &expected);
                }
                None => prop_assert!(matches!(decimals.0, Parts::Any(_)) || !values.iter().all(plain)),
            }
            if let Some(doubles) = part.doubles_at(scale) {
                let doubles: Vec<Whole> = doubles.iter().map(|value| Whole::from(*value as i128)).collect();
                prop_assert_eq!(doubles, expected);
            } else {
                let short = |value: &Exact| value.mantissa_at(scale).to_f64().abs() < 4e15;
                prop_assert!(matches!(decimals.0, Parts::Any(_)) || scale > 22 || !values.iter().all(short));
            }
            let (numerators, denominators) = part.fractions();
            for (index, value) in values.iter().enumerate() {
                prop_assert_eq!(numerators.get(index), Some(value.mantissa().clone()));
                prop_assert_eq!(denominators.get(index), Some(Whole::power_of_ten(value.scale())));
            }
        }
    }
}
