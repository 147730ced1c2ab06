//! Loops over double-doubles, eight at a time: one source, compiled for a
//! processor with a fused multiply-add and for any other, with the same bits.
//!
//! Slices are a multiple of [`WIDTH`] long; zeros fill them up.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::Twofold;
use super::twofold::{dekker_product, fused_product};

/// Numbers worked on together.
pub(super) const WIDTH: usize = 8;

/// An error-free product.
trait Product {
    fn two_product(a: f64, b: f64) -> (f64, f64);
}

/// By the instruction.
struct Fused;

impl Product for Fused {
    #[inline(always)]
    fn two_product(a: f64, b: f64) -> (f64, f64) {
        fused_product(a, b)
    }
}

/// By splitting.
struct Split;

impl Product for Split {
    #[inline(always)]
    fn two_product(a: f64, b: f64) -> (f64, f64) {
        dekker_product(a, b)
    }
}

#[derive(Clone, Copy)]
struct Lanes([f64; WIDTH]);

#[allow(clippy::indexing_slicing, reason = "from_fn's index is below the length of its array")]
impl Lanes {
    const ZERO: Self = Self([0.0; WIDTH]);
    const ONE: Self = Self([1.0; WIDTH]);

    #[inline(always)]
    fn map(self, function: impl Fn(f64) -> f64) -> Self {
        Self(from_fn(|lane| function(self.0[lane])))
    }

    #[inline(always)]
    fn zip(self, other: Self, function: impl Fn(f64, f64) -> f64) -> Self {
        Self(from_fn(|lane| function(self.0[lane], other.0[lane])))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.map(f64::abs)
    }

    /// The larger; not a number where either is none.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn largest(self) -> f64 {
        self.0.into_iter().fold(0.0, f64::max)
    }

    #[inline(always)]
    fn total(self) -> f64 {
        self.0.into_iter().sum()
    }

    #[inline(always)]
    fn two_product<P: Product>(self, other: Self) -> (Self, Self) {
        let products: [(f64, f64); WIDTH] = from_fn(|lane| P::two_product(self.0[lane], other.0[lane]));
        (Self(from_fn(|lane| products[lane].0)), Self(from_fn(|lane| products[lane].1)))
    }
}

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

impl Div for Lanes {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
}

impl Neg for Lanes {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

/// Eight double-doubles.
#[derive(Clone, Copy)]
struct Pairs {
    high: Lanes,
    low: Lanes,
}

impl Pairs {
    const ZERO: Self = Self { high: Lanes::ZERO, low: Lanes::ZERO };
    const ONE: Self = Self { high: Lanes::ONE, low: Lanes::ZERO };

    #[inline(always)]
    fn renormalized(high: Lanes, low: Lanes) -> Self {
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }

    /// Error below 2^−103 of |self| + |other|.
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        let sum = self.high + other.high;
        let part = sum - self.high;
        let error = (self.high - (sum - part)) + (other.high - part);
        Self::renormalized(sum, error + (self.low + other.low))
    }

    /// Relative error below 2^−102.
    #[inline(always)]
    fn times<P: Product>(self, other: Self) -> Self {
        let (product, error) = self.high.two_product::<P>(other.high);
        Self::renormalized(product, error + (self.high * other.low + self.low * other.high))
    }

    /// Relative error below 2^−101: the remainder is exact but for its low parts.
    #[inline(always)]
    fn over<P: Product>(self, other: Self) -> Self {
        let first = self.high / other.high;
        let (product, error) = first.two_product::<P>(other.high);
        let remainder = ((self.high - product) - error) + (self.low - first * other.low);
        Self::renormalized(first, remainder / other.high)
    }

    #[inline(always)]
    fn lanes(self) -> impl Iterator<Item = Twofold> {
        self.high.0.into_iter().zip(self.low.0).map(|(high, low)| Twofold { high, low })
    }

    #[inline(always)]
    fn total(self) -> Twofold {
        self.lanes().fold(Twofold::ZERO, |sum, lane| sum + lane)
    }
}

/// Double-doubles as two slices.
#[derive(Clone, Copy)]
pub(super) struct Slices<'a> {
    /// The nearest `f64` values.
    pub(super) high: &'a [f64],
    /// What these leave out.
    pub(super) low: &'a [f64],
}

impl Slices<'_> {
    #[inline(always)]
    fn pairs(&self) -> impl Iterator<Item = Pairs> {
        let high = self.high.as_chunks::<WIDTH>().0.iter();
        let low = self.low.as_chunks::<WIDTH>().0.iter();
        high.zip(low).map(|(high, low)| Pairs { high: Lanes(*high), low: Lanes(*low) })
    }
}

/// Double-doubles as two vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct Vectors {
    /// The nearest `f64` values.
    pub(super) high: Vec<f64>,
    /// What these leave out.
    pub(super) low: Vec<f64>,
}

