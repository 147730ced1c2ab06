//! From a request to the exact series its figures are computed from.

use chrono::{Datelike, NaiveDate};

use super::alignment;
use super::day_count::{YearFraction, days_between};
use super::facts::{Aligned, Series};
use super::links::{Chain, Gap};
use super::warnings::{Warning, on_dates};
use super::windows::{insufficient_history, select};
use crate::model::{
    CalculationRequest, CashFlow, Data, Dated, Method, Problem, TimeSeriesView, Timing, Window,
};
use crate::number::Exact;

/// Days that make a year for the question whether to annualise.
const DAYS_PER_YEAR: i64 = 365;

/// The part of the data that a result is about, and what was found there.
#[derive(Clone, Debug)]
pub(crate) struct Resolved<'a> {
    pub(crate) start: Option<NaiveDate>,
    pub(crate) end: NaiveDate,
    pub(crate) series: Series,
    pub(crate) money: Option<Money<'a>>,
    pub(crate) returns: TimeSeriesView<'a>,
    pub(crate) warnings: Vec<Warning>,
}

/// Valuations, and the flows between them with their timing; in date order.
#[derive(Clone, Debug)]
pub(crate) struct Money<'a> {
    pub(crate) valuations: TimeSeriesView<'a>,
    pub(crate) flows: Vec<(&'a CashFlow, Timing)>,
}

impl Money<'_> {
    pub(crate) fn net_cash_flow(&self) -> Exact {
        self.flows.iter().fold(Exact::ZERO, |total, (flow, _)| &total + &flow.amount)
    }

    /// First and last valuation.
    pub(crate) fn ends(&self) -> Option<(Dated, Dated)> {
        self.valuations.first().zip(self.valuations.last())
    }
}

/// Selects the period, cuts it into sub-periods and lays the benchmark beside them.
pub(crate) fn resolve<'a>(
    request: &'a CalculationRequest,
    risk_free_rate: &Exact,
) -> Result<Resolved<'a>, Problem> {
    match &request.data {
        Data::Valuations { valuations, cash_flows } => {
            from_valuations(request, valuations.view(), cash_flows, risk_free_rate)
        }
        Data::Returns(returns) => from_returns(request, returns.view(), risk_free_rate),
        Data::Ledger => Err(Problem::field(
            "/valuations",
            "missing_field",
            "no stored ledger to read here: supply valuations or returns",
        )),
    }
}

fn from_valuations<'a>(
    request: &CalculationRequest,
    valuations: TimeSeriesView<'a>,
    cash_flows: &'a [CashFlow],
    risk_free_rate: &Exact,
) -> Result<Resolved<'a>, Problem> {
    let used = select(valuations, request.window)?;
    let &[first, .., last] = used.dates() else {
        return Err(Problem::field("/valuations", "too_few_valuations", "expected at least two valuations"));
    };
    let (flows, mut warnings) = flows_within(cash_flows, request.options.cash_flow_timing, first, last);
    let chain = Chain::cut(used, &flows, request.options.method);
    warnings.extend(gap_warnings(&chain));
    let picked = request.window.picks();
    let grid = alignment::Grid { start: Some(first), ends: &chain.ends, valued_on: used.dates(), picked };
    let benchmark = alignment::align(request.benchmark.as_ref(), &grid, request.options.method)?;
    warnings.extend(benchmark_warnings(&chain, benchmark.as_ref()));
    let days = days_between(first, last);
    let years = request.options.day_count.years(first, last);
    let series = Series {
        under_one_year: days < DAYS_PER_YEAR,
        ..series(request, risk_free_rate, Some(first), chain, benchmark, years, valuations.dates())
    };
    let money = Money { valuations: used, flows };
    Ok(Resolved {
        start: Some(first),
        end: last,
        series,
        money: Some(money),
        returns: TimeSeriesView::default(),
        warnings,
    })
}

fn from_returns<'a>(
    request: &CalculationRequest,
    returns: TimeSeriesView<'a>,
    risk_free_rate: &Exact,
) -> Result<Resolved<'a>, Problem> {
    let supplied_end = returns.dates().last().copied().unwrap_or(NaiveDate::MIN);
    let bounds = request.window.bounds(supplied_end);
    let from = bounds.start.map_or(0, |start| returns.until(start));
    let until = bounds.end.map_or(returns.len(), |end| returns.until(end));
    let used = returns.range(from..until);
    let Some(last) = used.dates().last().copied() else {
        let message = "the period holds no return; widen it";
        return Err(Problem::field(request.window.pointer(), "too_few_returns", message));
    };
    let start = start_of_returns(request.window, used.dates(), returns.dates())?;
    let chain = Chain::supplied(used);
    let grid = alignment::Grid { start, ends: &chain.ends, valued_on: &[], picked: request.window.picks() };
    let benchmark = alignment::align(request.benchmark.as_ref(), &grid, Method::Daily)?;
    let warnings = benchmark_warnings(&chain, benchmark.as_ref());
    let count = i64::try_from(used.len()).unwrap_or(i64::MAX);
    let unknown = YearFraction { numerator: count, denominator: 1 };
    let known = start.map(|start| request.options.day_count.years(start, last));
    let mut series =
        series(request, risk_free_rate, start, chain, benchmark, known.unwrap_or(unknown), returns.dates());
    if known.is_none() {
        // Without a start the length is a count of periods: n / N years.
        series.years.denominator = i64::from(series.periods_per_year);
    }
    series.under_one_year = match start {
        Some(start) => days_between(start, last) < DAYS_PER_YEAR,
        None => series.years.numerator < series.years.denominator,
    };
    Ok(Resolved { start, end: last, series, money: None, returns: used, warnings })
}

