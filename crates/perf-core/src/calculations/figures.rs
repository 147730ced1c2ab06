//! Every metric of the contract: one formula each.

use std::cmp::Ordering;

use super::benchmark;
use super::dispersion::count;
use super::facts::Facts;
use super::normal;
use super::quantile;
use crate::model::{Metric, Reason};
use crate::number::{Figure, Real, Series};

/// The value of a time-weighted, risk or benchmark metric. The money-weighted
/// ones come from the flows, not from the returns, and have no value here.
///
/// Where several things are missing, the reason is the benchmark's absence, then
/// whatever comes first in the formula.
pub(crate) fn figure<R: Real>(metric: Metric, facts: &Facts<'_, R>) -> Figure<R> {
    if metric.needs_benchmark() && facts.series.benchmark.is_none() {
        return Err(Reason::NoBenchmark.into());
    }
    match metric {
        Metric::Twr => facts.growth()?.minus(&R::one()),
        Metric::TwrAnnualized => twr_annualized(facts),
        Metric::AnnualizedReturn => facts.annualized_return(),
        Metric::Mwr | Metric::MwrPeriod => Err(Reason::NoValuations.into()),
        Metric::VolatilityPeriodic => facts.volatility_periodic(),
        Metric::Volatility => facts.volatility(),
        Metric::DownsideDeviation => facts.downside_deviation(),
        Metric::SharpeRatio => sharpe_ratio(facts),
        Metric::SharpeRatioArithmetic => sharpe_ratio_arithmetic(facts),
        Metric::SortinoRatio => sortino_ratio(facts),
        Metric::MaxDrawdown => Ok(facts.drawdown()?.0.clone()),
        Metric::CalmarRatio => calmar_ratio(facts),
        Metric::ValueAtRisk => Ok(-facts.tail()?.quantile.clone()),
        Metric::ConditionalValueAtRisk => Ok(-facts.tail()?.mean.clone()),
        Metric::ValueAtRiskGaussian => value_at_risk_gaussian(facts),
        Metric::Skewness => facts.spread()?.skewness(),
        Metric::ExcessKurtosis => facts.spread()?.excess_kurtosis(),
        Metric::BestPeriod => extreme(facts, Ordering::Greater),
        Metric::WorstPeriod => extreme(facts, Ordering::Less),
        Metric::PositivePeriods => positive_periods(facts),
        Metric::BenchmarkReturn => facts.benchmark_growth()?.minus(&R::one()),
        Metric::BenchmarkAnnualizedReturn => facts.benchmark_annualized_return(),
        Metric::ExcessReturn => excess_return(facts),
        Metric::Beta => benchmark::beta(facts),
        Metric::Correlation => benchmark::correlation(facts),
        Metric::RSquared => benchmark::correlation(facts).map(|r| r.clone() * r),
        Metric::Alpha => benchmark::alpha(facts),
        Metric::TrackingError => benchmark::tracking_error(facts),
        Metric::InformationRatio => benchmark::information_ratio(facts),
        Metric::TreynorRatio => benchmark::treynor_ratio(facts),
        Metric::UpCapture => benchmark::capture(facts, Ordering::Greater),
        Metric::DownCapture => benchmark::capture(facts, Ordering::Less),
    }
}

fn twr_annualized<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    facts.growth()?;
    if facts.series.under_one_year {
        return Err(Reason::PeriodUnderOneYear.into());
    }
    facts.annualized_return()
}

/// twr − benchmark return.
fn excess_return<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let (portfolio, benchmark) = (facts.growth()?, facts.benchmark_growth()?);
    portfolio.minus(&R::one())?.minus(&benchmark.minus(&R::one())?)
}

/// (R − Rf) / volatility.
fn sharpe_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let excess = facts.annualized_return()?.minus(&R::exact(&facts.series.risk_free_rate))?;
    Ok(excess / facts.volatility()?.nonzero(Reason::ZeroVolatility)?)
}

/// (r̄ − f) / periodic volatility × √N, f the periodic risk-free rate.
fn sharpe_ratio_arithmetic<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let volatility = facts.volatility_periodic()?.nonzero(Reason::ZeroVolatility)?;
    let excess = facts.spread()?.mean.minus(&facts.risk_free_rate_periodic()?)?;
    Ok(facts.annual_deviation(excess / volatility))
}

/// (R − MAR) / downside deviation.
fn sortino_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let excess = facts.annualized_return()?.minus(&R::exact(&facts.series.minimum_acceptable_return))?;
    Ok(excess / facts.downside_deviation()?.nonzero(Reason::ZeroDownsideDeviation)?)
}

/// R / maximum drawdown.
fn calmar_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let annual = facts.annualized_return()?;
    Ok(annual / facts.drawdown()?.0.clone().nonzero(Reason::ZeroDrawdown)?)
}

/// −(r̄ + z·σ), z the normal quantile at 1 − c: z(1 − c) = −z(c).
fn value_at_risk_gaussian<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let volatility = facts.volatility_periodic()?;
    let quantile = normal::quantile::<R>(&facts.series.confidence_level)?;
    (quantile * volatility).minus(&facts.spread()?.mean)
}

/// The largest or the smallest return.
fn extreme<R: Real>(facts: &Facts<'_, R>, side: Ordering) -> Figure<R> {
    let (links, returns) = facts.links_and_returns()?;
    let index = quantile::extreme::<R>(links, returns, side).ok_or(Reason::TooFewReturns)?;
    returns.get(index).ok_or(Reason::TooFewReturns.into())
}

/// Share of returns above zero.
fn positive_periods<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let (links, _) = facts.links_and_returns()?;
    Ok(count::<R>(links.gains().count(Ordering::Greater)) / count(links.len()))
}
