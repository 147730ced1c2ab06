//! Sums of discounted amounts in double-double arithmetic.

use super::Twofold;
use super::processor::{Product, on_this_processor};
use super::twofold::two_sum;

/// Bound on the relative error of one product, and of a step of the sum.
const STEP_ERROR: f64 = 1.0 / (1_u128 << 101) as f64;
/// Amounts added before what was left out is taken back into the sum.
const BLOCK: usize = 16;

/// An amount, its time, and where the discount over the time since the amount
/// before is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount {
    pub(crate) size: Twofold,
    pub(crate) time: f64,
    pub(crate) gap: usize,
}

/// Sums of terms v = a·x^t.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    /// Σ v, Σ v·t and Σ v·t².
    pub(crate) signed: [f64; 3],
    /// Σ |v|, Σ |v|·t and Σ |v|·t².
    pub(crate) sizes: [f64; 3],
}

impl Moments {
    #[inline(always)]
    pub(crate) fn add(&mut self, term: f64, time: f64) {
        let first = term * time;
        let second = first * time;
        let [s0, s1, s2] = &mut self.signed;
        *s0 += term;
        *s1 += first;
        *s2 += second;
        let [m0, m1, m2] = &mut self.sizes;
        *m0 += term.abs();
        *m1 += first.abs();
        *m2 += second.abs();
    }
}

/// Σ v as a double-double, the error that it may have, and the moments as `f64`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Discounted {
    pub(crate) value: Twofold,
    pub(crate) error: f64,
    pub(crate) moments: Moments,
}

/// The discount over one unit of time or over every gap, and a bound on its relative error.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Discount<'a> {
    /// Quick: powers are made from it.
    Unit(Twofold, f64),
    /// Precise: each was computed for itself.
    Gaps(&'a [Twofold], f64),
}

/// Σ a·x^t for amounts in order of time, where x is the discount over one unit and
/// `gaps` are the distances between neighbours; the terms go to `terms`.
///
/// A power x^t made from products has a relative error of at most t(e + u), e that
/// of x and u that of a product: this holds for x itself, and if it holds for two
/// powers then, with u to spare for their product, for the product. Where the discount
/// over every gap is given, the i-th product of them has one of i(e + u). The sum keeps
/// what its additions leave out in a second number, which is below 18 units of
/// 2^−53 of Σ|v| when the two are added up every 16 terms; its own roundings then
/// are below 2^−101 of Σ|v| a term.
pub(crate) fn discounted(
    amounts: &[Amount],
    gaps: &[u64],
    discount: Discount<'_>,
    terms: &mut Vec<f64>,
) -> Discounted {
    let (value, moments) = sums(amounts, gaps, discount, terms);
    let [size, first, _] = moments.sizes;
    let inherited = match discount {
        Discount::Unit(_, error) => first * (error + STEP_ERROR),
        Discount::Gaps(_, error) => size * amounts.len() as f64 * (error + STEP_ERROR),
    };
    let error = (inherited + size * (amounts.len() + 4) as f64 * STEP_ERROR) * 1.001;
    Discounted { value, error, moments }
}

on_this_processor!(sums, sums_with, (amounts: &[Amount], gaps: &[u64], discount: Discount<'_>, terms: &mut Vec<f64>) -> (Twofold, Moments), "The sum and its moments.");

#[inline(always)]
fn sums_with<P: Product>(
    amounts: &[Amount],
    gaps: &[u64],
    discount: Discount<'_>,
    terms: &mut Vec<f64>,
) -> (Twofold, Moments) {
    let made: Vec<Twofold>;
    let powers = match discount {
        Discount::Gaps(powers, _) => powers,
        Discount::Unit(x, _) => {
            made = powers_with::<P>(gaps, x);
            &made
        }
    };
    let (mut sum, mut left_out, mut moments) = (0.0, 0.0, Moments::default());
    let mut discount = Twofold::ONE;
    terms.clear();
    for block in amounts.chunks(BLOCK) {
        for amount in block {
            let power = powers.get(amount.gap).copied().unwrap_or(Twofold::ONE);
            discount = discount.times::<P>(power);
            let term = discount.times::<P>(amount.size);
            let (total, error) = two_sum(sum, term.high);
            sum = total;
            left_out += error + term.low;
            moments.add(term.high, amount.time);
            terms.push(term.high);
        }
        (sum, left_out) = two_sum(sum, left_out);
    }
    (Twofold { high: sum, low: left_out }, moments)
}

/// x to every gap, from its powers of two.
#[inline(always)]
fn powers_with<P: Product>(gaps: &[u64], x: Twofold) -> Vec<Twofold> {
    let mut squares = [x; u64::BITS as usize];
    let longest = gaps.iter().copied().max().unwrap_or(0);
    let mut square = x;
    for slot in squares.iter_mut().take((u64::BITS - longest.leading_zeros()) as usize) {
        *slot = square;
        square = square.times::<P>(square);
    }
    let mut powers = Vec::with_capacity(gaps.len());
    for gap in gaps {
        let (mut rest, mut power) = (*gap, Twofold::ONE);
        while let Some(square) = (rest > 0).then(|| squares.get(rest.trailing_zeros() as usize)).flatten() {
            power = power.times::<P>(*square);
            rest &= rest - 1;
        }
        powers.push(power);
    }
    powers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::processor::Split;
    use crate::number::{Real, Wide};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sum_is_within_its_error(
            flows in prop::collection::vec((-1e15_f64..1e15, -0.5_f64..0.5, 0_u64..90), 1..120), rate in -2e-3_f64..2e-3,
        ) {
            let gaps: Vec<u64> = flows.iter().map(|(_, _, gap)| *gap).collect();
            let mut time = 0;
            let amounts: Vec<Amount> = flows.iter().enumerate().map(|(gap, (high, low, distance))| {
                time += distance;
                Amount { size: Twofold::renormalized(*high, high * low * f64::EPSILON), time: time as f64, gap }
            }).collect();
            let x = Twofold::from_f64(rate.exp());
            let (mut terms, mut again) = (Vec::new(), Vec::new());
            let found = discounted(&amounts, &gaps, Discount::Unit(x, 0.0), &mut terms);
            let expected = amounts.iter().fold(Wide::zero(), |sum, amount| {
                sum + Wide::from_twofold(amount.size) * Wide::from_twofold(x).power_integer(amount.time as u64)
            });
            let error = expected.sub_twofold(found.value).expect("finite").abs();
            prop_assert!(error <= found.error, "{} {}", error, found.error);
            prop_assert!(found.error <= 1e-25 * found.moments.sizes[0]);
            // Whatever this processor has, it gives what splitting gives.
            let unit = Discount::Unit(x, 0.0);
            let (value, moments) = sums_with::<Split>(&amounts, &gaps, unit, &mut again);
            prop_assert_eq!(value.high.to_bits(), found.value.high.to_bits());
            prop_assert_eq!(value.low.to_bits(), found.value.low.to_bits());
            prop_assert_eq!((moments.signed, &again), (found.moments.signed, &terms));
            // And so do discounts that were computed one by one.
            let powers = powers_with::<Split>(&gaps, x);
            let precise = discounted(&amounts, &gaps, Discount::Gaps(&powers, 0.0), &mut again);
            prop_assert_eq!(precise.value.high.to_bits(), found.value.high.to_bits());
        }
    }
}
