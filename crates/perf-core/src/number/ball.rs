use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::dyadic::Dyadic;
use super::elementary::{self, LN_ERROR};
use super::{Balls, Exact, Failure, Figure, OUTPUT_DIGITS, Real, Rounded, Twofold, Whole, Wide};

/// Bound on the relative rounding error of one [`Twofold`] operation, with a
/// factor of two to spare for the roundings of the radius itself.
const UNIT: f64 = 1.0 / (1_u128 << 101) as f64;
/// Below this the error-free transformations may underflow.
pub(super) const TINY: f64 = 1e-270;

/// A double-double with a bound on its error: the true value lies within
/// `radius` of `middle`. An infinite radius is a value that decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct Ball {
    middle: Twofold,
    radius: f64,
}

impl Ball {
    /// A value and the error that its making adds to the error inherited.
    #[inline]
    fn new(middle: Twofold, inherited: f64) -> Self {
        let size = middle.high.abs();
        let rounding = if size < TINY && size > 0.0 { TINY } else { size * UNIT };
        Self { middle, radius: inherited + rounding }
    }

    /// A value whose distance from the truth is at most `radius`.
    #[must_use]
    pub fn within(middle: Twofold, radius: f64) -> Self {
        Self { middle, radius }
    }

    /// The distance within which the true value lies.
    pub(crate) fn radius(self) -> f64 {
        self.radius
    }

    /// The value without its bound.
    pub(crate) fn middle(self) -> Twofold {
        self.middle
    }

    /// A value that decides nothing.
    pub(super) const UNKNOWN: Self = Self { middle: Twofold::ZERO, radius: f64::INFINITY };

    #[inline]
    fn size(self) -> f64 {
        self.middle.high.abs()
    }

    /// A product that underflowed to nothing still has an error, and so has one of
    /// which only the errors were left.
    #[inline]
    fn underflow(self, other: Self, result: Twofold) -> f64 {
        let is_zero = |ball: Self| ball.size() == 0.0 && ball.radius == 0.0;
        let lost = result.high.abs() < TINY && !is_zero(self) && !is_zero(other);
        if lost { TINY } else { 0.0 }
    }

    /// A value with a relative error of its making and the error inherited.
    fn with_error(middle: Twofold, relative: f64, inherited: f64) -> Self {
        let rounding = (middle.high.abs() * relative).max(if middle.high == 0.0 { 0.0 } else { TINY });
        Self { middle, radius: (inherited + rounding) * (1.0 + 1e-15) }
    }

    /// `function` of this on the wide type, its error scaled by `slope`, a bound
    /// on the derivative over the ball.
    fn through_wide(self, function: impl Fn(Wide) -> Wide, slope: f64) -> Self {
        match function(Wide::from_twofold(self.middle)).to_twofold() {
            Some(middle) => Self::new(middle, slope * self.radius),
            None => Self::UNKNOWN,
        }
    }
}

impl Real for Ball {
    type Series = Balls;

    const RESOLUTION: f64 = UNIT;
    const NOISE: f64 = 0.0;
    const COST: usize = 1;

    #[inline]
    fn dust() -> Self {
        Self::new(Twofold { high: 1e-24, low: 7.629950044830718e-41 }, 0.0)
    }

    fn pi() -> Self {
        Self::new(Twofold { high: std::f64::consts::PI, low: 1.224_646_799_147_353_2e-16 }, 0.0)
    }

    fn kept(of: &Exact, compute: impl FnOnce() -> Figure<Self>) -> Figure<Self> {
        thread_local! {
            static LAST: Cell<Option<(i64, u32, Ball)>> = const { Cell::new(None) };
        }
        let key = of.short_mantissa_at(of.scale()).map(|mantissa| (mantissa, of.scale()));
        match (key, LAST.get()) {
            (Some(key), Some((mantissa, scale, figure))) if key == (mantissa, scale) => Ok(figure),
            (Some((mantissa, scale)), _) => {
                let figure = compute()?;
                LAST.set(Some((mantissa, scale, figure)));
                Ok(figure)
            }
            (None, _) => compute(),
        }
    }

    fn approximately(value: f64) -> Self {
        let radius = if value.is_finite() { 0.0 } else { f64::INFINITY };
        Self { middle: Twofold::from_f64(value), radius }
    }

    fn center(self) -> Self {
        let radius = if self.radius.is_finite() { 0.0 } else { f64::INFINITY };
        Self { middle: self.middle, radius }
    }

    fn widened(self, error: &Self) -> Self {
        let reach = (error.size() + error.radius) * (1.0 + 1e-15);
        Self { middle: self.middle, radius: self.radius + reach }
    }

