//! The largest fall of the wealth path from a running peak.

use std::cmp::Ordering;

use chrono::NaiveDate;
use serde::Serialize;

use super::chain::Link;
use crate::model::Reason;
use crate::number::{Figure, Real};

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
    links: &[Link],
) -> Figure<(R, DrawdownDates)> {
    if links.is_empty() {
        return Err(Reason::TooFewReturns.into());
    }
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
