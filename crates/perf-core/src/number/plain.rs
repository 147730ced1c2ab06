//! Loops over integers and `f64` values.

use super::integers::SINGLE_POWERS;
use super::lanes::{Vectors, rank, ranked};
use super::processor::{Product, on_this_processor};
use super::whole::SHORT_POWERS;

#[inline(always)]
fn largest_integer_with<P: Product>(values: &[i64]) -> u64 {
    values.iter().fold(0, |largest, value| value.unsigned_abs().max(largest))
}

#[inline(always)]
fn doubles_with<P: Product>(values: &[i64]) -> Vec<f64> {
    values.iter().map(|value| *value as f64).collect()
}

/// Integers of up to 62 bits: the nearest `f64`, and what it leaves out.
#[inline(always)]
fn halves_with<P: Product>(values: &[i64]) -> Vectors {
    /// Of the lower half.
    const BITS: u32 = 31;
    let halves = |value: &i64| ((value >> BITS << BITS) as f64, (value & ((1 << BITS) - 1)) as f64);
    let high = values.iter().map(|value| *value as f64);
    let low = values.iter().map(|value| {
        let (upper, lower) = halves(value);
        lower - (upper + lower - upper)
    });
    Vectors { high: high.collect(), low: low.collect() }
}

/// Powers of ten by their exponent; zeros where 64 bits do not hold them.
const POWERS_OF_TEN: [i64; 256] = {
    let mut powers = [0; 256];
    let (start, _) = powers.split_at_mut(SHORT_POWERS.len());
    start.copy_from_slice(&SHORT_POWERS);
    powers
};

/// Mantissas at a common scale, at most 18 above any of theirs, and about the largest
/// magnitude: above 2^63 they are not what they should be.
#[allow(clippy::indexing_slicing, reason = "a byte is below the length of the array")]
#[inline(always)]
fn scaled_with<P: Product>(mantissas: &[i64], scales: &[u8], scale: u8) -> (Vec<i64>, f64) {
    let mut largest = 0;
    let scaled = mantissas.iter().zip(scales).map(|(mantissa, own)| {
        let power = POWERS_OF_TEN[usize::from(scale.wrapping_sub(*own))];
        // Positive numbers are in the order of their bits.
        largest = (*mantissa as f64 * power as f64).abs().to_bits().max(largest);
        mantissa.wrapping_mul(power)
    });
    (scaled.collect(), f64::from_bits(largest))
}

/// Mantissas at a common scale, at most 22 above any of theirs, and the largest magnitude:
/// where that is below 2^53, each is exact.
#[allow(clippy::indexing_slicing, reason = "a byte is below the length of the array")]
#[inline(always)]
fn doubles_at_with<P: Product>(mantissas: &[i64], scales: &[u8], scale: u8) -> (Vec<f64>, f64) {
    let mut largest = 0;
    let scaled = mantissas.iter().zip(scales).map(|(mantissa, own)| {
        let scaled = *mantissa as f64 * SINGLE_POWERS[usize::from(scale.wrapping_sub(*own))];
        // Positive numbers are in the order of their bits.
        largest = scaled.abs().to_bits().max(largest);
        scaled
    });
    (scaled.collect(), f64::from_bits(largest))
}

#[allow(clippy::indexing_slicing, reason = "a byte is below the length of the array")]
#[inline(always)]
fn looked_up_with<P: Product>(table: &[f64; 256], places: &[u8]) -> Vec<f64> {
    places.iter().map(|place| table[usize::from(*place)]).collect()
}

#[inline(always)]
fn extremes_with<P: Product>(x: &[f64]) -> [f64; 2] {
    let Some(first) = x.first() else { return [0.0; 2] };
    let (mut least, mut most) = (rank(*first), rank(*first));
    for number in x {
        (least, most) = (least.min(rank(*number)), most.max(rank(*number)));
    }
    [ranked(least), ranked(most)]
}

#[inline(always)]
fn block_extremes_with<P: Product>(x: &[f64], length: usize) -> Vec<[f64; 2]> {
    let mut extremes = Vec::with_capacity(x.len().div_ceil(length.max(1)));
    // In sight of the compiler: what collects may lack the instructions.
    for block in x.chunks(length.max(1)) {
        extremes.push(extremes_with::<P>(block));
    }
    extremes
}

#[inline(always)]
fn count_within_with<P: Product>(x: &[f64], least: f64, most: f64) -> usize {
    let mut count = 0;
    for number in x {
        count += usize::from(*number >= least) & usize::from(*number <= most);
    }
    count
}

/// Four at a time, so that a level waits for one product rather than for four.
#[inline(always)]
fn levels_with<P: Product>(x: &[f64]) -> Vec<f64> {
    let mut levels = vec![1.0; x.len() + 1];
    let mut level = 1.0;
    let (slots, last) = levels.get_mut(1..).unwrap_or_default().as_chunks_mut::<4>();
    let (whole, rest) = x.as_chunks::<4>();
    for (slot, rates) in slots.iter_mut().zip(whole) {
        let [a, b, c, d] = rates.map(|rate| 1.0 + rate);
        let (ab, cd) = (a * b, c * d);
        *slot = [a, ab, ab * c, ab * cd].map(|product| level * product);
        [.., level] = *slot;
    }
    for (slot, rate) in last.iter_mut().zip(rest) {
        level *= 1.0 + rate;
        *slot = level;
    }
    levels
}

