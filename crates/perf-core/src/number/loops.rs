//! Loops over double-doubles, eight at a time.
//!
//! Long sums and products keep what each step loses in a plain `f64` beside
//! them, and are joined to a double-double after every [`BLOCK`] steps, before
//! that `f64` has lost anything that counts.

use super::Twofold;
use super::lanes::{Fused, Lanes, Pairs, Product, Slices, Split, Vectors, WIDTH, eights};

/// Steps of a sum before it is joined.
pub(super) const BLOCK: usize = 32;
/// Factors of a product before it is joined.
pub(super) const PRODUCT_BLOCK: usize = 16;

/// Sums of products, and the largest magnitude of a product.
pub(super) struct Products {
    pub(super) value: Twofold,
    pub(super) largest: f64,
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

/// Π (1 + x).
pub(super) struct Growth {
    pub(super) value: Twofold,
    /// The smallest and the largest magnitude of a factor.
    pub(super) factors: [f64; 2],
    /// The smallest and the largest magnitude of a product of some of them.
    pub(super) products: [f64; 2],
}

/// A difference above this share of the larger number is no dust, whatever its error.
const FAR_ABOVE_DUST: f64 = 1e-20;

/// Sums of several terms at once. After m steps without joining, with u = 2^−53
/// and S the sum of the magnitudes, the errors kept aside are below (m + 4)uS,
/// and their own rounding adds up to less than (m² + 5m + 4)u²S.
#[inline(always)]
fn totals<const N: usize>(mut terms: impl Iterator<Item = [(Lanes, Lanes); N]>) -> [Twofold; N] {
    let mut totals = [Pairs::ZERO; N];
    loop {
        let mut running = [Pairs::ZERO; N];
        let mut steps = 0;
        for terms in terms.by_ref().take(BLOCK) {
            for (running, (high, low)) in running.iter_mut().zip(terms) {
                let (sum, error) = running.high.two_sum(high);
                *running = Pairs { high: sum, low: running.low + (error + low) };
            }
            steps += 1;
        }
        for (total, running) in totals.iter_mut().zip(running) {
            *total = total.plus(Pairs::renormalized(running.high, running.low));
        }
        if steps < BLOCK {
            return totals.map(Pairs::total);
        }
    }
}

#[inline(always)]
fn largest_with<P: Product>(x: &[f64]) -> f64 {
    eights(x, 0.0).fold(Lanes::ZERO, |largest, x| largest.max(x.abs())).largest()
}

#[inline(always)]
fn sum_with<P: Product>(x: Slices<'_>) -> Twofold {
    let [sum] = totals(x.pairs().map(|x| [(x.high, x.low)]));
    sum
}

#[inline(always)]
fn products_with<P: Product>(x: Slices<'_>, y: Slices<'_>) -> Products {
    let mut largest = Lanes::ZERO;
    let [value] = totals(x.pairs().zip(y.pairs()).map(|(x, y)| {
        let product = x.loose_times::<P>(y);
        largest = largest.max(product.0.abs());
        [product]
    }));
    Products { value, largest: largest.largest() }
}

#[inline(always)]
fn ratios_with<P: Product>(numerators: Slices<'_>, denominators: Slices<'_>) -> Vectors {
    let high = eights(denominators.high, 1.0);
    let denominators = high.zip(eights(denominators.low, 0.0)).map(|(high, low)| Pairs { high, low });
    Vectors::collect(
        numerators.high.len(),
        numerators.pairs().zip(denominators).map(|(a, b)| a.over::<P>(b)),
    )
}

/// Quotients of `f64` values. With the reciprocal rounded, the first part is
/// within 2u of the quotient and leaves an almost exact remainder, so that both
/// parts are within 16u² of it.
#[inline(always)]
fn quotients_with<P: Product>(numerators: &[f64], denominators: &[f64]) -> Vectors {
    let pairs = eights(numerators, 0.0).zip(eights(denominators, 1.0)).map(|(numerator, denominator)| {
        let reciprocal = Lanes::ONE / denominator;
        let first = numerator * reciprocal;
        let (product, error) = first.two_product::<P>(denominator);
        Pairs::renormalized(first, ((numerator - product) - error) * reciprocal)
    });
    Vectors::collect(numerators.len(), pairs)
}

#[inline(always)]
fn minus_with<P: Product>(x: Slices<'_>, center: Twofold) -> Vectors {
    let center = Pairs::of(-center);
    Vectors::collect(x.high.len(), x.pairs().map(|x| x.plus(center)))
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
    let [sum] = totals(x.pairs().map(|x| [x.loose_times::<P>(x)]));
    sum
}

#[inline(always)]
fn powers_with<P: Product>(x: Slices<'_>) -> PowerSums {
    let mut size = Lanes::ZERO;
    let [cubes, fourths] = totals(x.pairs().map(|x| {
        let (high, low) = x.loose_times::<P>(x);
        let square = Pairs { high, low };
        let cube = square.loose_times::<P>(x);
        size = size + cube.0.abs();
        [cube, square.loose_times::<P>(square)]
    }));
    PowerSums { cubes, cubes_size: size.total(), fourths }
}

#[inline(always)]
fn squares_below_zero_with<P: Product>(x: Slices<'_>) -> Twofold {
    let [sum] = totals(x.pairs().map(|x| {
        let low = x.high.zip(x.low, |high, low| if high < 0.0 { low } else { 0.0 });
        let below = Pairs { high: x.high.min(Lanes::ZERO), low };
        [below.loose_times::<P>(below)]
    }));
    sum
}

/// Products of 1 + x. After m factors without joining, the error kept aside is
/// below 2mu of the product, and its own rounding adds up to less than (3m² + 8m)u².
#[inline(always)]
fn growth_of<P: Product>(mut numbers: impl Iterator<Item = Pairs>) -> Growth {
    let mut total = Pairs::ONE;
    let (mut smallest, mut largest) = (Lanes::ONE, Lanes::ONE);
    let (mut lowest, mut highest) = (Lanes::ONE, Lanes::ONE);
    loop {
        let (mut product, mut lost) = (Lanes::ONE, Lanes::ZERO);
        let mut steps = 0;
        for x in numbers.by_ref().take(PRODUCT_BLOCK) {
            let factor = Pairs::ONE.plus(x);
            let size = factor.high.abs();
            (smallest, largest) = (smallest.min(size), largest.max(size));
            let (next, error) = product.two_product::<P>(factor.high);
            lost = lost * factor.high + (error + product * factor.low);
            product = next;
            steps += 1;
        }
        total = total.times::<P>(Pairs::renormalized(product, lost));
        let size = total.high.abs();
        (lowest, highest) = (lowest.min(size), highest.max(size));
        if steps < PRODUCT_BLOCK {
            break;
        }
    }
    Growth {
        value: total.lanes().fold(Twofold::ONE, |product, lane| product * lane),
        factors: [smallest.smallest(), largest.largest()],
        products: [lowest.smallest(), highest.largest()],
    }
}

#[inline(always)]
fn growth_with<P: Product>(x: Slices<'_>) -> Growth {
    growth_of::<P>(x.pairs())
}

/// The growth of those whose number in `signs`, times `side`, is above zero.
#[inline(always)]
fn growth_where_with<P: Product>(x: Slices<'_>, signs: &[f64], side: f64) -> Growth {
    growth_of::<P>(x.pairs().zip(eights(signs, 0.0)).map(|(x, sign)| {
        let keep = sign.map(|sign| if sign * side > 0.0 { 1.0 } else { 0.0 });
        Pairs { high: x.high * keep, low: x.low * keep }
    }))
}

/// A loop in each version, and the choice between them.
macro_rules! on_this_processor {
    ($name:ident, $with:ident, ($($argument:ident: $type:ty),*) -> $result:ty, $about:literal) => {
        #[doc = $about]
        pub(super) fn $name($($argument: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn with_fma($($argument: $type),*) -> $result {
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

on_this_processor!(sum, sum_with, (x: Slices<'_>) -> Twofold, "Σ x.");
on_this_processor!(products, products_with, (x: Slices<'_>, y: Slices<'_>) -> Products, "Σ xy.");
on_this_processor!(largest, largest_with, (x: &[f64]) -> f64, "max |x|.");
on_this_processor!(ratios, ratios_with, (numerators: Slices<'_>, denominators: Slices<'_>) -> Vectors, "numerator / denominator.");
on_this_processor!(quotients, quotients_with, (numerators: &[f64], denominators: &[f64]) -> Vectors, "numerator / denominator of `f64` values.");
on_this_processor!(minus, minus_with, (x: Slices<'_>, center: Twofold) -> Vectors, "x − center.");
on_this_processor!(differences, differences_with, (x: Slices<'_>, y: Slices<'_>) -> Differences, "x − y.");
on_this_processor!(squares, squares_with, (x: Slices<'_>) -> Twofold, "Σ x².");
on_this_processor!(powers, powers_with, (x: Slices<'_>) -> PowerSums, "Sums of higher powers.");
on_this_processor!(squares_below_zero, squares_below_zero_with, (x: Slices<'_>) -> Twofold, "Σ min(x, 0)².");
on_this_processor!(growth, growth_with, (x: Slices<'_>) -> Growth, "Π (1 + x).");
on_this_processor!(growth_where, growth_where_with, (x: Slices<'_>, signs: &[f64], side: f64) -> Growth, "Π (1 + x) of those whose sign is `side`'s.");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Real, Wide};
    use proptest::prelude::*;

    fn vectors(numbers: &[(f64, f64)]) -> Vectors {
        numbers.iter().map(|(high, low)| Twofold::renormalized(*high, high * low * f64::EPSILON)).collect()
    }

    fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    fn parts(numbers: &[Twofold]) -> Vec<u64> {
        numbers.iter().flat_map(|number| [number.high.to_bits(), number.low.to_bits()]).collect()
    }

    fn same(a: &Vectors, b: &Vectors) -> bool {
        (bits(&a.high), bits(&a.low)) == (bits(&b.high), bits(&b.low))
    }

    fn same_growth(a: &Growth, b: &Growth) -> bool {
        (parts(&[a.value]), bits(&a.factors), bits(&a.products))
            == (parts(&[b.value]), bits(&b.factors), bits(&b.products))
    }

    fn wide(x: Slices<'_>) -> Vec<Wide> {
        let numbers = x.high.iter().zip(x.low);
        numbers.map(|(high, low)| Wide::from_twofold(Twofold { high: *high, low: *low })).collect()
    }

    /// |found − Σ term| / Σ |term|.
    fn error(found: Twofold, terms: impl Iterator<Item = Wide>) -> f64 {
        let (mut sum, mut size) = (Wide::zero(), 0.0);
        for term in terms {
            size += term.approximate().abs();
            sum = sum + term;
        }
        sum.sub_twofold(found).expect("finite").abs() / size.max(f64::MIN_POSITIVE)
    }

    fn numbers() -> impl Strategy<Value = Vec<(f64, f64, f64, f64)>> {
        prop::collection::vec((-0.5_f64..0.5, -0.5_f64..0.5, 1.0_f64..1e12, -0.5_f64..0.5), 0..700)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever this processor has, it gives what splitting gives.
        #[test]
        fn every_way_gives_the_same_bits(numbers in numbers()) {
            let x = vectors(&numbers.iter().map(|n| (n.0, n.1)).collect::<Vec<_>>());
            let y = vectors(&numbers.iter().map(|n| (n.2, n.3)).collect::<Vec<_>>());
            let (x, y) = (x.as_slices(), y.as_slices());
            prop_assert_eq!(parts(&[sum(x)]), parts(&[sum_with::<Split>(x)]));
            prop_assert_eq!(largest(x.high).to_bits(), largest_with::<Split>(x.high).to_bits());
            let (a, b) = (products(x, y), products_with::<Split>(x, y));
            prop_assert_eq!(parts(&[a.value]), parts(&[b.value]));
            prop_assert_eq!(a.largest.to_bits(), b.largest.to_bits());
            prop_assert!(same(&ratios(x, y), &ratios_with::<Split>(x, y)));
            prop_assert!(same(&quotients(x.high, y.high), &quotients_with::<Split>(x.high, y.high)));
            let center = Twofold::renormalized(0.01, 1e-20);
            prop_assert!(same(&minus(x, center), &minus_with::<Split>(x, center)));
            let (a, b) = (differences(x, y), differences_with::<Split>(x, y));
            prop_assert!(same(&a.values, &b.values) && a.certain == b.certain);
            let (a, b) = (powers(x), powers_with::<Split>(x));
            prop_assert_eq!(parts(&[squares(x)]), parts(&[squares_with::<Split>(x)]));
            prop_assert_eq!(parts(&[a.cubes, a.fourths]), parts(&[b.cubes, b.fourths]));
            prop_assert_eq!(a.cubes_size.to_bits(), b.cubes_size.to_bits());
            prop_assert_eq!(parts(&[squares_below_zero(x)]), parts(&[squares_below_zero_with::<Split>(x)]));
            prop_assert!(same_growth(&growth(x), &growth_with::<Split>(x)));
            for side in [1.0, -1.0] {
                let (a, b) = (growth_where(x, x.low, side), growth_where_with::<Split>(x, x.low, side));
                prop_assert!(same_growth(&a, &b));
            }
        }

        /// Far within the bounds that the number type adds to its results.
        #[test]
        fn what_is_lost_stays_within_its_bound(numbers in numbers()) {
            const SUM: f64 = 1.0 / (1_u128 << 95) as f64;
            let x = vectors(&numbers.iter().map(|n| (n.0, n.1)).collect::<Vec<_>>());
            let y = vectors(&numbers.iter().map(|n| (n.2, n.3)).collect::<Vec<_>>());
            let (x, y) = (x.as_slices(), y.as_slices());
            let (a, b) = (wide(x), wide(y));
            prop_assert!(error(sum(x), a.iter().cloned()) < SUM);
            let pairs = a.iter().zip(&b);
            prop_assert!(error(products(x, y).value, pairs.map(|(a, b)| a.clone() * b.clone())) < SUM);
            prop_assert!(error(squares(x), a.iter().map(|a| a.power_integer(2))) < SUM);
            let found = powers(x);
            prop_assert!(error(found.cubes, a.iter().map(|a| a.power_integer(3))) < SUM);
            prop_assert!(error(found.fourths, a.iter().map(|a| a.power_integer(4))) < SUM);
            let product = a.iter().fold(Wide::one(), |product, a| product * (Wide::one() + a.clone()));
            let factors = (a.len() + 8) as f64;
            prop_assert!(error(growth(x).value, [product].into_iter()) < SUM * factors);
            let quotients = quotients(x.high, y.high);
            let pairs = quotients.high.iter().zip(&quotients.low).zip(x.high.iter().zip(y.high));
            for ((high, low), (x, y)) in pairs {
                let exact = Wide::approximately(*x) / Wide::approximately(*y);
                let found = Twofold { high: *high, low: *low };
                prop_assert!(error(found, [exact].into_iter()) < 1.0 / (1_u128 << 101) as f64);
            }
        }
    }
}
