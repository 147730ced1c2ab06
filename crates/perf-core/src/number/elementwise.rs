//! Loops that make numbers of numbers, eight at a time: quotients, differences, integers.

use super::lanes::{Columns, Lanes, Pairs, Slices, Vectors, WIDTH};
use super::processor::{Product, on_this_processor};
use super::ranks::Ranks;

/// Differences, and whether each is either far above dust or a difference of zeros.
pub(super) struct Differences {
    pub(super) values: Vectors,
    pub(super) certain: bool,
}

/// Numbers, and the smallest and the largest of their high parts.
pub(super) struct Ranged {
    pub(super) values: Vectors,
    pub(super) range: [f64; 2],
}

impl Ranged {
    /// As [`Vectors::collect`]; what fills columns up is their first row, which changes no range.
    #[inline(always)]
    fn collect<const N: usize>(columns: [&[f64]; N], mut function: impl FnMut([Lanes; N]) -> Pairs) -> Self {
        let length = columns.first().map_or(0, |column| column.len());
        let fill = columns.map(|column| column.first().copied().unwrap_or_default());
        let (mut least, mut most) = (Ranks::LAST, Ranks::FIRST);
        let values = Vectors::collect(
            length,
            Columns::filled(columns, fill),
            #[inline(always)]
            |step| {
                let pairs = function(step);
                (least, most) = (least.min(pairs.high), most.max(pairs.high));
                pairs
            },
        );
        let range = if length == 0 { [0.0; 2] } else { [least.smallest(), most.largest()] };
        Self { values, range }
    }
}

#[inline(always)]
fn ratios_with<P: Product>(numerators: Slices<'_>, denominators: Slices<'_>) -> Vectors {
    let columns = [numerators.high, numerators.low, denominators.high, denominators.low];
    Vectors::collect(
        numerators.high.len(),
        Columns::filled(columns, [0.0, 0.0, 1.0, 0.0]),
        #[inline(always)]
        |[a, b, c, d]| Pairs { high: a, low: b }.over::<P>(Pairs { high: c, low: d }),
    )
}

/// Quotients by `f64` values. With the reciprocal rounded, the first part is
/// within 2u of the quotient and leaves an almost exact remainder, so that both
/// parts are within 16u² of it.
#[inline(always)]
fn quotients_with<P: Product>(numerators: Slices<'_>, denominators: &[f64]) -> Ranged {
    Ranged::collect(
        [numerators.high, numerators.low, denominators],
        #[inline(always)]
        |[high, low, denominator]| quotient::<P>(high, low, denominator),
    )
}

/// The same of numerators that are an `f64` each.
#[inline(always)]
fn plain_quotients_with<P: Product>(numerators: &[f64], denominators: &[f64]) -> Ranged {
    Ranged::collect(
        [numerators, denominators],
        #[inline(always)]
        |[numerator, denominator]| quotient::<P>(numerator, Lanes::ZERO, denominator),
    )
}

/// The same of numerators that are integers of up to 62 bits.
#[inline(always)]
fn integer_quotients_with<P: Product>(numerators: &[i64], denominators: &[f64]) -> Ranged {
    let mut steps = eights(numerators);
    Ranged::collect(
        [denominators],
        #[inline(always)]
        |[denominator]| {
            let Pairs { high, low } = Pairs::integers(steps());
            quotient::<P>(high, low, denominator)
        },
    )
}

/// Integers of up to 62 bits.
#[inline(always)]
fn integers_with<P: Product>(integers: &[i64]) -> Vectors {
    let mut steps = eights(integers);
    Vectors::collect(
        integers.len(),
        Columns::of([]),
        #[inline(always)]
        |[]| Pairs::integers(steps()),
    )
}

/// Integers eight by eight, the last ones filled up with the first.
#[inline(always)]
fn eights(integers: &[i64]) -> impl FnMut() -> [i64; WIDTH] {
    let (whole, rest) = integers.as_chunks::<WIDTH>();
    let mut last = [integers.first().copied().unwrap_or_default(); WIDTH];
    last.iter_mut().zip(rest).for_each(|(slot, number)| *slot = *number);
    let mut whole = whole.iter();
    #[inline(always)]
    move || *whole.next().unwrap_or(&last)
}

#[inline(always)]
fn quotient<P: Product>(high: Lanes, low: Lanes, denominator: Lanes) -> Pairs {
    let reciprocal = Lanes::ONE / denominator;
    let first = high * reciprocal;
    let (product, error) = first.two_product::<P>(denominator);
    Pairs::renormalized(first, (((high - product) - error) + low) * reciprocal)
}

