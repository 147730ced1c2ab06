//! The calculations as plain functions of decimals, for library users.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::chain::SubPeriod;
use super::day_count::YearFraction;
use super::facts::{Aligned, Facts, Series};
use super::figures::figure;
use super::irr::{self, Irr, Target};
use super::links::{Chain, Links};
use super::outcome;
use crate::model::{CashFlow, Dated, DayCount, Deviation, Method, Metric, Outcome, Reason, TimeSeries};
use crate::number::{Ball, Decimals, Exact, Failure, Figure, Real, Rounded, Wide};

/// Why a plain function has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalculationError {
    /// The end is not after the start.
    #[error("the period has no length")]
    EmptyPeriod,
    /// Fewer than two values, or two on one date.
    #[error("expected at least two values, each on its own date")]
    InvalidValues,
    /// A flow lies before the first or after the last date.
    #[error("a cash flow lies outside the period")]
    FlowOutsidePeriod,
    /// The figure is undefined.
    #[error("undefined: {}", .0.as_str())]
    Undefined(Reason),
}

/// A time-weighted return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWeightedReturn {
    /// Of the whole period, a fraction.
    pub rate: Rounded,
    /// A year (ACT/365F); [`Reason::PeriodUnderOneYear`] below 365 days.
    pub annualized: Outcome,
}

/// A money-weighted return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyWeightedReturn {
    /// A year (ACT/365F), a fraction.
    pub rate: Rounded,
    /// Every root, and how it is known that there are no others.
    pub solution: Irr,
}

/// Risk figures of periodic returns; each is a value or its own reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskMetrics {
    /// Standard deviation over n, per period.
    pub volatility: Outcome,
    /// (R − Rf) / volatility.
    pub sharpe_ratio: Outcome,
    /// Largest fall from a running peak, positive.
    pub max_drawdown: Outcome,
    /// cov / var of the benchmark.
    pub beta: Outcome,
    /// Jensen's alpha.
    pub alpha: Outcome,
    /// Standard deviation of the active returns, per period.
    pub tracking_error: Outcome,
    /// (R − R_b) / tracking error.
    pub information_ratio: Outcome,
}

/// The Modified Dietz return from one value to another, with flows weighted by
/// the days they were in the portfolio: those on `start_date` fully, those on
/// `end_date` not at all (a flow's own timing shifts its weight).
///
/// # Errors
/// [`CalculationError::EmptyPeriod`], [`CalculationError::FlowOutsidePeriod`], or
/// [`CalculationError::Undefined`] where there is no capital.
///
/// ```
/// use chrono::NaiveDate;
/// use perf_core::calculations::calculate_modified_dietz;
/// use perf_core::model::CashFlow;
/// let day = |day| NaiveDate::from_ymd_opt(2023, 1, day).ok_or("no such day");
/// let flows = [CashFlow::new(day(11)?, 1000)];
/// let result = calculate_modified_dietz(10_000.into(), 11_105.into(), &flows, day(1)?, day(21)?)?;
/// assert_eq!(result.rate.to_string(), "0.01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn calculate_modified_dietz(
    beginning_value: Decimal,
    ending_value: Decimal,
    cash_flows: &[CashFlow],
    start_date: NaiveDate,
    end_date: NaiveDate,
) -> Result<TimeWeightedReturn, CalculationError> {
    if start_date >= end_date {
        return Err(CalculationError::EmptyPeriod);
    }
    if cash_flows.iter().any(|flow| flow.date < start_date || flow.date > end_date) {
        return Err(CalculationError::FlowOutsidePeriod);
    }
    let from = Dated { date: start_date, value: beginning_value.into() };
    let to = Dated { date: end_date, value: ending_value.into() };
    let mut period = SubPeriod::new(from, to);
    for flow in cash_flows {
        period.add_flow(flow, flow.timing.unwrap_or_default());
    }
    time_weighted(Chain::from_intervals(vec![end_date], vec![period.interval()]), start_date, end_date)
}

