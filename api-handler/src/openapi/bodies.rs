//! What the routes of the queue read and those of stored results answer: these types describe it.

#![allow(unused_qualifications, reason = "the derived code qualifies what a field's type names")]

use chrono::NaiveDate;
use perf_core::calculations::{DrawdownDates, Irr, Warning};
use perf_core::model::{
    BenchmarkUse, Conventions, EntityType, Identifier, Method, Metrics, Period, Reconciliation, ResultBasis,
    TimePeriod, Timing, TransactionKind, WindowName,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CalculationBody, DecimalInput, PeriodBody};

/// One calculation request, or a list of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Submission)]
#[serde(untagged)]
pub enum SubmissionBody {
    /// Several.
    Many(CalculationList),
    /// One.
    One(Box<CalculationBody>),
}

/// Calculation requests of one tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalculationList {
    /// The requests.
    #[schema(min_items = 1, max_items = 1000)]
    pub requests: Vec<CalculationBody>,
}

/// One event, or a list of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Events)]
#[serde(untagged)]
pub enum EventsBody {
    /// Several.
    Many(EventList),
    /// One.
    One(Box<EventBody>),
}

/// Events of one tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventList {
    /// The events.
    #[schema(min_items = 1, max_items = 1000)]
    pub events: Vec<EventBody>,
}

/// What happened, or is wanted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum EventBody {
    /// Money or securities that moved. The highest revision of a `transaction_id` counts.
    Transaction(TransactionBody),
    /// What an entity was worth at the end of a day. The highest revision of a date counts.
    Valuation(ValuationBody),
    /// A calculation is wanted.
    PortfolioPerformance(Box<PerformanceBody>),
    /// Calculations are wanted: `requests`, or `entity_type` and `entity_ids` for stored ledgers.
    BatchCalculation(BatchBody),
}

/// A transaction of an entity's ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TransactionEvent)]
pub struct TransactionBody {
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// Replaced by the name under which the events are accepted.
    pub request_id: Option<Identifier>,
    /// Replaced by the caller's.
    pub client_id: Option<Identifier>,
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// Account that the entity belongs to.
    pub account_id: Option<Identifier>,
    /// Name of the transaction.
    pub transaction_id: Identifier,
    /// The business date; needed unless `void`.
    pub date: Option<NaiveDate>,
    /// What it is; needed unless `void`.
    pub kind: Option<TransactionKind>,
    /// Magnitude; the kind gives the sign. Needed unless `void`.
    pub amount: Option<DecimalInput>,
    /// Three capital letters.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// When in the day it happens [default: after_close].
    pub timing: Option<Timing>,
    /// Counts corrections [default: 0].
    pub revision: Option<u64>,
    /// Removes the transaction [default: false].
    pub void: Option<bool>,
}

/// A valuation of an entity's ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ValuationEvent)]
pub struct ValuationBody {
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// Replaced by the name under which the events are accepted.
    pub request_id: Option<Identifier>,
    /// Replaced by the caller's.
    pub client_id: Option<Identifier>,
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// The business date.
    pub date: NaiveDate,
    /// Needed unless `void`.
    pub value: Option<DecimalInput>,
    /// Three capital letters.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// Counts corrections [default: 0].
    pub revision: Option<u64>,
    /// Removes the valuation [default: false].
    pub void: Option<bool>,
}

/// A calculation for later.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PortfolioPerformanceEvent)]
pub struct PerformanceBody {
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// Replaced by the name under which the events are accepted.
    pub request_id: Option<Identifier>,
    /// Replaced by the caller's.
    pub client_id: Option<Identifier>,
    /// What is wanted.
    pub request: CalculationBody,
}

/// Calculations for later.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BatchCalculationEvent)]
pub struct BatchBody {
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// Replaced by the name under which the events are accepted.
    pub request_id: Option<Identifier>,
    /// Replaced by the caller's.
    pub client_id: Option<Identifier>,
    /// What is wanted.
    #[schema(min_items = 1, max_items = 1000)]
    pub requests: Option<Vec<CalculationBody>>,
    /// Level of `entity_ids`.
    pub entity_type: Option<EntityType>,
    /// Entities whose ledgers are to be calculated.
    #[schema(min_items = 1, max_items = 1000)]
    pub entity_ids: Option<Vec<Identifier>>,
    /// Part of the ledgers.
    pub period: Option<PeriodBody>,
    /// A standing window instead.
    pub time_period: Option<TimePeriod>,
    /// Its last day.
    pub as_of: Option<NaiveDate>,
}

/// Stored results, and where to go on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Listing)]
pub struct ListingBody {
    /// The results.
    pub results: Vec<StoredResultBody>,
    /// For `cursor`; null at the end.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// A stored result: the answer of `POST /calculate` without its working.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StoredResult)]
pub struct StoredResultBody {
    /// Its place among the entity's results.
    pub calculation_date: String,
    /// Name of the request; `standing` for the ledger's windows.
    pub request_id: String,
    /// Version of the formulas.
    pub engine_version: String,
    /// SHA-256 of the resolved inputs.
    pub input_hash: String,
    /// Revision of the ledger that was read; 0 where none was.
    pub input_revision: u64,
    /// What it was computed from.
    pub basis: ResultBasis,
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// Tenant.
    pub client_id: Identifier,
    /// Account of the entity.
    pub account_id: Option<Identifier>,
    /// The time between the first and the last valuation used.
    pub period: Period,
    /// The window.
    pub time_period: WindowName,
    /// How sub-periods were cut.
    pub calculation_method: Method,
    /// The figures and the reasons for those that are missing.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// What the figures rest on.
    pub conventions: Conventions,
    /// When the maximum drawdown happened.
    pub drawdown: DrawdownDates,
    /// The money-weighted return's roots.
    pub irr: Option<Irr>,
    /// Money in, money out, money earned.
    pub reconciliation: Option<Reconciliation>,
    /// The benchmark's part.
    pub benchmark: Option<BenchmarkUse>,
    /// Remarks.
    pub warnings: Vec<Warning>,
    /// RFC 3339.
    pub calculated_at: String,
    /// When the row was first written, RFC 3339.
    pub created_at: String,
    /// When it was last written.
    pub updated_at: String,
}
