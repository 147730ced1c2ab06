//! The portfolio beside its benchmark.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use super::dispersion::{Spread, count, root_mean, sum};
use super::facts::{Facts, Series};
use super::growth;
use super::links::Links;
use crate::model::{Deviation, Reason};
use crate::number::{Chosen, Figure, Real, Series as _};

/// The returns of both, over the sub-periods for which both have one.
pub(crate) struct Pairs<'a, R: Real> {
    portfolio: Cow<'a, Links>,
    benchmark: Cow<'a, Links>,
    /// r.
    pub(crate) r: Rc<R::Series>,
    /// b.
    pub(crate) b: Rc<R::Series>,
}

impl<'a, R: Real> Pairs<'a, R> {
    /// `returns` are all of the portfolio's.
    pub(crate) fn of(series: &'a Series, returns: &Rc<R::Series>) -> Figure<Self> {
        let aligned = series.benchmark.as_ref().ok_or(Reason::NoBenchmark)?;
        let both = |links: &'a Links| match series.all_are_pairs() {
            true => Cow::Borrowed(links),
            false => Cow::Owned(links.keeping(|index| series.is_pair(index))),
        };
        let (portfolio, benchmark) = (both(&series.chain.links), both(&aligned.links));
        let complete = portfolio.len() == returns.len();
        Ok(Self {
            r: if complete { Rc::clone(returns) } else { Rc::new(portfolio.rates::<R>()) },
            b: Rc::new(benchmark.rates::<R>()),
            portfolio,
            benchmark,
        })
    }

    /// Π (1 + b) of the benchmark's links, which are those of the pairs where no pair is missing.
    pub(crate) fn benchmark_growth(&self, links: &Links) -> Figure<R> {
        match links.len() == self.benchmark.len() {
            true => growth::linked(links, self.b.as_ref()),
            false => growth::linked(links, &links.rates::<R>()),
        }
    }

    /// Standard deviation of r − b.
    pub(crate) fn active_deviation(&self, basis: Deviation) -> Figure<R> {
        Spread::<R>::new(Rc::new(self.r.differences(&self.b)?))?.deviation(basis)
    }

    /// The largest magnitudes of r and of b.
    pub(crate) fn largest(&self) -> [R; 2] {
        [self.r.largest(), self.b.largest()]
    }
}

/// Co-moments of the pairs, of which there are at least two.
pub(crate) struct CoMoments<R: Real> {
    r: Rc<Spread<R>>,
    b: Spread<R>,
    /// Σ d_r·d_b.
    products: Figure<R>,
}

impl<R: Real> CoMoments<R> {
    pub(crate) fn new(r: Rc<Spread<R>>, b: &Rc<R::Series>) -> Figure<Self> {
        let b = Spread::<R>::new(Rc::clone(b))?;
        let products = r.products(&b);
        Ok(Self { r, b, products })
    }

    /// Covariance of r and b over n.
    fn covariance(&self) -> Figure<R> {
        Ok(self.products.clone()? / count(self.r.len()))
    }

    /// Standard deviation of r − b, by Σ (d_r − d_b)² = Σ d_r² + Σ d_b² − 2 Σ d_r·d_b: where
    /// less than three digits cancel and no dust was taken off, and where no difference is
    /// above one, so that what counts as a deviation at all is known.
    pub(crate) fn active_deviation(&self, basis: Deviation, largest: [R; 2]) -> Option<Figure<R>> {
        /// Least share of what is subtracted from.
        const SHARE: f64 = 1e-3;
        let squares = self.r.squares().clone() + self.b.squares().clone();
        let products = self.products.clone().ok().filter(|sum| sum.sign() != Ok(Ordering::Equal))?;
        let active = squares.clone() - products * R::integer(2);
        let [r, b] = largest.map(|largest| largest.approximate());
        let is_clear = active.approximate() > SHARE * squares.approximate() && r + b < 1.0;
        is_clear.then(|| root_mean(active, basis.degrees(self.r.len()), &R::one()))
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
    let moments = facts.moments()?;
    let deviation = moments.deviation_b()?;
    Ok(moments.covariance()? / (deviation.clone() * deviation))
}

/// Pearson's correlation of r and b.
pub(crate) fn correlation<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let moments = facts.moments()?;
    let deviations = moments.deviation_r()? * moments.deviation_b()?;
    Ok(moments.covariance()? / deviations)
}

/// R − [Rf + β(R_b − Rf)].
pub(crate) fn alpha<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let annual = facts.annualized_return()?;
    let risk_free = R::exact(&facts.series.risk_free_rate);
    let benchmark_excess = facts.benchmark_annualized_return()?.minus(&risk_free)?;
    let expected = sum([risk_free, beta(facts)? * benchmark_excess])?;
    annual.minus(&expected)
}

/// Standard deviation of r − b, a year.
pub(crate) fn tracking_error<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    Ok(facts.annual_deviation(facts.active_deviation()?))
}

/// (R − R_b) / tracking error.
pub(crate) fn information_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let active = facts.annualized_return()?.minus(&facts.benchmark_annualized_return()?)?;
    Ok(active / tracking_error(facts)?.nonzero(Reason::ZeroTrackingError)?)
}

/// (R − Rf) / β.
pub(crate) fn treynor_ratio<R: Real>(facts: &Facts<'_, R>) -> Figure<R> {
    let excess = facts.annualized_return()?.minus(&R::exact(&facts.series.risk_free_rate))?;
    Ok(excess / beta(facts)?.nonzero(Reason::ZeroBeta)?)
}

/// Annualised geometric return of r over that of b, over the periods in which
/// the benchmark went the way of `side`.
pub(crate) fn capture<R: Real>(facts: &Facts<'_, R>, side: Ordering) -> Figure<R> {
    let none = if side == Ordering::Greater { Reason::NoUpPeriods } else { Reason::NoDownPeriods };
    let pairs = facts.pairs()?;
    let signs = pairs.benchmark.gains().signs();
    let chosen = Chosen::Beside(&signs, side);
    let periods = chosen.count(signs.len());
    if periods == 0 {
        return Err(none.into());
    }
    let periods = i64::try_from(periods).unwrap_or(i64::MAX);
    let rate = |links: &Links, returns: &R::Series| {
        let growth: R = growth::linked_where(links, returns, &chosen)?;
        growth::scaled(&growth, i64::from(facts.series.periods_per_year), periods)?.minus(&R::one())
    };
    let portfolio = rate(&pairs.portfolio, &pairs.r)?;
    let benchmark = rate(&pairs.benchmark, pairs.b.as_ref())?;
    Ok(portfolio / benchmark)
}
