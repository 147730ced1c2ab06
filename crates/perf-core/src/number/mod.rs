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
mod elementwise;
mod exact;
mod integers;
mod lanes;
mod loops;
mod plain;
mod processor;
mod ranks;
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
pub(crate) use plain::{BLOCK, BlockProducts, block_products, extremes, places_within, steps};
pub use real::{Failure, Figure, Real};
pub use rounded::{OUTPUT_DIGITS, Rounded};
pub use series::{Chosen, OneByOne, Powers, Series, Total};
pub use twofold::Twofold;
pub use whole::Whole;
pub use wide::Wide;

use dashu_int::IBig;

/// 10^`exponent` as an exact integer.
pub(crate) fn power_of_ten(exponent: u32) -> IBig {
    IBig::from(10).pow(exponent as usize)
}
