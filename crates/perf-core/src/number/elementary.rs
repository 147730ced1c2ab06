//! Exponential and logarithm of double-doubles, with proven error bounds.

use super::Twofold;
use super::processor::{Product, on_this_processor};

/// Bound on the relative error of e^r − 1.
const PART_ERROR: f64 = 1.0 / (1_u128 << 100) as f64;
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
/// Steps of [`POWERS`] in a unit.
const STEPS: f64 = 64.0;
/// The step of zero among [`POWERS`].
const MIDDLE: f64 = 23.0;

/// 1/2! to 1/6!.
const LEADING: [Twofold; 5] = [
    Twofold { high: 0.5, low: 0.0 },
    Twofold { high: 0.166_666_666_666_666_66, low: 9.251_858_538_542_97e-18 },
    Twofold { high: 0.041_666_666_666_666_664, low: 2.312_964_634_635_742_7e-18 },
    Twofold { high: 0.008_333_333_333_333_333, low: 1.156_482_317_317_871_4e-19 },
    Twofold { high: 0.001_388_888_888_888_889, low: -5.300_543_954_373_577e-20 },
];
/// 1/7! to 1/12!: their terms are below 2^−53 of the sum.
const TRAILING: [f64; 6] = [
    0.000_198_412_698_412_698_4,
    2.480_158_730_158_73e-05,
    2.755_731_922_398_589_3e-06,
    2.755_731_922_398_589e-07,
    2.505_210_838_544_172e-08,
    2.087_675_698_786_81e-09,
];

