use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Neg, Sub};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::Whole;
use super::whole::short_power_of_ten;

/// Most significant digits that an input number may have.
pub const MAX_SIGNIFICANT_DIGITS: u32 = 28;
/// Most digits after the decimal point that an input number may have.
pub const MAX_DECIMAL_PLACES: u32 = 100;
/// Input magnitudes are below ten to this power.
const MAX_INTEGER_DIGITS: i64 = 28;

/// Room for the text of every number that a request may hold.
const MAX_TEXT_BYTES: usize = 144;

/// Why a text is not an acceptable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is not a plain or scientific decimal.
    #[error("expected a decimal number such as 1234.56")]
    NotADecimal,
    /// More than 28 significant digits, a magnitude of 1e28 or more, or more
    /// than 100 decimal places.
    #[error("at most 28 significant digits, a magnitude below 1e28 and 100 decimal places")]
    OutOfRange,
}

/// An exact decimal: `mantissa` × 10^−`scale`.
///
/// The scale of the text is kept (`"10000.10"` prints as it came); comparisons
/// and arithmetic go by value. Sums and differences are exact and unbounded.
///
/// ```
/// use perf_core::number::Exact;
/// let value: Exact = "10000.10".parse()?;
/// let flow: Exact = "-0.10".parse()?;
/// assert_eq!((&value + &flow).to_string(), "10000.00");
/// # Ok::<(), perf_core::number::NumberError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exact {
    mantissa: Whole,
    scale: u32,
}

impl Exact {
    /// Zero, without decimal places.
    pub const ZERO: Self = Self { mantissa: Whole::ZERO, scale: 0 };

    /// `mantissa` × 10^−`scale`.
    #[must_use]
    pub fn new(mantissa: impl Into<Whole>, scale: u32) -> Self {
        Self { mantissa: mantissa.into(), scale }
    }

    /// Digits after the decimal point.
    #[must_use]
    pub fn scale(&self) -> u32 {
        self.scale
    }

    /// The mantissa.
    #[must_use]
    pub fn mantissa(&self) -> &Whole {
        &self.mantissa
    }

    /// The mantissa at a scale no smaller than its own, exactly.
    #[must_use]
    pub fn mantissa_at(&self, scale: u32) -> Whole {
        match scale.saturating_sub(self.scale) {
            0 => self.mantissa.clone(),
            places => &self.mantissa * &Whole::power_of_ten(places),
        }
    }

    /// The same, where it fits 64 bits.
    #[inline]
    #[must_use]
    pub(crate) fn short_mantissa_at(&self, scale: u32) -> Option<i64> {
        let mantissa = self.mantissa.to_i64()?;
        match scale.checked_sub(self.scale)? {
            0 => Some(mantissa),
            places => mantissa.checked_mul(short_power_of_ten(places)?),
        }
    }

    /// Whether the value is exactly zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.mantissa.is_zero()
    }

    /// Whether the value is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.mantissa.is_negative()
    }

    /// The text without trailing zeros: one text for each value.
    #[must_use]
    pub fn to_canonical(&self) -> String {
        let text = self.to_string();
        if !text.contains('.') {
            return text;
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The text, where the mantissa has 128 bits and the text fits.
    fn text<'b>(&self, buffer: &'b mut [u8; MAX_TEXT_BYTES]) -> Option<&'b [u8]> {
        let mantissa = self.mantissa.to_i128()?;
        let mut rest = mantissa.unsigned_abs();
        // On 64 bits where these are enough: a division there is a multiplication.
        let start = match u64::try_from(rest) {
            Ok(mut rest) => self.fill(buffer, || {
                let digit = rest % 10;
                rest /= 10;
                (digit as u8, rest == 0)
            }),
            Err(_) => self.fill(buffer, || {
                let digit = rest % 10;
                rest /= 10;
                (digit as u8, rest == 0)
            }),
        };
        let start = if mantissa < 0 { start?.checked_sub(1)? } else { start? };
        if mantissa < 0 {
            *buffer.get_mut(start)? = b'-';
        }
        buffer.get(start..)
    }

    /// Writes digits, the last one first, and the point; answers where they begin.
    /// `next` gives a digit and whether it was the last that is not zero.
    #[inline]
    fn fill(&self, buffer: &mut [u8], mut next: impl FnMut() -> (u8, bool)) -> Option<usize> {
        let places = self.scale as usize;
        let (mut digits, mut start) = (0, buffer.len());
        for slot in buffer.iter_mut().rev() {
            start -= 1;
            if digits == places && places > 0 && digits + start + 1 == MAX_TEXT_BYTES {
                *slot = b'.';
                continue;
            }
            let (digit, finished) = next();
            *slot = b'0' + digit;
            digits += 1;
            if finished && digits > places {
                return Some(start);
            }
        }
        None
    }

    fn write_large(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.mantissa.to_string();
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let places = self.scale as usize;
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        f.write_str(if self.is_negative() { "-" } else { "" })?;
        f.write_str(whole)?;
        if places > 0 {
            write!(f, ".{fraction}")?;
        }
        Ok(())
    }

    fn aligned(&self, other: &Self) -> (Whole, Whole, u32) {
        let scale = self.scale.max(other.scale);
        (self.mantissa_at(scale), other.mantissa_at(scale), scale)
    }
}

