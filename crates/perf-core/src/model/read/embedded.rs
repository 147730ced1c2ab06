//! Documents inside a document, and values of our own making.

use std::ops::RangeInclusive;

use crate::model::{Identifier, Problem};
use crate::number::{Exact, Rounded};

use super::fault::Fault;
use super::json::{Parsed, Reader};

impl Reader<'_> {
    /// The text of the next value.
    pub(super) fn raw(&mut self) -> Parsed<&[u8]> {
        self.peek()?;
        let start = self.json().current_index();
        self.skip()?;
        Ok(self.json().slice_to_current(start))
    }

    /// The next value as the document of another reader, and its refusal as its own.
    pub(super) fn document_within<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, Problem>,
    ) -> Parsed<Result<T, Problem>> {
        let text = self.raw()?;
        Ok(read(text))
    }

    /// The next value as the document of another reader; what is wrong with it is
    /// wrong here.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&[u8]) -> Result<T, Problem>) -> Parsed<Option<T>> {
        match self.document_within(read)? {
            Ok(value) => Ok(Some(value)),
            Err(problem) => {
                if problem.errors.is_empty() {
                    self.fail(Fault::new(problem.code, problem.detail));
                }
                for error in problem.errors {
                    self.fail_within(error);
                }
                Ok(None)
            }
        }
    }

    /// A figure as it was written.
    pub(super) fn rounded(&mut self) -> Parsed<Option<Rounded>> {
        let peek = self.peek()?;
        if !peek.is_num() {
            return self.wrong_type("a number").map(|()| None);
        }
        let digits = self.json().known_number_bytes(peek)?;
        let figure = std::str::from_utf8(digits).unwrap_or_default().parse().ok();
        if figure.is_none() {
            self.fail(Fault::not_a_decimal());
        }
        Ok(figure)
    }

    /// An amount whose sign is said elsewhere.
    pub(super) fn magnitude(&mut self) -> Parsed<Option<Exact>> {
        let amount = self.decimal()?;
        let negative = amount.as_ref().is_some_and(Exact::is_negative);
        if negative {
            let message = "expected a magnitude: the kind gives the sign";
            self.fail(Fault::new("negative_amount", message));
        }
        Ok(amount.filter(|_| !negative))
    }

    /// A revision of a ledger.
    pub(super) fn counter(&mut self) -> Parsed<Option<u64>> {
        let text = self.decimal()?.map(|number| number.to_canonical());
        let counter = text.as_ref().and_then(|text| text.parse().ok());
        if text.is_some() && counter.is_none() {
            let message = "expected a whole number, not negative";
            self.fail(Fault::new("number_out_of_range", message));
        }
        Ok(counter)
    }

    /// Names, each once.
    pub(super) fn identifiers(&mut self, limit: RangeInclusive<usize>) -> Parsed<Vec<Identifier>> {
        let mut names: Vec<Identifier> = Vec::new();
        let count = self.array(*limit.end(), |reader| {
            names.extend(reader.identifier()?);
            Ok(())
        })?;
        if count.is_some_and(|count| count < *limit.start()) {
            let message = format!("expected at least {} names", limit.start());
            self.fail(Fault::new("too_few_items", message));
        }
        let mut sorted: Vec<&Identifier> = names.iter().collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            self.fail(Fault::new("duplicate_item", "expected each name once: remove the repeated one"));
        }
        Ok(names)
    }
}
