//! The portfolio beside its benchmark.

use std::cmp::Ordering;

use super::chain::{Interval, Link};
use super::dispersion::{Spread, count, settled, sum};
use super::facts::{Facts, Series, rates, shared};
use super::growth;
use crate::model::{Deviation, Reason};
use crate::number::{Figure, Real, Series as _};

/// The returns of both, over the sub-periods for which both have one.
pub(crate) struct Pairs<'a, R: Real> {
    portfolio: Vec<&'a Link>,
    benchmark: Vec<&'a Link>,
    /// r.
    r: R::Series,
    /// b.
    b: R::Series,
    moments: Figure<CoMoments<R>>,
    /// Standard deviation of r − b.
    active_deviation: Figure<R>,
}

impl<'a, R: Real> Pairs<'a, R> {
    /// `links` and `returns` are all of the portfolio's.
    pub(crate) fn of(series: &'a Series, links: &[&Link], returns: &R::Series) -> Figure<Self> {
        let links_b = series.benchmark.as_ref().ok_or(Reason::NoBenchmark)?;
        let pair = |(interval, link): (&'a Interval, &'a Option<Link>)| match (interval, link) {
            (Interval::Earning(portfolio), Some(benchmark)) => Some((portfolio, benchmark)),
            _ => None,
        };
        let (portfolio, benchmark): (Vec<_>, Vec<_>) =
            series.intervals.iter().zip(links_b).filter_map(pair).unzip();
        let complete = portfolio.len() == links.len();
        let r = if complete { returns.clone() } else { rates::<R>(&portfolio) };
        let b = rates::<R>(&benchmark);
        let active = r.differences(&b).and_then(|active| Spread::<R>::new(&active));
        Ok(Self {
            moments: CoMoments::new(&r, &b),
            active_deviation: active.and_then(|active| active.deviation(series.deviation)),
            portfolio,
            benchmark,
            r,
            b,
        })
    }
}

impl<R: Real> Pairs<'_, R> {
    /// Π (1 + b) of the benchmark's links, which are those of the pairs where no pair is missing.
    pub(crate) fn benchmark_growth(&self, links: &[&Link]) -> Figure<R> {
        match links.len() == self.benchmark.len() {
            true => growth::linked(links, &self.b),
            false => growth::linked(links, &rates::<R>(links)),
        }
    }
}

/// Co-moments of the pairs, of which there are at least two.
struct CoMoments<R: Real> {
    r: Spread<R>,
    b: Spread<R>,
    covariance: Figure<R>,
}

impl<R: Real> CoMoments<R> {
    fn new(r: &R::Series, b: &R::Series) -> Figure<Self> {
        let (r, b) = (Spread::<R>::new(r)?, Spread::<R>::new(b)?);
        let products: Figure<R> = settled(r.deviations.products(&b.deviations));
        let covariance = products.map(|sum| sum / count(r.len()));
        Ok(Self { r, b, covariance })
    }

    /// Standard deviation of b over n, not zero.
    fn deviation_b(&self) -> Figure<R> {
        self.b.deviation(Deviation::Population)?.nonzero(Reason::ZeroBenchmarkVolatility)
    }

    /// Standard deviation of r over n, not zero.
    fn deviation_r(&self) -> Figure<R> {
        self.r.deviation(Deviation::Population)?.nonzero(Reason::ZeroVolatility)
    }
}

/// cov(r, b) / var(b).
pub(crate) fn beta<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let moments = shared(&shared(&facts.pairs)?.moments)?;
    let deviation = moments.deviation_b()?;
    Ok(moments.covariance.clone()? / (deviation.clone() * deviation))
}

/// Pearson's correlation of r and b.
pub(crate) fn correlation<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let moments = shared(&shared(&facts.pairs)?.moments)?;
    let deviations = moments.deviation_r()? * moments.deviation_b()?;
    Ok(moments.covariance.clone()? / deviations)
}

/// R − [Rf + β(R_b − Rf)].
pub(crate) fn alpha<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let annual = facts.annualized_return.clone()?;
    let risk_free = R::exact(&facts.series.risk_free_rate);
    let benchmark_excess = facts.benchmark_annualized_return.clone()?.minus(&risk_free)?;
    let expected = sum([risk_free, beta(facts)? * benchmark_excess])?;
    annual.minus(&expected)
}

/// Standard deviation of r − b, a year.
pub(crate) fn tracking_error<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let periodic = shared(&facts.pairs)?.active_deviation.clone()?;
    Ok(periodic * facts.root_periods_per_year.clone())
}

/// (R − R_b) / tracking error.
pub(crate) fn information_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let active = facts.annualized_return.clone()?.minus(shared(&facts.benchmark_annualized_return)?)?;
    Ok(active / tracking_error(facts)?.nonzero(Reason::ZeroTrackingError)?)
}

/// (R − Rf) / β.
pub(crate) fn treynor_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let excess = facts.annualized_return.clone()?.minus(&R::exact(&facts.series.risk_free_rate))?;
    Ok(excess / beta(facts)?.nonzero(Reason::ZeroBeta)?)
}

/// Annualised geometric return of r over that of b, over the periods in which
/// the benchmark went the way of `side`.
pub(crate) fn capture<R: Real>(facts: &Facts<'_, R>, side: Ordering) -> Figure<R> {
    let none = if side == Ordering::Greater { Reason::NoUpPeriods } else { Reason::NoDownPeriods };
    let pairs = shared(&facts.pairs)?;
    let taken: Vec<bool> = pairs.benchmark.iter().map(|link| link.sign() == side).collect();
    let chosen = |index: usize| taken.get(index).copied().unwrap_or_default();
    let periods = i64::try_from(taken.iter().filter(|taken| **taken).count()).unwrap_or(i64::MAX);
    if periods == 0 {
        return Err(none.into());
    }
    let rate = |links: &[&Link], returns: &R::Series| {
        let growth: R = growth::linked_where(links, returns, chosen)?;
        growth::scaled(&growth, i64::from(facts.series.periods_per_year), periods)?.minus(&R::one())
    };
    let portfolio = rate(&pairs.portfolio, &pairs.r)?;
    let benchmark = rate(&pairs.benchmark, &pairs.b)?;
    Ok(portfolio / benchmark)
}
