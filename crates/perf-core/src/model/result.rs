use chrono::NaiveDate;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{
    DayCount, Deviation, EntityType, Identifier, Method, Metric, Reason, TimePeriod, Timing, Window, Word,
};
use crate::calculations::{DrawdownDates, Irr, Warning};
use crate::number::{Exact, Rounded};

/// A figure, or why there is none.
pub type Outcome = Result<Rounded, Reason>;

/// The metrics asked for, in the contract's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics(pub Vec<(Metric, Outcome)>);

impl Metrics {
    /// The outcome of one metric; `None` where it was not asked for.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<Outcome> {
        self.0.iter().find(|(known, _)| *known == metric).map(|(_, outcome)| *outcome)
    }
}

impl Serialize for Metrics {
    /// Two members: `metrics`, `null` where undefined, and `undefined`, the reasons.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        self.members(&mut map)?;
        map.end()
    }
}

impl Metrics {
    /// Writes the two members.
    pub(crate) fn members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("metrics", &Values(&self.0))?;
        map.serialize_entry("undefined", &Reasons(&self.0))
    }
}

struct Values<'a>(&'a [(Metric, Outcome)]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(metric, outcome)| (metric.word(), outcome.ok())))
    }
}

struct Reasons<'a>(&'a [(Metric, Outcome)]);

impl Serialize for Reasons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reasons = self.0.iter().filter_map(|(metric, outcome)| Some((metric.word(), outcome.err()?)));
        serializer.collect_map(reasons)
    }
}

/// The period that the figures are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Period {
    /// Date of the opening value; unknown for returns without `period.start`.
    pub start: Option<NaiveDate>,
    /// Date of the closing value.
    pub end: NaiveDate,
    /// Calendar days between them.
    pub days: Option<i64>,
}

/// Every convention that the figures rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conventions {
    /// Timing of flows that do not state their own.
    pub cash_flow_timing: Timing,
    /// Divisor of the variance.
    pub volatility: Deviation,
    /// N.
    pub periods_per_year: u32,
    /// Whether N was inferred from the spacing of the dates.
    pub periods_per_year_inferred: bool,
    /// How days become years.
    pub day_count: DayCount,
    /// Annual.
    #[serde(serialize_with = "as_number")]
    #[cfg_attr(feature = "openapi", schema(value_type = Rounded))]
    pub risk_free_rate: Exact,
    /// Annual.
    #[serde(serialize_with = "as_number")]
    #[cfg_attr(feature = "openapi", schema(value_type = Rounded))]
    pub minimum_acceptable_return: Exact,
    /// Of the values at risk.
    #[serde(serialize_with = "as_number")]
    #[cfg_attr(feature = "openapi", schema(value_type = Rounded))]
    pub confidence_level: Exact,
}

fn as_number<S: Serializer>(value: &Exact, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error as _;
    serde_json::from_str::<&serde_json::value::RawValue>(&value.to_canonical())
        .map_err(S::Error::custom)?
        .serialize(serializer)
}

/// Opening value + net cash flow + gain = closing value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reconciliation {
    /// First valuation used.
    pub opening_value: Exact,
    /// Sum of the flows used.
    pub net_cash_flow: Exact,
    /// What is left: the money earned.
    pub gain: Exact,
    /// Last valuation used.
    pub closing_value: Exact,
}

/// The working of one sub-period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubPeriodRow {
    /// Date of the beginning value; unknown for the first of a series of returns.
    pub start: Option<NaiveDate>,
    /// Date of the ending value.
    pub end: NaiveDate,
    /// V0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beginning_value: Option<Exact>,
    /// ΣC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_cash_flow: Option<Exact>,
    /// Σ w·C, to twenty digits.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Exact>))]
    pub weighted_cash_flow: Option<Rounded>,
    /// V1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending_value: Option<Exact>,
    /// (V1 − V0 − ΣC) / (V0 + Σ w·C).
    #[serde(rename = "return")]
    pub rate: Option<Rounded>,
    /// Why there is no return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undefined: Option<&'static str>,
    /// The benchmark's return over the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark_return: Option<Rounded>,
}

fn as_text<S: Serializer>(value: &Option<Rounded>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_str(""),
    }
}

/// The benchmark's part in a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BenchmarkUse {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Identifier>,
    /// Sub-periods for which both have a return.
    pub pairs: usize,
}

/// The window of a result as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowName {
    /// A standing window.
    Standing(TimePeriod),
    /// Any other period.
    Custom,
}

impl WindowName {
    /// The name of a request's window.
    #[must_use]
    pub fn of(window: Window) -> Self {
        match window {
            Window::Standing { time_period, .. } => Self::Standing(time_period),
            Window::Custom { .. } => Self::Custom,
        }
    }

    /// The word, `CUSTOM` for a custom period.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Standing(period) => period.word(),
            Self::Custom => "CUSTOM",
        }
    }

    /// The name of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "CUSTOM" => Some(Self::Custom),
            word => TimePeriod::from_word(word).map(Self::Standing),
        }
    }
}

impl Serialize for WindowName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// What became of the wish to store a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// On its way to the store.
    Queued,
    /// Not asked for, or computed where there is no store.
    None,
}

/// The result of a calculation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalculationResult {
    /// The line's own name, in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `calculation`, in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Name of this request.
    pub request_id: String,
    /// Version of the formulas.
    pub engine_version: &'static str,
    /// SHA-256 of the resolved inputs.
    pub input_hash: String,
    /// Revision of the ledger that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_revision: Option<u64>,
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// Tenant.
    pub client_id: Identifier,
    /// Account of the entity.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// The money-weighted return's roots; `None` for returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub irr: Option<Irr>,
    /// Money in, money out, money earned; `None` for returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<Reconciliation>,
    /// The benchmark's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<BenchmarkUse>,
    /// The working, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_periods: Option<Vec<SubPeriodRow>>,
    /// Remarks.
    pub warnings: Vec<Warning>,
    /// RFC 3339.
    pub calculated_at: String,
    /// Whether the answer was computed before.
    pub cached: bool,
    /// What becomes of it.
    pub stored: Stored,
    /// Where the stored result can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_url: Option<String>,
}

/// The answer to an IRR request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IrrResult {
    /// The line's own name, in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `irr`.
    pub kind: &'static str,
    /// The headline rate a year.
    pub irr: Option<Rounded>,
    /// All roots and their proof.
    #[serde(flatten)]
    pub solution: Irr,
    /// Why there is no headline.
    pub undefined: UndefinedIrr,
    /// How days became years.
    pub day_count: DayCount,
    /// Version of the formulas.
    pub engine_version: &'static str,
}

/// The reason for a missing `irr`, by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UndefinedIrr {
    /// Why there is no rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub irr: Option<Reason>,
}
