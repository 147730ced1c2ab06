//! What several metrics share, computed once.

use super::benchmark::Pairs;
use super::chain::{Interval, Link};
use super::day_count::YearFraction;
use super::dispersion::Spread;
use super::drawdown::{DrawdownDates, maximum_drawdown};
use super::growth;
use super::quantile::{self, Tail};
use crate::model::{Deviation, Reason};
use crate::number::{self as numbers, Exact, Figure, Real};
use chrono::NaiveDate;

/// The returns r_i, idle sub-periods left out.
pub(crate) fn links(intervals: &[Interval]) -> Figure<Vec<&Link>> {
    let mut links = Vec::with_capacity(intervals.len());
    for interval in intervals {
        match interval {
            Interval::Earning(link) => links.push(link),
            Interval::Idle => {}
            Interval::NoCapital => return Err(Reason::NonPositiveCapital.into()),
        }
    }
    if links.is_empty() { Err(Reason::TooFewReturns.into()) } else { Ok(links) }
}

/// Everything the figures of one period are computed from, still exact.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// First day, where known.
    pub(crate) start: Option<NaiveDate>,
    /// The portfolio's sub-periods.
    pub(crate) intervals: Vec<Interval>,
    /// The benchmark's return over each of them, where there is a benchmark.
    pub(crate) benchmark: Option<Vec<Option<Link>>>,
    /// Length in years.
    pub(crate) years: YearFraction,
    /// Whether the period is under one year.
    pub(crate) under_one_year: bool,
    /// N.
    pub(crate) periods_per_year: u32,
    /// Rf, annual.
    pub(crate) risk_free_rate: Exact,
    /// MAR, annual.
    pub(crate) minimum_acceptable_return: Exact,
    /// c.
    pub(crate) confidence_level: Exact,
    /// Divisor of the variance.
    pub(crate) deviation: Deviation,
}

impl Series {
    /// The benchmark's returns over every sub-period that is not idle.
    pub(crate) fn benchmark_links(&self) -> Figure<Vec<&Link>> {
        let benchmark = self.benchmark.as_ref().ok_or(Reason::NoBenchmark)?;
        let mut links = Vec::with_capacity(benchmark.len());
        for (interval, link) in self.intervals.iter().zip(benchmark) {
            if !matches!(interval, Interval::Idle) {
                links.push(link.as_ref().ok_or(Reason::BenchmarkGap)?);
            }
        }
        if links.is_empty() { Err(Reason::TooFewReturns.into()) } else { Ok(links) }
    }
}

/// Shared intermediate figures; each is a value or its own reason.
pub(crate) struct Facts<'a, R: Real> {
    pub(crate) series: &'a Series,
    pub(crate) links: Figure<Vec<&'a Link>>,
    /// r_i.
    pub(crate) returns: Figure<R::Series>,
    /// The r_i about their mean.
    pub(crate) spread: Figure<Spread<R>>,
    /// 1 + twr.
    pub(crate) growth: Figure<R>,
    /// R.
    pub(crate) annualized_return: Figure<R>,
    /// Standard deviation of the r_i.
    pub(crate) volatility_periodic: Figure<R>,
    pub(crate) drawdown: Figure<(R, DrawdownDates)>,
    pub(crate) tail: Figure<Tail<R>>,
    /// 1 + benchmark_return.
    pub(crate) benchmark_growth: Figure<R>,
    /// R_b.
    pub(crate) benchmark_annualized_return: Figure<R>,
    /// (r_i, b_i) where both exist.
    pub(crate) pairs: Figure<Pairs<'a, R>>,
    /// √N.
    pub(crate) root_periods_per_year: R,
}

impl<'a, R: Real> Facts<'a, R> {
    pub(crate) fn new(series: &'a Series) -> Self {
        let links = links(&series.intervals);
        let returns = shared(&links).map(|links| rates::<R>(links));
        let spread = shared(&returns).and_then(Spread::new);
        let growth = both::<R>(&links, &returns).and_then(|(links, returns)| growth::linked(links, returns));
        let pairs = match &series.benchmark {
            None => Err(Reason::NoBenchmark.into()),
            Some(_) => {
                both::<R>(&links, &returns).and_then(|(links, returns)| Pairs::of(series, links, returns))
            }
        };
        let benchmark_growth = series.benchmark_links().and_then(|links| match &pairs {
            Ok(pairs) => pairs.benchmark_growth(&links),
            Err(_) => growth::linked(&links, &rates::<R>(&links)),
        });
        Self {
            series,
            annualized_return: annual_rate(&growth, series.years),
            volatility_periodic: shared(&spread).and_then(|spread| spread.deviation(series.deviation)),
            drawdown: both::<R>(&links, &returns)
                .and_then(|(links, returns)| maximum_drawdown(series.start, links, returns)),
            tail: both::<R>(&links, &returns)
                .and_then(|(links, returns)| quantile::tail(links, returns, &series.confidence_level)),
            benchmark_annualized_return: annual_rate(&benchmark_growth, series.years),
            pairs,
            root_periods_per_year: R::integer(i64::from(series.periods_per_year)).sqrt(),
            links,
            returns,
            spread,
            growth,
            benchmark_growth,
        }
    }

    /// Annual volatility.
    pub(crate) fn volatility(&self) -> Figure<R> {
        Ok(self.volatility_periodic.clone()? * self.root_periods_per_year.clone())
    }
}

/// The returns of links.
pub(crate) fn rates<R: Real>(links: &[&Link]) -> R::Series {
    numbers::Series::ratios(links.iter().map(|link| (&link.gain, &link.capital)))
}

/// Links and their returns.
fn both<'f, 'a, R: Real>(
    links: &'f Figure<Vec<&'a Link>>,
    returns: &'f Figure<R::Series>,
) -> Figure<(&'f [&'a Link], &'f R::Series)> {
    Ok((shared(links)?.as_slice(), shared(returns)?))
}

/// A shared figure, for one more use.
pub(crate) fn shared<T>(figure: &Figure<T>) -> Figure<&T> {
    figure.as_ref().map_err(|failure| *failure)
}

/// (1 + growth)^(1/years) − 1.
fn annual_rate<R: Real>(growth: &Figure<R>, years: YearFraction) -> Figure<R> {
    growth::per_year(shared(growth)?, years)?.minus(&R::one())
}
