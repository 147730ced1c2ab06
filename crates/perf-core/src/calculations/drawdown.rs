//! The largest fall of the wealth path from a running peak.

use std::cmp::Ordering;

use chrono::NaiveDate;
use serde::Serialize;

use super::links::Links;
use crate::model::Reason;
use crate::number::{Chosen, Figure, Real, Series, extremes};

/// When the maximum drawdown happened; dates that the data does not tell, or that
/// have not come, are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrawdownDates {
    /// First date at the level that the fall started from.
    pub peak_date: Option<NaiveDate>,
    /// First date at the lowest level.
    pub trough_date: Option<NaiveDate>,
    /// First date back at the peak's level.
    pub recovery_date: Option<NaiveDate>,
}

/// A level of wealth and the first date at it.
#[derive(Clone)]
struct Point<R> {
    date: Option<NaiveDate>,
    wealth: R,
}

struct Fall<R> {
    peak: Point<R>,
    size: R,
    dates: DrawdownDates,
}

/// The largest fall as a fraction of its peak, of the path that starts at 1 on
/// `start`; levels that differ by dust are the same level. `ends` are the links'.
pub(crate) fn maximum_drawdown<R: Real>(
    start: Option<NaiveDate>,
    ends: &[NaiveDate],
    links: &Links,
    returns: &R::Series,
) -> Figure<(R, DrawdownDates)> {
    match Path::new(links, &returns.approximations()).and_then(|path| path.clear_fall()) {
        Some(Place { fall: None, .. }) => Ok((R::zero(), DrawdownDates::default())),
        Some(Place { fall: Some((peak, trough)), recovery }) => {
            let end = |index: usize| ends.get(index).copied();
            let dates = DrawdownDates {
                peak_date: peak.checked_sub(1).map_or(start, end),
                trough_date: end(trough),
                recovery_date: recovery.and_then(end),
            };
            Ok((R::one() - returns.growth(&Chosen::Within(peak..trough + 1)), dates))
        }
        None => step_by_step(start, ends, links),
    }
}

/// Where the largest fall is, by index of its first and its last link.
#[derive(Clone, Copy, Default)]
struct Place {
    fall: Option<(usize, usize)>,
    recovery: Option<usize>,
}

/// The levels after each link as plain `f64` values, and how far off their ratios may be.
struct Path<'a> {
    links: &'a Links,
    levels: Vec<f64>,
    error: f64,
}

impl<'a> Path<'a> {
    /// No path where a level is not above zero, or too large or small.
    fn new(links: &'a Links, returns: &[f64]) -> Option<Self> {
        /// Several times what one step may lose, relative to the smaller of 1 and its factor.
        const STEP: f64 = 1e-15;
        /// Levels at which nothing over- or underflows.
        const RANGE: std::ops::RangeInclusive<f64> = 1e-250..=1e250;
        let mut level = 1.0;
        let step = |rate: &f64| {
            level *= 1.0 + rate;
            level
        };
        let levels: Vec<f64> = returns.iter().map(step).collect();
        let [worst, _] = extremes(returns);
        let [lowest, highest] = extremes(&levels);
        let smallest = if worst < 0.0 { 1.0 + worst } else { 1.0 };
        let error = STEP * levels.len() as f64 / smallest;
        let within = RANGE.contains(&lowest) && RANGE.contains(&highest);
        (within && links.are_solvent() && error < 1e-3).then_some(Self { links, levels, error })
    }

    /// The largest fall, where plain `f64` values leave no doubt about any comparison.
    fn clear_fall(&self) -> Option<Place> {
        let (mut peak, mut peak_at) = (1.0, 0);
        // What the deepest and the second deepest level leave of their peaks.
        let (mut least, mut second, mut fall) = (1.0, 1.0, None);
        for (index, level) in self.levels.iter().enumerate() {
            if *level > peak {
                (peak, peak_at) = (*level, index + 1);
            } else if *level < second * peak {
                let left = level / peak;
                if left < least {
                    (second, least) = (least, left);
                    fall = Some((peak_at, index));
                } else {
                    second = left;
                }
            }
        }
        let Some((peak_at, trough)) = fall else {
            // No fall at all: exact where nothing was lost, open where something may have been.
            return self.never_falls().then(Place::default);
        };
        let worst_peak = peak_at.checked_sub(1).map_or(Some(1.0), |index| self.levels.get(index).copied())?;
        let only_trough = second > self.above(least) || self.is_only_trough(least, trough);
        let certain = only_trough && self.is_only_peak(peak_at, trough, worst_peak);
        let recovery = self.recovery(trough, worst_peak)?;
        certain.then_some(Place { fall, recovery })
    }

