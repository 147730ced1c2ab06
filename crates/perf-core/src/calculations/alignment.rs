//! The benchmark's return over each of the portfolio's sub-periods.

use chrono::NaiveDate;

use super::day_count::days_between;
use super::facts::Aligned;
use super::links::Links;
use crate::model::{Benchmark, BenchmarkSeries, FieldError, Method, Problem, TimeSeriesView};

/// Oldest benchmark value that may stand for a date.
const MAX_AGE_DAYS: i64 = 5;

/// The portfolio's sub-periods, as the benchmark sees them.
pub(crate) struct Grid<'a> {
    /// Start of the first, where known.
    pub(crate) start: Option<NaiveDate>,
    /// End of each.
    pub(crate) ends: &'a [NaiveDate],
    /// Those of the valuations used, where there are any.
    pub(crate) valued_on: &'a [NaiveDate],
    /// Whether the request picks a part of the data, so that returns outside it are
    /// not used rather than out of place.
    pub(crate) picked: bool,
}

/// Lays the benchmark over the grid. Values are sampled, never from the future;
/// returns must cover the sub-periods exactly.
pub(crate) fn align(
    benchmark: Option<&Benchmark>,
    grid: &Grid<'_>,
    method: Method,
) -> Result<Option<Aligned>, Problem> {
    match benchmark.map(|benchmark| &benchmark.series) {
        None => Ok(None),
        Some(BenchmarkSeries::Values(values)) => Ok(Some(sampled(values.view(), grid))),
        Some(BenchmarkSeries::Returns(returns)) => {
            Ok(Some(Aligned { links: covering(returns.view(), grid, method)?, missing: Vec::new() }))
        }
    }
}

fn sampled(values: TimeSeriesView<'_>, grid: &Grid<'_>) -> Aligned {
    let mut place = 0;
    let mut from = grid.start.and_then(|start| value_on(values.dates(), &mut place, start));
    let mut missing = Vec::new();
    let mut steps = Vec::with_capacity(grid.ends.len());
    for (index, end) in grid.ends.iter().enumerate() {
        let to = value_on(values.dates(), &mut place, *end);
        let step = from.zip(to);
        if step.is_none() {
            missing.push(index);
        }
        steps.push(step);
        from = to;
    }
    Aligned { links: Links::between(values.values(), &steps), missing }
}

/// Index of the last value on or before a date, unless it is too old. It is looked for
/// from `place` on, which moves there: dates come in ascending order.
fn value_on(dates: &[NaiveDate], place: &mut usize, date: NaiveDate) -> Option<usize> {
    while dates.get(*place + 1).is_some_and(|next| *next <= date) {
        *place += 1;
    }
    let own = dates.get(*place).filter(|own| **own <= date)?;
    (days_between(*own, date) <= MAX_AGE_DAYS).then_some(*place)
}

fn covering(returns: TimeSeriesView<'_>, grid: &Grid<'_>, method: Method) -> Result<Links, Problem> {
    let last = grid.ends.last().copied().unwrap_or(NaiveDate::MIN);
    let first = grid.ends.first().copied().unwrap_or(last);
    let begun = |date: NaiveDate| grid.start.map_or(date >= first, |start| date > start);
    // In date order, so that those inside stand together.
    let from = returns.dates().partition_point(|date| grid.picked && !begun(*date));
    let until = returns.dates().partition_point(|date| !grid.picked || *date <= last);
    let within = returns.range(from..until);
    if are_same(within.dates(), grid.ends) {
        return Ok(Links::supplied(within.values()));
    }
    let between_valuations = grid.valued_on.get(1..).unwrap_or_default();
    if method == Method::ModifiedDietz && are_same(within.dates(), between_valuations) {
        return Ok(Links::compounded(within.values()));
    }
    Err(mismatch(within.dates(), grid))
}

/// Counted without a stop, which is quicker than to look for the first difference.
fn are_same(dates: &[NaiveDate], others: &[NaiveDate]) -> bool {
    let different = dates.iter().zip(others).filter(|(date, other)| date != other).count();
    dates.len() == others.len() && different == 0
}