    #[inline]
    fn ratio(numerator: &Whole, denominator: &Whole) -> Self {
        if *denominator == Whole::ONE {
            return from_integer(numerator);
        }
        from_integer(numerator) / from_integer(denominator)
    }

    #[inline]
    fn integer(value: i64) -> Self {
        /// Up to here the nearest `f64` fits 64 bits.
        const SHORT: u64 = 1 << 62;
        if value.unsigned_abs() > SHORT {
            return from_integer(&Whole::from(value));
        }
        let high = value as f64;
        Self { middle: Twofold { high, low: (value - high as i64) as f64 }, radius: 0.0 }
    }

    fn sqrt(self) -> Self {
        let lowest = self.middle.high - self.radius * 1.000_001;
        if self.middle.high == 0.0 && self.radius == 0.0 {
            return self;
        }
        if lowest > 0.0 {
            return Self::new(self.middle.sqrt(), self.radius / (2.0 * lowest.sqrt()) * 1.000_001);
        }
        if self.middle.high.abs() <= self.radius {
            // √x for x in [0, 2 radius]: the truth is not negative.
            return Self { middle: Twofold::ZERO, radius: (2.0 * self.radius).sqrt() * 1.000_001 };
        }
        Self::UNKNOWN
    }

    fn exp(self) -> Self {
        if self.size() == 0.0 && self.radius == 0.0 {
            return Self::one();
        }
        let slope = (self.middle.high + self.radius).exp() * 1.000_001;
        match elementary::exp(self.middle) {
            Some((middle, error)) => Self::with_error(middle, error, slope * self.radius),
            None => self.through_wide(Wide::exp_short, slope),
        }
    }

    fn ln(self) -> Self {
        let lowest = self.middle.high - self.radius;
        if lowest <= 0.0 || lowest.is_nan() {
            return Self::UNKNOWN;
        }
        let slope = 1.000_001 / lowest;
        match elementary::ln(self.middle) {
            Some(middle) => Self::with_error(middle, LN_ERROR, slope * self.radius),
            None => self.through_wide(Wide::ln_short, slope),
        }
    }

    #[inline]
    fn sign(&self) -> Figure<Ordering> {
        let reach = self.radius * (1.0 + 1e-15);
        let (high, size) = (self.middle.high, self.size() * (1.0 - 1e-15));
        match (size > reach, high > 0.0) {
            (true, true) => Ok(Ordering::Greater),
            (true, false) => Ok(Ordering::Less),
            _ if size == 0.0 && reach == 0.0 => Ok(Ordering::Equal),
            _ => Err(Failure::Imprecise),
        }
    }

    fn approximate(&self) -> f64 {
        self.middle.high
    }

    /// Most often clear from the `f64` values.
    #[inline]
    fn compare(&self, other: &Self) -> Figure<Ordering> {
        let difference = self.middle.high - other.middle.high;
        let open = self.radius + other.radius + 1e-15 * (self.size() + other.size());
        match (difference > open, -difference > open) {
            (true, _) => Ok(Ordering::Greater),
            (_, true) => Ok(Ordering::Less),
            _ => (*self - *other).sign(),
        }
    }

    /// Most often far from dust.
    #[inline]
    fn is_dust(&self, scale: &Self) -> Figure<bool> {
        match self.is_far_above_dust(scale.size() + scale.radius) {
            true => Ok(false),
            false => self.is_within(&(*scale * Self::dust())),
        }
    }

    /// Most often far from dust of both.
    #[inline]
    fn minus(&self, other: &Self) -> Figure<Self> {
        let difference = *self - *other;
        if difference.is_far_above_dust(self.size() + self.radius + other.size() + other.radius) {
            return Ok(difference);
        }
        difference.without_dust(&self.magnitude().larger(other.magnitude()))
    }

    fn round_to(&self, digits: u32) -> Figure<Rounded> {
        if digits == OUTPUT_DIGITS
            && let Some(rounded) = self.clearly_rounded()
        {
            return Ok(rounded);
        }
        self.exactly_rounded(digits)
    }
}

impl Ball {
    /// Whether the magnitude is above ten times what is dust of this size.
    #[inline]
    fn is_far_above_dust(self, size: f64) -> bool {
        const FAR_ABOVE_DUST: f64 = 1e-23;
        self.size() * (1.0 - 1e-15) - self.radius > FAR_ABOVE_DUST * size
    }

