//! What several metrics share, computed once and only where it is asked for.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use chrono::NaiveDate;

use super::benchmark::{CoMoments, Pairs};
use super::day_count::YearFraction;
use super::dispersion::{self, Spread};
use super::drawdown::{DrawdownDates, maximum_drawdown};
use super::growth;
use super::links::{Chain, Gap, Links};
use super::quantile::{self, Tail};
use crate::model::{Deviation, Reason};
use crate::number::{Exact, Figure, Real};

/// Everything the figures of one period are computed from, still exact.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// First day, where known.
    pub(crate) start: Option<NaiveDate>,
    /// The portfolio's sub-periods.
    pub(crate) chain: Chain,
    /// The benchmark's return over each of them, where there is a benchmark.
    pub(crate) benchmark: Option<Aligned>,
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

/// A benchmark's return over each sub-period; one that is missing stands as a zero.
#[derive(Clone, Debug)]
pub(crate) struct Aligned {
    pub(crate) links: Links,
    /// Indices without a return, ascending.
    pub(crate) missing: Vec<usize>,
}

impl Aligned {
    pub(crate) fn is_missing(&self, index: usize) -> bool {
        self.missing.binary_search(&index).is_ok()
    }
}

impl Series {
    /// Whether the sub-period has a return.
    fn earns(&self, index: usize) -> bool {
        self.chain.gap(index).is_none()
    }

    /// Whether the sub-period has a return of both.
    pub(crate) fn is_pair(&self, index: usize) -> bool {
        self.earns(index) && self.benchmark.as_ref().is_some_and(|benchmark| !benchmark.is_missing(index))
    }

    /// How many sub-periods have a return of both.
    pub(crate) fn pairs(&self) -> usize {
        (0..self.chain.links.len()).filter(|index| self.is_pair(*index)).count()
    }

    /// Whether every sub-period has a return of both.
    pub(crate) fn all_are_pairs(&self) -> bool {
        let complete = self.benchmark.as_ref().is_some_and(|benchmark| benchmark.missing.is_empty());
        complete && self.chain.gaps.is_empty()
    }

    /// The returns r_i, idle sub-periods left out.
    pub(crate) fn links(&self) -> Figure<Cow<'_, Links>> {
        let Chain { links, gaps, .. } = &self.chain;
        if gaps.iter().any(|(_, gap)| *gap == Gap::NoCapital) {
            return Err(Reason::NonPositiveCapital.into());
        }
        some(match gaps.is_empty() {
            true => Cow::Borrowed(links),
            false => Cow::Owned(links.keeping(|index| self.earns(index))),
        })
    }

    /// Ends of the sub-periods of [`links`](Self::links).
    fn ends(&self) -> Cow<'_, [NaiveDate]> {
        let Chain { ends, gaps, .. } = &self.chain;
        if gaps.is_empty() {
            return Cow::Borrowed(ends);
        }
        let earning = ends.iter().enumerate().filter(|(index, _)| self.earns(*index));
        earning.map(|(_, end)| *end).collect()
    }

    /// The benchmark's returns over every sub-period that is not idle.
    pub(crate) fn benchmark_links(&self) -> Figure<Cow<'_, Links>> {
        let benchmark = self.benchmark.as_ref().ok_or(Reason::NoBenchmark)?;
        let idle = |index| self.chain.gap(index) == Some(Gap::Idle);
        if benchmark.missing.iter().any(|index| !idle(*index)) {
            return Err(Reason::BenchmarkGap.into());
        }
        some(match self.chain.gaps.is_empty() {
            true => Cow::Borrowed(&benchmark.links),
            false => Cow::Owned(benchmark.links.keeping(|index| !idle(index))),
        })
    }
}

/// Links, if there are any.
fn some(links: Cow<'_, Links>) -> Figure<Cow<'_, Links>> {
    if links.len() == 0 { Err(Reason::TooFewReturns.into()) } else { Ok(links) }
}

/// A figure that is computed when it is first asked for.
type Once<T> = OnceCell<Figure<T>>;

/// Shared intermediate figures; each is a value or its own reason.
pub(crate) struct Facts<'a, R: Real> {
    pub(crate) series: &'a Series,
    links: Figure<Cow<'a, Links>>,
    returns: Figure<Rc<R::Series>>,
    spread: Once<Rc<Spread<R>>>,
    growth: Once<R>,
    annualized_return: Once<R>,
    downside_deviation: Once<R>,
    drawdown: Once<(R, DrawdownDates)>,
    tail: Once<Tail<R>>,
    pairs: Once<Pairs<'a, R>>,
    moments: Once<CoMoments<R>>,
    active_deviation: Once<R>,
    benchmark_growth: Once<R>,
    benchmark_annualized_return: Once<R>,
    risk_free_rate_periodic: Once<R>,
    root_periods_per_year: R,
}

impl<'a, R: Real> Facts<'a, R> {
    pub(crate) fn new(series: &'a Series) -> Self {
        let links = series.links();
        Self {
            returns: shared(&links).map(|links| Rc::new(links.rates::<R>())),
            links,
            series,
            spread: OnceCell::new(),
            growth: OnceCell::new(),
            annualized_return: OnceCell::new(),
            downside_deviation: OnceCell::new(),
            drawdown: OnceCell::new(),
            tail: OnceCell::new(),
            pairs: OnceCell::new(),
            moments: OnceCell::new(),
            active_deviation: OnceCell::new(),
            benchmark_growth: OnceCell::new(),
            benchmark_annualized_return: OnceCell::new(),
            risk_free_rate_periodic: OnceCell::new(),
            root_periods_per_year: R::integer(i64::from(series.periods_per_year)).sqrt(),
        }
    }

