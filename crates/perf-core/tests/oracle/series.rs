//! From the input to sub-period returns, and the benchmark's returns over the same intervals.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::dates::{days, infer_periods_per_year, year_fraction};
use super::number::{Number, common_integers};
use super::{Benchmark, Input, Timing};

/// A growth factor 1 + r with its return. The factor is a quotient of exact integers, rounded
/// once, so its sign and the return's sign are exact.
#[derive(Clone, Debug)]
pub struct Growth {
    /// r.
    pub rate: Number,
    /// 1 + r.
    pub factor: Number,
}

impl Growth {
    /// gain / capital, both exact integers.
    fn of(gain: &Number, capital: &Number) -> Self {
        Growth { rate: gain / capital, factor: (capital + gain) / capital }
    }

    fn of_rate(text: &str) -> Self {
        let rate = Number::parse(text);
        let factor = Number::one() + &rate;
        Growth { rate, factor }
    }
}

/// One sub-period that is not idle.
#[derive(Clone, Debug)]
pub struct Period {
    /// Where it begins: not known for the first of a series of returns without a start.
    pub start: Option<NaiveDate>,
    /// Where it ends.
    pub end: NaiveDate,
    /// Absent where the capital is not positive.
    pub growth: Option<Growth>,
}

/// All that the metrics are computed from.
pub struct Series {
    /// The sub-periods, idle ones left out.
    pub periods: Vec<Period>,
    /// The length for annualising; absent where it is zero.
    pub years: Option<Number>,
    /// Whether the length is below what `twr_annualized` needs.
    pub short: bool,
    /// N.
    pub periods_per_year: Number,
}

/// Capital (times twice the days) and gain (times the same) over one interval, as exact
/// integers: 2D · (V0 + Σ w·C) and 2D · (V1 − V0 − ΣC).
pub struct Dietz {
    /// 2D · (V0 + Σ w·C).
    pub capital: Number,
    /// 2D · (V1 − V0 − ΣC).
    pub gain: Number,
}

/// Valuations and flows as exact integers over one power of ten, sorted by date, the flows
/// that lie outside the period left out.
pub struct Money {
    /// Date and value.
    pub valuations: Vec<(NaiveDate, Number)>,
    /// Date, amount and timing.
    pub flows: Vec<(NaiveDate, Number, Timing)>,
}

impl Money {
    /// Reads the money of `input`.
    pub fn read(input: &Input) -> Self {
        let texts: Vec<&str> = input
            .valuations
            .iter()
            .map(|(_, value)| value.as_str())
            .chain(input.cash_flows.iter().map(|(_, amount, _)| amount.as_str()))
            .collect();
        let mut numbers = common_integers(&texts).into_iter();
        let mut valuations: Vec<(NaiveDate, Number)> =
            input.valuations.iter().map(|(date, _)| (*date, numbers.next().unwrap())).collect();
        valuations.sort_by_key(|(date, _)| *date);
        let mut flows: Vec<(NaiveDate, Number, Timing)> = input
            .cash_flows
            .iter()
            .map(|(date, _, timing)| (*date, numbers.next().unwrap(), *timing))
            .collect();
        let (first, last) = (valuations[0].0, valuations[valuations.len() - 1].0);
        flows.retain(|(date, _, timing)| belongs(*date, *timing, first, last));
        Money { valuations, flows }
    }

    /// Modified Dietz from one valuation to another.
    pub fn dietz(&self, opening: usize, closing: usize) -> Dietz {
        let (start, opening_value) = &self.valuations[opening];
        let (end, closing_value) = &self.valuations[closing];
        let twice_length = Number::int(2 * days(*start, *end));
        let mut capital = &twice_length * opening_value;
        let mut gain = closing_value - opening_value;
        for (date, amount, timing) in &self.flows {
            if belongs(*date, *timing, *start, *end) {
                let extra_half_days = match timing {
                    Timing::AfterClose | Timing::EndOfDay => 0,
                    Timing::MidDay => 1,
                    Timing::StartOfDay => 2,
                };
                let half_days = 2 * days(*date, *end) + extra_half_days;
                capital = capital + Number::int(half_days) * amount;
                gain = gain - amount;
            }
        }
        Dietz { capital, gain: gain * twice_length }
    }
}

