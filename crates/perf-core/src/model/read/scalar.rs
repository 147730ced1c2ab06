//! Single values.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use jiter::Peek;

use crate::model::{Identifier, MAX_IDENTIFIER_CHARACTERS, Word};
use crate::number::Exact;

use super::fault::{self, Fault};
use super::json::{Parsed, Reader};

impl Reader<'_> {
    fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.fail(fault)).ok()
    }

    /// An exact decimal, written as a number or as a string.
    pub(super) fn decimal(&mut self) -> Parsed<Option<Exact>> {
        let peek = self.peek()?;
        let result = if peek == Peek::String {
            fault::decimal(self.json().known_str()?)
        } else if peek.is_num() {
            let digits = self.json().known_number_bytes(peek)?;
            fault::decimal(std::str::from_utf8(digits).unwrap_or_default())
        } else {
            self.skip()?;
            Err(Fault::not_a_decimal())
        };
        Ok(self.keep(result))
    }

    /// A whole number within a range, written as any decimal.
    pub(super) fn whole_number(&mut self, range: RangeInclusive<u32>) -> Parsed<Option<u32>> {
        let Some(number) = self.decimal()? else {
            return Ok(None);
        };
        let whole = number.to_canonical().parse().ok().filter(|whole| range.contains(whole));
        let (least, most) = (range.start(), range.end());
        Ok(self.keep(whole.ok_or_else(|| {
            Fault::new("number_out_of_range", format!("expected a whole number from {least} to {most}"))
        })))
    }

    /// A day.
    pub(super) fn date(&mut self) -> Parsed<Option<NaiveDate>> {
        let result = if self.peek()? == Peek::String {
            fault::date(self.json().known_str()?)
        } else {
            self.skip()?;
            Err(Fault::not_a_date())
        };
        Ok(self.keep(result))
    }

    /// A string that `read` understands.
    pub(super) fn string<T>(&mut self, read: impl FnOnce(&str) -> Result<T, Fault>) -> Parsed<Option<T>> {
        if self.peek()? != Peek::String {
            self.wrong_type("a string")?;
            return Ok(None);
        }
        let result = read(self.json().known_str()?);
        Ok(self.keep(result))
    }

    /// A word of an enumeration.
    pub(super) fn choice<T: Word>(&mut self) -> Parsed<Option<T>> {
        self.string(fault::word)
    }

    /// A name.
    pub(super) fn identifier(&mut self) -> Parsed<Option<Identifier>> {
        self.string(fault::identifier)
    }

    /// The client's own name for a request: any text of bounded length.
    pub(super) fn label(&mut self) -> Parsed<Option<String>> {
        self.string(|text| match is_label(text) {
            true => Ok(text.to_owned()),
            false => {
                let message = format!("expected at most {MAX_IDENTIFIER_CHARACTERS} characters: shorten it");
                Err(Fault::new("invalid_identifier", message))
            }
        })
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Parsed<Option<bool>> {
        match self.peek()? {
            peek @ (Peek::True | Peek::False) => self.json().known_bool(peek).map(Some),
            _ => self.wrong_type("true or false").map(|()| None),
        }
    }

    /// A value that may be `null`.
    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Parsed<Option<T>>,
    ) -> Parsed<Option<T>> {
        match self.peek()? {
            Peek::Null => self.json().known_null().map(|()| None),
            _ => read(self),
        }
    }
}

/// Whether a text may be the client's own name for a request.
pub(super) fn is_label(text: &str) -> bool {
    text.chars().nth(MAX_IDENTIFIER_CHARACTERS).is_none()
}