fn series(
    request: &CalculationRequest,
    risk_free_rate: &Exact,
    start: Option<NaiveDate>,
    chain: Chain,
    benchmark: Option<Aligned>,
    years: YearFraction,
    supplied: &[NaiveDate],
) -> Series {
    let options = &request.options;
    Series {
        start,
        chain,
        benchmark,
        years,
        under_one_year: false,
        periods_per_year: options.periods_per_year.unwrap_or_else(|| inferred_periods_per_year(supplied)),
        risk_free_rate: risk_free_rate.clone(),
        minimum_acceptable_return: options.minimum_acceptable_return.clone(),
        confidence_level: options.confidence_level.clone(),
        deviation: options.volatility,
    }
}

/// Where returns begin: known from `period.start` alone. A standing window must
/// not reach back further than one usual step before its first return.
fn start_of_returns(
    window: Window,
    used: &[NaiveDate],
    supplied: &[NaiveDate],
) -> Result<Option<NaiveDate>, Problem> {
    /// A month or a holiday longer than usual.
    const SLACK_DAYS: i64 = 5;
    let (Some(first), Some(last)) = (used.first(), used.last()) else { return Ok(None) };
    let bounds = window.bounds(*supplied.last().unwrap_or(last));
    match (window, bounds.start) {
        (Window::Standing { .. }, Some(start)) => {
            let step = twice_median_spacing(supplied).unwrap_or(0);
            let reaches = 2 * (days_between(start, *first) - SLACK_DAYS) <= step;
            if reaches { Ok(None) } else { Err(insufficient_history(start)) }
        }
        (Window::Standing { .. }, None) => Ok(None),
        (Window::Custom { .. }, start) => Ok(start),
    }
}

/// Twice the median of the days between rows in date order: the sum of the
/// middle two where their number is even. Counted, since most steps are alike.
fn twice_median_spacing(dates: &[NaiveDate]) -> Option<i64> {
    /// Longer steps are sorted.
    const COUNTED: usize = 32;
    let (mut single, mut counts, mut longer) = (0, [0_usize; COUNTED], Vec::new());
    for days in dates.iter().zip(dates.iter().skip(1)).map(|(a, b)| days_between(*a, *b)) {
        // Apart from the others: a count that is raised again at once waits for itself.
        if days == 1 {
            single += 1;
            continue;
        }
        match usize::try_from(days).ok().and_then(|days| counts.get_mut(days)) {
            Some(count) => *count += 1,
            None => longer.push(days),
        }
    }
    if let Some(count) = counts.get_mut(1) {
        *count = single;
    }
    longer.sort_unstable();
    let number = dates.len().checked_sub(1)?;
    let short = (0..).zip(counts).flat_map(|(days, count)| std::iter::repeat_n(days, count));
    let mut ordered = short.chain(longer).skip(number.checked_sub(1)? / 2);
    let lower = ordered.next()?;
    Some(lower + if number % 2 == 1 { lower } else { ordered.next()? })
}

/// N from the median spacing of dates in order.
fn inferred_periods_per_year(dates: &[NaiveDate]) -> u32 {
    if are_mostly_daily(dates) {
        return 252;
    }
    match twice_median_spacing(dates) {
        Some(twice) if twice <= 2 * 4 => 252,
        Some(twice) if twice <= 2 * 10 => 52,
        Some(twice) if twice <= 2 * 45 => 12,
        Some(twice) if twice <= 2 * 120 => 4,
        _ => 1,
    }
}

/// Whether clearly more than half of the steps take at most four days, by a calendar
/// whose years all have 512 days: there no step is shorter than it is.
fn are_mostly_daily(dates: &[NaiveDate]) -> bool {
    /// Dates before it is asked whether there are enough; the step to the next ones is left out.
    const BLOCK: usize = 256;
    let day = |date: &NaiveDate| (date.year() << 9) + date.ordinal().cast_signed();
    let is_short = |(from, to): (&NaiveDate, &NaiveDate)| u32::from(day(to) - day(from) <= 4);
    let short = |dates: &[NaiveDate]| dates.iter().zip(dates.iter().skip(1)).map(is_short).sum::<u32>();
    let totals = dates.chunks(BLOCK).scan(0, |total, dates| {
        *total += short(dates) as usize;
        Some(*total)
    });
    totals.into_iter().any(|total| 2 * total > dates.len())
}

