//! One value's text to its type: the same for JSON and CSV.

use chrono::NaiveDate;

use crate::model::{Identifier, Word};
use crate::number::{Exact, NumberError};

/// Most characters of a client's own text in a message.
const MAX_QUOTED_CHARACTERS: usize = 40;

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Machine word.
    pub(super) code: &'static str,
    /// What was expected.
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Not what can be a number at all.
    pub(super) fn not_a_decimal() -> Self {
        Self::new("not_a_decimal", NumberError::NotADecimal.to_string())
    }

    /// Not what can be a date at all.
    pub(super) fn not_a_date() -> Self {
        Self::new("not_a_date", "expected an existing day as a string YYYY-MM-DD")
    }
}

/// The start of a text in quotation marks.
pub(super) fn quoted(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(MAX_QUOTED_CHARACTERS).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    format!("{start:?}{rest}")
}

/// An exact decimal.
pub(super) fn decimal(text: &str) -> Result<Exact, Fault> {
    text.parse().map_err(|error| match error {
        NumberError::NotADecimal => Fault::not_a_decimal(),
        NumberError::OutOfRange => Fault::new("number_out_of_range", format!("expected {error}")),
    })
}

/// An existing day, `YYYY-MM-DD`, of the years 0001 to 9999.
pub(super) fn date(text: &str) -> Result<NaiveDate, Fault> {
    day(text.as_bytes()).ok_or_else(|| {
        let message = format!("expected an existing day as YYYY-MM-DD, not {}", quoted(text));
        Fault::new("not_a_date", message)
    })
}

fn day(text: &[u8]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = digits(&[*y1, *y2, *y3, *y4]).filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?)
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

/// A word of an enumeration.
pub(super) fn word<T: Word>(text: &str) -> Result<T, Fault> {
    T::from_word(text).ok_or_else(|| {
        let message = format!("expected one of {}, not {}", T::choices(), quoted(text));
        Fault::new("unknown_value", message)
    })
}

/// A name.
pub(super) fn identifier(text: &str) -> Result<Identifier, Fault> {
    text.parse().map_err(|error| Fault::new("invalid_identifier", format!("{error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Method;

    #[test]
    fn dates_are_existing_days_in_one_notation() {
        for (text, shown) in
            [("2024-02-29", "2024-02-29"), ("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31")]
        {
            assert_eq!(date(text).expect("a day").to_string(), shown);
        }
        for text in [
            "",
            "2021-02-30",
            "2023-02-29",
            "0000-01-01",
            "10000-01-01",
            "2021-1-1",
            "2021/01/01",
            "20210101",
            "2021-01-01T00:00:00Z",
            " 2021-01-01",
            "2021-01-0x",
            "+021-01-01",
            "２021-01-01",
            "2021-13-01",
        ] {
            assert_eq!(date(text).expect_err(text).code, "not_a_date");
        }
    }

    #[test]
    fn messages_quote_no_more_than_forty_characters() {
        let fault = word::<Method>(&"é".repeat(41)).expect_err("no such method");
        assert_eq!(
            fault.message,
            format!("expected one of daily, modified_dietz, not \"{}\"…", "é".repeat(40))
        );
        assert_eq!(quoted("a\n\"b"), r#""a\n\"b""#);
    }
}
