//! Every metric of the contract: one formula each.

use std::cmp::Ordering;

use super::benchmark;
use super::dispersion::{self, count};
use super::facts::{Facts, shared};
use super::growth::periodic;
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
        Metric::Twr => facts.growth.clone()?.minus(&R::one()),
        Metric::TwrAnnualized => twr_annualized(facts),
        Metric::AnnualizedReturn => facts.annualized_return.clone(),
        Metric::Mwr | Metric::MwrPeriod => Err(Reason::NoValuations.into()),
        Metric::VolatilityPeriodic => facts.volatility_periodic.clone(),
        Metric::Volatility => facts.volatility(),
        Metric::DownsideDeviation => downside_deviation(facts),
        Metric::SharpeRatio => sharpe_ratio(facts),
        Metric::SharpeRatioArithmetic => sharpe_ratio_arithmetic(facts),
        Metric::SortinoRatio => sortino_ratio(facts),
        Metric::MaxDrawdown => Ok(shared(&facts.drawdown)?.0.clone()),
        Metric::CalmarRatio => calmar_ratio(facts),
        Metric::ValueAtRisk => Ok(-shared(&facts.tail)?.quantile.clone()),
        Metric::ConditionalValueAtRisk => Ok(-shared(&facts.tail)?.mean.clone()),
        Metric::ValueAtRiskGaussian => value_at_risk_gaussian(facts),
        Metric::Skewness => shared(&facts.spread)?.skewness(),
        Metric::ExcessKurtosis => shared(&facts.spread)?.excess_kurtosis(),
        Metric::BestPeriod => extreme(facts, Ordering::Greater),
        Metric::WorstPeriod => extreme(facts, Ordering::Less),
        Metric::PositivePeriods => positive_periods(facts),
        Metric::BenchmarkReturn => facts.benchmark_growth.clone()?.minus(&R::one()),
        Metric::BenchmarkAnnualizedReturn => facts.benchmark_annualized_return.clone(),
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
    shared(&facts.growth)?;
    if facts.series.under_one_year {
        return Err(Reason::PeriodUnderOneYear.into());
    }
    facts.annualized_return.clone()
}

/// twr − benchmark return.
fn excess_return<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let portfolio = shared(&facts.growth)?;
    let benchmark = shared(&facts.benchmark_growth)?;
    portfolio.minus(&R::one())?.minus(&benchmark.minus(&R::one())?)
}

/// √(Σ min(r − m, 0)²/n) × √N, m the periodic minimum acceptable return.
fn downside_deviation<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let annual = R::exact(&facts.series.minimum_acceptable_return);
    let threshold = periodic(&annual, facts.series.periods_per_year)?;
    Ok(dispersion::below::<R>(shared(&facts.returns)?, &threshold)? * facts.root_periods_per_year.clone())
}

/// (R − Rf) / volatility.
fn sharpe_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let excess = facts.annualized_return.clone()?.minus(&R::exact(&facts.series.risk_free_rate))?;
    Ok(excess / facts.volatility()?.nonzero(Reason::ZeroVolatility)?)
}

/// (r̄ − f) / periodic volatility × √N, f the periodic risk-free rate.
fn sharpe_ratio_arithmetic<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let volatility = facts.volatility_periodic.clone()?.nonzero(Reason::ZeroVolatility)?;
    let risk_free = periodic(&R::exact(&facts.series.risk_free_rate), facts.series.periods_per_year)?;
    let excess = shared(&facts.spread)?.mean.minus(&risk_free)?;
    Ok(excess / volatility * facts.root_periods_per_year.clone())
}

/// (R − MAR) / downside deviation.
fn sortino_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let excess =
        facts.annualized_return.clone()?.minus(&R::exact(&facts.series.minimum_acceptable_return))?;
    Ok(excess / downside_deviation(facts)?.nonzero(Reason::ZeroDownsideDeviation)?)
}

/// R / maximum drawdown.
fn calmar_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let annual = facts.annualized_return.clone()?;
    Ok(annual / shared(&facts.drawdown)?.0.clone().nonzero(Reason::ZeroDrawdown)?)
}

/// −(r̄ + z·σ), z the normal quantile at 1 − c: z(1 − c) = −z(c).
fn value_at_risk_gaussian<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let volatility = facts.volatility_periodic.clone()?;
    let quantile = normal::quantile::<R>(&facts.series.confidence_level)?;
    (quantile * volatility).minus(&shared(&facts.spread)?.mean)
}

/// The largest or the smallest return.
fn extreme<R: Real>(facts: &Facts<'_, R>, side: Ordering) -> Figure<R> {
    let (links, returns) = (shared(&facts.links)?, shared(&facts.returns)?);
    let index = quantile::extreme::<R>(links, returns, side).ok_or(Reason::TooFewReturns)?;
    returns.get(index).ok_or(Reason::TooFewReturns.into())
}

/// Share of returns above zero.
fn positive_periods<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let links = shared(&facts.links)?;
    let positive = links.iter().filter(|link| link.sign() == Ordering::Greater).count();
    Ok(count::<R>(positive) / count(links.len()))
}
