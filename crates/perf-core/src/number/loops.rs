//! Sums and products of double-doubles, eight at a time.
//!
//! Long ones keep what each step loses in a plain `f64` beside
//! them, and are joined to a double-double after every [`BLOCK`] steps, before
//! that `f64` has lost anything that counts. `largest` is a magnitude that no number exceeds.

use super::Twofold;
use super::lanes::{Columns, DOUBLE_WIDTH, Lanes, Pairs, Slices, WIDTH};
use super::processor::{Product, on_this_processor};
use super::ranks::Ranks;

/// Steps of a sum before it is joined.
pub(super) const BLOCK: usize = 32;
/// Factors of a product before it is joined.
pub(super) const PRODUCT_BLOCK: usize = 16;

/// Sums of products, and the largest magnitude of a product.
pub(super) struct Products {
    pub(super) value: Twofold,
    pub(super) largest: f64,
}

/// Squares of what is below a center, and whether each difference is far above dust.
pub(super) struct Below {
    pub(super) squares: Twofold,
    pub(super) certain: bool,
}

/// Σ d³, Σ d⁴ and the largest |d|.
pub(super) struct PowerSums {
    pub(super) cubes: Twofold,
    pub(super) fourths: Twofold,
    pub(super) largest: f64,
}

/// Π (1 + x).
pub(super) struct Growth {
    pub(super) value: Twofold,
    /// The smallest and the largest magnitude of a product of some of them.
    pub(super) products: [f64; 2],
}

/// Sums of terms, the high parts of which are at most `largest`, and their low parts 2^−49 of it.
/// What is summed up starts at a power of two A, from 64 to 128 times `largest`, and stays between
/// A/2 and 3A/2 in a block: it is above each term, so that three operations give what a step leaves
/// out, at most 2^−53 A. After m steps, with u = 2^−53, the roundings of what is left out add up
/// to less than (m + m(m + 1)/2)·1.13·2^−46 u of `largest`: 2^−89 of it in each lane of a block.
#[inline(always)]
fn totals<const C: usize, const N: usize>(
    mut columns: Columns<'_, C>,
    largest: [f64; N],
    mut terms: impl FnMut([Lanes; C]) -> [(Lanes, Lanes); N],
) -> [Twofold; N] {
    let start = largest.map(|largest| Pairs { high: Lanes([power_above(largest); WIDTH]), low: Lanes::ZERO });
    let mut totals = [Pairs::ZERO; N];
    let mut more = true;
    while more {
        let mut running = start;
        for _ in 0..BLOCK {
            let Some(step) = columns.next() else {
                more = false;
                break;
            };
            for (running, (high, low)) in running.iter_mut().zip(terms(step)) {
                let sum = running.high + high;
                let left_out = high - (sum - running.high);
                *running = Pairs { high: sum, low: running.low + (left_out + low) };
            }
        }
        for ((total, running), start) in totals.iter_mut().zip(running).zip(start) {
            let (high, low) = (running.high - start.high).two_sum(running.low);
            *total = total.plus(Pairs { high, low });
        }
    }
    totals.map(Pairs::total)
}

/// The power of two from 64 to 128 times a magnitude.
fn power_above(magnitude: f64) -> f64 {
    const EXPONENT: u64 = f64::INFINITY.to_bits();
    f64::from_bits((4.0 * BLOCK as f64 * magnitude).to_bits() & EXPONENT)
}

fn parts<'a>(x: Slices<'a>) -> Columns<'a, 2> {
    Columns::of([x.high, x.low])
}

#[inline(always)]
fn moments_with<P: Product>(x: Slices<'_>, largest: f64) -> [Twofold; 2] {
    totals(
        parts(x),
        [largest, largest * largest],
        #[inline(always)]
        |[high, low]| [(high, low), Pairs { high, low }.loose_times::<P>(Pairs { high, low })],
    )
}

#[inline(always)]
fn higher_moments_with<P: Product>(x: Slices<'_>, largest: f64) -> [Twofold; 2] {
    totals(
        parts(x),
        [largest.powi(3), largest.powi(4)],
        #[inline(always)]
        |[high, low]| third_and_fourth::<P>(Pairs { high, low }),
    )
}