/// The linked return of every sub-period between consecutive values; flows happen
/// after the close of their day unless they state another timing. Any order.
///
/// # Errors
/// [`CalculationError::InvalidValues`], [`CalculationError::FlowOutsidePeriod`], or
/// [`CalculationError::Undefined`] where the chain breaks.
///
/// ```
/// use chrono::NaiveDate;
/// use perf_core::calculations::calculate_daily_twr;
/// use perf_core::model::CashFlow;
/// let day = |day| NaiveDate::from_ymd_opt(2023, 1, day).ok_or("no such day");
/// let values = [(day(1)?, 10_000.into()), (day(2)?, 10_200.into()), (day(3)?, 11_330.into())];
/// let result = calculate_daily_twr(&values, &[CashFlow::new(day(2)?, 1000)])?;
/// assert_eq!(result.rate.to_string(), "0.031839285714285714286");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn calculate_daily_twr(
    daily_values: &[(NaiveDate, Decimal)],
    cash_flows: &[CashFlow],
) -> Result<TimeWeightedReturn, CalculationError> {
    let dated = |(date, value): &(NaiveDate, Decimal)| Dated { date: *date, value: (*value).into() };
    let mut values: Vec<Dated> = daily_values.iter().map(dated).collect();
    values.sort_by_key(|value| value.date);
    let repeated = values.iter().zip(values.iter().skip(1)).any(|(a, b)| a.date == b.date);
    let (start, end) = match values.as_slice() {
        [first, .., last] if !repeated => (first.date, last.date),
        _ => return Err(CalculationError::InvalidValues),
    };
    if cash_flows.iter().any(|flow| flow.date < start || flow.date > end) {
        return Err(CalculationError::FlowOutsidePeriod);
    }
    let mut flows: Vec<_> = cash_flows.iter().map(|flow| (flow, flow.timing.unwrap_or_default())).collect();
    flows.sort_by_key(|(flow, _)| flow.date);
    let values: TimeSeries = values.into_iter().collect();
    time_weighted(Chain::cut(values.view(), &flows, Method::Daily), start, end)
}

/// The rate a year (ACT/365F) at which the flows are worth nothing today: money
/// paid in is negative, the final value positive. Any order; several roots are
/// all in the solution, the one nearest to zero is the rate.
///
/// The final value has a date, without which it cannot be discounted. There is
/// no iteration limit or tolerance to choose: every root is right to its last digit.
///
/// # Errors
/// [`CalculationError::Undefined`] where no rate exists.
///
/// ```
/// use chrono::NaiveDate;
/// use perf_core::calculations::calculate_irr;
/// use perf_core::model::CashFlow;
/// let day = |month, day| NaiveDate::from_ymd_opt(2023, month, day).ok_or("no such day");
/// let flows = [CashFlow::new(day(1, 1)?, -10_000), CashFlow::new(day(4, 1)?, -2_000)];
/// let result = calculate_irr(&flows, 13_200.into(), day(12, 31)?)?;
/// assert_eq!(result.rate.to_string(), "0.10476882309258727403");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn calculate_irr(
    cash_flows: &[CashFlow],
    final_value: Decimal,
    final_date: NaiveDate,
) -> Result<MoneyWeightedReturn, CalculationError> {
    let day_count = DayCount::Actual365Fixed;
    let last = (final_date, Exact::from(final_value));
    let mut flows: Vec<(NaiveDate, Exact)> =
        cash_flows.iter().map(|flow| (flow.date, flow.amount.clone())).chain([last]).collect();
    flows.sort_by_key(|(date, _)| *date);
    let first = flows.first().map_or(final_date, |(date, _)| *date);
    let end = flows.last().map_or(final_date, |(date, _)| *date);
    let timed: Vec<(i64, &Exact)> =
        flows.iter().map(|(date, amount)| (day_count.years(first, *date).numerator, amount)).collect();
    let solution = irr::solve(&timed, day_count.years(first, end), Target::Zero);
    let rate = solution.rate.map_err(CalculationError::Undefined)?;
    Ok(MoneyWeightedReturn { rate, solution })
}

