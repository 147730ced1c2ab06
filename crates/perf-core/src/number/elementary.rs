//! Exponential and logarithm of double-doubles, with proven error bounds.

use super::Twofold;

/// Bound on the relative error of e^r − 1 after the series and the doublings.
const PART_ERROR: f64 = 1.0 / (1_u128 << 97) as f64;
/// Bound on the relative error of adding one to it.
const SUM_ERROR: f64 = 1.0 / (1_u128 << 103) as f64;
/// Bound on the relative error of [`ln`].
pub(super) const LN_ERROR: f64 = 1.0 / (1_u128 << 94) as f64;

/// Arguments of [`exp`] for which nothing over- or underflows.
const MAX_EXPONENT: f64 = 600.0;
/// Arguments of [`ln`] for which nothing over- or underflows.
const LN_RANGE: std::ops::Range<f64> = 1e-250..1e250;

/// ln 2 in three parts; the first two have 40 bits, so that up to 2^13 times them is exact.
const LN_2: [f64; 3] = [0.693_147_180_559_208_2, 7.371_002_565_161_996e-13, 5.802_988_983_595_690_5e-25];
/// The reduced argument is divided by two to this power.
const HALVINGS: u32 = 9;

/// 1/2!, 1/3!, 1/4! and 1/5!.
const LEADING: [Twofold; 4] = [
    Twofold { high: 0.5, low: 0.0 },
    Twofold { high: 0.166_666_666_666_666_66, low: 9.251_858_538_542_97e-18 },
    Twofold { high: 0.041_666_666_666_666_664, low: 2.312_964_634_635_742_7e-18 },
    Twofold { high: 0.008_333_333_333_333_333, low: 1.156_482_317_317_871_4e-19 },
];
/// 1/6! to 1/10!: their terms are below 2^−62 of the sum.
const TRAILING: [f64; 5] = [
    0.001_388_888_888_888_889,
    0.000_198_412_698_412_698_4,
    2.480_158_730_158_73e-5,
    2.755_731_922_398_589_3e-6,
    2.755_731_922_398_589e-7,
];

/// e^r = 2^`scale` × (1 + `part`), with |`part`| below 0.42.
struct Reduced {
    scale: f64,
    part: Twofold,
}

/// e^x and a bound on its relative error, below 2^−97 and close to 2^−103 for
/// small x; `None` beyond ±600.
///
/// x = k ln 2 + 512 s with |s| < 7e-4. The series of e^s − 1 to s^10 leaves out
/// less than 1e-36 of it; f(2s) = f(s)(2 + f(s)), nine times, loses at most
/// 2^−101.6 a step and carries what was lost before on with a factor below 1.2
/// in all: 2^−97.5 of the whole. The reduction loses
/// 2^−123 and 2^−104 of r, which is smaller than what one doubling loses.
pub(super) fn exp(x: Twofold) -> Option<(Twofold, f64)> {
    let Reduced { scale, part } = reduced(x)?;
    let whole = Twofold::ONE + part;
    let error = SUM_ERROR + 1.1 * PART_ERROR * (part.high / whole.high).abs();
    Some((Twofold { high: whole.high * scale, low: whole.low * scale }, error))
}

/// The natural logarithm; `None` outside 1e-250 to 1e250.
///
/// From y, the f64 logarithm: ln x = y + 2(x − e^y)/(x + e^y) + d³/12 − …, d the
/// error of y. Where e^y needs no power of two, 1 is taken off both sides of the
/// difference, so that the relative error stays small next to x = 1.
pub(super) fn ln(x: Twofold) -> Option<Twofold> {
    if !LN_RANGE.contains(&x.high) {
        return None;
    }
    let start = Twofold::from_f64(x.high.ln());
    let Reduced { scale, part } = reduced(start)?;
    let scaled = Twofold { high: x.high / scale, low: x.low / scale };
    let difference = (scaled - Twofold::ONE) - part;
    let total = scaled + (Twofold::ONE + part);
    let correction = difference / total.mul_f64(0.5);
    /// Some times the error of an f64 logarithm; its cube is far below the bound.
    const CLOSE: f64 = 1e-15;
    let close = correction.high.abs() <= CLOSE * start.high.abs().max(1.0);
    close.then(|| start + correction)
}

