//! Arbitrary-precision numbers: 448 bits, some 134 decimal digits.
//!
//! Every operation is rounded to nearest. Integers below 2^448 are exact, so money is held
//! as integers (all amounts over one common power of ten) wherever a decision must be exact.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use astro_float::{BigFloat, Consts, Radix, RoundingMode, Sign};

const BITS: usize = 448;
const NEAREST: RoundingMode = RoundingMode::ToEven;
/// Decimal digits kept before the last rounding: the noise of the calculation lies far below,
/// so a value that is a tie in exact arithmetic is a tie here too.
const STEADY_DIGITS: usize = 100;

thread_local! {
    static CONSTS: RefCell<Consts> = RefCell::new(Consts::new().unwrap());
}

/// A number of 448 bits.
#[derive(Clone, Debug)]
pub struct Number(pub BigFloat);

impl Number {
    /// The integer `value`.
    pub fn int(value: i64) -> Self {
        Number(BigFloat::from_i64(value, BITS))
    }

    /// 0.
    pub fn zero() -> Self {
        Number::int(0)
    }

    /// 1.
    pub fn one() -> Self {
        Number::int(1)
    }

    /// 10 to the power of `exponent`, exact for exponents from 0 to 134.
    pub fn ten_to(exponent: i64) -> Self {
        let mut power = Number::one();
        for _ in 0..exponent.abs() {
            power = power * Number::int(10);
        }
        if exponent < 0 { Number::one() / power } else { power }
    }