fn belongs(date: NaiveDate, timing: Timing, start: NaiveDate, end: NaiveDate) -> bool {
    match timing {
        Timing::AfterClose => start <= date && date < end,
        Timing::EndOfDay | Timing::StartOfDay | Timing::MidDay => start < date && date <= end,
    }
}

impl Series {
    /// The sub-periods of `input`, whichever kind it is.
    pub fn build(input: &Input) -> Self {
        if input.valuations.is_empty() { Series::from_returns(input) } else { Series::from_money(input) }
    }

    fn from_money(input: &Input) -> Self {
        let money = Money::read(input);
        let dates: Vec<NaiveDate> = money.valuations.iter().map(|(date, _)| *date).collect();
        let last = dates.len() - 1;
        let intervals: Vec<(usize, usize)> = if input.modified_dietz {
            vec![(0, last)]
        } else {
            (0..last).map(|index| (index, index + 1)).collect()
        };
        let mut periods = Vec::new();
        for (opening, closing) in intervals {
            let Dietz { capital, gain } = money.dietz(opening, closing);
            if capital.sign() == 0 && gain.sign() == 0 {
                continue;
            }
            let growth = (capital.sign() > 0).then(|| Growth::of(&gain, &capital));
            periods.push(Period { start: Some(dates[opening]), end: dates[closing], growth });
        }
        Series {
            periods,
            years: years(input, dates[0], dates[last]),
            short: days(dates[0], dates[last]) < 365,
            periods_per_year: periods_per_year(input, &dates),
        }
    }

    fn from_returns(input: &Input) -> Self {
        let mut returns = input.returns.clone();
        returns.sort_by_key(|(date, _)| *date);
        let dates: Vec<NaiveDate> = returns.iter().map(|(date, _)| *date).collect();
        let mut periods = Vec::new();
        let mut start = input.period_start;
        for (end, text) in &returns {
            periods.push(Period { start, end: *end, growth: Some(Growth::of_rate(text)) });
            start = Some(*end);
        }
        let periods_per_year = periods_per_year(input, &dates);
        let count = Number::int(i64::try_from(periods.len()).unwrap());
        let (years, short) = match (input.period_start, dates.last()) {
            (Some(first), Some(last)) => (years(input, first, *last), days(first, *last) < 365),
            _ if periods.is_empty() => (None, true),
            _ => (Some(&count / &periods_per_year), count < periods_per_year),
        };
        Series { periods, years, short, periods_per_year }
    }
}

/// The length in years between two dates, absent where it is not positive.
pub fn years(input: &Input, first: NaiveDate, last: NaiveDate) -> Option<Number> {
    let (numerator, denominator) = year_fraction(input.day_count, first, last);
    (numerator > 0).then(|| Number::int(numerator) / Number::int(denominator))
}

fn periods_per_year(input: &Input, dates: &[NaiveDate]) -> Number {
    let inferred = || infer_periods_per_year(dates);
    Number::int(i64::from(input.periods_per_year.unwrap_or_else(inferred)))
}

/// The benchmark's growth over each of `periods`, absent where the benchmark has a gap.
pub fn benchmark_growth(benchmark: &Benchmark, periods: &[Period]) -> Vec<Option<Growth>> {
    match benchmark {
        Benchmark::Returns(returns) => {
            let by_date: BTreeMap<NaiveDate, &String> =
                returns.iter().map(|(date, text)| (*date, text)).collect();
            let found = periods.iter().map(|period| by_date.get(&period.end));
            found.map(|text| text.map(|text| Growth::of_rate(text))).collect()
        }
        Benchmark::Values(values) => {
            let texts: Vec<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
            let dates = values.iter().map(|(date, _)| *date);
            let points: BTreeMap<NaiveDate, Number> = dates.zip(common_integers(&texts)).collect();
            periods.iter().map(|period| sampled_growth(&points, period)).collect()
        }
    }
}

fn sampled_growth(points: &BTreeMap<NaiveDate, Number>, period: &Period) -> Option<Growth> {
    let opening = sample(points, period.start?)?;
    let closing = sample(points, period.end)?;
    (opening.sign() > 0).then(|| Growth::of(&(closing - opening), opening))
}

/// The last value at or before `date`, at most 5 days old.
fn sample(points: &BTreeMap<NaiveDate, Number>, date: NaiveDate) -> Option<&Number> {
    let (at, value) = points.range(..=date).next_back()?;
    (days(*at, date) <= 5).then_some(value)
}
