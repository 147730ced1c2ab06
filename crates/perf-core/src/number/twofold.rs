//! Double-double arithmetic: an unevaluated sum of two `f64`, about 31 digits.
//!
//! Every rounding error is recovered by an error-free transformation, so the
//! bits are the same with and without a fused multiply-add. Algorithms and their
//! error bounds: Joldes, Muller, Popescu, "Tight and rigorous error bounds for
//! basic building blocks of double-word arithmetic", ACM TOMS 44 (2017).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `high` + `low`, with |`low`| at most half a unit in the last place of `high`.
#[derive(Clone, Copy, Debug)]
pub struct Twofold {
    /// The nearest `f64`.
    pub high: f64,
    /// What `high` leaves out.
    pub low: f64,
}

/// a + b = sum + error, exactly.
#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
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

/// a × b = product + error, exactly (no over- or underflow).
#[inline(always)]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    // Without the instruction, `mul_add` is a slow call.
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        fused_product(a, b)
    } else {
        dekker_product(a, b)
    }
}

/// a × b = product + error with one rounding for both operations.
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
        let (product, error) = two_product(self.high, factor);
        Self::renormalized(product, error + self.low * factor)
    }

    /// Square root of a positive number; relative error below 2^−102.
    #[inline]
    #[must_use]
    pub fn sqrt(self) -> Self {
        let root = self.high.sqrt();
        let (square, error) = two_product(root, root);
        let remainder = self - Self { high: square, low: error };
        Self::renormalized(root, remainder.high / (2.0 * root))
    }
}

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
        let (product, error) = two_product(self.high, other.high);
        Self::renormalized(product, error + (self.high * other.low + self.low * other.high))
    }
}

impl Div for Twofold {
    type Output = Self;
    /// Relative error below 2^−102.
    #[inline]
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let remainder = self - other.mul_f64(first);
        let second = remainder.high / other.high;
        let remainder = remainder - other.mul_f64(second);
        let third = remainder.high / other.high;
        Self::renormalized(first, second) + Self::from_f64(third)
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
            prop_assert!(relative_error_below(a / b * b, &exact(a), 100));
            let square = a * a;
            let root = square.sqrt();
            prop_assert!(relative_error_below(root * root, &exact(square), 100));
        }
    }
}
