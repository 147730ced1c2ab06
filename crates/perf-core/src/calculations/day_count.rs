use chrono::{Datelike, NaiveDate};

use crate::model::DayCount;

/// A length of time in years as an exact fraction; the denominator is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearFraction {
    /// Units of time.
    pub numerator: i64,
    /// Units in a year.
    pub denominator: i64,
}

/// 365 × 366: days of common and of leap years have a common unit.
const ISDA_UNITS: i64 = 365 * 366;

impl DayCount {
    /// Years from `start` to `end` (not before it). Sources: ISDA 2006
    /// Definitions, section 4.16.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use perf_core::model::DayCount;
    /// let day = |month, day| NaiveDate::from_ymd_opt(2023, month, day).ok_or("no such day");
    /// let years = DayCount::Actual365Fixed.years(day(1, 1)?, day(6, 30)?);
    /// assert_eq!((years.numerator, years.denominator), (180, 365));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn years(self, start: NaiveDate, end: NaiveDate) -> YearFraction {
        YearFraction { numerator: self.units(start, end), denominator: self.units_per_year() }
    }

    fn units_per_year(self) -> i64 {
        match self {
            Self::Actual365Fixed => 365,
            Self::Actual36525 => 1461,
            Self::Actual360 | Self::Thirty360 | Self::ThirtyE360 => 360,
            Self::ActualActualIsda => ISDA_UNITS,
        }
    }

    fn units(self, start: NaiveDate, end: NaiveDate) -> i64 {
        match self {
            Self::Actual365Fixed | Self::Actual360 => days_between(start, end),
            Self::Actual36525 => 4 * days_between(start, end),
            Self::ActualActualIsda => isda_units(start, end),
            Self::Thirty360 => {
                let first = start.day().min(30);
                let last = if first == 30 { end.day().min(30) } else { end.day() };
                thirty_day_months(start, end, first, last)
            }
            Self::ThirtyE360 => thirty_day_months(start, end, start.day().min(30), end.day().min(30)),
        }
    }
}

/// Calendar days from `start` to `end`.
pub(crate) fn days_between(start: NaiveDate, end: NaiveDate) -> i64 {
    i64::from(end.num_days_from_ce()) - i64::from(start.num_days_from_ce())
}

fn thirty_day_months(start: NaiveDate, end: NaiveDate, first_day: u32, last_day: u32) -> i64 {
    let years = i64::from(end.year()) - i64::from(start.year());
    let months = i64::from(end.month()) - i64::from(start.month());
    360 * years + 30 * months + i64::from(last_day) - i64::from(first_day)
}

/// Days in leap years count 365 units, days in other years 366.
fn isda_units(start: NaiveDate, end: NaiveDate) -> i64 {
    isda_position(end) - isda_position(start)
}

fn isda_position(date: NaiveDate) -> i64 {
    let unit = if date.leap_year() { 365 } else { 366 };
    i64::from(date.year()) * ISDA_UNITS + i64::from(date.ordinal0()) * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Word;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn units(day_count: DayCount, start: &str, end: &str) -> i64 {
        day_count.years(date(start), date(end)).numerator
    }

    #[test]
    fn follows_each_convention() {
        let (start, end) = ("2007-01-12", "2008-12-01");
        assert_eq!(units(DayCount::Actual365Fixed, start, end), 689);
        assert_eq!(units(DayCount::Actual36525, start, end), 4 * 689);
        assert_eq!(units(DayCount::Thirty360, start, end), 679);
        assert_eq!(units(DayCount::ActualActualIsda, start, end), 354 * 366 + 335 * 365);
    }

    #[test]
    fn month_ends_in_thirty_day_months() {
        assert_eq!(units(DayCount::Thirty360, "2023-01-15", "2023-01-31"), 16);
        assert_eq!(units(DayCount::ThirtyE360, "2023-01-15", "2023-01-31"), 15);
        assert_eq!(units(DayCount::Thirty360, "2023-01-31", "2023-03-31"), 60);
        assert_eq!(units(DayCount::Thirty360, "2023-01-30", "2023-01-31"), 0);
    }

    #[test]
    fn a_calendar_year_is_one_year() {
        for (day_count, _) in DayCount::WORDS {
            let years = day_count.years(date("2023-01-01"), date("2024-01-01"));
            let close = (years.numerator * 365 - years.denominator * 365).abs() <= years.denominator * 6;
            assert!(close, "{day_count:?} {years:?}");
        }
    }
}
