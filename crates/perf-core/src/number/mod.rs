//! The number types. Decimals enter exactly ([`Exact`]), formulas run on a
//! [`Real`] — double-double with an error bound ([`Ball`]) or, where that bound
//! cannot prove the twentieth digit, about 120 digits ([`Wide`]) — and leave as
//! a [`Rounded`] decimal of twenty significant digits.

mod ball;
mod balls;
mod decimals;
mod discounted;
mod dyadic;
mod elementary;
mod exact;
mod integers;
mod lanes;
mod loops;
mod processor;
mod real;
mod rounded;
mod series;
mod twofold;
mod whole;
mod wide;

pub use ball::Ball;
pub use balls::Balls;
pub use decimals::{Decimals, DecimalsView};
pub(crate) use discounted::{Amount, Discount, Discounted, Moments, discounted};
pub use exact::{Exact, MAX_DECIMAL_PLACES, MAX_SIGNIFICANT_DIGITS, NumberError};
pub use integers::Integers;
pub use real::{Failure, Figure, Real};
pub use rounded::{OUTPUT_DIGITS, Rounded};
pub use series::{Chosen, OneByOne, Powers, Series, Total};
pub use twofold::Twofold;
pub use whole::Whole;
pub use wide::Wide;

use dashu_int::IBig;

/// The smallest and the largest of some values; zeros of none.
pub(crate) fn extremes(values: &[f64]) -> [f64; 2] {
    loops::extremes(values)
}

/// From each value to the next.
pub(crate) fn steps(values: &[f64]) -> Vec<f64> {
    loops::steps(values)
}

/// The smallest and the largest of each so many values.
pub(crate) fn block_extremes(values: &[f64], length: usize) -> Vec<[f64; 2]> {
    loops::block_extremes(values, length)
}

/// How many values are from `least` to `most`.
pub(crate) fn count_within(values: &[f64], least: f64, most: f64) -> usize {
    loops::count_within(values, least, most)
}

/// Π (1 + x) up to each x, from 1 on.
pub(crate) fn levels(rates: &[f64]) -> Vec<f64> {
    loops::levels(rates)
}

/// 10^`exponent` as an exact integer.
pub(crate) fn power_of_ten(exponent: u32) -> IBig {
    IBig::from(10).pow(exponent as usize)
}
