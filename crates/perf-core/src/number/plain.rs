//! Loops over integers and `f64` values.

use super::integers::SINGLE_POWERS;
use super::lanes::{Lanes, WIDTH};
use super::processor::{Product, on_this_processor};
use super::ranks::{Ranks, rank, ranked};
use super::whole::SHORT_POWERS;

#[inline(always)]
fn doubles_with<P: Product>(values: &[i64]) -> Vec<f64> {
    values.iter().map(|value| *value as f64).collect()
}

#[inline(always)]
fn largest_with<P: Product>(values: &[i64]) -> u64 {
    let mut largest = 0;
    for value in values {
        largest = value.unsigned_abs().max(largest);
    }
    largest
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
fn places_within_with<P: Product>(x: &[f64], least: f64, most: f64) -> (usize, usize) {
    let (mut count, mut sum) = (0, 0);
    for (place, number) in x.iter().enumerate() {
        let within = usize::from(*number >= least) & usize::from(*number <= most);
        (count, sum) = (count + within, sum + within * place);
    }
    (count, sum)
}

/// Numbers of a block.
pub(crate) const BLOCK: usize = 32;

/// Of a block of factors: the smallest and the largest product of the first of them, and that of all.
pub(crate) type BlockProducts = [f64; 3];

/// The products of 1 + x in each block, eight blocks at a time.
#[inline(always)]
fn block_products_with<P: Product>(x: &[f64]) -> Vec<BlockProducts> {
    let mut found = Vec::with_capacity(x.len().div_ceil(BLOCK));
    let (blocks, last) = x.as_chunks::<BLOCK>();
    let (eights, rest) = blocks.as_chunks::<WIDTH>();
    for eight in eights {
        let (mut product, mut least, mut most) = (Lanes::ONE, Ranks::LAST, Ranks::FIRST);
        for place in 0..BLOCK {
            product = product * (Lanes::ONE + Lanes::across(eight, place));
            (least, most) = (least.min(product), most.max(product));
        }
        let (least, most) = (least.numbers().0, most.numbers().0);
        for ((least, most), product) in least.into_iter().zip(most).zip(product.0) {
            found.push([least, most, product]);
        }
    }
    for block in rest.iter().map(<[f64; BLOCK]>::as_slice).chain((!last.is_empty()).then_some(last)) {
        let (mut product, mut least, mut most) = (1.0, f64::INFINITY, 0.0);
        for number in block {
            product *= 1.0 + number;
            least = if product < least { product } else { least };
            most = if product > most { product } else { most };
        }
        found.push([least, most, product]);
    }
    found
}

#[inline(always)]
fn steps_with<P: Product>(x: &[f64]) -> Vec<f64> {
    x.iter().zip(x.get(1..).unwrap_or_default()).map(|(from, to)| to - from).collect()
}

on_this_processor!(pub(super) doubles, doubles_with, (values: &[i64]) -> Vec<f64>, "The nearest `f64` values.");
on_this_processor!(pub(super) largest, largest_with, (values: &[i64]) -> u64, "The largest magnitude.");
on_this_processor!(pub(super) scaled, scaled_with, (mantissas: &[i64], scales: &[u8], scale: u8) -> (Vec<i64>, f64), "Mantissas at a common scale, and about the largest magnitude.");
on_this_processor!(pub(super) doubles_at, doubles_at_with, (mantissas: &[i64], scales: &[u8], scale: u8) -> (Vec<f64>, f64), "Mantissas at a common scale, and the largest magnitude.");
on_this_processor!(pub(super) looked_up, looked_up_with, (table: &[f64; 256], places: &[u8]) -> Vec<f64>, "Entries of a table.");
on_this_processor!(pub(crate) block_products, block_products_with, (x: &[f64]) -> Vec<BlockProducts>, "Of each block, the smallest and the largest product of the first 1 + x, and that of all.");
on_this_processor!(pub(crate) steps, steps_with, (x: &[f64]) -> Vec<f64>, "From each x to the next.");
on_this_processor!(pub(crate) extremes, extremes_with, (x: &[f64]) -> [f64; 2], "The smallest and the largest x; zeros of none.");
on_this_processor!(pub(crate) places_within, places_within_with, (x: &[f64], least: f64, most: f64) -> (usize, usize), "How many x are from `least` to `most`, and the sum of their places: where there is one, its place.");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::processor::with_each_version;
    use proptest::prelude::*;

    fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever this processor has, it gives what plain steps give.
        #[test]
        fn every_way_gives_the_same(
            x in prop::collection::vec(-0.5_f64..0.5, 0..600),
            integers in prop::collection::vec((any::<i64>(), 2_u32..64, 0_u8..12), 0..100),
        ) {
            let (integers, scales): (Vec<i64>, Vec<u8>) =
                integers.into_iter().map(|(integer, bits, scale)| (integer >> bits, scale)).unzip();
            with_each_version(|| {
                let [least, most] = [f64::min, f64::max].map(|of| x.iter().copied().reduce(of).unwrap_or(0.0));
                prop_assert_eq!(bits(&extremes(&x)), bits(&[least, most]));
                let within = x.iter().filter(|number| (0.1..=0.3).contains(*number)).count();
                let places = x.iter().enumerate().filter(|(_, number)| (0.1..=0.3).contains(*number));
                prop_assert_eq!(places_within(&x, 0.1, 0.3), (within, places.map(|(place, _)| place).sum()));
                for (block, found) in x.chunks(BLOCK).zip(block_products(&x)) {
                    let products = block.iter().scan(1.0, |product, rate| {
                        *product *= 1.0 + rate;
                        Some(*product)
                    });
                    let products: Vec<f64> = products.collect();
                    let of = |of: fn(f64, f64) -> f64| products.iter().copied().reduce(of).expect("some");
                    prop_assert_eq!(bits(&found), bits(&[of(f64::min), of(f64::max), products[block.len() - 1]]));
                }
                prop_assert_eq!(block_products(&x).len(), x.len().div_ceil(BLOCK));
                let differences: Vec<f64> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
                prop_assert_eq!(steps(&x), differences);
                prop_assert_eq!(largest(&integers), integers.iter().map(|n| n.unsigned_abs()).max().unwrap_or(0));
                prop_assert_eq!(doubles(&integers), integers.iter().map(|n| *n as f64).collect::<Vec<_>>());
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