    /// The value to twenty digits, where double-double arithmetic proves them: it
    /// lies between two integers of twenty digits times a power of ten, and not
    /// next to the middle between them.
    fn clearly_rounded(self) -> Option<Rounded> {
        const LEAST: i128 = 10_i128.pow(OUTPUT_DIGITS - 1);
        let power = self.power_to_output_digits()?;
        let ten = *POWERS_OF_TEN.get(power)?;
        let scaled = self.middle * ten;
        let error = (self.radius * ten.high + scaled.high.abs() * UNIT) * (1.0 + 1e-9);
        let nearest = scaled.low.round();
        let beside = (scaled.low - nearest).abs();
        // From 2^63 on an `f64` is a multiple of eight, of which 64 bits hold the eighth.
        let eighth = (scaled.high.abs() * 0.125) as u64;
        let high = i128::from(eighth) * if scaled.high < 0.0 { -8 } else { 8 };
        let mantissa = high + i128::from(nearest as i64);
        let clear = beside + error < 0.5 && scaled.high.abs() > LEAST as f64;
        let digits = LEAST + 1..LEAST * 10;
        if !(clear && digits.contains(&mantissa.abs())) {
            return None;
        }
        Rounded::normalized(mantissa, -i64::try_from(power).ok()?)
    }

    /// The power of ten that leaves twenty digits before the point, or about as many.
    fn power_to_output_digits(self) -> Option<usize> {
        const BIAS: i32 = 1023;
        /// log10 2, times 2^12.
        const DIGITS_OF_A_BIT: i32 = 1233;
        const MOST: f64 = 1e20;
        let exponent = (self.size().to_bits() >> (f64::MANTISSA_DIGITS - 1)) as i32 - BIAS;
        let digits = exponent.checked_mul(DIGITS_OF_A_BIT)? >> 12;
        let power = usize::try_from(OUTPUT_DIGITS.cast_signed() - 1 - digits).ok()?;
        let too_long = self.size() * POWERS_OF_TEN.get(power)?.high >= MOST;
        power.checked_sub(usize::from(too_long))
    }

    fn exactly_rounded(self, digits: u32) -> Figure<Rounded> {
        let middle = Dyadic::from_twofold(self.middle).ok_or(Failure::Imprecise)?;
        let radius = Dyadic::from_f64(self.radius * (1.0 + 1e-15)).ok_or(Failure::Imprecise)?;
        let rounded = |bound: Dyadic| {
            let (mantissa, exponent) = bound.round(digits);
            Rounded::from_decimal(&mantissa, exponent)
        };
        let (lowest, highest) = (rounded(middle.sub(&radius)), rounded(middle.add(&radius)));
        lowest.filter(|_| lowest == highest).ok_or(Failure::Imprecise)
    }
}

/// Powers of ten by their exponent, as far as they fit 127 bits: exactly, as these have no
/// more than 106 after their trailing zeros.
const POWERS_OF_TEN: [Twofold; 39] = {
    let mut powers = [Twofold::ONE; 39];
    let (mut rest, mut power) = (powers.as_mut_slice(), 1_i128);
    while let Some((slot, following)) = rest.split_first_mut() {
        let high = power as f64;
        *slot = Twofold { high, low: (power - high as i128) as f64 };
        (rest, power) = (following, power.wrapping_mul(10));
    }
    powers
};

/// An integer to 106 bits, exactly where it has no more.
#[inline]
fn from_integer(value: &Whole) -> Ball {
    let (middle, complete) = value.to_twofold();
    if complete { Ball { middle, radius: 0.0 } } else { Ball::new(middle, 0.0) }
}

impl Add for Ball {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self::new(self.middle + other.middle, self.radius + other.radius)
    }
}

impl Sub for Ball {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Ball {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self { middle: -self.middle, radius: self.radius }
    }
}

impl Mul for Ball {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        let middle = self.middle * other.middle;
        let inherited = (self.size() + self.radius) * other.radius + other.size() * self.radius;
        Self::new(middle, inherited * (1.0 + 1e-15) + self.underflow(other, middle))
    }
}