    /// With annual returns from elsewhere.
    pub(crate) fn with_annual(self, portfolio: Figure<R>, benchmark: Figure<R>) -> Self {
        Self {
            annualized_return: OnceCell::from(portfolio),
            benchmark_annualized_return: OnceCell::from(benchmark),
            ..self
        }
    }

    /// The returns as exact fractions, and as numbers.
    pub(crate) fn links_and_returns(&self) -> Figure<(&Links, &R::Series)> {
        Ok((shared(&self.links)?, shared(&self.returns)?))
    }

    /// r_i.
    pub(crate) fn returns(&self) -> Figure<&R::Series> {
        Ok(shared(&self.returns)?)
    }

    /// The r_i about their mean.
    pub(crate) fn spread(&self) -> Figure<&Rc<Spread<R>>> {
        once(&self.spread, || Ok(Rc::new(Spread::new(Rc::clone(shared(&self.returns)?))?)))
    }

    /// 1 + twr.
    pub(crate) fn growth(&self) -> Figure<R> {
        let growth = || {
            let (links, returns) = self.links_and_returns()?;
            growth::linked(links, returns)
        };
        once(&self.growth, growth).cloned()
    }

    /// R.
    pub(crate) fn annualized_return(&self) -> Figure<R> {
        once(&self.annualized_return, || self.annual_rate(&self.growth()?)).cloned()
    }

    /// Standard deviation of the r_i.
    pub(crate) fn volatility_periodic(&self) -> Figure<R> {
        self.spread()?.deviation(self.series.deviation)
    }

    /// A deviation of periodic figures, a year.
    pub(crate) fn annual_deviation(&self, periodic: R) -> R {
        periodic * self.root_periods_per_year.clone()
    }

    /// Annual volatility.
    pub(crate) fn volatility(&self) -> Figure<R> {
        Ok(self.annual_deviation(self.volatility_periodic()?))
    }

    /// √(Σ min(r − m, 0)²/n) × √N, m the periodic minimum acceptable return.
    pub(crate) fn downside_deviation(&self) -> Figure<R> {
        let deviation = || {
            let annual = R::exact(&self.series.minimum_acceptable_return);
            let threshold = growth::periodic(&annual, self.series.periods_per_year)?;
            Ok(self.annual_deviation(dispersion::below::<R>(self.returns()?, &threshold)?))
        };
        once(&self.downside_deviation, deviation).cloned()
    }

    /// The largest fall, and when it was.
    pub(crate) fn drawdown(&self) -> Figure<&(R, DrawdownDates)> {
        once(&self.drawdown, || {
            let (links, returns) = self.links_and_returns()?;
            maximum_drawdown(self.series.start, &self.series.ends(), links, returns)
        })
    }

    pub(crate) fn tail(&self) -> Figure<&Tail<R>> {
        once(&self.tail, || {
            let (links, returns) = self.links_and_returns()?;
            quantile::tail(links, returns, &self.series.confidence_level)
        })
    }

    /// (r_i, b_i) where both exist.
    pub(crate) fn pairs(&self) -> Figure<&Pairs<'a, R>> {
        once(&self.pairs, || Pairs::of(self.series, shared(&self.returns)?))
    }

    /// Co-moments of the pairs.
    pub(crate) fn moments(&self) -> Figure<&CoMoments<R>> {
        once(&self.moments, || {
            let pairs = self.pairs()?;
            let complete = Rc::ptr_eq(&pairs.r, shared(&self.returns)?);
            let r = match complete {
                true => Rc::clone(self.spread()?),
                false => Rc::new(Spread::new(Rc::clone(&pairs.r))?),
            };
            CoMoments::new(r, &pairs.b)
        })
    }

    /// Standard deviation of r − b.
    pub(crate) fn active_deviation(&self) -> Figure<R> {
        let deviation = || {
            let (pairs, basis) = (self.pairs()?, self.series.deviation);
            let known =
                self.moments().ok().and_then(|moments| moments.active_deviation(basis, pairs.largest()));
            known.unwrap_or_else(|| pairs.active_deviation(basis))
        };
        once(&self.active_deviation, deviation).cloned()
    }

    /// 1 + benchmark_return.
    pub(crate) fn benchmark_growth(&self) -> Figure<R> {
        let growth = || {
            let links = self.series.benchmark_links()?;
            match self.pairs() {
                Ok(pairs) => pairs.benchmark_growth(&links),
                Err(_) => growth::linked(&links, &links.rates::<R>()),
            }
        };
        once(&self.benchmark_growth, growth).cloned()
    }

    /// R_b.
    pub(crate) fn benchmark_annualized_return(&self) -> Figure<R> {
        let annual = || self.annual_rate(&self.benchmark_growth()?);
        once(&self.benchmark_annualized_return, annual).cloned()
    }

    /// (1 + Rf)^(1/N) − 1.
    pub(crate) fn risk_free_rate_periodic(&self) -> Figure<R> {
        let periodic = || {
            let annual = R::exact(&self.series.risk_free_rate);
            growth::periodic(&annual, self.series.periods_per_year)
        };
        once(&self.risk_free_rate_periodic, periodic).cloned()
    }

    /// growth^(1/years) − 1.
    fn annual_rate(&self, growth: &R) -> Figure<R> {
        growth::per_year(growth, self.series.years)?.minus(&R::one())
    }
}

/// The figure, computed if it has not been.
fn once<T>(cell: &Once<T>, figure: impl FnOnce() -> Figure<T>) -> Figure<&T> {
    shared(cell.get_or_init(figure))
}

/// A shared figure, for one more use.
pub(crate) fn shared<T>(figure: &Figure<T>) -> Figure<&T> {
    figure.as_ref().map_err(|failure| *failure)
}