/// e^(j/64) − 1 for j from −23 to 23, the nearest double-doubles (a test compares 120 digits).
const POWERS: [Twofold; 47] = [
    Twofold { high: -0.301_887_489_931_874_14, low: -1.172_002_860_234_436_9e-17 },
    Twofold { high: -0.290_893_817_562_601_6, low: -1.286_805_565_534_630_4e-17 },
    Twofold { high: -0.279_727_020_044_560_24, low: 1.813_706_295_077_313e-17 },
    Twofold { high: -0.268_384_371_053_358_2, low: 8.355_764_680_316_04e-18 },
    Twofold { high: -0.256_863_101_331_241_7, low: -9.001_102_395_673_582e-19 },
    Twofold { high: -0.245_160_398_010_992_65, low: -9.844_076_038_651_084e-18 },
    Twofold { high: -0.233_273_403_929_179_92, low: -2.072_982_813_532_338_2e-18 },
    Twofold { high: -0.221_199_216_928_595_12, low: -1.023_186_953_453_149_8e-17 },
    Twofold { high: -0.208_934_889_149_703_98, low: -1.245_290_783_608_412_3e-18 },
    Twofold { high: -0.196_477_426_310_939_26, low: -8.863_292_693_575_26e-18 },
    Twofold { high: -0.183_823_786_977_660_22, low: 6.554_697_808_700_811e-18 },
    Twofold { high: -0.170_970_881_819_599_66, low: 1.511_668_960_896_900_5e-19 },
    Twofold { high: -0.157_915_572_856_617_64, low: -1.121_231_182_505_660_7e-17 },
    Twofold { high: -0.144_654_672_692_577_45, low: -1.055_067_561_057_131_8e-17 },
    Twofold { high: -0.131_184_943_737_156_83, low: 6.146_598_011_714_697e-19 },
    Twofold { high: -0.117_503_097_415_404_6, low: 3.265_882_063_901_196_5e-18 },
    Twofold { high: -0.103_605_793_364_849_58, low: -5.827_134_285_622_915e-18 },
    Twofold { high: -0.089_489_638_619_965_87, low: -5.494_907_630_146_725e-18 },
    Twofold { high: -0.075_151_186_783_795_16, low: -3.263_526_049_201_569_8e-18 },
    Twofold { high: -0.060_586_937_186_524_21, low: -7.077_887_227_488_846e-19 },
    Twofold { high: -0.045_793_334_030_811_685, low: 7.698_978_784_994_245_5e-19 },
    Twofold { high: -0.030_766_765_523_655_92, low: 5.607_402_565_184_088e-19 },
    Twofold { high: -0.015_503_562_994_591_593, low: -6.554_927_149_823_924e-19 },
    Twofold { high: 0.0, low: 0.0 },
    Twofold { high: 0.015_747_708_586_685_748, low: -2.862_138_367_894_185e-19 },
    Twofold { high: 0.031_743_407_499_102_67, low: 7.614_433_403_626_514e-19 },
    Twofold { high: 0.047_991_002_016_632_7, low: 2.232_142_242_481_688e-18 },
    Twofold { high: 0.064_494_458_917_859_43, low: -2.293_421_030_396_082_4e-18 },
    Twofold { high: 0.081_257_807_449_039_6, low: 4.627_898_188_856_025e-18 },
    Twofold { high: 0.098_285_140_307_825_86, low: -6.438_065_156_763_691e-18 },
    Twofold { high: 0.115_580_614_642_480_76, low: -2.529_038_049_568_196_4e-18 },
    Twofold { high: 0.133_148_453_066_826_32, low: -5.370_737_708_558_031e-18 },
    Twofold { high: 0.150_992_944_691_176_44, low: 9.857_598_007_072_166e-18 },
    Twofold { high: 0.169_118_446_169_504_42, low: -1.381_184_517_368_262_8e-17 },
    Twofold { high: 0.187_529_382_763_100_6, low: 6.415_816_207_759_217e-19 },
    Twofold { high: 0.206_230_249_420_980_7, low: 1.154_013_945_547_661_3e-17 },
    Twofold { high: 0.225_225_611_877_307_58, low: -4.729_368_350_680_563e-19 },
    Twofold { high: 0.244_520_107_766_095_15, low: 8.861_603_894_276_184e-18 },
    Twofold { high: 0.264_118_447_753_466_4, low: -1.541_497_933_603_795e-17 },
    Twofold { high: 0.284_025_416_687_741_5, low: -2.133_257_464_457_841e-17 },
    Twofold { high: 0.304_245_874_767_637_76, low: 1.709_357_810_798_165_8e-17 },
    Twofold { high: 0.324_784_758_728_865_6, low: -1.679_547_868_709_198_3e-17 },
    Twofold { high: 0.345_647_083_049_410_55, low: -2.135_260_913_486_750_8e-17 },
    Twofold { high: 0.366_837_941_173_796_37, low: -4.061_704_634_846_282e-18 },
    Twofold { high: 0.388_362_506_756_626_8, low: 1.140_848_534_093_420_6e-17 },
    Twofold { high: 0.410_226_034_925_710_7, low: 1.375_234_095_757_363_3e-17 },
    Twofold { high: 0.432_433_863_565_078_1, low: -9.875_070_032_961_977e-18 },
];

/// e^r = 2^`scale` × (1 + `part`), with |`part`| below 0.42.
struct Reduced {
    scale: f64,
    part: Twofold,
}

/// e^x and a bound on its relative error, below 2^−99 and close to 2^−103 for
/// small x; `None` beyond ±600.
///
/// x = k ln 2 + j/64 + s with |s| ≤ 1/128 and |j| ≤ 23. The series of e^s − 1 to
/// s^12 leaves out less than 2^−116 of it; its terms from s^7 on, below 2^−53 of
/// it, are taken as an `f64`, which costs 2^−105. The rest loses 2^−104 in the last
/// sum and, through s²/2 ≤ s/256, 2^−107 before: q = e^s − 1 is known to 2^−103.
/// With t = e^(j/64) − 1 from the table, t + (q + tq) loses 2^−104 in each sum,
/// 2^−102 of tq, and half a unit in the last place of t; as |q(1 + t)| and |t|/2 are
/// at most about the size of the result, this is 2^−101 of it. The reduction loses
/// 2^−123 and 2^−104 of r, which leaves the whole below 2^−100.
#[inline(always)]
fn exp_with<P: Product>(x: Twofold) -> Option<(Twofold, f64)> {
    let Reduced { scale, part } = reduced::<P>(x)?;
    let whole = Twofold::ONE + part;
    let error = SUM_ERROR + 1.1 * PART_ERROR * (part.high / whole.high).abs();
    Some((Twofold { high: whole.high * scale, low: whole.low * scale }, error))
}

