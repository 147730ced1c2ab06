//! What travels: requests, results, problems.

mod entity;
mod metric;
mod problem;
pub mod read;
mod reason;
mod request;
mod result;
mod word;

pub use entity::{EntityType, Identifier, InvalidIdentifier, MAX_IDENTIFIER_CHARACTERS};
pub use metric::Metric;
pub use problem::{FieldError, MAX_LISTED_ERRORS, Problem};
pub use reason::Reason;
pub use request::{
    Benchmark, BenchmarkSeries, CalculationRequest, CashFlow, Data, Dated, DayCount, Deviation, IrrRequest,
    MAX_CASH_FLOWS, MAX_IRR_FLOWS, MAX_VALUATIONS, Method, Options, Request, TimePeriod, Timing, Window,
};
pub use result::{
    BenchmarkUse, CalculationResult, Conventions, IrrResult, Metrics, Outcome, Period, Reconciliation,
    Stored, SubPeriodRow, UndefinedIrr, WindowName,
};
pub use word::Word;
