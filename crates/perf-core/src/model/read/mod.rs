//! Reads requests: JSON in one pass and CSV files, with everything that is
//! wrong reported at once.
//!
//! Whatever is wrong in a well-formed text becomes a [`FieldError`] with the
//! JSON pointer of its place; only a text that is not JSON stops the reading.
//!
//! [`FieldError`]: super::FieldError

#![allow(clippy::result_large_err, reason = "a problem is built once, for a request that is refused")]

mod batch;
mod checks;
mod completed;
mod csv;
mod draft;
mod embedded;
mod errors;
mod event;
#[cfg(test)]
mod event_tests;
mod fault;
mod irr;
mod json;
mod ledger;
#[cfg(test)]
mod properties;
mod request;
mod rows;
mod scalar;
mod series;
mod submission;
mod table;
#[cfg(test)]
mod testing;
mod usual;

pub use self::batch::{Refused, batch_line};
pub use self::completed::completed;
pub use self::csv::{CsvFile, CsvRequest, csv_flows, csv_valuations};
pub use self::event::event;
pub use self::irr::irr;
pub use self::ledger::ledger_month;
pub use self::request::calculation;
pub use self::submission::{calculations, events};