    /// A decimal string, rounded once.
    pub fn parse(text: &str) -> Self {
        let (digits, exponent) = decimal(text);
        if exponent < 0 { digits / Number::ten_to(-exponent) } else { digits * Number::ten_to(exponent) }
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i32 {
        if self.0.is_zero() {
            0
        } else if self.0.is_negative() {
            -1
        } else {
            1
        }
    }

    /// The magnitude.
    pub fn abs(&self) -> Self {
        Number(self.0.abs())
    }

    /// The square root.
    pub fn sqrt(&self) -> Self {
        Number(self.0.sqrt(BITS, NEAREST))
    }

    /// The largest integer not above the number.
    pub fn floor(&self) -> Self {
        Number(self.0.floor())
    }

    /// e to the power of the number.
    pub fn exp(&self) -> Self {
        CONSTS.with(|consts| Number(self.0.exp(BITS, NEAREST, &mut consts.borrow_mut())))
    }

    /// The natural logarithm of a positive number.
    pub fn ln(&self) -> Self {
        CONSTS.with(|consts| Number(self.0.ln(BITS, NEAREST, &mut consts.borrow_mut())))
    }

    /// A positive number to a real power.
    pub fn pow(&self, exponent: &Number) -> Self {
        (self.ln() * exponent).exp()
    }

    /// A number to a whole power, by repeated squaring.
    pub fn pow_int(&self, exponent: u64) -> Self {
        let mut result = Number::one();
        let mut square = self.clone();
        let mut rest = exponent;
        while rest > 0 {
            if rest % 2 == 1 {
                result = &result * &square;
            }
            square = &square * &square;
            rest /= 2;
        }
        result
    }

    /// 1 over the number.
    pub fn reciprocal(&self) -> Self {
        Number::one() / self
    }

    /// The larger of two numbers.
    pub fn max(self, other: Number) -> Self {
        if self >= other { self } else { other }
    }

    /// The smaller of two numbers.
    pub fn min(self, other: Number) -> Self {
        if self <= other { self } else { other }
    }

    /// 0 where the number is within 1e-24 of the largest of `terms`, itself otherwise.
    pub fn settle(self, terms: &[&Number]) -> Self {
        let largest = terms.iter().fold(Number::zero(), |most, term| most.max(term.abs()));
        if self.is_settled_by(&largest) { Number::zero() } else { self }
    }

    /// Whether the magnitude is at most 1e-24 of `largest`.
    pub fn is_settled_by(&self, largest: &Number) -> bool {
        let ten_to_12 = Number::int(1_000_000_000_000);
        // A hair of room: a value exactly at the threshold may come out of rounding just above it.
        self.abs() * &ten_to_12 * &ten_to_12 <= largest + &(largest * &Number::ten_to(-60))
    }

    /// The sum of `terms`, 0 where it is within 1e-24 of the largest of them.
    pub fn settled_sum(terms: &[Number]) -> Self {
        let total = terms.iter().fold(Number::zero(), |sum, term| sum + term);
        total.settle(&terms.iter().collect::<Vec<_>>())
    }

    /// Rounded half-even to `digits` significant digits, in the contract's notation: plain,
    /// without trailing zeros, an exponent only at or above 1e21 or below 1e-12.
    pub fn to_significant(&self, digits: usize) -> String {
        if self.sign() == 0 {
            return "0".to_owned();
        }
        let (sign, all, exponent) = CONSTS
            .with(|consts| self.0.convert_to_radix(Radix::Dec, NEAREST, &mut consts.borrow_mut()))
            .unwrap();
        let zeros = all.iter().take_while(|digit| **digit == 0).count();
        let exponent = i64::from(exponent) - i64::try_from(zeros).unwrap();
        let (steady, exponent) = round_half_even(&all[zeros..], exponent, STEADY_DIGITS);
        let (kept, exponent) = round_half_even(&steady, exponent, digits);
        let minus = if sign == Sign::Neg { "-" } else { "" };
        format!("{minus}{}", notation(&kept, exponent))
    }
}

/// Rounds the value 0.d1d2d3… × 10^exponent to `count` digits, trailing zeros dropped.
fn round_half_even(digits: &[u8], exponent: i64, count: usize) -> (Vec<u8>, i64) {
    let mut kept: Vec<u8> = digits.iter().take(count).copied().collect();
    let rest = &digits[kept.len()..];
    let mut exponent = exponent;
    let tail_is_zero = rest.iter().skip(1).all(|digit| *digit == 0);
    let up = match rest.first() {
        Some(5) if tail_is_zero => kept.last().is_some_and(|digit| digit % 2 == 1),
        Some(first) => *first >= 5,
        None => false,
    };
    if up {
        let nines = kept.iter().rev().take_while(|digit| **digit == 9).count();
        kept.truncate(kept.len() - nines);
        match kept.last_mut() {
            Some(last) => *last += 1,
            None => {
                kept.push(1);
                exponent += 1;
            }
        }
    }
    while kept.last() == Some(&0) {
        kept.pop();
    }
    (kept, exponent)
}

/// Writes 0.d1d2d3… × 10^exponent.
fn notation(digits: &[u8], exponent: i64) -> String {
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    let power = exponent - 1;
    if !(-12..21).contains(&power) {
        let (first, rest) = text.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{first}{point}{rest}e{power}");
    }
    if exponent <= 0 {
        let zeros = "0".repeat(usize::try_from(-exponent).unwrap());
        return format!("0.{zeros}{text}");
    }
    let whole = usize::try_from(exponent).unwrap();
    if text.len() <= whole {
        let zeros = "0".repeat(whole - text.len());
        return format!("{text}{zeros}");
    }
    let (left, right) = text.split_at(whole);
    format!("{left}.{right}")
}

/// A decimal string as an integer and a power of ten.
fn decimal(text: &str) -> (Number, i64) {
    let lower = text.trim().to_ascii_lowercase();
    let (mantissa, power) = lower.split_once('e').unwrap_or((lower.as_str(), "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = Number::zero();
    for digit in whole.chars().chain(fraction.chars()).filter(char::is_ascii_digit) {
        digits = digits * Number::int(10) + Number::int(i64::from(digit.to_digit(10).unwrap()));
    }
    if whole.starts_with('-') {
        digits = -digits;
    }
    let shift = i64::try_from(fraction.len()).unwrap();
    (digits, power.parse::<i64>().unwrap() - shift)
}

/// All of `texts` as integers over one common power of ten (which is left out: every use is
/// a ratio of money to money).
pub fn common_integers(texts: &[&str]) -> Vec<Number> {
    let parsed: Vec<(Number, i64)> = texts.iter().map(|text| decimal(text)).collect();
    let least = parsed.iter().map(|(_, exponent)| *exponent).min().unwrap_or(0);
    parsed.into_iter().map(|(digits, exponent)| digits * Number::ten_to(exponent - least)).collect()
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.cmp(&other.0) == Some(0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.cmp(&other.0).map(|order| order.cmp(&0))
    }
}

impl Neg for Number {
    type Output = Number;
    fn neg(self) -> Number {
        Number(self.0.neg())
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait<&Number> for &Number {
            type Output = Number;
            fn $method(self, other: &Number) -> Number {
                Number(self.0.$method(&other.0, BITS, NEAREST))
            }
        }
        impl $trait<Number> for &Number {
            type Output = Number;
            fn $method(self, other: Number) -> Number {
                self.$method(&other)
            }
        }
        impl $trait<&Number> for Number {
            type Output = Number;
            fn $method(self, other: &Number) -> Number {
                (&self).$method(other)
            }
        }
        impl $trait<Number> for Number {
            type Output = Number;
            fn $method(self, other: Number) -> Number {
                (&self).$method(&other)
            }
        }
    };
}

operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);