impl FromStr for Exact {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        if let Some(plain) = plain(text.as_bytes()) {
            return Ok(plain);
        }
        let (digits, exponent) = split_exponent(text)?;
        let (negative, digits) = match digits.as_bytes().first() {
            Some(b'-') => (true, digits.get(1..).unwrap_or_default()),
            Some(b'+') => (false, digits.get(1..).unwrap_or_default()),
            _ => (false, digits),
        };
        let mut mantissa = Mantissa::default();
        for byte in digits.bytes() {
            mantissa.push(byte)?;
        }
        mantissa.finish(negative, exponent)
    }
}

/// Digits with at most one point, short enough for 64 bits: what most numbers are.
#[inline]
fn plain(text: &[u8]) -> Option<Exact> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Nineteen digits and a point.
    if digits.len() > 20 {
        return None;
    }
    let (mut value, mut count, mut before_point) = (0_u64, 0_u32, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' if count < 19 => {
                value = value * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if before_point.is_none() => before_point = Some(count),
            _ => return None,
        }
    }
    if count == 0 {
        return None;
    }
    let mantissa = if negative { -i128::from(value) } else { i128::from(value) };
    Some(Exact::new(mantissa, before_point.map_or(0, |before| count - before)))
}

/// Splits off `e±nn`; an exponent too long for an `i64` counts as ±`i64::MAX`.
fn split_exponent(text: &str) -> Result<(&str, i64), NumberError> {
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return Ok((text, 0));
    };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::NotADecimal);
    }
    let magnitude = unsigned.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    Ok((digits, if exponent.starts_with('-') { -magnitude } else { magnitude }))
}

/// Digits read so far. Zeros that may be trailing are held back, so that
/// `1.50000000000000000000000000000000` still has two significant digits.
#[derive(Default)]
struct Mantissa {
    value: i128,
    significant: u32,
    held_zeros: u32,
    decimals: u32,
    point: bool,
    any_digit: bool,
    too_long: bool,
}

impl Mantissa {
    fn push(&mut self, byte: u8) -> Result<(), NumberError> {
        match byte {
            b'.' if !self.point => self.point = true,
            b'0'..=b'9' => self.push_digit(byte - b'0'),
            _ => return Err(NumberError::NotADecimal),
        }
        Ok(())
    }

    fn push_digit(&mut self, digit: u8) {
        self.any_digit = true;
        self.decimals = self.decimals.saturating_add(u32::from(self.point));
        if digit == 0 {
            let leading = self.significant == 0;
            self.held_zeros = self.held_zeros.saturating_add(u32::from(!leading));
            return;
        }
        let width = self.held_zeros.saturating_add(1);
        self.significant = self.significant.saturating_add(width);
        if self.significant > MAX_SIGNIFICANT_DIGITS {
            self.too_long = true;
            return;
        }
        self.value = self.value * 10_i128.pow(width) + i128::from(digit);
        self.held_zeros = 0;
    }

    /// The value is `value × 10^(held_zeros − decimals + exponent)`.
    fn finish(self, negative: bool, exponent: i64) -> Result<Exact, NumberError> {
        if !self.any_digit {
            return Err(NumberError::NotADecimal);
        }
        if self.too_long {
            return Err(NumberError::OutOfRange);
        }
        let point = exponent - i64::from(self.decimals);
        let power = point + i64::from(self.held_zeros);
        if self.value == 0 {
            let scale = u32::try_from(-point).unwrap_or(0).min(MAX_SIGNIFICANT_DIGITS);
            return Ok(Exact::new(0, scale));
        }
        if i64::from(self.significant) + power > MAX_INTEGER_DIGITS || power < -i64::from(MAX_DECIMAL_PLACES)
        {
            return Err(NumberError::OutOfRange);
        }
        let signed = if negative { -self.value } else { self.value };
        // The written scale is kept while it adds only zeros that fit the bounds.
        let scale = u32::try_from(-point.min(0)).unwrap_or(0).min(MAX_DECIMAL_PLACES);
        let shown = i64::from(self.significant) + power + i64::from(scale);
        let scale = match shown > i64::from(MAX_SIGNIFICANT_DIGITS) {
            true => u32::try_from(-power.min(0)).unwrap_or(0),
            false => scale,
        };
        let zeros = u32::try_from(power + i64::from(scale)).unwrap_or(0);
        Ok(Exact::new(&Whole::from(signed) * &Whole::power_of_ten(zeros), scale))
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; MAX_TEXT_BYTES];
        match self.text(&mut buffer).and_then(|text| std::str::from_utf8(text).ok()) {
            Some(text) => f.write_str(text),
            None => self.write_large(f),
        }
    }
}

