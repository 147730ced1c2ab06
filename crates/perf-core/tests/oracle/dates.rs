//! Day counts and the number of periods per year.

use chrono::{Datelike, NaiveDate};

/// The six day-count conventions of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayCount {
    /// Calendar days over 365.
    Act365F,
    /// Calendar days over 365.25.
    Act36525,
    /// Calendar days over 360.
    Act360,
    /// Days in ordinary years over 365 plus days in leap years over 366.
    ActActIsda,
    /// 30/360 bond basis (ISDA 2006): the 31st becomes the 30th; at the end only after a 30th.
    Thirty360,
    /// 30E/360, Eurobond basis: the 31st becomes the 30th at both ends.
    ThirtyE360,
}

/// Calendar days from `start` to `end`.
pub fn days(start: NaiveDate, end: NaiveDate) -> i64 {
    (end - start).num_days()
}

/// Years from `start` to `end` as an exact fraction: numerator and denominator. The
/// denominator depends on the convention alone.
pub fn year_fraction(day_count: DayCount, start: NaiveDate, end: NaiveDate) -> (i64, i64) {
    match day_count {
        DayCount::Act365F => (days(start, end), 365),
        DayCount::Act36525 => (4 * days(start, end), 1461),
        DayCount::Act360 => (days(start, end), 360),
        DayCount::ActActIsda => act_act(start, end),
        DayCount::Thirty360 => {
            let first = start.day().min(30);
            let last = if first == 30 { end.day().min(30) } else { end.day() };
            (thirty(start, first, end, last), 360)
        }
        DayCount::ThirtyE360 => (thirty(start, start.day().min(30), end, end.day().min(30)), 360),
    }
}

fn thirty(start: NaiveDate, first: u32, end: NaiveDate, last: u32) -> i64 {
    let years = i64::from(end.year()) - i64::from(start.year());
    let months = i64::from(end.month()) - i64::from(start.month());
    360 * years + 30 * months + i64::from(last) - i64::from(first)
}

fn act_act(start: NaiveDate, end: NaiveDate) -> (i64, i64) {
    let mut numerator = 0;
    let mut from = start;
    while from < end {
        let next_year = NaiveDate::from_ymd_opt(from.year() + 1, 1, 1).unwrap();
        let to = next_year.min(end);
        let weight = if from.leap_year() { 365 } else { 366 };
        numerator += weight * days(from, to);
        from = next_year;
    }
    (numerator, 365 * 366)
}

/// Periods per year inferred from the median spacing of `dates`, 1 where there is none.
pub fn infer_periods_per_year(dates: &[NaiveDate]) -> u32 {
    let mut spacings: Vec<i64> = dates.windows(2).map(|pair| days(pair[0], pair[1])).collect();
    spacings.sort_unstable();
    if spacings.is_empty() {
        return 1;
    }
    let count = spacings.len();
    let twice_median = spacings[(count - 1) / 2] + spacings[count / 2];
    match twice_median {
        ..=8 => 252,
        9..=20 => 52,
        21..=90 => 12,
        91..=240 => 4,
        _ => 1,
    }
}
