//! The benchmark's return over each of the portfolio's sub-periods.

use chrono::NaiveDate;

use super::day_count::days_between;
use super::facts::Aligned;
use super::links::Links;
use crate::model::{Benchmark, BenchmarkSeries, Dated, FieldError, Method, Problem};
use crate::number::Exact;

/// Oldest benchmark value that may stand for a date.
const MAX_AGE_DAYS: i64 = 5;

/// The portfolio's sub-periods, as the benchmark sees them.
pub(crate) struct Grid<'a> {
    /// Start of the first, where known.
    pub(crate) start: Option<NaiveDate>,
    /// End of each.
    pub(crate) ends: &'a [NaiveDate],
    /// The valuations used, where there are any.
    pub(crate) valuations: &'a [Dated],
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
        Some(BenchmarkSeries::Values(values)) => Ok(Some(sampled(values, grid))),
        Some(BenchmarkSeries::Returns(returns)) => {
            Ok(Some(Aligned { links: covering(returns, grid, method)?, missing: Vec::new() }))
        }
    }
}

fn sampled(values: &[Dated], grid: &Grid<'_>) -> Aligned {
    let mut rest = values;
    let mut from = grid.start.and_then(|start| value_on(&mut rest, start));
    let mut missing = Vec::new();
    let mut levels = Vec::with_capacity(grid.ends.len());
    for (index, end) in grid.ends.iter().enumerate() {
        let to = value_on(&mut rest, *end);
        let pair = from.zip(to);
        if pair.is_none() {
            missing.push(index);
        }
        levels.push(pair);
        from = to;
    }
    Aligned { links: Links::between(&levels), missing }
}

/// The last value on or before a date, unless it is too old. Values before it are
/// taken off `rest`: dates come in ascending order.
fn value_on<'a>(rest: &mut &'a [Dated], date: NaiveDate) -> Option<&'a Exact> {
    while let [_, next, ..] = rest
        && next.date <= date
    {
        *rest = rest.get(1..)?;
    }
    let row = rest.first().filter(|row| row.date <= date)?;
    (days_between(row.date, date) <= MAX_AGE_DAYS).then_some(&row.value)
}

fn covering(returns: &[Dated], grid: &Grid<'_>, method: Method) -> Result<Links, Problem> {
    let last = grid.ends.last().copied().unwrap_or(NaiveDate::MIN);
    let first = grid.ends.first().copied().unwrap_or(last);
    let begun = |row: &Dated| grid.start.map_or(row.date >= first, |start| row.date > start);
    // In date order, so that those inside stand together.
    let from = returns.partition_point(|row| grid.picked && !begun(row));
    let until = returns.partition_point(|row| !grid.picked || row.date <= last);
    let within = returns.get(from..until).unwrap_or_default();
    if within.iter().map(|row| row.date).eq(grid.ends.iter().copied()) {
        return Ok(Links::supplied(within.iter().map(|row| &row.value)));
    }
    let between_valuations = grid.valuations.iter().skip(1).map(|row| row.date);
    if method == Method::ModifiedDietz && within.iter().map(|row| row.date).eq(between_valuations.clone()) {
        return Ok(Links::compounded(within));
    }
    Err(mismatch(within, grid))
}

/// Every sub-period without a return, and every return without a sub-period.
fn mismatch(within: &[Dated], grid: &Grid<'_>) -> Problem {
    let error = |finding: String| FieldError {
        pointer: "/benchmark/returns".to_owned(),
        code: "benchmark_mismatch",
        message: format!("expected one benchmark return for each sub-period, dated on its end; {finding}"),
    };
    let missing = grid.ends.iter().filter(|end| within.binary_search_by_key(end, |row| &row.date).is_err());
    let surplus = within.iter().filter(|row| grid.ends.binary_search(&row.date).is_err());
    let missing = missing.map(|date| error(format!("there is none for the sub-period ending {date}")));
    let surplus = surplus.map(|row| error(format!("no sub-period ends on {}", row.date)));
    Problem::invalid(missing.chain(surplus).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
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
        Benchmark { id: None, series: BenchmarkSeries::Values(rows) }
    }

    fn returns(rows: Vec<Dated>) -> Benchmark {
        Benchmark { id: None, series: BenchmarkSeries::Returns(rows) }
    }

    #[test]
    fn samples_the_last_value_up_to_five_days_old_and_never_a_later_one() {
        let benchmark = values(vec![row(1, "100"), row(2, "110"), row(20, "121")]);
        let grid =
            Grid { start: Some(date(1)), ends: &[date(7), date(8), date(20)], valuations: &[], picked: true };
        let aligned = align(Some(&benchmark), &grid, Method::Daily).expect("aligned");
        assert_eq!(rates(&aligned), [Some("0.1".to_owned()), None, None]);
    }

    #[test]
    fn returns_cover_the_sub_periods_exactly_or_are_refused() {
        let grid = Grid { start: Some(date(1)), ends: &[date(2), date(3)], valuations: &[], picked: true };
        let exact = returns(vec![row(1, "9"), row(2, "0.1"), row(3, "0.2"), row(4, "9")]);
        assert_eq!(rates(&align(Some(&exact), &grid, Method::Daily).expect("aligned")).len(), 2);
        for bad in [vec![row(2, "0.1")], vec![row(2, "0.1"), row(3, "0.1"), row(4, "1")]] {
            let grid =
                Grid { start: Some(date(1)), ends: &[date(2), date(4)], valuations: &[], picked: true };
            let problem = align(Some(&returns(bad)), &grid, Method::Daily).expect_err("refused");
            assert_eq!((problem.code, problem.status), ("benchmark_mismatch", 422));
        }
        let everything = Grid { picked: false, ..grid };
        let problem = align(Some(&exact), &everything, Method::Daily).expect_err("refused");
        assert_eq!(problem.errors.len(), 2, "the first and the last return have no sub-period");
    }

    #[test]
    fn one_modified_dietz_period_compounds_returns_between_valuations() {
        let valuations = [row(1, "1"), row(2, "1"), row(3, "1")];
        let grid = Grid { start: Some(date(1)), ends: &[date(3)], valuations: &valuations, picked: true };
        let benchmark = returns(vec![row(2, "0.1"), row(3, "-0.5")]);
        let aligned = align(Some(&benchmark), &grid, Method::ModifiedDietz).expect("aligned");
        assert_eq!(rates(&aligned), [Some("-0.45".to_owned())]);
        assert!(align(Some(&benchmark), &grid, Method::Daily).is_err());
    }
}
