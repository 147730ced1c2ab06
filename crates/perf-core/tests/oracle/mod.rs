//! An independent reference for the metrics of the calculation contract.
//!
//! It is written from the definitions alone, plainly and in 448-bit arithmetic, and shares no
//! code with the library that it checks.

#![allow(dead_code, unused_imports, reason = "each integration test uses a part of the oracle")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

#[cfg(test)]
mod checks;
mod dates;
mod metrics;
mod normal;
mod number;
mod relative;
mod roots;
mod series;
mod statistics;
mod weighted;

use std::collections::BTreeMap;

use chrono::NaiveDate;

pub use dates::DayCount;
pub use number::Number;
pub use weighted::{IrrOutcome, irr, mwr};

/// One calculation. Numbers are decimal strings.
#[derive(Clone, Debug)]
pub struct Input {
    /// Empty when `returns` is used.
    pub valuations: Vec<(NaiveDate, String)>,
    /// Positive amounts are money into the portfolio.
    pub cash_flows: Vec<(NaiveDate, String, Timing)>,
    /// Periodic returns, each dated at its period's end.
    pub returns: Vec<(NaiveDate, String)>,
    /// Only for `returns`.
    pub period_start: Option<NaiveDate>,
    /// The benchmark, if any.
    pub benchmark: Option<Benchmark>,
    /// Annual.
    pub risk_free_rate: String,
    /// Annual.
    pub minimum_acceptable_return: String,
    /// Above 0.5 and below 1.
    pub confidence_level: String,
    /// Inferred from the dates when absent.
    pub periods_per_year: Option<u32>,
    /// Deviations over n − 1 instead of n.
    pub sample_volatility: bool,
    /// One sub-period from the first to the last valuation.
    pub modified_dietz: bool,
    /// For the rates per year.
    pub day_count: DayCount,
}

impl Default for Input {
    /// The contract's defaults, and no data.
    fn default() -> Self {
        Input {
            valuations: Vec::new(),
            cash_flows: Vec::new(),
            returns: Vec::new(),
            period_start: None,
            benchmark: None,
            risk_free_rate: "0".to_owned(),
            minimum_acceptable_return: "0".to_owned(),
            confidence_level: "0.95".to_owned(),
            periods_per_year: None,
            sample_volatility: false,
            modified_dietz: false,
            day_count: DayCount::Act365F,
        }
    }
}

/// How the benchmark is given.
#[derive(Clone, Debug)]
pub enum Benchmark {
    /// Levels, sampled at the portfolio's dates.
    Values(Vec<(NaiveDate, String)>),
    /// Returns, one dated at the end of each sub-period.
    Returns(Vec<(NaiveDate, String)>),
}

/// When on its date a flow happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// After the valuation of that date.
    AfterClose,
    /// In the valuation of that date, having earned nothing that day.
    EndOfDay,
    /// In the valuation of that date, having earned that day's return.
    StartOfDay,
    /// In the valuation of that date, having earned half of that day's return.
    MidDay,
}

/// A metric's value, or the contract's word for why there is none.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The value.
    Value(Number),
    /// The reason.
    Undefined(&'static str),
}

/// A metric's value or its reason, while it is being worked out.
type Figure = Result<Number, &'static str>;

/// Every metric of the contract's section 3.
pub fn evaluate(input: &Input) -> BTreeMap<&'static str, Outcome> {
    let series = series::Series::build(input);
    let mut figures = metrics::figures(input, &series);
    figures.extend(relative::figures(input, &series));
    figures.extend(weighted::figures(input));
    let count = figures.len();
    let outcomes: BTreeMap<&'static str, Outcome> = figures
        .into_iter()
        .map(|(name, figure)| match figure.and_then(within_range) {
            Ok(value) => (name, Outcome::Value(value)),
            Err(reason) => (name, Outcome::Undefined(reason)),
        })
        .collect();
    assert_eq!(outcomes.len(), count, "a metric was computed twice");
    outcomes
}

/// Nothing above 1e120 is given as a number.
fn within_range(value: Number) -> Figure {
    if value.abs() > Number::ten_to(120) { Err("out_of_range") } else { Ok(value) }
}
