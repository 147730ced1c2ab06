//! The requests' JSON, as `perf_core::model::read` reads it: these types describe it.

#![allow(unused_qualifications, reason = "the derived code qualifies what a field's type names")]

use chrono::NaiveDate;
use perf_core::model::{DayCount, Deviation, EntityType, Identifier, Method, Metric, TimePeriod, Timing};
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A decimal, written as a JSON number or as a string.
#[derive(Clone, Debug, Serialize)]
pub struct DecimalInput(pub String);

impl PartialSchema for DecimalInput {
    fn schema() -> RefOr<Schema> {
        let description = "A JSON number or a decimal string, read exactly: at most 28 significant digits, \
                           magnitude below 1e28.";
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"));
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .item(text)
            .description(Some(description))
            .into()
    }
}

impl ToSchema for DecimalInput {}

/// A calculation request.
///
/// The data is either `valuations` with optional `cash_flows`, or `returns`, or
/// none of them: then it is the entity's stored ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CalculationRequest)]
#[serde(deny_unknown_fields)]
pub struct CalculationBody {
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// Tenant; the caller's own where absent, another only for administrators.
    pub client_id: Option<Identifier>,
    /// Account that the entity belongs to.
    pub account_id: Option<Identifier>,
    /// Part of the data; all of it where absent.
    pub period: Option<PeriodBody>,
    /// A standing window instead of `period`.
    pub time_period: Option<TimePeriod>,
    /// Last day of the standing window; the last valuation's where absent.
    pub as_of: Option<NaiveDate>,
    /// Portfolio values, at least two, in any order.
    pub valuations: Option<ValueSeries>,
    /// Money into (positive) and out of (negative) the portfolio, beside `valuations`.
    pub cash_flows: Option<CashFlows>,
    /// Periodic returns as fractions, each on its period's last day.
    pub returns: Option<ValueSeries>,
    /// What to compare with.
    pub benchmark: Option<BenchmarkBody>,
    /// Annual, a fraction above -1; the system's setting where absent.
    pub risk_free_rate: Option<DecimalInput>,
    /// Conventions.
    pub options: Option<OptionsBody>,
    /// Whether the result is to be stored.
    #[schema(default = true)]
    pub store: Option<bool>,
    /// `calculation`, in a batch.
    #[schema(pattern = "^calculation$")]
    pub kind: Option<String>,
    /// Comes back in the result.
    #[schema(max_length = 128)]
    pub id: Option<String>,
}

/// A part of the data.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RequestedPeriod)]
#[serde(deny_unknown_fields)]
pub struct PeriodBody {
    /// First day; the data's first where absent.
    pub start: Option<NaiveDate>,
    /// Last day; the data's last where absent.
    pub end: Option<NaiveDate>,
}

/// Numbers on dates, as rows or as columns.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ValueSeries {
    /// A row for each date.
    Rows(Vec<SeriesRow>),
    /// A list for each field.
    Columns(SeriesColumns),
}

/// A number on a date.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesRow {
    /// The business date.
    pub date: NaiveDate,
    /// Money, an index level or a return.
    pub value: DecimalInput,
}

/// Numbers on dates, as lists of one length.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesColumns {
    /// The business dates.
    pub dates: Vec<NaiveDate>,
    /// Money, index levels or returns.
    pub values: Vec<DecimalInput>,
}

/// Cash flows, as rows or as columns.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum CashFlows {
    /// A row for each flow.
    Rows(Vec<CashFlow>),
    /// A list for each field.
    Columns(CashFlowColumns),
}

/// Money into or out of the portfolio.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CashFlow {
    /// The business date.
    pub date: NaiveDate,
    /// Money, positive into the portfolio.
    pub amount: DecimalInput,
    /// When in the day it happens; `options.cash_flow_timing` where absent.
    pub timing: Option<Timing>,
}

/// Cash flows, as lists of one length.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CashFlowColumns {
    /// The business dates.
    pub dates: Vec<NaiveDate>,
    /// Money, positive into the portfolio.
    pub amounts: Option<Vec<DecimalInput>>,
    /// Another name for `amounts`.
    pub values: Option<Vec<DecimalInput>>,
    /// When in the day each happens.
    pub timings: Option<Vec<Option<Timing>>>,
}

/// A benchmark, as `values` or as `returns`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Benchmark)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkBody {
    /// Its name.
    pub id: Option<Identifier>,
    /// Index levels, above zero; sampled at the portfolio's dates.
    pub values: Option<ValueSeries>,
    /// Returns over exactly the portfolio's sub-periods.
    pub returns: Option<ValueSeries>,
}

/// Conventions of a calculation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Options)]
#[serde(deny_unknown_fields)]
pub struct OptionsBody {
    /// How sub-periods are cut [default: daily].
    pub method: Option<Method>,
    /// Timing of flows that do not state their own [default: after_close].
    pub cash_flow_timing: Option<Timing>,
    /// Divisor of the variance [default: population].
    pub volatility: Option<Deviation>,
    /// Returns in a year; inferred from the dates where absent.
    #[schema(minimum = 1, maximum = 366)]
    pub periods_per_year: Option<u32>,
    /// Annual, a fraction above -1 [default: 0].
    pub minimum_acceptable_return: Option<DecimalInput>,
    /// Of the values at risk, above 0.5 and below 1 [default: 0.95].
    pub confidence_level: Option<DecimalInput>,
    /// How days become years [default: ACT/365F].
    pub day_count: Option<DayCount>,
    /// The metrics wanted; all where absent.
    #[schema(min_items = 1)]
    pub metrics: Option<Vec<Metric>>,
    /// Whether the working of every sub-period comes with the result.
    #[schema(default = false)]
    pub explain: Option<bool>,
}

/// A request for the internal rate of return.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IrrRequest)]
#[serde(deny_unknown_fields)]
pub struct IrrBody {
    /// The investor's flows, in any order: money paid in is negative.
    pub cash_flows: IrrFlows,
    /// How days become years [default: ACT/365F].
    pub day_count: Option<DayCount>,
    /// `irr`.
    #[schema(pattern = "^irr$")]
    pub kind: Option<String>,
    /// Comes back in the result.
    #[schema(max_length = 128)]
    pub id: Option<String>,
}

/// The investor's flows, as rows or as columns.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum IrrFlows {
    /// A row for each flow.
    Rows(Vec<IrrFlow>),
    /// A list for each field.
    Columns(IrrFlowColumns),
}

/// The investor's flows, as lists of one length.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IrrFlowColumns {
    /// The business dates.
    pub dates: Vec<NaiveDate>,
    /// Money, negative into the investment.
    pub amounts: Option<Vec<DecimalInput>>,
    /// Another name for `amounts`.
    pub values: Option<Vec<DecimalInput>>,
}

/// Money that an investor pays in (negative) or takes out (positive).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IrrFlow {
    /// The business date.
    pub date: NaiveDate,
    /// Money, negative into the investment.
    pub amount: DecimalInput,
}
