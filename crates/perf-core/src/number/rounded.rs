use std::fmt::{self, Write};
use std::str::FromStr;

use dashu_base::Signed;
use dashu_int::IBig;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Exact, NumberError, Whole, power_of_ten};
use crate::number::dyadic::divide_half_even;

/// Significant digits of every figure.
pub const OUTPUT_DIGITS: u32 = 20;

/// A figure as it leaves: a decimal of at most twenty significant digits,
/// trailing zeros dropped.
///
/// ```
/// use perf_core::number::Rounded;
/// let third: Rounded = "0.33333333333333333333".parse()?;
/// assert_eq!(third.to_string(), "0.33333333333333333333");
/// assert_eq!("1e-13".parse::<Rounded>()?.to_string(), "1e-13");
/// # Ok::<(), perf_core::number::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rounded {
    mantissa: i128,
    exponent: i32,
}

/// Whether the last digit is a zero: by halves of 64 bits, since a division of 128 bits is slow.
fn ends_in_zero(number: i128) -> bool {
    let magnitude = number.unsigned_abs();
    let (high, low) = ((magnitude >> 64) as u64, magnitude as u64);
    // 2^64 ends in a six.
    magnitude.is_multiple_of(2) && (high % 10 * 6 + low % 10) % 10 == 0
}

impl Rounded {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, exponent: 0 };

    /// `mantissa` × 10^`exponent`, rounded half-even to twenty digits; `None`
    /// where the exponent is beyond all use.
    #[must_use]
    pub(crate) fn from_decimal(mantissa: &IBig, exponent: i64) -> Option<Self> {
        Self::to_digits(mantissa, exponent, OUTPUT_DIGITS)
    }

    /// As [`from_decimal`](Self::from_decimal), to at most twenty digits.
    #[must_use]
    pub(crate) fn to_digits(mantissa: &IBig, exponent: i64, digits: u32) -> Option<Self> {
        let kept = digits.min(OUTPUT_DIGITS);
        let negative = mantissa.is_negative();
        let mut digits = if negative { -mantissa } else { mantissa.clone() };
        let mut exponent = exponent;
        let excess = u32::try_from(digits.to_string().len()).ok()?.saturating_sub(kept);
        if excess > 0 {
            digits = divide_half_even(&digits, &power_of_ten(excess));
            exponent += i64::from(excess);
        }
        let magnitude = i128::try_from(digits).ok()?;
        Self::normalized(if negative { -magnitude } else { magnitude }, exponent)
    }

    /// `mantissa` × 10^`exponent` without trailing zeros; the mantissa has at most twenty digits.
    pub(crate) fn normalized(mut mantissa: i128, mut exponent: i64) -> Option<Self> {
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        while ends_in_zero(mantissa) {
            mantissa /= 10;
            exponent += 1;
        }
        Some(Self { mantissa, exponent: i32::try_from(exponent).ok()? })
    }

    /// Numerator and denominator.
    pub(crate) fn as_fraction(self) -> (Whole, Whole) {
        let mantissa = Whole::from(self.mantissa);
        let power = Whole::power_of_ten(self.exponent.unsigned_abs());
        if self.exponent < 0 { (mantissa, power) } else { (&mantissa * &power, Whole::ONE) }
    }

    fn as_big_fraction(self) -> (IBig, IBig) {
        let (numerator, denominator) = self.as_fraction();
        (numerator.to_big(), denominator.to_big())
    }

    /// The power of ten of the first digit: 0 for 1 to 9.99.
    fn leading_exponent(self) -> i64 {
        let digits = self.mantissa.unsigned_abs().checked_ilog10().unwrap_or(0);
        i64::from(self.exponent) + i64::from(digits)
    }

    /// Whether the magnitude is above 1e120, beyond what a rate may be.
    #[must_use]
    pub fn exceeds_rate_range(self) -> bool {
        /// With at most twenty digits, rates of a smaller exponent are within the range.
        const CLOSE: i32 = 120 - OUTPUT_DIGITS.cast_signed();
        let boundary = self.mantissa.unsigned_abs() == 1 && self.exponent == 120;
        self.exponent >= CLOSE && self.leading_exponent() >= 120 && !boundary
    }

    /// The nearest `f64`, for display and for stores that hold doubles.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f64::INFINITY)
    }

    /// The value times 10^`shift` with a fixed number of decimals, half-even: for people.
    ///
    /// ```
    /// use perf_core::number::Rounded;
    /// let rate: Rounded = "0.16240211159804130768".parse()?;
    /// assert_eq!(rate.to_fixed(2, 4), "16.2402");
    /// # Ok::<(), perf_core::number::NumberError>(())
    /// ```
    #[must_use]
    pub fn to_fixed(self, shift: i32, decimals: u32) -> String {
        let (numerator, denominator) = self.as_big_fraction();
        let places = shift.saturating_add(i32::try_from(decimals).unwrap_or(0));
        let power = power_of_ten(places.unsigned_abs());
        let (numerator, denominator) =
            if places >= 0 { (numerator * power, denominator) } else { (numerator, denominator * power) };
        let negative = numerator.is_negative();
        let magnitude = divide_half_even(&if negative { -numerator } else { numerator }, &denominator);
        Exact::new(if negative { -magnitude } else { magnitude }, decimals).to_string()
    }

    /// The sign: −1, 0 or 1.
    #[must_use]
    pub fn signum(self) -> i32 {
        i32::try_from(self.mantissa.signum()).unwrap_or(0)
    }

    fn plain(self, f: &mut fmt::Formatter<'_>, digits: &str) -> fmt::Result {
        if self.exponent >= 0 {
            let zeros = usize::try_from(self.exponent).unwrap_or(0);
            return write!(f, "{digits}{:0<zeros$}", "");
        }
        let places = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(0);
        match digits.split_at_checked(digits.len().saturating_sub(places)) {
            Some((whole, fraction)) if !whole.is_empty() => write!(f, "{whole}.{fraction}"),
            _ => write!(f, "0.{digits:0>places$}"),
        }
    }
}