/// x³ and x⁴.
#[inline(always)]
fn third_and_fourth<P: Product>(x: Pairs) -> [(Lanes, Lanes); 2] {
    let (high, low) = x.loose_times::<P>(x);
    let square = Pairs { high, low };
    [square.loose_times::<P>(x), square.loose_times::<P>(square)]
}

#[inline(always)]
fn products_with<P: Product>(x: Slices<'_>, y: Slices<'_>, largest: f64) -> Twofold {
    let [sum] = totals(
        Columns::of([x.high, x.low, y.high, y.low]),
        [largest],
        #[inline(always)]
        |[a, b, c, d]| [Pairs { high: a, low: b }.loose_times::<P>(Pairs { high: c, low: d })],
    );
    sum
}

/// Numbers to be seen from a center, and the largest magnitude that is left then.
#[derive(Clone, Copy)]
pub(super) struct Centered<'a> {
    pub(super) x: Slices<'a>,
    pub(super) center: Twofold,
    pub(super) largest: f64,
}

#[inline(always)]
fn products_about_with<P: Product>(x: Centered<'_>, y: Centered<'_>) -> Products {
    let (a, b) = (x.center, y.center);
    let (less_a, less_b) = (Pairs::of(-a), Pairs::of(-b));
    let mut largest = Ranks::of(Lanes::ZERO);
    let [value] = totals(
        Columns::filled([x.x.high, x.x.low, y.x.high, y.x.low], [a.high, a.low, b.high, b.low]),
        [x.largest * y.largest],
        #[inline(always)]
        |[a, b, c, d]| {
            let (x, y) = (Pairs { high: a, low: b }.plus(less_a), Pairs { high: c, low: d }.plus(less_b));
            let product = x.loose_times::<P>(y);
            largest = largest.max(product.0.abs());
            [product]
        },
    );
    Products { value, largest: largest.largest() }
}

