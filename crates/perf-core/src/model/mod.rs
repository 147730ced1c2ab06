//! What travels: requests, results, problems.

mod completed;
mod entity;
mod event;
mod ledger;
mod metric;
mod problem;
pub mod read;
mod reason;
mod request;
mod result;
mod time_series;
mod word;
mod write;

pub(crate) use write::EVENT_VERSION;

pub use completed::{CompletedResult, ResultBasis};
pub use entity::{EntityKey, EntityType, Identifier, InvalidIdentifier, MAX_IDENTIFIER_CHARACTERS};
pub use event::{
    BatchMembers, Event, EventBody, EventType, MAX_BATCH_MEMBERS, MAX_MEMBERS_PER_MESSAGE, RefusedMember,
};
pub use ledger::{
    CurrencyCode, InvalidCurrency, LedgerMonth, Transaction, TransactionEntry, TransactionKind, Valuation,
    ValuationEntry,
};
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
pub use time_series::{TimeSeries, TimeSeriesView};
pub use word::Word;
