//! The largest fall of the wealth path from a running peak.

use std::cell::Cell;
use std::cmp::Ordering;

use chrono::NaiveDate;
use serde::Serialize;

use super::links::Links;
use crate::model::Reason;
use crate::number::{BLOCK, BlockProducts, Chosen, Figure, Real, Series, block_products};

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
    let values = returns.approximations();
    let place = match Path::<R>::new(links, returns, &values) {
        Some(path) => path.largest_fall()?,
        None => None,
    };
    match place {
        None => step_by_step(start, ends, links),
        Some(Place { peak, trough, .. }) if peak == trough => Ok((R::zero(), DrawdownDates::default())),
        Some(Place { peak, trough, recovery }) => {
            let date = |level: usize| level.checked_sub(1).map_or(start, |link| ends.get(link).copied());
            let dates = DrawdownDates {
                peak_date: date(peak),
                trough_date: date(trough),
                recovery_date: recovery.and_then(date),
            };
            Ok((R::one() - returns.growth(&Chosen::Within(peak..trough)), dates))
        }
    }
}

/// Where the largest fall is, by number of the level: 0 is the start, k what link k − 1 ends at.
/// Nothing falls where the peak is the trough.
#[derive(Clone, Copy, Debug)]
struct Place {
    peak: usize,
    trough: usize,
    recovery: Option<usize>,
}

/// What the deepest and the second deepest level leave of their peaks, and where the
/// deepest is: numbers of its peak and of itself.
struct Deepest {
    least: f64,
    second: f64,
    fall: Option<(usize, usize)>,
}

/// Levels as plain `f64` values, in blocks that are worked out where they matter, and how
/// far off their ratios may be. Where that leaves a doubt, the number type decides.
struct Path<'a, R: Real> {
    links: &'a Links,
    returns: &'a R::Series,
    rates: &'a [f64],
    blocks: Vec<Block>,
    error: f64,
    /// How many doubts may still be decided.
    decisions: Cell<usize>,
}

/// The levels that [`BLOCK`] links end at.
struct Block {
    /// The level before them.
    start: f64,
    lowest: f64,
    highest: f64,
}

impl<'a, R: Real> Path<'a, R> {
    /// With more doubts than this, going step by step is less work.
    const MAX_DECISIONS: usize = 64;

    /// No path where a level is not above zero, or too large or small.
    fn new(links: &'a Links, returns: &'a R::Series, rates: &'a [f64]) -> Option<Self> {
        /// Several times what one step may lose, relative to the smaller of 1 and its factor.
        const STEP: f64 = 1e-15;
        /// Levels at which nothing over- or underflows.
        const RANGE: std::ops::RangeInclusive<f64> = 1e-250..=1e250;
        let mut start = 1.0;
        let block = |products: BlockProducts| {
            let [lowest, highest, end] = products.map(|product| start * product);
            let block = Block { start, lowest, highest };
            start = end;
            block
        };
        let blocks: Vec<Block> = block_products(rates).into_iter().map(block).collect();
        let [worst, _] = returns.extremes();
        let smallest = if worst < 0.0 { 1.0 + worst } else { 1.0 };
        let error = STEP * (rates.len() + 1) as f64 / smallest;
        let within = |block: &Block| RANGE.contains(&block.lowest) && RANGE.contains(&block.highest);
        (blocks.iter().all(within) && links.are_solvent(worst) && error < 1e-3).then_some(Self {
            links,
            returns,
            rates,
            blocks,
            error,
            decisions: Cell::new(Self::MAX_DECISIONS),
        })
    }

    /// The largest fall; none where falls from different peaks are too much alike, or
    /// too many levels.
    fn largest_fall(&self) -> Figure<Option<Place>> {
        let Deepest { least, second, fall } = self.deepest();
        let Some((peak_at, trough)) = fall else {
            // No fall at all: exact where nothing was lost, open where something may have been.
            let falls = self.links.gains().count(Ordering::Less) > 0;
            return Ok((!falls).then_some(Place { peak: 0, trough: 0, recovery: None }));
        };
        let Some(trough) = self.first_trough(peak_at, trough, (least, second))? else { return Ok(None) };
        let peak = self.first_peak(peak_at, trough)?;
        let recovery = self.recovery(peak, trough)?;
        Ok((self.decisions.get() > 0).then_some(Place { peak, trough, recovery }))
    }

    /// What the deepest fall leaves at most: the deepest of those from one block to a later one.
    fn known_depth(&self) -> f64 {
        let (mut peak, mut least) = (1.0, 1.0);
        for Block { lowest, highest, .. } in &self.blocks {
            least = f64::min(least, lowest / peak);
            peak = f64::max(peak, *highest);
        }
        least
    }

    /// The deepest fall. A block is passed over whose levels all leave clearly more of any peak.
    fn deepest(&self) -> Deepest {
        let enough = self.known_depth() * (1.0 + 16.0 * self.error);
        let (mut peak, mut least, mut second, mut fall) = (1.0, 1.0, 1.0, None);
        for (number, block) in self.blocks.iter().enumerate() {
            let highest = block.highest.max(peak);
            if block.lowest >= enough * highest {
                peak = highest;
                continue;
            }
            for (number, level) in self.levels_of(number, block) {
                if level > peak {
                    peak = level;
                } else if level < second * peak {
                    let left = level / peak;
                    if left < least {
                        (second, least, fall) = (least, left, Some((peak, number)));
                    } else {
                        second = left;
                    }
                }
            }
        }
        let place = |(peak, trough)| Some((self.at_least(peak, 0).next()?.0, trough));
        Deepest { least, second, fall: fall.and_then(place) }
    }

