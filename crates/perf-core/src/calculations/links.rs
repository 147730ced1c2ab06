//! The returns of all sub-periods side by side, as exact fractions.

use std::cmp::Ordering;

use chrono::NaiveDate;

use super::chain::{Interval, Link, SubPeriod, outermost, sub_periods};
use super::cutting;
use crate::model::{CashFlow, Method, TimeSeries, TimeSeriesView, Timing};
use crate::number::{DecimalsView, Integers, Real, Series, Whole};

/// Returns in a row, `gain` / `capital` each, exactly; capitals above zero.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    gains: Integers,
    capitals: Integers,
}

impl Links {
    pub(super) fn new(gains: Integers, capitals: Integers) -> Self {
        Self { gains, capitals }
    }

    pub(crate) fn len(&self) -> usize {
        self.gains.len()
    }

    /// One of them.
    pub(crate) fn get(&self, index: usize) -> Option<Link> {
        Some(Link { gain: self.gains.get(index)?, capital: self.capitals.get(index)? })
    }

    /// The returns as numbers.
    pub(crate) fn rates<R: Real>(&self) -> R::Series {
        Series::ratios(&self.gains, &self.capitals)
    }

    /// The gains: their signs are those of the returns.
    pub(crate) fn gains(&self) -> &Integers {
        &self.gains
    }

    /// Whether every 1 + r is above zero; `least` is about the smallest r.
    pub(crate) fn are_solvent(&self, least: f64) -> bool {
        /// Far above the rounding of an `f64`.
        const CLEAR: f64 = -1.0 + 1e-9;
        least > CLEAR || self.gains.sums_are_positive(&self.capitals)
    }

    /// The sign of 1 + r.
    pub(crate) fn factor_sign(&self, index: usize) -> Ordering {
        self.get(index).map_or(Ordering::Equal, |link| (&link.gain + &link.capital).sign())
    }

    /// r compared with that of another index, exactly.
    pub(crate) fn compare(&self, index: usize, other: usize) -> Ordering {
        match (self.get(index), self.get(other)) {
            (Some(a), Some(b)) => a.compare(&b),
            _ => Ordering::Equal,
        }
    }

    /// Those whose index is to be kept.
    pub(crate) fn keeping(&self, keep: impl Fn(usize) -> bool) -> Self {
        Self::new(self.gains.keeping(&keep), self.capitals.keeping(&keep))
    }

    fn from_links(links: impl Iterator<Item = Link>) -> Self {
        let (gains, capitals): (Vec<Whole>, Vec<Whole>) = links.map(|link| (link.gain, link.capital)).unzip();
        Self::new(gains.into(), capitals.into())
    }

    /// Returns supplied as such.
    pub(crate) fn supplied(values: DecimalsView<'_>) -> Self {
        let (gains, capitals) = values.fractions();
        Self::new(gains, capitals)
    }

    /// One return for the product of several supplied ones.
    pub(crate) fn compounded(values: DecimalsView<'_>) -> Self {
        let mut whole = Link::none();
        for value in values.iter() {
            let (gain, capital) = (value.mantissa(), Whole::power_of_ten(value.scale()));
            // (1 + a/b)(1 + c/d) − 1 = (a·d + c·(a + b)) / (b·d)
            whole.gain = &(&whole.gain * &capital) + &(gain * &(&whole.gain + &whole.capital));
            whole.capital = &whole.capital * &capital;
        }
        Self::from_links(std::iter::once(whole))
    }

    /// The changes from one of some positive levels to another, by their indices; no
    /// change where there is none.
    pub(crate) fn between(levels: DecimalsView<'_>, steps: &[Step]) -> Self {
        cutting::changes(levels, steps).unwrap_or_else(|| {
            let scale = levels.scale();
            let level = |index: usize| Some(levels.get(index)?.mantissa_at(scale));
            Self::from_links(steps.iter().map(|step| {
                let ends = step.and_then(|(from, to)| Some((level(from)?, level(to)?)));
                ends.map_or_else(Link::none, |(capital, to)| Link { gain: &to - &capital, capital })
            }))
        })
    }
}

/// From one index to another, where there is a step at all.
pub(crate) type Step = Option<(usize, usize)>;

/// A sub-period that has no return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Neither capital nor gain: left out of the chain.
    Idle,
    /// Gain, or debt, without capital: ends the chain.
    NoCapital,
}

/// The returns of consecutive sub-periods. One that has none stands as a zero, and
/// among the gaps.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// End of each.
    pub(crate) ends: Vec<NaiveDate>,
    pub(crate) links: Links,
    /// By index, ascending.
    pub(crate) gaps: Vec<(usize, Gap)>,
}

impl Chain {
    pub(crate) fn gap(&self, index: usize) -> Option<Gap> {
        let position = self.gaps.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.gaps.get(position).map(|(_, gap)| *gap)
    }

    /// Ends of the gaps of one kind.
    pub(crate) fn ends_of(&self, wanted: Gap) -> Vec<NaiveDate> {
        let gaps = self.gaps.iter().filter(|(_, gap)| *gap == wanted);
        gaps.filter_map(|(index, _)| self.ends.get(*index).copied()).collect()
    }

    /// Returns supplied as such.
    pub(crate) fn supplied(rows: TimeSeriesView<'_>) -> Self {
        Self { ends: rows.dates().to_vec(), links: Links::supplied(rows.values()), gaps: Vec::new() }
    }

    /// The returns of intervals that end on these dates.
    pub(crate) fn from_intervals(ends: Vec<NaiveDate>, intervals: Vec<Interval>) -> Self {
        let mut gaps = Vec::new();
        let links = intervals.into_iter().enumerate().map(|(index, interval)| match interval {
            Interval::Earning(link) => link,
            Interval::Idle => {
                gaps.push((index, Gap::Idle));
                Link::none()
            }
            Interval::NoCapital => {
                gaps.push((index, Gap::NoCapital));
                Link::none()
            }
        });
        let links = Links::from_links(links);
        Self { ends, links, gaps }
    }

    /// The returns between valuations, in date order, with the flows within them.
    pub(crate) fn cut(valuations: TimeSeriesView<'_>, flows: &[(&CashFlow, Timing)], method: Method) -> Self {
        let outermost = outermost(valuations, method);
        let boundaries = outermost.as_ref().map_or(valuations, TimeSeries::view);
        let ends = boundaries.dates().get(1..).unwrap_or_default().to_vec();
        match cutting::cut(boundaries, &ends, flows) {
            Some((links, gaps)) => Self { ends, links, gaps },
            None => {
                let periods = sub_periods(valuations, flows, method);
                Self::from_intervals(ends, periods.iter().map(SubPeriod::interval).collect())
            }
        }
    }
}