/// Volatility, Sharpe ratio, drawdown and, with a benchmark, its statistics.
/// Returns are periodic fractions in time order; the annual figures are given.
/// The risk-free rate is 0 where absent.
///
/// ```
/// use perf_core::calculations::calculate_risk_metrics;
/// use rust_decimal::Decimal;
/// let returns: Vec<Decimal> = [2, -1, 3, -2, 4].map(|percent| Decimal::new(percent, 2)).to_vec();
/// let metrics = calculate_risk_metrics(&returns, Decimal::new(10, 2), None, None, Some(Decimal::new(2, 2)));
/// assert_eq!(metrics.volatility.map(|v| v.to_string()), Ok("0.023151673805580450947".to_owned()));
/// ```
#[must_use]
pub fn calculate_risk_metrics(
    returns: &[Decimal],
    annualized_return: Decimal,
    benchmark_returns: Option<&[Decimal]>,
    annualized_benchmark_return: Option<Decimal>,
    risk_free_rate: Option<Decimal>,
) -> RiskMetrics {
    let series = undated_series(returns, benchmark_returns, risk_free_rate);
    let annual = [annualized_return.into(), annualized_benchmark_return.unwrap_or_default().into()];
    let known_benchmark = annualized_benchmark_return.is_some();
    risk_metrics::<Ball>(&series, &annual, known_benchmark)
        .or_else(|_| risk_metrics::<Wide>(&series, &annual, known_benchmark))
        .unwrap_or_else(|failure| RiskMetrics::undefined(failure.reason()))
}

impl RiskMetrics {
    fn undefined(reason: Reason) -> Self {
        let none = Err(reason);
        Self {
            volatility: none,
            sharpe_ratio: none,
            max_drawdown: none,
            beta: none,
            alpha: none,
            tracking_error: none,
            information_ratio: none,
        }
    }
}

fn risk_metrics<R: Real>(series: &Series, annual: &[Exact; 2], known_benchmark: bool) -> Figure<RiskMetrics> {
    let [portfolio, benchmark] = annual;
    let benchmark = match known_benchmark {
        true => Ok(R::exact(benchmark)),
        false => Err(Reason::NoBenchmark.into()),
    };
    let facts = Facts::<R>::new(series).with_annual(Ok(R::exact(portfolio)), benchmark);
    let outcome = |metric| outcome(figure(metric, &facts));
    Ok(RiskMetrics {
        volatility: outcome(Metric::VolatilityPeriodic)?,
        sharpe_ratio: outcome(Metric::SharpeRatio)?,
        max_drawdown: outcome(Metric::MaxDrawdown)?,
        beta: outcome(Metric::Beta)?,
        alpha: outcome(Metric::Alpha)?,
        tracking_error: outcome(Metric::TrackingError)?,
        information_ratio: outcome(Metric::InformationRatio)?,
    })
}

/// Returns without dates: one period is the unit of time.
fn undated_series(
    returns: &[Decimal],
    benchmark: Option<&[Decimal]>,
    risk_free_rate: Option<Decimal>,
) -> Series {
    let links = |rows: &[Decimal]| {
        let values = rows.iter().map(|value| Exact::from(*value)).chain(std::iter::repeat(Exact::ZERO));
        Links::supplied(values.take(returns.len()).collect::<Decimals>().view())
    };
    let aligned =
        |rows: &[Decimal]| Aligned { links: links(rows), missing: (rows.len()..returns.len()).collect() };
    Series {
        start: None,
        chain: Chain {
            ends: vec![NaiveDate::default(); returns.len()],
            links: links(returns),
            gaps: Vec::new(),
        },
        benchmark: benchmark.map(aligned),
        years: YearFraction { numerator: 1, denominator: 1 },
        under_one_year: false,
        periods_per_year: 1,
        risk_free_rate: risk_free_rate.unwrap_or_default().into(),
        minimum_acceptable_return: Exact::ZERO,
        confidence_level: Exact::new(95, 2),
        deviation: Deviation::Population,
    }
}

fn time_weighted(
    chain: Chain,
    start: NaiveDate,
    end: NaiveDate,
) -> Result<TimeWeightedReturn, CalculationError> {
    let years = DayCount::Actual365Fixed.years(start, end);
    let series = Series { start: Some(start), chain, years, ..undated_series(&[], None, None) };
    linked_return::<Ball>(&series)
        .or_else(|failure| match failure {
            Failure::Imprecise => linked_return::<Wide>(&series),
            undefined => Err(undefined),
        })
        .map_err(|failure| CalculationError::Undefined(failure.reason()))
}

fn linked_return<R: Real>(series: &Series) -> Figure<TimeWeightedReturn> {
    let facts = Facts::<R>::new(series);
    let growth = facts.growth()?;
    let annualized = if series.years.numerator < series.years.denominator {
        Err(Reason::PeriodUnderOneYear)
    } else {
        outcome(facts.annualized_return())?
    };
    Ok(TimeWeightedReturn { rate: growth.minus(&R::one())?.round()?, annualized })
}
