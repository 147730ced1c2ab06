use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::{Figure, Integers, Real, plain};

/// A sum and the largest magnitude among its terms, against which it may be dust.
pub struct Total<R> {
    /// Σ x.
    pub value: R,
    /// max |x|.
    pub largest: R,
}

impl<R: Real> Total<R> {
    /// The sum, exactly zero where it is dust of the largest term.
    ///
    /// # Errors
    /// [`Failure::Imprecise`](super::Failure::Imprecise) where that is open.
    pub fn settled(self) -> Figure<R> {
        self.value.without_dust(&self.largest)
    }
}

/// Sums of the higher powers of differences; each is exactly zero where it is dust of its largest term.
pub struct Powers<R> {
    /// Σ d³.
    pub cubes: Figure<R>,
    /// Σ d⁴.
    pub fourths: Figure<R>,
}

impl<R: Real> Powers<R> {
    /// Of sums, and the largest magnitude of a difference.
    pub(super) fn settled(cubes: R, fourths: R, largest: &R) -> Self {
        Self {
            cubes: cubes.without_dust(&largest.power_integer(3)),
            fourths: fourths.without_dust(&largest.power_integer(4)),
        }
    }
}

/// Which numbers of a row take part in a product.
#[derive(Clone, Debug)]
pub enum Chosen<'a> {
    /// Each of them.
    All,
    /// Those of these indices.
    Within(Range<usize>),
    /// Those that stand beside a number of this sign.
    Beside(&'a [f64], Ordering),
}

impl Chosen<'_> {
    /// Whether the number of this index takes part.
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        match self {
            Self::All => true,
            Self::Within(range) => range.contains(&index),
            Self::Beside(numbers, sign) => {
                numbers.get(index).and_then(|number| number.partial_cmp(&0.0)) == Some(*sign)
            }
        }
    }

    /// How many of `length` numbers take part.
    #[must_use]
    pub fn count(&self, length: usize) -> usize {
        /// The smallest number above zero.
        const LEAST: f64 = f64::from_bits(1);
        match self {
            Self::All => length,
            Self::Within(range) => range.len(),
            Self::Beside(numbers, Ordering::Greater) => plain::places_within(numbers, LEAST, f64::INFINITY).0,
            Self::Beside(numbers, Ordering::Less) => {
                plain::places_within(numbers, f64::NEG_INFINITY, -LEAST).0
            }
            Self::Beside(numbers, Ordering::Equal) => plain::places_within(numbers, 0.0, 0.0).0,
        }
    }
}

/// Numbers in a row, and what the formulas need of all of them at once.
///
/// A number type that can do better than one operation after the other does so here.
pub trait Series<R>: Sized + Clone {
    /// numerator / denominator of each; no denominator is zero.
    fn ratios(numerators: &Integers, denominators: &Integers) -> Self;

    /// How many.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    fn get(&self, index: usize) -> Option<R>;

    /// Each of them to the precision of an `f64`.
    fn approximations(&self) -> Cow<'_, [f64]>;

    /// The smallest and the largest of the approximations; zeros of none.
    fn extremes(&self) -> [f64; 2] {
        plain::extremes(&self.approximations())
    }

    /// Those of these indices.
    #[must_use]
    fn select(&self, indices: &[usize]) -> Self;

    /// Σ x.
    fn sum(&self) -> Total<R>;

    /// max |x|; zero of none.
    fn largest(&self) -> R;

    /// x − y of as many others, exactly zero where that is dust of the larger.
    ///
    /// # Errors
    /// [`Failure::Imprecise`](super::Failure::Imprecise) where that is open.
    fn differences(&self, others: &Self) -> Figure<Self>;

    /// Σ (x − `center`)².
    fn squares_about(&self, center: &R) -> R;

    /// Σ (x − `center`)³, Σ (x − `center`)⁴.
    fn powers_about(&self, center: &R) -> Powers<R>;

    /// Σ (x − `center`)(y − `other_center`) with as many others, exactly zero where that is dust of
    /// the largest product.
    ///
    /// # Errors
    /// [`Failure::Imprecise`](super::Failure::Imprecise) where that is open.
    fn products_about(&self, center: &R, others: &Self, other_center: &R) -> Figure<R>;

    /// Σ min(x − `threshold`, 0)², a difference being zero where it is dust of the larger.
    ///
    /// # Errors
    /// [`Failure::Imprecise`](super::Failure::Imprecise) where a sign is open.
    fn squares_below(&self, threshold: &R) -> Figure<R>;

    /// Π (1 + x) of those that are `chosen`.
    fn growth(&self, chosen: &Chosen<'_>) -> R;
}

/// Numbers that are worked off one after the other.
#[derive(Clone, Debug)]
pub struct OneByOne<R>(Vec<R>);

impl<R: Real> FromIterator<R> for OneByOne<R> {
    fn from_iter<I: IntoIterator<Item = R>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl<R: Real> OneByOne<R> {
    /// x − `center`.
    fn less(&self, center: &R) -> impl Iterator<Item = R> {
        self.0.iter().map(|number| number.clone() - center.clone())
    }
}

impl<R: Real> Series<R> for OneByOne<R> {
    fn ratios(numerators: &Integers, denominators: &Integers) -> Self {
        let ratio = |index| Some(R::ratio(&numerators.get(index)?, &denominators.get(index)?));
        (0..numerators.len()).filter_map(ratio).collect()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, index: usize) -> Option<R> {
        self.0.get(index).cloned()
    }

    fn approximations(&self) -> Cow<'_, [f64]> {
        self.0.iter().map(Real::approximate).collect()
    }

    fn select(&self, indices: &[usize]) -> Self {
        indices.iter().filter_map(|index| self.get(*index)).collect()
    }

    fn sum(&self) -> Total<R> {
        total(self.0.iter().cloned())
    }

    fn largest(&self) -> R {
        self.0.iter().fold(R::zero(), |largest, number| largest.larger(number.magnitude()))
    }

    fn differences(&self, others: &Self) -> Figure<Self> {
        let pairs = self.0.iter().zip(&others.0);
        pairs.map(|(number, other)| number.minus(other)).collect::<Figure<Vec<R>>>().map(Self)
    }

    fn squares_about(&self, center: &R) -> R {
        self.less(center).fold(R::zero(), |sum, d| sum + d.clone() * d)
    }

    fn powers_about(&self, center: &R) -> Powers<R> {
        let differences: Self = self.less(center).collect();
        let sum = |power| differences.0.iter().fold(R::zero(), |sum, d| sum + d.power_integer(power));
        Powers::settled(sum(3), sum(4), &differences.largest())
    }

    fn products_about(&self, center: &R, others: &Self, other_center: &R) -> Figure<R> {
        total(self.less(center).zip(others.less(other_center)).map(|(x, y)| x * y)).settled()
    }

    fn squares_below(&self, threshold: &R) -> Figure<R> {
        let mut sum = R::zero();
        for number in &self.0 {
            let difference = number.minus(threshold)?;
            if difference.sign()? == Ordering::Less {
                sum = sum + difference.clone() * difference;
            }
        }
        Ok(sum)
    }

    fn growth(&self, chosen: &Chosen<'_>) -> R {
        let factors = self.0.iter().enumerate().filter(|(index, _)| chosen.contains(*index));
        factors.fold(R::one(), |product, (_, number)| product * (R::one() + number.clone()))
    }
}

fn total<R: Real>(terms: impl Iterator<Item = R>) -> Total<R> {
    let (mut value, mut largest) = (R::zero(), R::zero());
    for term in terms {
        largest = largest.larger(term.magnitude());
        value = value + term;
    }
    Total { value, largest }
}