impl Vectors {
    pub(super) fn as_slices(&self) -> Slices<'_> {
        Slices { high: &self.high, low: &self.low }
    }

    #[inline(always)]
    fn collect(length: usize, pairs: impl Iterator<Item = Pairs>) -> Self {
        let mut vectors = Self { high: Vec::with_capacity(length), low: Vec::with_capacity(length) };
        for pair in pairs {
            vectors.high.extend_from_slice(&pair.high.0);
            vectors.low.extend_from_slice(&pair.low.0);
        }
        vectors
    }
}

/// A sum, and the sum of the magnitudes of its terms.
pub(super) struct Sum {
    pub(super) value: Twofold,
    pub(super) size: f64,
}

/// Differences, and whether each is either far above dust or a difference of zeros.
pub(super) struct Differences {
    pub(super) values: Vectors,
    pub(super) certain: bool,
}

/// Σ x³, Σ |x|³, Σ x⁴.
pub(super) struct PowerSums {
    pub(super) cubes: Twofold,
    pub(super) cubes_size: f64,
    pub(super) fourths: Twofold,
}

/// Π (1 + x), and the smallest magnitude of a factor.
pub(super) struct Growth {
    pub(super) value: Twofold,
    pub(super) smallest: f64,
}

/// A difference above this share of the larger number is no dust, whatever its error.
const FAR_ABOVE_DUST: f64 = 1e-20;

#[inline(always)]
fn largest_with<P: Product>(x: Slices<'_>) -> f64 {
    x.pairs().fold(Lanes::ZERO, |largest, x| largest.max(x.high.abs())).largest()
}

#[inline(always)]
fn sum_with<P: Product>(x: Slices<'_>) -> Sum {
    let (mut value, mut size) = (Pairs::ZERO, Lanes::ZERO);
    for x in x.pairs() {
        value = value.plus(x);
        size = size + x.high.abs();
    }
    Sum { value: value.total(), size: size.total() }
}

#[inline(always)]
fn products_with<P: Product>(x: Slices<'_>, y: Slices<'_>) -> (Sum, f64) {
    let (mut value, mut size, mut largest) = (Pairs::ZERO, Lanes::ZERO, Lanes::ZERO);
    for (x, y) in x.pairs().zip(y.pairs()) {
        let product = x.times::<P>(y);
        let magnitude = product.high.abs();
        value = value.plus(product);
        size = size + magnitude;
        largest = largest.max(magnitude);
    }
    (Sum { value: value.total(), size: size.total() }, largest.largest())
}

#[inline(always)]
fn ratios_with<P: Product>(numerators: Slices<'_>, denominators: Slices<'_>) -> Vectors {
    let pairs = numerators.pairs().zip(denominators.pairs());
    Vectors::collect(numerators.high.len(), pairs.map(|(a, b)| a.over::<P>(b)))
}

#[inline(always)]
fn differences_with<P: Product>(x: Slices<'_>, y: Slices<'_>) -> Differences {
    let mut certain = Lanes::ONE;
    let pairs = x.pairs().zip(y.pairs()).map(|(x, y)| {
        let difference = x.plus(Pairs { high: -y.high, low: -y.low });
        let scale = x.high.abs().max(y.high.abs());
        let clear = difference.high.abs() - scale * Lanes([FAR_ABOVE_DUST; WIDTH]);
        // Zeros leave nothing to decide.
        certain =
            certain.zip(clear.zip(scale, |clear, scale| if scale == 0.0 { 1.0 } else { clear }), |a, b| {
                if b > 0.0 { a } else { 0.0 }
            });
        difference
    });
    let values = Vectors::collect(x.high.len(), pairs);
    Differences { values, certain: certain.0.into_iter().all(|lane| lane > 0.0) }
}

#[inline(always)]
fn squares_with<P: Product>(x: Slices<'_>) -> Twofold {
    x.pairs().fold(Pairs::ZERO, |sum, x| sum.plus(x.times::<P>(x))).total()
}

#[inline(always)]
fn powers_with<P: Product>(x: Slices<'_>) -> PowerSums {
    let (mut cubes, mut fourths) = (Pairs::ZERO, Pairs::ZERO);
    let mut cubes_size = Lanes::ZERO;
    for x in x.pairs() {
        let square = x.times::<P>(x);
        let cube = square.times::<P>(x);
        cubes = cubes.plus(cube);
        cubes_size = cubes_size + cube.high.abs();
        fourths = fourths.plus(square.times::<P>(square));
    }
    PowerSums { cubes: cubes.total(), cubes_size: cubes_size.total(), fourths: fourths.total() }
}

#[inline(always)]
fn squares_below_zero_with<P: Product>(x: Slices<'_>) -> Twofold {
    let mut sum = Pairs::ZERO;
    for x in x.pairs() {
        let low = x.high.zip(x.low, |high, low| if high < 0.0 { low } else { 0.0 });
        let below = Pairs { high: x.high.min(Lanes::ZERO), low };
        sum = sum.plus(below.times::<P>(below));
    }
    sum.total()
}

