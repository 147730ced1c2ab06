//! Numbers in order as integers: the largest and the smallest of many.

use std::array::from_fn;

use super::lanes::{Lanes, WIDTH};

/// Where a number stands among all others, as an integer: what is no number comes last,
/// by its sign on either side. Integers are compared in one instruction.
#[inline(always)]
pub(super) fn rank(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The number of a rank.
#[inline(always)]
pub(super) fn ranked(rank: i64) -> f64 {
    f64::from_bits((rank ^ ((rank >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// Eight ranks, or as many as stated, for the largest and the smallest of many.
#[derive(Clone, Copy)]
pub(super) struct Ranks<const W: usize = WIDTH>([i64; W]);

#[allow(clippy::indexing_slicing, reason = "from_fn's index is below the length of its array")]
impl<const W: usize> Ranks<W> {
    /// Before any number.
    pub(super) const FIRST: Self = Self([i64::MIN; W]);
    /// Behind any number.
    pub(super) const LAST: Self = Self([i64::MAX; W]);

    #[inline(always)]
    pub(super) fn of(lanes: Lanes<W>) -> Self {
        Self(lanes.0.map(rank))
    }

    #[inline(always)]
    pub(super) fn max(self, lanes: Lanes<W>) -> Self {
        let other = Self::of(lanes);
        Self(from_fn(
            #[inline(always)]
            |lane| self.0[lane].max(other.0[lane]),
        ))
    }

    #[inline(always)]
    pub(super) fn min(self, lanes: Lanes<W>) -> Self {
        let other = Self::of(lanes);
        Self(from_fn(
            #[inline(always)]
            |lane| self.0[lane].min(other.0[lane]),
        ))
    }

    #[inline(always)]
    pub(super) fn numbers(self) -> Lanes<W> {
        Lanes(self.0.map(ranked))
    }

    #[inline(always)]
    pub(super) fn largest(self) -> f64 {
        ranked(self.0.into_iter().fold(i64::MIN, i64::max))
    }

    #[inline(always)]
    pub(super) fn smallest(self) -> f64 {
        ranked(self.0.into_iter().fold(i64::MAX, i64::min))
    }
}