impl Serialize for Exact {
    /// A decimal string: money is never written as a JSON number.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Self {
        Self::new(value.mantissa(), value.scale())
    }
}

impl From<i64> for Exact {
    fn from(value: i64) -> Self {
        Self::new(value, 0)
    }
}

impl Add for &Exact {
    type Output = Exact;
    fn add(self, other: Self) -> Exact {
        if self.scale == other.scale {
            return Exact::new(&self.mantissa + &other.mantissa, self.scale);
        }
        let (a, b, scale) = self.aligned(other);
        Exact::new(&a + &b, scale)
    }
}

impl Sub for &Exact {
    type Output = Exact;
    fn sub(self, other: Self) -> Exact {
        if self.scale == other.scale {
            return Exact::new(&self.mantissa - &other.mantissa, self.scale);
        }
        let (a, b, scale) = self.aligned(other);
        Exact::new(&a - &b, scale)
    }
}

impl Neg for &Exact {
    type Output = Exact;
    fn neg(self) -> Exact {
        Exact::new(-&self.mantissa, self.scale)
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b, _) = self.aligned(other);
        a.cmp(&b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<String, NumberError> {
        text.parse::<Exact>().map(|value| value.to_string())
    }

    #[test]
    fn keeps_the_written_scale() {
        for text in ["10000.10", "0.00", "-12.5", "0", "1200", "0.000000000000000000000000000001"] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn reads_exponents_and_signs() {
        assert_eq!(parse("1.5e3").as_deref(), Ok("1500"));
        assert_eq!(parse("1e-3").as_deref(), Ok("0.001"));
        assert_eq!(parse("+.5").as_deref(), Ok("0.5"));
        assert_eq!(parse("-0").as_deref(), Ok("0"));
        assert_eq!(parse("9999999999999999999999999999").as_deref(), Ok("9999999999999999999999999999"));
        assert_eq!(parse("1e27").as_deref(), Ok("1000000000000000000000000000"));
        assert_eq!(parse("0e99999999999999999999").as_deref(), Ok("0"));
    }

    #[test]
    fn refuses_what_is_not_a_decimal() {
        for text in
            ["", "-", ".", "e5", "abc", "NaN", "Infinity", "1,000", "1 ", "1.2.3", "0x10", "1e", "1_0", "٣"]
        {
            assert_eq!(parse(text), Err(NumberError::NotADecimal), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        for text in [
            "1e28",
            "1e400",
            "1e99999999999999999999",
            "12345678901234567890123456789",
            "1e-101",
            "0.12345678901234567890123456789",
        ] {
            assert_eq!(parse(text), Err(NumberError::OutOfRange), "{text:?}");
        }
    }

    #[test]
    fn trailing_zeros_are_not_significant() {
        assert_eq!(parse("1.50000000000000000000000000000000000").as_deref(), Ok("1.5"));
    }

    proptest! {
        #[test]
        fn prints_what_it_parsed(mantissa in any::<i64>(), scale in 0_u32..28) {
            let exact = Exact::new(mantissa, scale);
            prop_assert_eq!(exact.to_string().parse::<Exact>().map(|e| e.to_string()), Ok(exact.to_string()));
            let decimal = Decimal::from_i128_with_scale(i128::from(mantissa), scale);
            prop_assert_eq!(Exact::from(decimal).to_string(), decimal.to_string());
        }

        #[test]
        fn a_plain_number_is_read_as_any_other(text in "-?[0-9]{0,12}(\\.[0-9]{0,12})?") {
            if let Some(found) = plain(text.as_bytes()) {
                // An exponent of zero takes the general way.
                let general = format!("{text}e0").parse::<Exact>().expect("a number");
                prop_assert_eq!((found.mantissa, found.scale), (general.mantissa, general.scale));
            }
        }

        #[test]
        fn short_and_large_texts_are_alike(mantissa in any::<i128>(), bits in 0_u32..128, scale in 0_u32..101) {
            struct Large(Exact);
            impl fmt::Display for Large {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.write_large(f)
                }
            }
            let value = Exact::new(mantissa >> bits, scale);
            prop_assert_eq!(value.to_string(), Large(value).to_string());
        }

        #[test]
        fn never_panics(text in "[-+0-9.eE ]{0,40}") {
            let _ = text.parse::<Exact>();
        }
    }
}
