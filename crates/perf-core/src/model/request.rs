use chrono::NaiveDate;

use super::{EntityType, Identifier, Metric, TimeSeries};
use crate::number::Exact;

/// Most valuations, returns or benchmark rows in one request.
pub const MAX_VALUATIONS: usize = 100_000;
/// Most cash flows in one request.
pub const MAX_CASH_FLOWS: usize = 100_000;
/// Most cash flows in one IRR request: a calculation's, its opening and its closing value.
pub const MAX_IRR_FLOWS: usize = MAX_CASH_FLOWS + 2;

/// A number on a date: a valuation in money, or a periodic return as a fraction
/// on the period's last day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// The business date.
    pub date: NaiveDate,
    /// Money or fraction.
    pub value: Exact,
}

/// Money into (positive) or out of (negative) the portfolio.
///
/// ```
/// use chrono::NaiveDate;
/// use perf_core::model::CashFlow;
/// let date = NaiveDate::from_ymd_opt(2023, 2, 15).ok_or("no such day")?;
/// let deposit = CashFlow::new(date, 1000);
/// assert_eq!(deposit.amount.to_string(), "1000");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashFlow {
    /// The business date.
    pub date: NaiveDate,
    /// Money, positive into the portfolio.
    pub amount: Exact,
    /// When in the day it happens; `None`: as the request's options say.
    pub timing: Option<Timing>,
}

impl CashFlow {
    /// A flow with the default timing.
    #[must_use]
    pub fn new(date: NaiveDate, amount: impl Into<Exact>) -> Self {
        Self { date, amount: amount.into(), timing: None }
    }
}

/// When in its day a cash flow happens, against that day's valuation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Timing {
    /// After the valuation is struck; joins the next sub-period's beginning value.
    #[default]
    AfterClose,
    /// In the valuation, having earned nothing that day.
    EndOfDay,
    /// In the valuation, having earned that day's return.
    StartOfDay,
    /// In the valuation, having earned half of that day's return.
    MidDay,
}

/// How sub-periods are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Links every sub-period between consecutive valuations.
    #[default]
    Daily,
    /// The first and the last valuation only.
    ModifiedDietz,
}

/// The divisor of the variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Deviation {
    /// n.
    #[default]
    Population,
    /// n − 1.
    Sample,
}

/// How days become years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DayCount {
    /// Actual days over 365.
    #[default]
    Actual365Fixed,
    /// Actual days over 365.25.
    Actual36525,
    /// Actual days over 360.
    Actual360,
    /// Days in leap years over 366 and in other years over 365.
    ActualActualIsda,
    /// 30-day months, US bond basis.
    Thirty360,
    /// 30-day months, European.
    ThirtyE360,
}

/// A standing window, ending on its `as_of` date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimePeriod {
    /// Month to date.
    Mtd,
    /// Quarter to date.
    Qtd,
    /// Year to date.
    Ytd,
    /// One month.
    OneMonth,
    /// Three months.
    ThreeMonths,
    /// Six months.
    SixMonths,
    /// One year.
    OneYear,
    /// Three years.
    ThreeYears,
    /// Five years.
    FiveYears,
    /// Inception to date.
    Itd,
}

/// Which part of the data a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// From `start` to `end`; the data's own first and last dates where absent.
    Custom {
        /// First day.
        start: Option<NaiveDate>,
        /// Last day.
        end: Option<NaiveDate>,
    },
    /// A standing window; `as_of` defaults to the last valuation.
    Standing {
        /// The window.
        time_period: TimePeriod,
        /// Its last day.
        as_of: Option<NaiveDate>,
    },
}

/// What the figures are computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Valuations in date order, at least two, each date once; flows in date order.
    Valuations {
        /// Portfolio values.
        valuations: TimeSeries,
        /// External flows, none before the first or after the last valuation.
        cash_flows: Vec<CashFlow>,
    },
    /// Periodic returns in date order, at least one, each date once.
    Returns(TimeSeries),
    /// The entity's stored ledger.
    Ledger,
}

/// The series to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmark {
    /// Its name.
    pub id: Option<Identifier>,
    /// Its numbers, in date order, each date once, at least one.
    pub series: BenchmarkSeries,
}

/// A benchmark's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BenchmarkSeries {
    /// Index levels, above zero.
    Values(TimeSeries),
    /// Periodic returns.
    Returns(TimeSeries),
}

/// Conventions of a calculation, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How sub-periods are cut.
    pub method: Method,
    /// Timing of flows that do not state their own.
    pub cash_flow_timing: Timing,
    /// Population or sample deviation.
    pub volatility: Deviation,
    /// 1 to 366; inferred from the data where absent.
    pub periods_per_year: Option<u32>,
    /// Annual, a fraction above −1.
    pub minimum_acceptable_return: Exact,
    /// Above 0.5 and below 1.
    pub confidence_level: Exact,
    /// How days become years.
    pub day_count: DayCount,
    /// The metrics asked for, in the contract's order, each once; all where empty.
    pub metrics: Vec<Metric>,
    /// Whether the sub-periods come with the result.
    pub explain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            method: Method::default(),
            cash_flow_timing: Timing::default(),
            volatility: Deviation::default(),
            periods_per_year: None,
            minimum_acceptable_return: Exact::ZERO,
            confidence_level: Exact::new(95, 2),
            day_count: DayCount::default(),
            metrics: Vec::new(),
            explain: false,
        }
    }
}

/// A calculation request that has passed every check its own text allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalculationRequest {
    /// Comes back in the result, where given (a line of a batch).
    pub id: Option<String>,
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// Tenant; the caller's own where absent.
    pub client_id: Option<Identifier>,
    /// Account that the entity belongs to.
    pub account_id: Option<Identifier>,
    /// Part of the data.
    pub window: Window,
    /// The numbers.
    pub data: Data,
    /// What to compare with.
    pub benchmark: Option<Benchmark>,
    /// Annual, a fraction above −1; the system's setting where absent.
    pub risk_free_rate: Option<Exact>,
    /// Conventions.
    pub options: Options,
    /// Whether the result is to be stored.
    pub store: bool,
}

impl CalculationRequest {
    /// A request for everything that the data tells, under the default conventions.
    ///
    /// ```
    /// use perf_core::model::{CalculationRequest, Data, EntityType};
    /// let request = CalculationRequest::new(EntityType::Portfolio, "port-1".parse()?, Data::Ledger);
    /// assert!(request.options.metrics.is_empty() && request.store);
    /// # Ok::<(), perf_core::model::InvalidIdentifier>(())
    /// ```
    #[must_use]
    pub fn new(entity_type: EntityType, entity_id: Identifier, data: Data) -> Self {
        Self {
            id: None,
            entity_type,
            entity_id,
            client_id: None,
            account_id: None,
            window: Window::Custom { start: None, end: None },
            data,
            benchmark: None,
            risk_free_rate: None,
            options: Options::default(),
            store: true,
        }
    }
}

/// A request for the internal rate of return of dated flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IrrRequest {
    /// Comes back in the result, where given (a line of a batch).
    pub id: Option<String>,
    /// The investor's flows in date order: money paid in is negative. At least one.
    pub cash_flows: Vec<Dated>,
    /// How days become years.
    pub day_count: DayCount,
}

/// One line of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `"kind": "calculation"`, the default.
    Calculation(Box<CalculationRequest>),
    /// `"kind": "irr"`.
    Irr(IrrRequest),
}