impl Div for Ball {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        let lowest = other.size() * (1.0 - 1e-15) - other.radius;
        if lowest <= 0.0 || lowest.is_nan() {
            return Self::UNKNOWN;
        }
        let middle = self.middle / other.middle;
        let inherited = (self.radius + middle.high.abs() * other.radius) / lowest * (1.0 + 1e-15);
        let lost = self.size() > 0.0 && self.size() < TINY;
        let underflow = if lost { f64::INFINITY } else { self.underflow(other, middle) };
        Self::new(middle, inherited + underflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn real<R: Real>(value: i64) -> R {
        R::ratio(&Whole::from(value), &Whole::from(1_000_003))
    }

    /// The same formula on both types, through every operation.
    fn formula<R: Real>(a: i64, b: i64) -> R {
        let (a, b): (R, R) = (real(a), real(b));
        let ratio = a.clone() / (b.clone() * b.clone() + R::one());
        (ratio.clone() * ratio + R::one()).sqrt().ln().exp() - a + b
    }

    proptest! {
        #[test]
        fn the_ball_holds_the_wide_value(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000) {
            let (ball, wide): (Ball, Wide) = (formula(a, b), formula(a, b));
            let error = wide.sub_twofold(ball.middle).expect("finite");
            prop_assert!(error.abs() <= ball.radius, "{error:e} > {:e}", ball.radius);
            prop_assert!(ball.radius <= 1e-26 * (1.0 + (a.abs() + b.abs()) as f64));
        }

        #[test]
        fn a_clear_rounding_is_the_exact_one(
            high in -1.0_f64..1.0, low in -0.5_f64..0.5, power in -16..6, radius in 0.0_f64..1e-21,
        ) {
            let high = high * 10_f64.powi(power);
            let middle = Twofold::renormalized(high, high * low * f64::EPSILON);
            let ball = Ball::within(middle, radius * high.abs());
            if let Some(clear) = ball.clearly_rounded() {
                prop_assert_eq!(Ok(clear), ball.exactly_rounded(OUTPUT_DIGITS));
            }
        }

        #[test]
        fn both_types_round_alike(a in -1_000_000_000_i64..1_000_000_000, b in 1_i64..1_000_000_000) {
            if let Ok(rounded) = formula::<Ball>(a, b).round() {
                prop_assert_eq!(Ok(rounded), formula::<Wide>(a, b).round());
            }
        }
    }

    #[test]
    fn powers_of_ten_are_exact() {
        for (exponent, power) in (0..).zip(POWERS_OF_TEN) {
            let (expected, complete) = Whole::power_of_ten(exponent).to_twofold();
            assert!(complete && (power.high, power.low) == (expected.high, expected.low), "{exponent}");
        }
    }

    #[test]
    fn what_is_clearly_rounded_and_what_is_not() {
        let rounded = |numerator: i64, denominator: i64| {
            Ball::ratio(&Whole::from(numerator), &Whole::from(denominator)).clearly_rounded()
        };
        assert_eq!(rounded(1, 3).map(|third| third.to_string()).as_deref(), Some("0.33333333333333333333"));
        assert_eq!(
            rounded(-1, 700).map(|value| value.to_string()).as_deref(),
            Some("-0.0014285714285714285714")
        );
        assert_eq!(rounded(0, 1), None, "no digits");
        assert_eq!(Ball::integer(1).clearly_rounded(), None, "at a power of ten");
        let tie = Ball::ratio(&Whole::from(100_000_000_000_000_000_005_i128), &Whole::power_of_ten(21));
        assert_eq!(tie.clearly_rounded(), None, "between two");
        assert_eq!(Ball::UNKNOWN.clearly_rounded(), None);
    }

    #[test]
    fn an_open_decision_is_an_error() {
        let third = Ball::ratio(&Whole::ONE, &Whole::from(3));
        let same = third * Ball::integer(3);
        assert_eq!(same.compare(&Ball::one()), Err(Failure::Imprecise));
        assert_eq!((same - Ball::one()).is_dust(&Ball::one()), Ok(true));
        assert_eq!(third.sign(), Ok(Ordering::Greater));
        assert_eq!(Ball::zero().sign(), Ok(Ordering::Equal));
    }

    #[test]
    fn overflow_and_division_by_zero_decide_nothing() {
        let huge = Ball::ratio(&Whole::power_of_ten(300), &Whole::ONE);
        assert_eq!((huge * huge).sign(), Err(Failure::Imprecise));
        assert_eq!((Ball::one() / Ball::zero()).round(), Err(Failure::Imprecise));
        assert_eq!((-Ball::one()).ln().sign(), Err(Failure::Imprecise));
        assert_eq!((-Ball::one()).sqrt().sign(), Err(Failure::Imprecise));
        let tiny = Ball::ratio(&Whole::ONE, &Whole::power_of_ten(200));
        assert_eq!((tiny * tiny).sign(), Err(Failure::Imprecise));
        assert_eq!((tiny * tiny * tiny).sign(), Err(Failure::Imprecise));
        assert_eq!((tiny * tiny * tiny * Ball::zero()).sign(), Ok(Ordering::Equal));
    }

    #[test]
    fn integers_beyond_double_double_carry_a_radius() {
        let value = &Whole::power_of_ten(60) + &Whole::ONE;
        assert!(from_integer(&value).radius > 0.0);
        assert!(from_integer(&Whole::from(i64::MAX)).radius == 0.0);
    }
}