#[inline(always)]
fn growth_with<P: Product>(x: Slices<'_>) -> Growth {
    let (mut product, mut smallest) = (Pairs::ONE, Lanes::ONE);
    for x in x.pairs() {
        let factor = Pairs::ONE.plus(x);
        smallest = smallest.min(factor.high.abs());
        product = product.times::<P>(factor);
    }
    let value = product.lanes().fold(Twofold::ONE, |product, lane| product * lane);
    Growth { value, smallest: smallest.0.into_iter().fold(1.0, f64::min) }
}

/// A loop in both versions, and the choice between them.
macro_rules! on_this_processor {
    ($name:ident, $with:ident, ($($argument:ident),*) -> $result:ty, $about:literal) => {
        #[doc = $about]
        pub(super) fn $name($($argument: Slices<'_>),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn with_fma($($argument: Slices<'_>),*) -> $result {
                    $with::<Fused>($($argument),*)
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    #[allow(unsafe_code, reason = "the processor has the features that the function is compiled for")]
                    // SAFETY: both features were detected on the line above.
                    return unsafe { with_fma($($argument),*) };
                }
            }
            if cfg!(target_arch = "aarch64") { $with::<Fused>($($argument),*) } else { $with::<Split>($($argument),*) }
        }
    };
}

on_this_processor!(sum, sum_with, (x) -> Sum, "Σ x.");
on_this_processor!(products, products_with, (x, y) -> (Sum, f64), "Σ xy, and the largest magnitude of a product.");
on_this_processor!(largest, largest_with, (x) -> f64, "max |x|.");
on_this_processor!(ratios, ratios_with, (numerators, denominators) -> Vectors, "numerator / denominator.");
on_this_processor!(differences, differences_with, (x, y) -> Differences, "x − y.");
on_this_processor!(squares, squares_with, (x) -> Twofold, "Σ x².");
on_this_processor!(powers, powers_with, (x) -> PowerSums, "Sums of higher powers.");
on_this_processor!(squares_below_zero, squares_below_zero_with, (x) -> Twofold, "Σ min(x, 0)².");
on_this_processor!(growth, growth_with, (x) -> Growth, "Π (1 + x).");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vectors(numbers: &[(f64, f64)]) -> Vectors {
        let whole = numbers.len().next_multiple_of(WIDTH);
        let mut vectors = Vectors::default();
        for (high, low) in numbers.iter().copied().chain(std::iter::repeat((0.0, 0.0))).take(whole) {
            let number = Twofold::renormalized(high, high * low * f64::EPSILON);
            vectors.high.push(number.high);
            vectors.low.push(number.low);
        }
        vectors
    }

    fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    fn parts(numbers: &[Twofold]) -> Vec<u64> {
        numbers.iter().flat_map(|number| [number.high.to_bits(), number.low.to_bits()]).collect()
    }

    proptest! {
        /// Whatever this processor has, it gives what splitting gives.
        #[test]
        fn every_way_gives_the_same_bits(
            numbers in prop::collection::vec((-0.5_f64..0.5, -0.5_f64..0.5, 1.0_f64..1e12, -0.5_f64..0.5), 0..100),
        ) {
            let x = vectors(&numbers.iter().map(|n| (n.0, n.1)).collect::<Vec<_>>());
            let mut y = vectors(&numbers.iter().map(|n| (n.2, n.3)).collect::<Vec<_>>());
            y.high.iter_mut().filter(|high| **high == 0.0).for_each(|high| *high = 1.0);
            let (x, y) = (x.as_slices(), y.as_slices());
            let (a, b) = (sum(x), sum_with::<Split>(x));
            prop_assert_eq!(parts(&[a.value]), parts(&[b.value]));
            prop_assert_eq!(bits(&[a.size, largest(x)]), bits(&[b.size, largest_with::<Split>(x)]));
            let ((a, most), (b, other)) = (products(x, y), products_with::<Split>(x, y));
            prop_assert_eq!(parts(&[a.value]), parts(&[b.value]));
            prop_assert_eq!(bits(&[a.size, most]), bits(&[b.size, other]));
            let (a, b) = (ratios(x, y), ratios_with::<Split>(x, y));
            prop_assert_eq!((bits(&a.high), bits(&a.low)), (bits(&b.high), bits(&b.low)));
            let (a, b) = (differences(x, y), differences_with::<Split>(x, y));
            prop_assert_eq!((bits(&a.values.high), bits(&a.values.low)), (bits(&b.values.high), bits(&b.values.low)));
            prop_assert_eq!(a.certain, b.certain);
            let (a, b) = (powers(x), powers_with::<Split>(x));
            prop_assert_eq!(parts(&[squares(x)]), parts(&[squares_with::<Split>(x)]));
            prop_assert_eq!(parts(&[a.cubes, a.fourths]), parts(&[b.cubes, b.fourths]));
            prop_assert_eq!(a.cubes_size.to_bits(), b.cubes_size.to_bits());
            prop_assert_eq!(parts(&[squares_below_zero(x)]), parts(&[squares_below_zero_with::<Split>(x)]));
            let (a, b) = (growth(x), growth_with::<Split>(x));
            prop_assert_eq!(parts(&[a.value]), parts(&[b.value]));
            prop_assert_eq!(a.smallest.to_bits(), b.smallest.to_bits());
        }
    }
}
