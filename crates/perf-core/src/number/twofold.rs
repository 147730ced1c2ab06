//! Double-double arithmetic: an unevaluated sum of two `f64`, about 31 digits.
//!
//! Every rounding error is recovered by an error-free transformation, so the
//! bits are the same with and without a fused multiply-add. Algorithms and their
//! error bounds: Joldes, Muller, Popescu, "Tight and rigorous error bounds for
//! basic building blocks of double-word arithmetic", ACM TOMS 44 (2017).

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::processor::{Product, on_this_processor};

/// `high` + `low`, with |`low`| at most half a unit in the last place of `high`.
#[derive(Clone, Copy, Debug)]
pub struct Twofold {
    /// The nearest `f64`.
    pub high: f64,
    /// What `high` leaves out.
    pub low: f64,
}

/// a + b = sum + error, exactly.
#[inline(always)]
pub(super) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// a + b = sum + error, exactly, where |a| ≥ |b|.
#[inline]
fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// a × b = product + error, exactly (no over- or underflow), with one rounding for both operations.
#[inline(always)]
pub(super) fn fused_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// a × b = product + error by Dekker's splitting.
#[inline(always)]
pub(super) fn dekker_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, error)
}

/// Veltkamp's split into two halves of 26 bits.
#[inline(always)]
fn split(a: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0; // 2^27 + 1
    let scaled = SPLITTER * a;
    let high = scaled - (scaled - a);
    (high, a - high)
}

impl Twofold {
    /// Zero.
    pub const ZERO: Self = Self { high: 0.0, low: 0.0 };
    /// One.
    pub const ONE: Self = Self { high: 1.0, low: 0.0 };

    /// An `f64`, exactly.
    #[must_use]
    pub const fn from_f64(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }

    /// The normalised sum of a large and a small part.
    #[inline]
    #[must_use]
    pub fn renormalized(high: f64, low: f64) -> Self {
        let (high, low) = fast_two_sum(high, low);
        Self { high, low }
    }

    /// Product with an `f64`; relative error below 2^−103.
    #[inline]
    #[must_use]
    pub fn mul_f64(self, factor: f64) -> Self {
        scaled(self, factor)
    }

    /// Square root of a positive number; relative error below 2^−102.
    #[inline]
    #[must_use]
    pub fn sqrt(self) -> Self {
        root(self)
    }

    /// The product, relative error below 2^−102.
    #[inline(always)]
    pub(super) fn times<P: Product>(self, other: Self) -> Self {
        let (product, error) = P::two_product(self.high, other.high);
        Self::renormalized(product, error + (self.high * other.low + self.low * other.high))
    }

    #[inline(always)]
    fn times_f64<P: Product>(self, factor: f64) -> Self {
        let (product, error) = P::two_product(self.high, factor);
        Self::renormalized(product, error + self.low * factor)
    }

    /// The quotient, relative error below 2^−102: with the first part within half a unit of
    /// the high parts' quotient, the remainder is below 4u of the dividend. What its own
    /// product loses (3u²), two roundings (2u² and 4u²), a rounded quotient (4u²) and a
    /// divisor without its low part (4u²) stay below 16u² of which some are not met at once.
    #[inline(always)]
    pub(super) fn over<P: Product>(self, other: Self) -> Self {
        let first = self.high / other.high;
        let product = other.times_f64::<P>(first);
        let remainder = (self.high - product.high) + (self.low - product.low);
        Self::renormalized(first, remainder / other.high)
    }
}

#[inline(always)]
fn scaled_with<P: Product>(number: Twofold, factor: f64) -> Twofold {
    number.times_f64::<P>(factor)
}

#[inline(always)]
fn product_with<P: Product>(a: Twofold, b: Twofold) -> Twofold {
    a.times::<P>(b)
}

#[inline(always)]
fn quotient_with<P: Product>(a: Twofold, b: Twofold) -> Twofold {
    a.over::<P>(b)
}

#[inline(always)]
fn root_with<P: Product>(number: Twofold) -> Twofold {
    let root = number.high.sqrt();
    let (square, error) = P::two_product(root, root);
    let remainder = number - Twofold { high: square, low: error };
    Twofold::renormalized(root, remainder.high / (2.0 * root))
}

on_this_processor!(scaled, scaled_with, (number: Twofold, factor: f64) -> Twofold, "number × factor.");
on_this_processor!(product, product_with, (a: Twofold, b: Twofold) -> Twofold, "a × b.");
on_this_processor!(quotient, quotient_with, (a: Twofold, b: Twofold) -> Twofold, "a / b.");
on_this_processor!(root, root_with, (number: Twofold) -> Twofold, "√number.");

impl Add for Twofold {
    type Output = Self;
    /// Relative error below 2^−104 of the result.
    #[inline]
    fn add(self, other: Self) -> Self {
        let (sum, error) = two_sum(self.high, other.high);
        let (low_sum, low_error) = two_sum(self.low, other.low);
        let (sum, error) = fast_two_sum(sum, error + low_sum);
        Self::renormalized(sum, error + low_error)
    }
}

impl Sub for Twofold {
    type Output = Self;
    /// As a sum.
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Twofold {
    type Output = Self;
    /// Exact.
    #[inline]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Mul for Twofold {
    type Output = Self;
    /// Relative error below 2^−102.
    #[inline]
    fn mul(self, other: Self) -> Self {
        product(self, other)
    }
}

impl Div for Twofold {
    type Output = Self;
    /// Relative error below 2^−102.
    #[inline]
    fn div(self, other: Self) -> Self {
        quotient(self, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::dyadic::Dyadic;
    use proptest::prelude::*;

    fn exact(value: Twofold) -> Dyadic {
        Dyadic::from_twofold(value).expect("finite")
    }

    fn relative_error_below(found: Twofold, expected: &Dyadic, bits: i64) -> bool {
        let error = exact(found).sub(expected).abs();
        error.le(&expected.abs().shifted(-bits))
    }

    fn twofold() -> impl Strategy<Value = Twofold> {
        (-1e12_f64..1e12, -0.5_f64..0.5)
            .prop_map(|(high, low)| Twofold::renormalized(high, low * high * f64::EPSILON))
    }

    proptest! {
        #[test]
        fn sum_and_product_are_within_their_bounds(a in twofold(), b in twofold()) {
            prop_assert!(relative_error_below(a * b, &exact(a).mul(&exact(b)), 102));
            prop_assert!(relative_error_below(a.mul_f64(b.high), &exact(a).mul(&exact(Twofold::from_f64(b.high))), 103));
            prop_assert!(relative_error_below(a + b, &exact(a).add(&exact(b)), 104));
        }

        #[test]
        fn quotient_and_root_invert(a in twofold(), b in twofold()) {
            prop_assume!(b.high.abs() > 1e-3 && a.high.abs() > 1e-3);
            let error = exact(a / b).mul(&exact(b)).sub(&exact(a)).abs();
            prop_assert!(error.le(&exact(a).abs().shifted(-102)));
            let square = a * a;
            let root = square.sqrt();
            prop_assert!(relative_error_below(root * root, &exact(square), 100));
        }
    }
}
