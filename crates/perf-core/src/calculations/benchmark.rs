//! The portfolio beside its benchmark.

use std::cmp::Ordering;

use super::chain::{Interval, Link};
use super::dispersion::{count, deviation, deviations, sum, sum_of_products};
use super::facts::{Facts, Series, links, shared};
use super::growth;
use crate::model::{Deviation, Reason};
use crate::number::{Figure, Real};

/// The returns of both over one sub-period.
#[derive(Clone)]
pub(crate) struct Pair<R> {
    pub(crate) portfolio: Link,
    pub(crate) benchmark: Link,
    /// r.
    r: R,
    /// b.
    b: R,
}

impl<R: Real> Pair<R> {
    /// The sub-periods for which both have a return.
    pub(crate) fn of(series: &Series) -> Figure<Vec<Self>> {
        let benchmark = series.benchmark.as_ref().ok_or(Reason::NoBenchmark)?;
        links(&series.intervals)?;
        let pair = |(interval, link): (&Interval, &Option<Link>)| match (interval, link) {
            (Interval::Earning(portfolio), Some(benchmark)) => Some(Self {
                r: portfolio.rate(),
                b: benchmark.rate(),
                portfolio: portfolio.clone(),
                benchmark: benchmark.clone(),
            }),
            _ => None,
        };
        Ok(series.intervals.iter().zip(benchmark).filter_map(pair).collect())
    }
}

/// Co-moments of the pairs, of which there are at least two.
struct CoMoments<R> {
    r: Vec<R>,
    b: Vec<R>,
    deviations_r: Vec<R>,
    deviations_b: Vec<R>,
}

impl<R: Real> CoMoments<R> {
    fn new(facts: &Facts<'_, R>) -> Figure<Self> {
        let pairs = shared(&facts.pairs)?;
        let r: Vec<R> = pairs.iter().map(|pair| pair.r.clone()).collect();
        let b: Vec<R> = pairs.iter().map(|pair| pair.b.clone()).collect();
        Ok(Self { deviations_r: deviations(&r)?, deviations_b: deviations(&b)?, r, b })
    }

    /// Standard deviation of b over n, not zero.
    fn deviation_b(&self) -> Figure<R> {
        deviation(&self.deviations_b, &self.b, Deviation::Population)?
            .nonzero(Reason::ZeroBenchmarkVolatility)
    }

    /// Standard deviation of r over n, not zero.
    fn deviation_r(&self) -> Figure<R> {
        deviation(&self.deviations_r, &self.r, Deviation::Population)?.nonzero(Reason::ZeroVolatility)
    }

    fn covariance(&self) -> Figure<R> {
        Ok(sum_of_products(&self.deviations_r, &self.deviations_b)? / count(self.r.len()))
    }
}

/// cov(r, b) / var(b).
pub(crate) fn beta<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let moments = CoMoments::new(facts)?;
    let deviation = moments.deviation_b()?;
    Ok(moments.covariance()? / (deviation.clone() * deviation))
}

/// Pearson's correlation of r and b.
pub(crate) fn correlation<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let moments = CoMoments::new(facts)?;
    let deviations = moments.deviation_r()? * moments.deviation_b()?;
    Ok(moments.covariance()? / deviations)
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
    let active: Vec<R> =
        shared(&facts.pairs)?.iter().map(|pair| pair.r.minus(&pair.b)).collect::<Figure<_>>()?;
    let periodic = deviation(&deviations(&active)?, &active, facts.series.deviation)?;
    Ok(periodic * facts.root_periods_per_year())
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
    let mut taken = Vec::new();
    for pair in shared(&facts.pairs)? {
        if pair.b.sign()? == side {
            taken.push(pair);
        }
    }
    let periods = i64::try_from(taken.len()).unwrap_or(i64::MAX);
    if periods == 0 {
        return Err(none.into());
    }
    let rate = |growth: Figure<R>| {
        growth::scaled(&growth?, i64::from(facts.series.periods_per_year), periods)?.minus(&R::one())
    };
    let portfolio = rate(growth::linked(taken.iter().map(|pair| &pair.portfolio)))?;
    let benchmark = rate(growth::linked(taken.iter().map(|pair| &pair.benchmark)))?;
    Ok(portfolio / benchmark)
}