    /// Clearly above a level, or a ratio of levels.
    fn above(&self, level: f64) -> f64 {
        level * (1.0 + 8.0 * self.error)
    }

    /// Clearly below it.
    fn below(&self, level: f64) -> f64 {
        level * (1.0 - 8.0 * self.error)
    }

    /// Whether no link loses anything.
    fn never_falls(&self) -> bool {
        (0..self.levels.len()).all(|index| self.links.gains().sign(index) != Ordering::Less)
    }

    /// Whether the level before link `peak_at` is reached nowhere else up to the
    /// trough, but where it stays at once.
    fn is_only_peak(&self, peak_at: usize, trough: usize, peak: f64) -> bool {
        let near = self.below(peak);
        let (before, after) = self.levels.split_at_checked(peak_at).unwrap_or_default();
        let after = after.get(..trough.saturating_sub(peak_at)).unwrap_or_default();
        let high = |levels: &[f64]| levels.iter().filter(|level| **level >= near).count();
        // The start is a level too, and one of them is the peak itself.
        let alone = high(before) + usize::from(near <= 1.0) == 1;
        let mut later = (peak_at..trough).filter(|index| self.level(*index) >= near);
        alone && (high(after) == 0 || later.all(|index| self.stays(peak_at, index)))
    }

    /// Whether no other fall is as deep, but where the trough's level stays at once.
    fn is_only_trough(&self, least: f64, trough: usize) -> bool {
        let near = self.above(least);
        let mut peak = 1.0;
        self.levels.iter().enumerate().all(|(index, level)| {
            peak = if *level > peak { *level } else { peak };
            *level > near * peak || index == trough || (index > trough && self.stays(trough + 1, index))
        })
    }

    /// The first link after the trough that ends at the peak's level; none where that is open.
    fn recovery(&self, trough: usize, peak: f64) -> Option<Option<usize>> {
        let (below, above) = (self.below(peak), self.above(peak));
        let mut later = (trough + 1..self.levels.len()).filter(|index| self.level(*index) >= below);
        match later.next() {
            None => Some(None),
            Some(index) => (self.level(index) > above).then_some(Some(index)),
        }
    }

    fn level(&self, index: usize) -> f64 {
        self.levels.get(index).copied().unwrap_or_default()
    }

    /// Whether every return from the link `first` to the link `last` is exactly zero.
    fn stays(&self, first: usize, last: usize) -> bool {
        (first..=last).all(|index| self.links.gains().sign(index) == Ordering::Equal)
    }
}

/// The same with every comparison on the number type itself.
fn step_by_step<R: Real>(
    start: Option<NaiveDate>,
    ends: &[NaiveDate],
    links: &Links,
) -> Figure<(R, DrawdownDates)> {
    let mut peak = Point { date: start, wealth: R::one() };
    let mut worst = Fall { peak: peak.clone(), size: R::zero(), dates: DrawdownDates::default() };
    let mut wealth = R::one();
    for (index, end) in ends.iter().enumerate() {
        let Some(link) = links.get(index) else { break };
        wealth = wealth * link.factor();
        if wealth.sign()? == Ordering::Less {
            return Err(Reason::TotalLoss.into());
        }
        worst.note_recovery(*end, &wealth)?;
        match wealth.minus(&peak.wealth)?.sign()? {
            Ordering::Greater => peak = Point { date: Some(*end), wealth: wealth.clone() },
            Ordering::Equal => {}
            Ordering::Less => worst.note_fall(*end, &wealth, &peak)?,
        }
    }
    Ok((worst.size, worst.dates))
}

impl<R: Real> Fall<R> {
    fn note_fall(&mut self, date: NaiveDate, wealth: &R, peak: &Point<R>) -> Figure<()> {
        let size = (peak.wealth.clone() - wealth.clone()) / peak.wealth.clone();
        if size.minus(&self.size)?.sign()? == Ordering::Greater {
            let dates = DrawdownDates { peak_date: peak.date, trough_date: Some(date), recovery_date: None };
            *self = Self { peak: peak.clone(), size, dates };
        }
        Ok(())
    }

    fn note_recovery(&mut self, date: NaiveDate, wealth: &R) -> Figure<()> {
        let open = self.dates.trough_date.is_some() && self.dates.recovery_date.is_none();
        if open && wealth.minus(&self.peak.wealth)?.sign()? != Ordering::Less {
            self.dates.recovery_date = Some(date);
        }
        Ok(())
    }
}