/// Every sub-period without a return, and every return without a sub-period.
fn mismatch(within: &[NaiveDate], grid: &Grid<'_>) -> Problem {
    let error = |finding: String| FieldError {
        pointer: "/benchmark/returns".to_owned(),
        code: "benchmark_mismatch",
        message: format!("expected one benchmark return for each sub-period, dated on its end; {finding}"),
    };
    let missing = grid.ends.iter().filter(|end| within.binary_search(end).is_err());
    let surplus = within.iter().filter(|date| grid.ends.binary_search(date).is_err());
    let missing = missing.map(|date| error(format!("there is none for the sub-period ending {date}")));
    let surplus = surplus.map(|date| error(format!("no sub-period ends on {date}")));
    Problem::invalid(missing.chain(surplus).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dated;
    use crate::number::{Ball, Real as _};

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2023, 1, day).expect("a date")
    }

    fn row(day: u32, value: &str) -> Dated {
        Dated { date: date(day), value: value.parse().expect("a number") }
    }

    fn rates(aligned: &Option<Aligned>) -> Vec<Option<String>> {
        let aligned = aligned.as_ref().expect("a benchmark");
        let rate = |index| {
            let link = aligned.links.get(index).expect("a link");
            (!aligned.is_missing(index)).then(|| link.rate::<Ball>().round().expect("a figure").to_string())
        };
        (0..aligned.links.len()).map(rate).collect()
    }

    fn values(rows: Vec<Dated>) -> Benchmark {
        Benchmark { id: None, series: BenchmarkSeries::Values(rows.into_iter().collect()) }
    }

    fn returns(rows: Vec<Dated>) -> Benchmark {
        Benchmark { id: None, series: BenchmarkSeries::Returns(rows.into_iter().collect()) }
    }

    #[test]
    fn samples_the_last_value_up_to_five_days_old_and_never_a_later_one() {
        let benchmark = values(vec![row(1, "100"), row(2, "110"), row(20, "121")]);
        let grid =
            Grid { start: Some(date(1)), ends: &[date(7), date(8), date(20)], valued_on: &[], picked: true };
        let aligned = align(Some(&benchmark), &grid, Method::Daily).expect("aligned");
        assert_eq!(rates(&aligned), [Some("0.1".to_owned()), None, None]);
    }

    #[test]
    fn returns_cover_the_sub_periods_exactly_or_are_refused() {
        let grid = Grid { start: Some(date(1)), ends: &[date(2), date(3)], valued_on: &[], picked: true };
        let exact = returns(vec![row(1, "9"), row(2, "0.1"), row(3, "0.2"), row(4, "9")]);
        assert_eq!(rates(&align(Some(&exact), &grid, Method::Daily).expect("aligned")).len(), 2);
        for bad in [vec![row(2, "0.1")], vec![row(2, "0.1"), row(3, "0.1"), row(4, "1")]] {
            let grid = Grid { start: Some(date(1)), ends: &[date(2), date(4)], valued_on: &[], picked: true };
            let problem = align(Some(&returns(bad)), &grid, Method::Daily).expect_err("refused");
            assert_eq!((problem.code, problem.status), ("benchmark_mismatch", 422));
        }
        let everything = Grid { picked: false, ..grid };
        let problem = align(Some(&exact), &everything, Method::Daily).expect_err("refused");
        assert_eq!(problem.errors.len(), 2, "the first and the last return have no sub-period");
    }

    #[test]
    fn one_modified_dietz_period_compounds_returns_between_valuations() {
        let valuations = [date(1), date(2), date(3)];
        let grid = Grid { start: Some(date(1)), ends: &[date(3)], valued_on: &valuations, picked: true };
        let benchmark = returns(vec![row(2, "0.1"), row(3, "-0.5")]);
        let aligned = align(Some(&benchmark), &grid, Method::ModifiedDietz).expect("aligned");
        assert_eq!(rates(&aligned), [Some("-0.45".to_owned())]);
        assert!(align(Some(&benchmark), &grid, Method::Daily).is_err());
    }
}