    /// The levels of a block with their numbers.
    fn levels_of(&self, block: usize, of: &Block) -> impl Iterator<Item = (usize, f64)> {
        let (first, start) = (block * BLOCK, of.start);
        let rates = self.rates.iter().skip(first).take(BLOCK);
        let levels = rates.scan(1.0, move |product, rate| {
            *product *= 1.0 + rate;
            Some(start * *product)
        });
        (first + 1..).zip(levels)
    }

    /// Levels that are at least so high, from a number on.
    fn at_least(&self, least: f64, from: usize) -> impl Iterator<Item = (usize, f64)> {
        let blocks = self.blocks.iter().enumerate().skip(from.saturating_sub(1) / BLOCK);
        let high = blocks.filter(move |(_, block)| block.highest >= least);
        let levels = high.flat_map(|(number, block)| self.levels_of(number, block));
        let levels = std::iter::once((0, 1.0)).chain(levels);
        levels.filter(move |(number, level)| *number >= from && *level >= least)
    }

    /// A level with the others after it that are as low, if they fall from the same peak.
    fn first_trough(&self, peak: usize, trough: usize, depths: (f64, f64)) -> Figure<Option<usize>> {
        let (least, second) = depths;
        let near = least * (1.0 + 8.0 * self.error);
        if second > near {
            return Ok(Some(trough));
        }
        let (mut first, mut highest) = (None, 0.0);
        for (number, level) in self.at_least(0.0, 0) {
            highest = level.max(highest);
            if level > near * highest {
                continue;
            }
            if highest > self.level(peak) || number < peak {
                return Ok(None);
            }
            first = match first {
                Some(known) if self.compare(known, number)? != Ordering::Less => Some(known),
                _ => Some(number),
            };
        }
        Ok(first)
    }

    /// The first of the highest levels up to the trough.
    fn first_peak(&self, peak: usize, trough: usize) -> Figure<usize> {
        let near = self.level(peak) * (1.0 - 8.0 * self.error);
        let mut numbers =
            self.at_least(near, 0).map(|(number, _)| number).take_while(|number| *number < trough);
        let first = numbers.next().unwrap_or(peak);
        numbers.try_fold(first, |best, number| {
            Ok(if self.compare(best, number)? == Ordering::Greater { number } else { best })
        })
    }

    /// The first level after the trough that is back at the peak's.
    fn recovery(&self, peak: usize, trough: usize) -> Figure<Option<usize>> {
        let level = self.level(peak);
        let (below, above) = (level * (1.0 - 8.0 * self.error), level * (1.0 + 8.0 * self.error));
        for (number, level) in self.at_least(below, trough + 1) {
            if level > above || self.compare(peak, number)? != Ordering::Less {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn level(&self, number: usize) -> f64 {
        let block = number.saturating_sub(1) / BLOCK;
        let levels = self.blocks.get(block).map(|of| self.levels_of(block, of));
        let found = levels.into_iter().flatten().find(|(own, _)| *own == number);
        found.map_or(1.0, |(_, level)| level)
    }

    /// A later level compared with an earlier one, dust apart; whatever once too many
    /// have been.
    fn compare(&self, earlier: usize, later: usize) -> Figure<Ordering> {
        let left = self.decisions.get().saturating_sub(1);
        self.decisions.set(left);
        if left == 0 {
            return Ok(Ordering::Equal);
        }
        let gains = self.links.gains();
        if (earlier..later).all(|link| gains.sign(link) == Ordering::Equal) {
            return Ok(Ordering::Equal);
        }
        self.returns.growth(&Chosen::Within(earlier..later)).minus(&R::one())?.sign()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculations::links::Chain;
    use crate::model::{Dated, Method, TimeSeries};
    use crate::number::{Ball, Exact, Wide};
    use proptest::prelude::*;

    fn chain(values: &[i64]) -> (NaiveDate, Chain) {
        let start = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date");
        let dates = start.iter_days();
        let rows: TimeSeries =
            dates.zip(values).map(|(date, value)| Dated { date, value: Exact::new(*value, 2) }).collect();
        (start, Chain::cut(rows.view(), &[], Method::Daily))
    }

    proptest! {
        /// Few different values: levels are often reached again, from above and from below.
        #[test]
        fn the_largest_fall_is_that_of_every_step_on_the_wide_type(
            values in prop::collection::vec(prop::sample::select(vec![80_i64, 90, 99, 100, 101, 110, 3_333]), 2..40),
        ) {
            let (start, Chain { ends, links, .. }) = chain(&values);
            let returns = links.rates::<Wide>();
            let expected = step_by_step::<Wide>(Some(start), &ends, &links).expect("a fall");
            let (size, dates) = maximum_drawdown::<Wide>(Some(start), &ends, &links, &returns).expect("a fall");
            prop_assert_eq!(dates, expected.1);
            prop_assert_eq!(size.round(), expected.0.round());
            if let Ok((size, dates)) = maximum_drawdown::<Ball>(Some(start), &ends, &links, &links.rates::<Ball>()) {
                prop_assert_eq!(dates, expected.1);
                prop_assert!(size.round().is_err() || size.round() == expected.0.round());
            }
        }
    }
}