/// The argument without its multiple of ln 2, and e to that, less one.
fn reduced(x: Twofold) -> Option<Reduced> {
    if x.high.is_nan() || x.high.abs() > MAX_EXPONENT {
        return None;
    }
    let count = (x.high * std::f64::consts::LOG2_E).round();
    let [first, second, third] = LN_2;
    let rest = Twofold::from_f64(x.high - count * first)
        + Twofold::from_f64(-(count * second))
        + Twofold::from_f64(x.low)
        + Twofold::from_f64(-(count * third));
    let exponent = count as i64;
    let scale = f64::from_bits((1023 + exponent).cast_unsigned() << 52);
    Some(Reduced { scale, part: exp_less_one(rest) })
}

/// e^r − 1 for |r| below 0.35.
fn exp_less_one(r: Twofold) -> Twofold {
    const SHRINK: f64 = 1.0 / (1_u64 << HALVINGS) as f64;
    let s = Twofold { high: r.high * SHRINK, low: r.low * SHRINK };
    let trailing = TRAILING.iter().rev().fold(0.0, |sum, term| sum * s.high + term);
    let sum = LEADING.iter().rev().fold(Twofold::from_f64(trailing), |sum, term| sum * s + *term);
    let mut part = s + s * s * sum;
    for _ in 0..HALVINGS {
        part = part * (part + Twofold::from_f64(2.0));
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Real, Wide};
    use proptest::prelude::*;

    fn relative_error(found: Twofold, expected: &Wide) -> f64 {
        expected.sub_twofold(found).expect("finite").abs() / expected.approximate().abs()
    }

    fn check_exp(x: Twofold) {
        let (value, bound) = exp(x).expect("in range");
        let error = relative_error(value, &Wide::from_twofold(x).exp());
        assert!(error <= bound && bound < 1e-29, "exp {x:?}: {error:e} > {bound:e}");
    }

    fn check_ln(x: Twofold) {
        let wide = Wide::from_twofold(x).ln();
        let found = ln(x).expect("in range");
        if wide.approximate() == 0.0 {
            assert!(found.high.abs() == 0.0);
            return;
        }
        let error = relative_error(found, &wide);
        assert!(error <= LN_ERROR, "ln {x:?}: {error:e}");
    }

    fn parts(high: f64, low: f64) -> Twofold {
        Twofold::renormalized(high, high * low * f64::EPSILON)
    }

    proptest! {
        #[test]
        fn exp_keeps_its_bound(high in -600.0_f64..600.0, near in -1.0_f64..1.0, low in -0.5_f64..0.5, tiny in 0..60) {
            check_exp(parts(high, low));
            check_exp(parts(near, low));
            check_exp(parts(near * 0.5_f64.powi(tiny), low));
        }

        #[test]
        fn ln_keeps_its_bound(power in -240.0_f64..240.0, low in -0.5_f64..0.5, near in -0.4_f64..0.4, tiny in 0..60) {
            check_ln(parts(10_f64.powf(power), low));
            check_ln(parts(1.0 + near, low));
            check_ln(Twofold::ONE + parts(near * 0.5_f64.powi(tiny), low));
        }
    }

    #[test]
    fn multiples_of_ln_2_and_powers_of_two() {
        for k in -800_i32..800 {
            check_ln(Twofold::from_f64(2_f64.powi(k)));
            check_exp(Twofold::from_f64(f64::from(k) * 0.5 * std::f64::consts::LN_2));
            check_exp(Twofold::from_f64((f64::from(k) + 0.5) * 0.5 * std::f64::consts::LN_2));
        }
        assert!(ln(Twofold::ONE).is_some_and(|zero| zero.high.abs() == 0.0));
        assert!(exp(Twofold::ZERO).is_some_and(|(one, _)| one.high.to_bits() == 1_f64.to_bits()));
    }

    #[test]
    fn out_of_range() {
        for x in [601.0, -601.0, f64::INFINITY, f64::NAN] {
            assert!(exp(Twofold::from_f64(x)).is_none());
        }
        for x in [0.0, -1.0, 1e300, 1e-300, f64::NAN] {
            assert!(ln(Twofold::from_f64(x)).is_none());
        }
    }
}
