use std::ops::Range;

use chrono::NaiveDate;

use super::Dated;
use crate::number::{Decimals, DecimalsView};

/// Numbers on dates, in date order, each date once; dates and numbers stand apart,
/// as loops want them.
///
/// ```
/// use perf_core::model::{Dated, TimeSeries};
/// let january = "2023-01-31".parse()?;
/// let series: TimeSeries = [Dated { date: january, value: 100.into() }].into_iter().collect();
/// assert_eq!(series.view().last().map(|row| row.date), Some(january));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeSeries {
    dates: Vec<NaiveDate>,
    values: Decimals,
}

/// A stretch of a [`TimeSeries`].
#[derive(Clone, Copy, Debug, Default)]
pub struct TimeSeriesView<'a> {
    dates: &'a [NaiveDate],
    values: DecimalsView<'a>,
}

impl TimeSeries {
    /// All of it.
    #[must_use]
    pub fn view(&self) -> TimeSeriesView<'_> {
        TimeSeriesView { dates: &self.dates, values: self.values.view() }
    }

    /// From rows, with room for so many of them.
    pub(crate) fn with_room(count: usize, rows: impl Iterator<Item = Dated>) -> Self {
        let mut series = Self { dates: Vec::with_capacity(count), values: Decimals::with_capacity(count) };
        for row in rows {
            series.dates.push(row.date);
            series.values.push(row.value);
        }
        series
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dates.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty()
    }
}

impl FromIterator<Dated> for TimeSeries {
    fn from_iter<I: IntoIterator<Item = Dated>>(rows: I) -> Self {
        let rows = rows.into_iter();
        Self::with_room(rows.size_hint().0, rows)
    }
}

impl<'a> TimeSeriesView<'a> {
    /// The dates.
    #[must_use]
    pub fn dates(self) -> &'a [NaiveDate] {
        self.dates
    }

    /// The numbers.
    #[must_use]
    pub fn values(self) -> DecimalsView<'a> {
        self.values
    }

    /// How many rows.
    #[must_use]
    pub fn len(self) -> usize {
        self.dates.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.dates.is_empty()
    }

    /// One row.
    #[must_use]
    pub fn get(self, index: usize) -> Option<Dated> {
        Some(Dated { date: *self.dates.get(index)?, value: self.values.get(index)? })
    }

    /// The first row.
    #[must_use]
    pub fn first(self) -> Option<Dated> {
        self.get(0)
    }

    /// The last row.
    #[must_use]
    pub fn last(self) -> Option<Dated> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The rows of a range; none where it holds more than there are.
    #[must_use]
    pub fn range(self, range: Range<usize>) -> Self {
        match (self.dates.get(range.clone()), self.values.range(range)) {
            (Some(dates), Some(values)) => Self { dates, values },
            _ => Self::default(),
        }
    }

    /// How many rows are on or before a date.
    #[must_use]
    pub fn until(self, date: NaiveDate) -> usize {
        self.dates.partition_point(|own| *own <= date)
    }

    /// Each row.
    pub fn iter(self) -> impl Iterator<Item = Dated> + 'a {
        let rows = self.dates.iter().zip(self.values.iter());
        rows.map(|(date, value)| Dated { date: *date, value })
    }
}
