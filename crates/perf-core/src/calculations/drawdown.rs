//! The largest fall of the wealth path from a running peak.

use std::cmp::Ordering;

use chrono::NaiveDate;
use serde::Serialize;

use super::chain::Link;
use crate::model::Reason;
use crate::number::{Figure, Real, Series};

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
/// `start`; levels that differ by dust are the same level.
pub(crate) fn maximum_drawdown<R: Real>(
    start: Option<NaiveDate>,
    links: &[&Link],
    returns: &R::Series,
) -> Figure<(R, DrawdownDates)> {
    if links.is_empty() {
        return Err(Reason::TooFewReturns.into());
    }
    match clear_fall::<R>(links, returns) {
        Some(Place { fall: None, .. }) => Ok((R::zero(), DrawdownDates::default())),
        Some(Place { fall: Some((peak, trough)), recovery }) => {
            let within = |index| index >= peak && index <= trough;
            let end = |index: usize| links.get(index).map(|link| link.end);
            let dates = DrawdownDates {
                peak_date: peak.checked_sub(1).map_or(start, end),
                trough_date: end(trough),
                recovery_date: recovery.and_then(end),
            };
            Ok((R::one() - returns.growth(within), dates))
        }
        None => step_by_step(start, links),
    }
}

/// Where the largest fall is, by index of its first and its last link.
#[derive(Default)]
struct Place {
    fall: Option<(usize, usize)>,
    recovery: Option<usize>,
}

/// The largest fall, where plain `f64` values leave no doubt about any comparison.
fn clear_fall<R: Real>(links: &[&Link], returns: &R::Series) -> Option<Place> {
    /// Several times what one step may lose, relative to the smaller of 1 and its factor.
    const STEP: f64 = 1e-15;
    /// Levels at which nothing over- or underflows.
    const RANGE: std::ops::Range<f64> = 1e-250..1e250;
    let (mut level, mut error) = (1.0, 0.0);
    let (mut peak, mut peak_at, mut worst, mut worst_peak) = (1.0, 0, 0.0, 1.0);
    let mut place = Place::default();
    for (index, link) in links.iter().enumerate() {
        match (link.sign(), link.factor_sign()) {
            (_, Ordering::Less | Ordering::Equal) => return None,
            // The level stays: nothing is decided that was not before.
            (Ordering::Equal, _) => continue,
            _ => {}
        }
        let factor = 1.0 + returns.approximate(index);
        level *= factor;
        error += STEP / factor.min(1.0);
        if !RANGE.contains(&level) {
            return None;
        }
        if place.fall.is_some() && place.recovery.is_none() && clearly(level / worst_peak, 1.0, error)? {
            place.recovery = Some(index);
        }
        if clearly(level / peak, 1.0, error)? {
            (peak, peak_at) = (level, index + 1);
        } else if clearly(1.0 - level / peak, worst, error)? {
            (worst, worst_peak) = (1.0 - level / peak, peak);
            place = Place { fall: Some((peak_at, index)), recovery: None };
        }
    }
    Some(place)
}

/// Whether a is above b, if their errors leave no doubt.
fn clearly(a: f64, b: f64, error: f64) -> Option<bool> {
    ((a - b).abs() > 8.0 * error * a.abs().max(1.0)).then_some(a > b)
}

/// The same with every comparison on the number type itself.
fn step_by_step<R: Real>(start: Option<NaiveDate>, links: &[&Link]) -> Figure<(R, DrawdownDates)> {
    let mut peak = Point { date: start, wealth: R::one() };
    let mut worst = Fall { peak: peak.clone(), size: R::zero(), dates: DrawdownDates::default() };
    let mut wealth = R::one();
    for link in links {
        wealth = wealth * link.factor();
        if wealth.sign()? == Ordering::Less {
            return Err(Reason::TotalLoss.into());
        }
        worst.note_recovery(link.end, &wealth)?;
        match wealth.minus(&peak.wealth)?.sign()? {
            Ordering::Greater => peak = Point { date: Some(link.end), wealth: wealth.clone() },
            Ordering::Equal => {}
            Ordering::Less => worst.note_fall(link.end, &wealth, &peak)?,
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