/// The flows that take part, with their timing, and warnings for those on the
/// period's edge that do not.
fn flows_within(
    flows: &[CashFlow],
    default: Timing,
    first: NaiveDate,
    last: NaiveDate,
) -> (Vec<(&CashFlow, Timing)>, Vec<Warning>) {
    let (mut used, mut after, mut opening) = (Vec::with_capacity(flows.len()), Vec::new(), Vec::new());
    for flow in flows.iter().filter(|flow| flow.date >= first && flow.date <= last) {
        match flow.timing.unwrap_or(default) {
            Timing::AfterClose if flow.date == last => after.push(flow.date),
            Timing::EndOfDay | Timing::StartOfDay | Timing::MidDay if flow.date == first => {
                opening.push(flow.date);
            }
            timing => used.push((flow, timing)),
        }
    }
    let mut warnings = on_dates(
        "flow_after_period",
        "the flow happens after the last valuation of the period was struck; it is ignored",
        &after,
    );
    warnings.extend(on_dates(
        "flow_in_opening_value",
        "the opening value already contains the flow; it is ignored",
        &opening,
    ));
    (used, warnings)
}

/// The sub-periods that take part in the chain but have no benchmark return.
fn benchmark_warnings(chain: &Chain, benchmark: Option<&Aligned>) -> Vec<Warning> {
    let missing = benchmark.map(|benchmark| benchmark.missing.as_slice()).unwrap_or_default();
    let taking_part = missing.iter().filter(|index| chain.gap(**index) != Some(Gap::Idle));
    let dates: Vec<NaiveDate> = taking_part.filter_map(|index| chain.ends.get(*index).copied()).collect();
    on_dates(
        "benchmark_missing",
        "no benchmark value at most 5 days old at both ends of the sub-period; the pair is dropped",
        &dates,
    )
}

fn gap_warnings(chain: &Chain) -> Vec<Warning> {
    let mut warnings = on_dates(
        "idle_sub_period",
        "no capital and no gain up to this date; the sub-period is left out",
        &chain.ends_of(Gap::Idle),
    );
    warnings.extend(on_dates(
        "non_positive_capital",
        "there is no capital that the gain up to this date was earned on; time-weighted figures are undefined",
        &chain.ends_of(Gap::NoCapital),
    ));
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimePeriod;
    use proptest::prelude::*;

    fn dates(spacing: &[i64]) -> Vec<NaiveDate> {
        let mut date: NaiveDate = "2023-01-01".parse().expect("a date");
        let mut dates = vec![date];
        for days in spacing {
            date += chrono::Duration::days(*days);
            dates.push(date);
        }
        dates
    }

    #[test]
    fn a_window_over_returns_knows_no_start_and_must_be_filled() {
        let dates = dates(&[31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30]);
        let as_of = Some("2023-12-01".parse().expect("a date"));
        let start = |time_period| {
            let window = Window::Standing { time_period, as_of };
            start_of_returns(window, &dates, &dates).map_err(|problem| problem.code)
        };
        assert_eq!(start(TimePeriod::OneYear), Ok(None));
        assert_eq!(start(TimePeriod::Itd), Ok(None));
        assert_eq!(start(TimePeriod::FiveYears), Err("insufficient_history"));
    }

    proptest! {
        #[test]
        fn mostly_daily_dates_have_a_median_of_at_most_four_days(
            spacing in prop::collection::vec(prop::sample::select(vec![1_i64, 3, 4, 5, 200]), 1..9),
        ) {
            let dates = dates(&spacing);
            let twice = twice_median_spacing(&dates).expect("a step");
            prop_assert!(!are_mostly_daily(&dates) || twice <= 8);
        }
    }

    #[test]
    fn periods_per_year_follow_the_median_spacing() {
        assert_eq!(inferred_periods_per_year(&dates(&[1, 1, 3, 1])), 252);
        assert_eq!(inferred_periods_per_year(&dates(&[4, 5])), 52); // mean of the middle two: 4.5
        assert_eq!(inferred_periods_per_year(&dates(&[31, 28, 31])), 12);
        assert_eq!(inferred_periods_per_year(&dates(&[90, 91])), 4);
        assert_eq!(inferred_periods_per_year(&dates(&[120, 121])), 1);
        assert_eq!(inferred_periods_per_year(&dates(&[])), 1);
        assert_eq!(twice_median_spacing(&dates(&[40, 2])), Some(42));
        assert_eq!(twice_median_spacing(&dates(&[40, 2, 35])), Some(70));
        assert_eq!(twice_median_spacing(&dates(&[])), None);
    }
}