/// Filled up with what leaves nothing once the center is taken off.
#[inline(always)]
fn around(x: Centered<'_>) -> Columns<'_, 2> {
    Columns::filled([x.x.high, x.x.low], [x.center.high, x.center.low])
}

#[inline(always)]
fn squares_about_with<P: Product>(x: Centered<'_>) -> Twofold {
    let less = Pairs::of(-x.center);
    let [sum] = totals(
        around(x),
        [x.largest * x.largest],
        #[inline(always)]
        |[high, low]| {
            let difference = Pairs { high, low }.plus(less);
            [difference.loose_times::<P>(difference)]
        },
    );
    sum
}

#[inline(always)]
fn powers_about_with<P: Product>(x: Centered<'_>) -> PowerSums {
    let less = Pairs::of(-x.center);
    let mut largest = Ranks::of(Lanes::ZERO);
    let [cubes, fourths] = totals(
        around(x),
        [x.largest.powi(3), x.largest.powi(4)],
        #[inline(always)]
        |[high, low]| {
            let difference = Pairs { high, low }.plus(less);
            largest = largest.max(difference.high.abs());
            third_and_fourth::<P>(difference)
        },
    );
    PowerSums { cubes, fourths, largest: largest.largest() }
}

#[inline(always)]
fn squares_below_zero_with<P: Product>(x: Slices<'_>, largest: f64) -> Twofold {
    let [sum] = totals(
        parts(x),
        [largest * largest],
        #[inline(always)]
        |[high, low]| [square_below_zero::<P>(Pairs { high, low })],
    );
    sum
}

/// What columns are filled up with is clearly above the center.
#[inline(always)]
fn squares_below_with<P: Product>(x: Centered<'_>) -> Below {
    let (center, less) = (Pairs::of(x.center), Pairs::of(-x.center));
    let mut certain = Ranks::of(Lanes::ONE);
    let [sum] = totals(
        Columns::filled([x.x.high, x.x.low], [x.center.high.abs() * 2.0 + 1.0, 0.0]),
        [x.largest * x.largest],
        #[inline(always)]
        |[high, low]| {
            let difference = Pairs { high, low }.plus(less);
            certain = certain.min(difference.high.clearance(high, center.high));
            [square_below_zero::<P>(difference)]
        },
    );
    Below { squares: sum, certain: certain.smallest() > 0.0 }
}

/// min(x, 0)².
#[inline(always)]
fn square_below_zero<P: Product>(Pairs { high, low }: Pairs) -> (Lanes, Lanes) {
    let low = high.zip(low, |high, low| if high < 0.0 { low } else { 0.0 });
    let below = Pairs { high: high.min(Lanes::ZERO), low };
    below.loose_times::<P>(below)
}

/// Products of 1 + x. A factor's low part is below 2u of its high one. After m factors
/// without joining, the error kept aside is below 3mu of the product, and its own rounding,
/// with what is left out of products of low parts, adds up to less than (6m² + 8m)u².
#[inline(always)]
fn growth_of<P: Product, const C: usize>(
    mut columns: Columns<'_, C, DOUBLE_WIDTH>,
    factor: impl Fn([Lanes<DOUBLE_WIDTH>; C]) -> Pairs<DOUBLE_WIDTH>,
) -> Growth {
    let mut total = Pairs::ONE;
    let (mut lowest, mut highest) = (Ranks::of(Lanes::ONE), Ranks::of(Lanes::ONE));
    let mut more = true;
    while more {
        let (mut product, mut lost) = (Lanes::ONE, Lanes::ZERO);
        for _ in 0..PRODUCT_BLOCK {
            let Some(step) = columns.next() else {
                more = false;
                break;
            };
            let factor = factor(step);
            let (next, error) = product.two_product::<P>(factor.high);
            lost = lost * factor.high + (error + product * factor.low);
            product = next;
        }
        total = total.times::<P>(Pairs::renormalized(product, lost));
        let size = total.high.abs();
        (lowest, highest) = (lowest.min(size), highest.max(size));
    }
    let [first, last] = total.halves();
    Growth { value: first.times::<P>(last).product(), products: [lowest.smallest(), highest.largest()] }
}

/// Numbers for whose sum with one there is a shorter way.
pub(super) const BESIDE_ONE: std::ops::RangeInclusive<f64> = -0.5..=1.0;

/// All numbers are [`BESIDE_ONE`] where `beside_one` says so.
#[inline(always)]
fn growth_with<P: Product>(x: Slices<'_>, beside_one: bool) -> Growth {
    match beside_one {
        true => growth_of::<P, 2>(
            Columns::of([x.high, x.low]),
            #[inline(always)]
            |[high, low]| Pairs::one_and(high, low),
        ),
        false => growth_of::<P, 2>(
            Columns::of([x.high, x.low]),
            #[inline(always)]
            |[high, low]| Pairs::ONE.plus(Pairs { high, low }),
        ),
    }
}

/// The growth of those whose number in `signs`, times `side`, is above zero.
#[inline(always)]
fn growth_where_with<P: Product>(x: Slices<'_>, signs: &[f64], side: f64, beside_one: bool) -> Growth {
    let columns = Columns::of([x.high, x.low, signs]);
    match beside_one {
        true => growth_of::<P, 3>(
            columns,
            #[inline(always)]
            |[high, low, sign]| {
                let keep = sign.kept(side);
                Pairs::one_and(high * keep, low * keep)
            },
        ),
        false => growth_of::<P, 3>(
            columns,
            #[inline(always)]
            |[high, low, sign]| {
                let keep = sign.kept(side);
                Pairs::ONE.plus(Pairs { high: high * keep, low: low * keep })
            },
        ),
    }
}

on_this_processor!(pub(super) moments, moments_with, (x: Slices<'_>, largest: f64) -> [Twofold; 2], "Σ x and Σ x².");
on_this_processor!(pub(super) higher_moments, higher_moments_with, (x: Slices<'_>, largest: f64) -> [Twofold; 2], "Σ x³ and Σ x⁴.");
on_this_processor!(pub(super) products, products_with, (x: Slices<'_>, y: Slices<'_>, largest: f64) -> Twofold, "Σ xy: `largest` of the products.");
on_this_processor!(pub(super) products_about, products_about_with, (x: Centered<'_>, y: Centered<'_>) -> Products, "Σ (x − x̄)(y − ȳ).");
on_this_processor!(pub(super) squares_about, squares_about_with, (x: Centered<'_>) -> Twofold, "Σ (x − center)².");
on_this_processor!(pub(super) powers_about, powers_about_with, (x: Centered<'_>) -> PowerSums, "Sums of higher powers of x − center.");
on_this_processor!(pub(super) squares_below_zero, squares_below_zero_with, (x: Slices<'_>, largest: f64) -> Twofold, "Σ min(x, 0)².");
on_this_processor!(pub(super) squares_below, squares_below_with, (x: Centered<'_>) -> Below, "Σ min(x − center, 0)².");
on_this_processor!(pub(super) growth, growth_with, (x: Slices<'_>, beside_one: bool) -> Growth, "Π (1 + x).");
on_this_processor!(pub(super) growth_where, growth_where_with, (x: Slices<'_>, signs: &[f64], side: f64, beside_one: bool) -> Growth, "Π (1 + x) of those whose sign is `side`'s.");

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::number::lanes::Vectors;
    use crate::number::processor::{Split, with_each_version};
    use crate::number::{Real, Wide};
    use proptest::prelude::*;

    /// Two columns of double-doubles.
    pub(in crate::number) fn columns(numbers: &[(f64, f64, f64, f64)]) -> [Vectors; 2] {
        let pair = |high: f64, low: f64| Twofold::renormalized(high, high * low * f64::EPSILON);
        let first = numbers.iter().map(|(high, low, _, _)| pair(*high, *low));
        [first.collect(), numbers.iter().map(|(_, _, high, low)| pair(*high, *low)).collect()]
    }

    pub(in crate::number) fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    fn parts(numbers: &[Twofold]) -> Vec<u64> {
        numbers.iter().flat_map(|number| [number.high.to_bits(), number.low.to_bits()]).collect()
    }

    fn same_growth(a: &Growth, b: &Growth) -> bool {
        (parts(&[a.value]), bits(&a.products)) == (parts(&[b.value]), bits(&b.products))
    }

    pub(in crate::number) fn wide(x: Slices<'_>) -> Vec<Wide> {
        let numbers = x.high.iter().zip(x.low);
        numbers.map(|(high, low)| Wide::from_twofold(Twofold { high: *high, low: *low })).collect()
    }

    /// |found − Σ term| / Σ |term|.
    pub(in crate::number) fn error(found: Twofold, terms: impl Iterator<Item = Wide>) -> f64 {
        let (mut sum, mut size) = (Wide::zero(), 0.0);
        for term in terms {
            size += term.approximate().abs();
            sum = sum + term;
        }
        sum.sub_twofold(found).expect("finite").abs() / size.max(f64::MIN_POSITIVE)
    }

    fn size(x: Slices<'_>) -> f64 {
        x.high.iter().fold(0.0, |largest: f64, high| largest.max(high.abs()))
    }

    fn from(x: Slices<'_>, center: Twofold) -> Centered<'_> {
        Centered { x, center, largest: size(x) + center.high.abs() }
    }

    pub(in crate::number) fn numbers() -> impl Strategy<Value = Vec<(f64, f64, f64, f64)>> {
        prop::collection::vec((-0.5_f64..0.5, -0.5_f64..0.5, 1.0_f64..1e12, -0.5_f64..0.5), 0..700)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever this processor has, it gives what splitting gives.
        #[test]
        fn every_way_gives_the_same_bits(numbers in numbers()) {
            let [x, y] = columns(&numbers);
            let (x, y) = (x.as_slices(), y.as_slices());
            with_each_version(|| {
            let (of_x, of_both) = (size(x), size(x) * size(y));
            prop_assert_eq!(parts(&moments(x, of_x)), parts(&moments_with::<Split>(x, of_x)));
            prop_assert_eq!(parts(&higher_moments(x, of_x)), parts(&higher_moments_with::<Split>(x, of_x)));
            prop_assert_eq!(parts(&[products(x, y, of_both)]), parts(&[products_with::<Split>(x, y, of_both)]));
            let (center, other) = (Twofold::renormalized(0.01, 1e-20), Twofold::renormalized(1e5, 1e-13));
            let (from_center, from_other) = (from(x, center), from(y, other));
            let (a, b) = (
                products_about(from_center, from_other),
                products_about_with::<Split>(from_center, from_other),
            );
            prop_assert_eq!(parts(&[a.value]), parts(&[b.value]));
            prop_assert_eq!(a.largest.to_bits(), b.largest.to_bits());
            let (a, b) = (squares_about(from_center), squares_about_with::<Split>(from_center));
            prop_assert_eq!(parts(&[a]), parts(&[b]));
            let (a, b) = (powers_about(from_center), powers_about_with::<Split>(from_center));
            prop_assert_eq!(parts(&[a.cubes, a.fourths]), parts(&[b.cubes, b.fourths]));
            prop_assert_eq!(a.largest.to_bits(), b.largest.to_bits());
            let (a, b) = (squares_below_zero(x, of_x), squares_below_zero_with::<Split>(x, of_x));
            prop_assert_eq!(parts(&[a]), parts(&[b]));
            let (a, b) = (squares_below(from_center), squares_below_with::<Split>(from_center));
            prop_assert_eq!(parts(&[a.squares]), parts(&[b.squares]));
            prop_assert_eq!(a.certain, b.certain);
            for beside_one in [true, false] {
                let (a, b) = (growth(x, beside_one), growth_with::<Split>(x, beside_one));
                prop_assert!(same_growth(&a, &b));
                for side in [1.0, -1.0] {
                    let a = growth_where(x, x.low, side, beside_one);
                    prop_assert!(same_growth(&a, &growth_where_with::<Split>(x, x.low, side, beside_one)));
                }
            }
            Ok(())
            })?;
        }

        /// Far within the bounds that the number type adds to its results.
        #[test]
        fn what_is_lost_stays_within_its_bound(numbers in numbers()) {
            const SUM: f64 = 1.0 / (1_u128 << 95) as f64;
            let [x, y] = columns(&numbers);
            let (x, y) = (x.as_slices(), y.as_slices());
            let (a, b) = (wide(x), wide(y));
            let [sum, squares] = moments(x, size(x));
            prop_assert!(error(sum, a.iter().cloned()) < SUM);
            prop_assert!(error(squares, a.iter().map(|a| a.power_integer(2))) < SUM);
            let [cubes, fourths] = higher_moments(x, size(x));
            prop_assert!(error(cubes, a.iter().map(|a| a.power_integer(3))) < SUM);
            prop_assert!(error(fourths, a.iter().map(|a| a.power_integer(4))) < SUM);
            let pairs = a.iter().zip(&b).map(|(a, b)| a.clone() * b.clone());
            prop_assert!(error(products(x, y, size(x) * size(y)), pairs) < SUM);
            // Far from the numbers, so that no difference loses digits: that has its own bound.
            let (center, other) = (Twofold::renormalized(3.0, 1e-17), Twofold::renormalized(-1e5, 1e-13));
            let [center_wide, other_wide] = [center, other].map(Wide::from_twofold);
            let away = |a: &Wide| a.clone() - center_wide.clone();
            let pairs = a.iter().zip(&b).map(|(a, b)| away(a) * (b.clone() - other_wide.clone()));
            prop_assert!(error(products_about(from(x, center), from(y, other)).value, pairs) < SUM);
            prop_assert!(error(squares_about(from(x, center)), a.iter().map(|a| away(a).power_integer(2))) < SUM);
            prop_assert!(error(squares_below(from(x, center)).squares, a.iter().map(|a| away(a).power_integer(2))) < SUM);
            prop_assert_eq!(parts(&[squares_below(from(x, -center)).squares]), parts(&[Twofold::ZERO]));
            let found = powers_about(from(x, center));
            prop_assert!(error(found.cubes, a.iter().map(|a| away(a).power_integer(3))) < SUM);
            prop_assert!(error(found.fourths, a.iter().map(|a| away(a).power_integer(4))) < SUM);
            let largest = a.iter().fold(0.0, |largest: f64, a| largest.max(away(a).approximate().abs()));
            prop_assert!((found.largest - largest).abs() <= 1e-15 * largest);
            let product = a.iter().fold(Wide::one(), |product, a| product * (Wide::one() + a.clone()));
            let factors = (a.len() + 8) as f64;
            for beside_one in [true, false] {
                let value = growth(x, beside_one).value;
                prop_assert!(error(value, [product.clone()].into_iter()) < SUM * factors);
            }
        }
    }
}
