//! Twenty digits of every metric against an independent implementation.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

mod oracle;

use chrono::{Duration, NaiveDate};
use oracle::Outcome as Reference;
use perf_core::calculations::{Stamp, calculate, internal_rate_of_return};
use perf_core::model::{
    Benchmark, BenchmarkSeries, CalculationRequest, CashFlow, Data, Dated, DayCount, Deviation, EntityType,
    IrrRequest, Method, Metric, Options, Reason, Timing, Window, Word, read,
};
use perf_core::number::Exact;
use proptest::prelude::*;

const DIGITS: usize = 20;

fn exact(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn dated<T: FromIterator<Dated>>(rows: &[(NaiveDate, String)]) -> T {
    rows.iter().map(|(date, value)| Dated { date: *date, value: exact(value) }).collect()
}

fn day_count(reference: oracle::DayCount) -> DayCount {
    match reference {
        oracle::DayCount::Act365F => DayCount::Actual365Fixed,
        oracle::DayCount::Act36525 => DayCount::Actual36525,
        oracle::DayCount::Act360 => DayCount::Actual360,
        oracle::DayCount::ActActIsda => DayCount::ActualActualIsda,
        oracle::DayCount::Thirty360 => DayCount::Thirty360,
        oracle::DayCount::ThirtyE360 => DayCount::ThirtyE360,
    }
}

fn timing(reference: oracle::Timing) -> Timing {
    match reference {
        oracle::Timing::AfterClose => Timing::AfterClose,
        oracle::Timing::EndOfDay => Timing::EndOfDay,
        oracle::Timing::StartOfDay => Timing::StartOfDay,
        oracle::Timing::MidDay => Timing::MidDay,
    }
}

/// The same question in the engine's own terms.
fn request(input: &oracle::Input) -> CalculationRequest {
    let data = if input.returns.is_empty() {
        let flow = |(date, amount, when): &(NaiveDate, String, oracle::Timing)| CashFlow {
            timing: Some(timing(*when)),
            ..CashFlow::new(*date, exact(amount))
        };
        let mut cash_flows: Vec<CashFlow> = input.cash_flows.iter().map(flow).collect();
        cash_flows.sort_by_key(|flow| flow.date);
        Data::Valuations { valuations: dated(&input.valuations), cash_flows }
    } else {
        Data::Returns(dated(&input.returns))
    };
    let series = input.benchmark.as_ref().map(|benchmark| match benchmark {
        oracle::Benchmark::Values(rows) => BenchmarkSeries::Values(dated(rows)),
        oracle::Benchmark::Returns(rows) => BenchmarkSeries::Returns(dated(rows)),
    });
    CalculationRequest {
        window: Window::Custom { start: input.period_start, end: None },
        benchmark: series.map(|series| Benchmark { id: None, series }),
        risk_free_rate: Some(exact(&input.risk_free_rate)),
        options: Options {
            method: if input.modified_dietz { Method::ModifiedDietz } else { Method::Daily },
            volatility: if input.sample_volatility { Deviation::Sample } else { Deviation::Population },
            periods_per_year: input.periods_per_year,
            minimum_acceptable_return: exact(&input.minimum_acceptable_return),
            confidence_level: exact(&input.confidence_level),
            day_count: day_count(input.day_count),
            ..Options::default()
        },
        ..CalculationRequest::new(EntityType::Portfolio, "p1".parse().expect("a name"), data)
    }
}

/// Figures that are rates themselves. Where a rate is out of range, the reference
/// calls everything built on it out of range too; the engine names the first
/// reason it meets, or gives the value.
const RATES: [Metric; 7] = [
    Metric::Twr,
    Metric::TwrAnnualized,
    Metric::AnnualizedReturn,
    Metric::Mwr,
    Metric::MwrPeriod,
    Metric::BenchmarkReturn,
    Metric::BenchmarkAnnualizedReturn,
];

/// Every metric that differs, as text; both reasons must agree too.
fn differences(input: &oracle::Input) -> Vec<String> {
    let stamp = Stamp {
        request_id: "r1".into(),
        client_id: "acme".parse().expect("a name"),
        calculated_at: String::new(),
        risk_free_rate: Exact::ZERO,
    };
    let result = calculate(&request(input), &stamp).expect("a result");
    let reference = oracle::evaluate(input);
    assert_eq!(reference.len(), result.metrics.0.len());
    let shown = |reference: &Reference| match reference {
        Reference::Value(value) => value.to_significant(DIGITS),
        Reference::Undefined(reason) => (*reason).to_owned(),
    };
    if input.benchmark.is_none() {
        let relative = Metric::all().filter(|metric| metric.needs_benchmark());
        let reasons: Vec<_> = relative.filter_map(|metric| result.metrics.get(metric)?.err()).collect();
        assert_eq!(reasons, [Reason::NoBenchmark; 12]);
    }
    let compared = |metric: &Metric| {
        if input.benchmark.is_none() && metric.needs_benchmark() {
            return false;
        }
        let out_of_range = matches!(reference[metric.word()], Reference::Undefined("out_of_range"));
        RATES.contains(metric) || !out_of_range
    };
    let found = result.metrics.0.iter().filter(|(metric, _)| compared(metric)).map(|(metric, outcome)| {
        let got = outcome.map_or_else(|reason| reason.as_str().to_owned(), |value| value.to_string());
        (metric.word(), got, shown(&reference[metric.word()]))
    });
    found
        .filter(|(_, got, expected)| got != expected)
        .map(|(m, got, expected)| format!("{m}: {got} != {expected}"))
        .collect()
}

fn agree(input: &oracle::Input) -> Result<(), TestCaseError> {
    let differences = differences(input);
    prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

fn timings() -> impl Strategy<Value = oracle::Timing> {
    prop_oneof![
        Just(oracle::Timing::AfterClose),
        Just(oracle::Timing::EndOfDay),
        Just(oracle::Timing::StartOfDay),
        Just(oracle::Timing::MidDay)
    ]
}

fn day_counts() -> impl Strategy<Value = oracle::DayCount> {
    prop_oneof![
        Just(oracle::DayCount::Act365F),
        Just(oracle::DayCount::Act36525),
        Just(oracle::DayCount::Act360),
        Just(oracle::DayCount::ActActIsda),
        Just(oracle::DayCount::Thirty360),
        Just(oracle::DayCount::ThirtyE360)
    ]
}

fn dates(gaps: &[i64]) -> Vec<NaiveDate> {
    let start = NaiveDate::from_ymd_opt(2019, 12, 30).expect("a date");
    let steps = gaps.iter().scan(start, |date, gap| {
        *date += Duration::days(*gap);
        Some(*date)
    });
    steps.collect()
}

fn decimal(mantissa: i128, scale: usize) -> String {
    Exact::new(mantissa, u32::try_from(scale).expect("small")).to_string()
}

/// Conventions in all their variety over empty data.
fn conventions() -> impl Strategy<Value = oracle::Input> {
    (0_i64..6, 0_i64..3, 51_i64..100, prop::option::of(1_u32..367), any::<bool>(), day_counts()).prop_map(
        |(risk_free, minimum, confidence, periods_per_year, sample_volatility, day_count)| oracle::Input {
            risk_free_rate: decimal(i128::from(risk_free), 2),
            minimum_acceptable_return: decimal(i128::from(minimum), 2),
            confidence_level: decimal(i128::from(confidence), 2),
            periods_per_year,
            sample_volatility,
            day_count,
            ..oracle::Input::default()
        },
    )
}

/// Valuations of `values` (mantissas), flows within them, and a benchmark.
fn valued(values: std::ops::Range<i64>, scale: usize) -> impl Strategy<Value = oracle::Input> {
    let rows = prop::collection::vec((1_i64..200, values, 50_i64..150), 2..9);
    let flow = (any::<prop::sample::Index>(), -30_000_i64..60_000, timings());
    let flows = prop::collection::vec(flow, 0..4);
    (conventions(), rows, flows, any::<bool>(), any::<bool>()).prop_map(
        move |(conventions, rows, flows, modified_dietz, compared)| {
            let dates = dates(&rows.iter().map(|(gap, _, _)| *gap).collect::<Vec<_>>());
            let levels = dates.iter().zip(&rows).map(|(date, (_, _, level))| (*date, level.to_string()));
            let valuations = dates
                .iter()
                .zip(&rows)
                .map(|(date, (_, value, _))| (*date, decimal(i128::from(*value), scale)));
            let on = |at: &prop::sample::Index| {
                dates[0]
                    + Duration::days(
                        at.index((dates[dates.len() - 1] - dates[0]).num_days() as usize + 1) as i64
                    )
            };
            let cash_flows = flows
                .iter()
                .map(|(at, amount, timing)| (on(at), decimal(i128::from(*amount), scale), *timing));
            oracle::Input {
                valuations: valuations.collect(),
                cash_flows: cash_flows.collect(),
                benchmark: compared.then(|| oracle::Benchmark::Values(levels.collect())),
                modified_dietz,
                ..conventions
            }
        },
    )
}

fn returned() -> impl Strategy<Value = oracle::Input> {
    let rows = prop::collection::vec((1_i64..40, -1_500_i64..1_500, -1_500_i64..1_500), 1..12);
    (conventions(), rows, any::<bool>(), any::<bool>()).prop_map(|(conventions, rows, started, compared)| {
        let dates = dates(&rows.iter().map(|(gap, _, _)| *gap).collect::<Vec<_>>());
        let column = |pick: fn(&(i64, i64, i64)) -> i64| -> Vec<(NaiveDate, String)> {
            dates.iter().zip(&rows).map(|(date, row)| (*date, decimal(i128::from(pick(row)), 4))).collect()
        };
        oracle::Input {
            returns: column(|row| row.1),
            benchmark: compared.then(|| oracle::Benchmark::Returns(column(|row| row.2))),
            period_start: started.then(|| dates[0] - Duration::days(30)),
            ..conventions
        }
    })
}

/// `PROPTEST_CASES` runs more of them.
fn cases(count: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(wanted.unwrap_or(count)) }
}

proptest! {
    #![proptest_config(cases(700))]

    #[test]
    fn portfolios_agree(input in valued(80_000..160_000, 2)) {
        agree(&input)?;
    }

    #[test]
    fn small_portfolios_that_may_break_agree(input in valued(-3_000..40_000, 2)) {
        // Several things can be wrong at once here; which is named first is left open.
        let values: Vec<String> = differences(&input).into_iter().filter(|line| line.contains("0.")).collect();
        prop_assert!(values.is_empty(), "{}", values.join("\n"));
    }

    #[test]
    fn returns_agree(input in returned()) {
        agree(&input)?;
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn near_constant_returns_agree(base in 1_i128..1000, dust in prop::collection::vec(0_i128..3, 2..6), digits in 18_usize..28) {
        // Returns that differ in one of the last digits that a number may have.
        let dates = dates(&vec![30; dust.len()]);
        let value = |dust: &i128| decimal(base * 10_i128.pow(u32::try_from(digits - 4).expect("small")) + dust, digits);
        let returns = dates.iter().zip(&dust).map(|(date, dust)| (*date, value(dust))).collect();
        agree(&oracle::Input { returns, ..oracle::Input::default() })?;
    }

    #[test]
    fn rates_of_dated_flows_agree(
        rows in prop::collection::vec((1_i64..500, -1_000_i64..1_000), 2..8), day_counts in day_counts(),
    ) {
        let dates = dates(&rows.iter().map(|(gap, _)| *gap).collect::<Vec<_>>());
        let flows: Vec<(NaiveDate, String)> = dates.iter().zip(&rows).map(|(date, (_, amount))| (*date, amount.to_string())).collect();
        let reference = oracle::irr(&flows, day_counts);
        let found = internal_rate_of_return(&IrrRequest { id: None, cash_flows: dated(&flows), day_count: day_count(day_counts) });
        let roots: Vec<String> = found.solution.roots.iter().map(|root| root.map_or_else(|r| r.as_str().to_owned(), |root| root.to_string())).collect();
        // The reference lists rates that are out of range too.
        let shown = |root: &oracle::Number| if *root > oracle::Number::ten_to(120) { "out_of_range".to_owned() } else { root.to_significant(DIGITS) };
        let expected: Vec<String> = reference.roots.iter().map(shown).collect();
        prop_assert_eq!(roots, expected);
        prop_assert_eq!(found.irr.map(|rate| rate.to_string()), reference.headline.map(|rate| rate.to_significant(DIGITS)));
        prop_assert_eq!(found.undefined.irr.map(Reason::as_str), reference.reason);
    }
}

#[test]
fn the_sample_portfolio_agrees() {
    let folder = |name: &str| format!("{}/../../examples/portfolio-5y/{name}", env!("CARGO_MANIFEST_DIR"));
    let rows = |name: &str| -> Vec<(NaiveDate, String)> {
        let text = std::fs::read_to_string(folder(name)).expect("a file");
        let row = |line: &str| {
            line.split_once(',').map(|(date, value)| (date.parse().expect("a date"), value.to_owned()))
        };
        text.lines().skip(1).filter_map(row).collect()
    };
    let input = oracle::Input {
        valuations: rows("valuations.csv"),
        cash_flows: rows("flows.csv")
            .into_iter()
            .map(|(date, amount)| (date, amount, oracle::Timing::AfterClose))
            .collect(),
        benchmark: Some(oracle::Benchmark::Returns(rows("benchmark.csv"))),
        risk_free_rate: "0.02".to_owned(),
        ..oracle::Input::default()
    };
    assert_eq!(differences(&input), Vec::<String>::new());
    let request =
        read::calculation(&std::fs::read(folder("request.json")).expect("a file")).expect("a request");
    let Data::Valuations { valuations, .. } = request.data else { panic!("the sample has valuations") };
    assert_eq!(valuations, dated(&input.valuations));
}