#[inline(always)]
fn differences_with<P: Product>(x: Slices<'_>, y: Slices<'_>) -> Differences {
    let mut certain = Ranks::of(Lanes::ONE);
    let values = Vectors::collect(
        x.high.len(),
        Columns::of([x.high, x.low, y.high, y.low]),
        #[inline(always)]
        |[a, b, c, d]| {
            let difference = Pairs { high: a, low: b }.plus(Pairs { high: -c, low: -d });
            certain = certain.min(difference.high.clearance(a, c));
            difference
        },
    );
    Differences { values, certain: certain.smallest() > 0.0 }
}

on_this_processor!(pub(super) ratios, ratios_with, (numerators: Slices<'_>, denominators: Slices<'_>) -> Vectors, "numerator / denominator.");
on_this_processor!(pub(super) quotients, quotients_with, (numerators: Slices<'_>, denominators: &[f64]) -> Ranged, "numerator / denominator of `f64` values.");
on_this_processor!(pub(super) plain_quotients, plain_quotients_with, (numerators: &[f64], denominators: &[f64]) -> Ranged, "The same, without low parts.");
on_this_processor!(pub(super) integer_quotients, integer_quotients_with, (numerators: &[i64], denominators: &[f64]) -> Ranged, "The same of integers of up to 62 bits.");
on_this_processor!(pub(super) integers, integers_with, (integers: &[i64]) -> Vectors, "Integers of up to 62 bits.");
on_this_processor!(pub(super) differences, differences_with, (x: Slices<'_>, y: Slices<'_>) -> Differences, "x − y.");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::loops::tests::{bits, columns, error, numbers, wide};
    use crate::number::processor::{Split, with_each_version};
    use crate::number::{Real, Twofold, Wide, plain};
    use proptest::prelude::*;

    fn same(a: &Vectors, b: &Vectors) -> bool {
        (bits(&a.high), bits(&a.low)) == (bits(&b.high), bits(&b.low))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever this processor has, it gives what splitting gives.
        #[test]
        fn every_way_gives_the_same_bits(numbers in numbers()) {
            let [x, y] = columns(&numbers);
            let (x, y) = (x.as_slices(), y.as_slices());
            with_each_version(|| {
            prop_assert!(same(&ratios(x, y), &ratios_with::<Split>(x, y)));
            let (a, b) = (quotients(x, y.high), quotients_with::<Split>(x, y.high));
            prop_assert!(same(&a.values, &b.values) && bits(&a.range) == bits(&plain::extremes(&a.values.high)));
            let no_low_parts = Slices { high: x.high, low: &vec![0.0; x.high.len()] };
            let (a, b) = (plain_quotients(x.high, y.high), quotients_with::<Split>(no_low_parts, y.high));
            prop_assert!(same(&a.values, &b.values) && bits(&a.range) == bits(&b.range));
            let whole: Vec<i64> = y.high.iter().zip(x.high).map(|(y, x)| (y * x * 1e6) as i64).collect();
            let (pairs, a) = (integers(&whole), integer_quotients(&whole, y.high));
            prop_assert!(same(&pairs, &whole.iter().map(|n| Wide::integer(*n).to_twofold().expect("finite")).collect()));
            let b = quotients_with::<Split>(pairs.as_slices(), y.high);
            prop_assert!(same(&a.values, &b.values) && bits(&a.range) == bits(&b.range));
            let (a, b) = (differences(x, y), differences_with::<Split>(x, y));
            prop_assert!(same(&a.values, &b.values) && a.certain == b.certain);
            Ok(())
            })?;
        }

        /// Far within the bound that the number type adds to its results.
        #[test]
        fn what_is_lost_stays_within_its_bound(numbers in numbers()) {
            let [x, y] = columns(&numbers);
            let (x, y) = (x.as_slices(), y.as_slices());
            let a = wide(x);
            let quotients = quotients(x, y.high).values;
            let pairs = quotients.high.iter().zip(&quotients.low).zip(a.iter().zip(y.high));
            for ((high, low), (x, y)) in pairs {
                let exact = x.clone() / Wide::approximately(*y);
                let found = Twofold { high: *high, low: *low };
                prop_assert!(error(found, [exact].into_iter()) < 1.0 / (1_u128 << 101) as f64);
            }
        }
    }
}
