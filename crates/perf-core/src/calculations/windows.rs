//! Which part of the data a request is about.

use chrono::{Datelike, Months, NaiveDate};

use crate::model::{Problem, TimePeriod, TimeSeriesView, Window};

/// First and last day asked for; `None`: as far as the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) start: Option<NaiveDate>,
    pub(crate) end: Option<NaiveDate>,
}

impl Window {
    /// Where the request states it.
    pub(crate) fn pointer(self) -> &'static str {
        match self {
            Self::Custom { .. } => "/period",
            Self::Standing { .. } => "/time_period",
        }
    }

    /// Whether it picks a part of the data.
    pub(crate) fn picks(self) -> bool {
        !matches!(self, Self::Custom { start: None, end: None })
    }

    /// The bounds, given the last date of the data.
    pub(crate) fn bounds(self, last: NaiveDate) -> Bounds {
        match self {
            Self::Custom { start, end } => Bounds { start, end },
            Self::Standing { time_period, as_of } => {
                let end = as_of.unwrap_or(last);
                Bounds { start: time_period.start(end), end: Some(end) }
            }
        }
    }
}

impl TimePeriod {
    /// The day whose valuation opens the window that ends on `end`; `None` for
    /// inception to date.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use perf_core::model::TimePeriod;
    /// let end = NaiveDate::from_ymd_opt(2023, 5, 31).ok_or("no such day")?;
    /// assert_eq!(TimePeriod::Ytd.start(end), NaiveDate::from_ymd_opt(2022, 12, 31));
    /// assert_eq!(TimePeriod::ThreeMonths.start(end), NaiveDate::from_ymd_opt(2023, 2, 28));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn start(self, end: NaiveDate) -> Option<NaiveDate> {
        let months_back = |months| end.checked_sub_months(Months::new(months));
        match self {
            Self::Mtd => day_before_month(end, end.month()),
            Self::Qtd => day_before_month(end, (end.month0() / 3) * 3 + 1),
            Self::Ytd => day_before_month(end, 1),
            Self::OneMonth => months_back(1),
            Self::ThreeMonths => months_back(3),
            Self::SixMonths => months_back(6),
            Self::OneYear => months_back(12),
            Self::ThreeYears => months_back(36),
            Self::FiveYears => months_back(60),
            Self::Itd => None,
        }
    }
}

/// The last day before a month of the date's year.
fn day_before_month(date: NaiveDate, month: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year(), month, 1)?.pred_opt()
}

/// The valuations within a window: from the last one on or before its start (the
/// first there is, where a custom window reaches back further) to the last one on
/// or before its end.
pub(crate) fn select(valuations: TimeSeriesView<'_>, window: Window) -> Result<TimeSeriesView<'_>, Problem> {
    let Some(last) = valuations.dates().last() else { return Err(too_few(window)) };
    let bounds = window.bounds(*last);
    let until = bounds.end.map_or(valuations.len(), |end| valuations.until(end));
    let from = match bounds.start {
        None => 0,
        Some(start) => match valuations.until(start).checked_sub(1) {
            Some(opening) => opening,
            None if matches!(window, Window::Standing { .. }) => return Err(insufficient_history(start)),
            None => 0,
        },
    };
    let rows = valuations.range(from..until);
    if rows.len() < 2 { Err(too_few(window)) } else { Ok(rows) }
}

fn too_few(window: Window) -> Problem {
    Problem::field(
        window.pointer(),
        "too_few_valuations",
        "the period holds fewer than two valuations; widen it or supply valuations at its start and end",
    )
}

/// The data begins after the window does.
pub(crate) fn insufficient_history(start: NaiveDate) -> Problem {
    Problem::field(
        "/time_period",
        "insufficient_history",
        format!("no data on or before {start}, where this window starts; ask for ITD or supply earlier data"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dated, TimeSeries};
    use crate::number::Exact;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn rows(dates: &[&str]) -> TimeSeries {
        dates.iter().map(|text| Dated { date: date(text), value: Exact::from(1) }).collect()
    }

    fn selected(dates: &[&str], window: Window) -> Result<(String, String), &'static str> {
        let rows = rows(dates);
        let selected = select(rows.view(), window).map_err(|problem| problem.code)?.dates();
        Ok((selected[0].to_string(), selected[selected.len() - 1].to_string()))
    }

    #[test]
    fn standing_windows_start_where_the_contract_says() {
        let end = date("2024-02-29");
        let starts = [
            (TimePeriod::Mtd, "2024-01-31"),
            (TimePeriod::Qtd, "2023-12-31"),
            (TimePeriod::Ytd, "2023-12-31"),
            (TimePeriod::OneMonth, "2024-01-29"),
            (TimePeriod::SixMonths, "2023-08-29"),
            (TimePeriod::OneYear, "2023-02-28"),
            (TimePeriod::FiveYears, "2019-02-28"),
        ];
        for (period, start) in starts {
            assert_eq!(period.start(end), Some(date(start)), "{period:?}");
        }
        assert_eq!(TimePeriod::Qtd.start(date("2023-08-15")), Some(date("2023-06-30")));
    }

    #[test]
    fn the_opening_value_is_the_last_on_or_before_the_start() {
        let dates = ["2022-12-28", "2022-12-30", "2023-01-03", "2023-03-01"];
        let ytd = Window::Standing { time_period: TimePeriod::Ytd, as_of: None };
        assert_eq!(selected(&dates, ytd), Ok(("2022-12-30".into(), "2023-03-01".into())));
        let one_year = Window::Standing { time_period: TimePeriod::OneYear, as_of: None };
        assert_eq!(selected(&dates, one_year), Err("insufficient_history"));
        let custom = Window::Custom { start: Some(date("2020-01-01")), end: Some(date("2023-02-01")) };
        assert_eq!(selected(&dates, custom), Ok(("2022-12-28".into(), "2023-01-03".into())));
        let outside = Window::Custom { start: Some(date("2024-01-01")), end: None };
        assert_eq!(selected(&dates, outside), Err("too_few_valuations"));
    }
}