/// The text of a figure, without a heap: a sign, twenty digits and a point, as
/// many zeros before them as plain notation has, or an exponent.
struct Text {
    bytes: [u8; 64],
    length: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; 64], length: 0 }
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl Text {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Rounded {
    /// Plain notation; an exponent only at or above 1e21 or below 1e-12.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Text::default();
        write!(digits, "{}", self.mantissa.unsigned_abs())?;
        let digits = digits.as_str();
        f.write_str(if self.mantissa < 0 { "-" } else { "" })?;
        let leading = self.leading_exponent();
        if self.mantissa == 0 || (-12..21).contains(&leading) {
            return self.plain(f, digits);
        }
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{first}{point}{rest}e{leading}")
    }
}

impl FromStr for Rounded {
    type Err = NumberError;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().map_err(|_| NumberError::NotADecimal)?;
        let exact: Exact = digits.parse()?;
        let power = i64::from(exponent) - i64::from(exact.scale());
        Self::from_decimal(&exact.mantissa().to_big(), power).ok_or(NumberError::OutOfRange)
    }
}

impl Serialize for Rounded {
    /// A JSON number with all its digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Text::default();
        write!(text, "{self}").map_err(S::Error::custom)?;
        serde_json::from_str::<&RawValue>(text.as_str()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(mantissa: i128, exponent: i64) -> String {
        Rounded::from_decimal(&IBig::from(mantissa), exponent).expect("in range").to_string()
    }

    #[test]
    fn writes_plain_notation_between_its_bounds() {
        assert_eq!(shown(842, -4), "0.0842");
        assert_eq!(shown(-1000, -3), "-1");
        assert_eq!(shown(1, -12), "0.000000000001");
        assert_eq!(shown(15, -14), "1.5e-13");
        assert_eq!(shown(999, 18), "999000000000000000000");
        assert_eq!(shown(1, 21), "1e21");
        assert_eq!(shown(0, 5), "0");
    }

    #[test]
    fn rounds_half_even_to_twenty_digits() {
        assert_eq!(shown(100_000_000_000_000_000_005, -20), "1");
        assert_eq!(shown(100_000_000_000_000_000_015, -20), "1.0000000000000000002");
        assert_eq!(shown(999_999_999_999_999_999_996, -21), "1");
    }

    #[test]
    fn fixed_decimals_round_half_even_and_invent_no_digit() {
        let fixed = |text: &str, shift| text.parse::<Rounded>().expect("a number").to_fixed(shift, 4);
        assert_eq!(fixed("999999999999999", 2), "99999999999999900.0000");
        assert_eq!(fixed("-0.00000001", 2), "0.0000");
        assert_eq!(fixed("0.00005", 0), "0.0000");
        assert_eq!(fixed("-0.00015", 0), "-0.0002");
    }

    #[test]
    fn knows_the_rate_range() {
        let rate = |mantissa: i128, exponent| {
            Rounded::from_decimal(&IBig::from(mantissa), exponent).expect("in range")
        };
        assert!(!rate(1, 120).exceeds_rate_range());
        assert!(rate(11, 119).exceeds_rate_range());
        assert!(rate(-2, 120).exceeds_rate_range());
        assert!(!rate(99, 118).exceeds_rate_range());
    }

    #[test]
    fn serializes_as_a_number_with_every_digit() {
        let value: Rounded = "0.12345678901234567891".parse().expect("a number");
        assert_eq!(serde_json::to_string(&value).expect("serializable"), "0.12345678901234567891");
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(mantissa in -99_999_999_999_999_999_999_i128..99_999_999_999_999_999_999, exponent in -60_i64..60) {
            let value = Rounded::from_decimal(&IBig::from(mantissa), exponent).expect("in range");
            prop_assert_eq!(value.to_string().parse::<Rounded>(), Ok(value));
        }
    }
}