/// The natural logarithm; `None` outside 1e-250 to 1e250.
///
/// From y, the f64 logarithm: ln x = y + 2(x − e^y)/(x + e^y) + d³/12 − …, d the
/// error of y. Where e^y needs no power of two, 1 is taken off both sides of the
/// difference, so that the relative error stays small next to x = 1.
#[inline(always)]
fn ln_with<P: Product>(x: Twofold) -> Option<Twofold> {
    if !LN_RANGE.contains(&x.high) {
        return None;
    }
    let start = Twofold::from_f64(x.high.ln());
    let Reduced { scale, part } = reduced::<P>(start)?;
    let scaled = Twofold { high: x.high / scale, low: x.low / scale };
    let difference = (scaled - Twofold::ONE) - part;
    let total = scaled + (Twofold::ONE + part);
    let correction = difference.over::<P>(Twofold { high: total.high * 0.5, low: total.low * 0.5 });
    /// Some times the error of an f64 logarithm; its cube is far below the bound.
    const CLOSE: f64 = 1e-15;
    let close = correction.high.abs() <= CLOSE * start.high.abs().max(1.0);
    close.then(|| start + correction)
}

/// The argument without its multiple of ln 2, and e to that, less one.
#[inline(always)]
fn reduced<P: Product>(x: Twofold) -> Option<Reduced> {
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
    Some(Reduced { scale, part: exp_less_one::<P>(rest) })
}

/// e^r − 1 for |r| below 0.35.
#[inline(always)]
fn exp_less_one<P: Product>(r: Twofold) -> Twofold {
    let step = (r.high * STEPS).round();
    let Some(power) = POWERS.get((step + MIDDLE) as usize) else { return Twofold::from_f64(f64::NAN) };
    let s = r + Twofold::from_f64(-(step / STEPS));
    let trailing = TRAILING.iter().rev().fold(0.0, |sum, term| sum * s.high + term);
    let mut sum = Twofold::from_f64(trailing);
    // In sight of the compiler: a function that takes a closure may lack the instructions.
    for term in LEADING.iter().rev() {
        sum = sum.times::<P>(s) + *term;
    }
    let part = s + s.times::<P>(s).times::<P>(sum);
    if step == 0.0 { part } else { *power + (part + power.times::<P>(part)) }
}

on_this_processor!(pub(super) exp, exp_with, (x: Twofold) -> Option<(Twofold, f64)>, "e^x and a bound on its relative error, below 2^−99 and close to 2^−103 for small x; `None` beyond ±600.");
on_this_processor!(pub(super) ln, ln_with, (x: Twofold) -> Option<Twofold>, "The natural logarithm; `None` outside 1e-250 to 1e250.");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::processor::{Split, with_each_version};
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
        fn every_way_gives_the_same_bits(high in -600.0_f64..600.0, low in -0.5_f64..0.5) {
            let bits = |x: Twofold| [x.high.to_bits(), x.low.to_bits()];
            let (x, y) = (parts(high, low), parts(high.exp2().clamp(1e-240, 1e240), low));
            with_each_version(|| {
                let expected = exp_with::<Split>(x).map(|(value, error)| (bits(value), error));
                prop_assert_eq!(exp(x).map(|(value, error)| (bits(value), error)), expected);
                prop_assert_eq!(ln(y).map(bits), ln_with::<Split>(y).map(bits));
                prop_assert_eq!(bits(x * y), bits(x.times::<Split>(y)));
                prop_assert_eq!(bits(x / y), bits(x.over::<Split>(y)));
                Ok(())
            })?;
        }

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
    fn the_table_holds_the_powers_of_a_sixty_fourth_part() {
        for (j, power) in (-23..).zip(POWERS) {
            let expected = (Wide::integer(j) / Wide::integer(64)).exp() - Wide::one();
            let error = expected.sub_twofold(power).expect("finite").abs();
            assert!(error <= power.high.abs() * 0.5_f64.powi(106), "{j}: {error:e}");
            check_exp(Twofold::from_f64((j as f64 + 0.5) / 64.0));
            check_exp(Twofold::from_f64((j as f64 - 0.5) / 64.0 + 1e-15));
        }
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