/// Whether each sum with a number above zero is above zero, and not by rounding.
#[inline(always)]
fn sums_are_positive_with<P: Product>(x: &[f64], above_zero: &[f64]) -> bool {
    /// Far above the rounding of the numbers and of their sum.
    const MARGIN: f64 = 1e-9;
    let mut clear = 0;
    for (x, y) in x.iter().zip(above_zero) {
        clear += usize::from(x + y > MARGIN * y);
    }
    clear == x.len()
}

#[inline(always)]
fn steps_with<P: Product>(x: &[f64]) -> Vec<f64> {
    x.iter().zip(x.get(1..).unwrap_or_default()).map(|(from, to)| to - from).collect()
}

on_this_processor!(pub(super) largest_integer, largest_integer_with, (values: &[i64]) -> u64, "max |value|.");
on_this_processor!(pub(super) doubles, doubles_with, (values: &[i64]) -> Vec<f64>, "The nearest `f64` values.");
on_this_processor!(pub(super) halves, halves_with, (values: &[i64]) -> Vectors, "Double-doubles that are the integers, which have at most 62 bits.");
on_this_processor!(pub(super) scaled, scaled_with, (mantissas: &[i64], scales: &[u8], scale: u8) -> (Vec<i64>, f64), "Mantissas at a common scale, and about the largest magnitude.");
on_this_processor!(pub(super) doubles_at, doubles_at_with, (mantissas: &[i64], scales: &[u8], scale: u8) -> (Vec<f64>, f64), "Mantissas at a common scale, and the largest magnitude.");
on_this_processor!(pub(super) looked_up, looked_up_with, (table: &[f64; 256], places: &[u8]) -> Vec<f64>, "Entries of a table.");
on_this_processor!(pub(crate) levels, levels_with, (x: &[f64]) -> Vec<f64>, "Π (1 + x) up to each x, from 1 on.");
on_this_processor!(pub(super) sums_are_positive, sums_are_positive_with, (x: &[f64], above_zero: &[f64]) -> bool, "Whether each sum is above zero.");
on_this_processor!(pub(crate) steps, steps_with, (x: &[f64]) -> Vec<f64>, "From each x to the next.");
on_this_processor!(pub(crate) extremes, extremes_with, (x: &[f64]) -> [f64; 2], "The smallest and the largest x; zeros of none.");
on_this_processor!(pub(crate) block_extremes, block_extremes_with, (x: &[f64], length: usize) -> Vec<[f64; 2]>, "The same of each so many x.");
on_this_processor!(pub(crate) count_within, count_within_with, (x: &[f64], least: f64, most: f64) -> usize, "How many x are from `least` to `most`.");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::processor::{Split, with_each_version};
    use proptest::prelude::*;

    fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever this processor has, it gives what plain steps give.
        #[test]
        fn every_way_gives_the_same(
            x in prop::collection::vec(-0.5_f64..0.5, 0..100),
            integers in prop::collection::vec((any::<i64>(), 2_u32..64, 0_u8..12), 0..100),
        ) {
            let (integers, scales): (Vec<i64>, Vec<u8>) =
                integers.into_iter().map(|(integer, bits, scale)| (integer >> bits, scale)).unzip();
            with_each_version(|| {
                let [least, most] = [f64::min, f64::max].map(|of| x.iter().copied().reduce(of).unwrap_or(0.0));
                prop_assert_eq!(bits(&extremes(&x)), bits(&[least, most]));
                let blocks: Vec<[f64; 2]> = x.chunks(7).map(extremes).collect();
                prop_assert_eq!(block_extremes(&x, 7), blocks);
                let within = x.iter().filter(|number| (0.1..=0.3).contains(*number)).count();
                prop_assert_eq!(count_within(&x, 0.1, 0.3), within);
                prop_assert_eq!(bits(&levels(&x)), bits(&levels_with::<Split>(&x)));
                let level = x.iter().fold(1.0, |level, rate| level * (1.0 + rate));
                prop_assert!((levels(&x)[x.len()] / level - 1.0).abs() < 1e-15 * (x.len() + 1) as f64);
                let differences: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
                prop_assert_eq!(steps(&x), differences);
                let above_zero: Vec<f64> = x.iter().map(|number| 0.4 + number.abs() / 8.0).collect();
                let positive = x.iter().zip(&above_zero).all(|(x, y)| x + y > 0.0);
                prop_assert_eq!(sums_are_positive(&x, &above_zero), positive);
                prop_assert_eq!(largest_integer(&integers), integers.iter().map(|n| n.unsigned_abs()).max().unwrap_or(0));
                prop_assert_eq!(doubles(&integers), integers.iter().map(|n| *n as f64).collect::<Vec<_>>());
                let halves = halves(&integers);
                for (integer, (high, low)) in integers.iter().zip(halves.high.iter().zip(&halves.low)) {
                    prop_assert_eq!(i128::from(*integer), *high as i128 + *low as i128);
                    prop_assert_eq!(high.to_bits(), (*integer as f64).to_bits());
                }
                let (at_scale, largest) = scaled(&integers, &scales, 12);
                if largest < 2_f64.powi(62) {
                    let power = |scale: u8| 10_i64.pow(12 - u32::from(scale));
                    let expected: Vec<i64> = integers.iter().zip(&scales).map(|(n, scale)| n * power(*scale)).collect();
                    prop_assert_eq!(&at_scale, &expected);
                    let (doubles, _) = doubles_at(&integers, &scales, 12);
                    prop_assert!(largest > 2_f64.powi(53) || doubles == expected.iter().map(|n| *n as f64).collect::<Vec<_>>());
                }
                Ok(())
            })?;
        }
    }
}
