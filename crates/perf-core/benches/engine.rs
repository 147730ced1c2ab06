//! Times of the engine by size of the request: reading, calculating, writing, IRR; and of each kernel.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::expect_used, reason = "a broken workload should stop the measurement")]

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::hint::black_box;

use chrono::{Days, NaiveDate};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use perf_core::calculations::{Stamp, calculate, internal_rate_of_return};
use perf_core::model::read;
use perf_core::number::{Ball, Balls, Chosen, Exact, Integers, Real, Series};

/// The same numbers on every machine (SplitMix64).
struct Chance(u64);

impl Chance {
    /// Below one, in steps of one millionth.
    fn millionths(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % 1_000_000
    }
}

fn date(day: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(1990, 1, 1).expect("a date") + Days::new(day as u64)
}

/// Daily values in cents, a flow every 21 days, a benchmark with 16 decimals.
fn request(valuations: usize) -> String {
    let mut chance = Chance(1);
    let (mut cents, mut rows, mut flows, mut benchmark) =
        (100_000_000_u64, String::new(), String::new(), String::new());
    for day in 0..valuations {
        let comma = if day == 0 { "" } else { "," };
        let _ =
            write!(rows, r#"{comma}{{"date":"{}","value":"{}.{:02}"}}"#, date(day), cents / 100, cents % 100);
        cents = cents.min(10_000_000_000_000) * (990_150 + chance.millionths() / 50) / 1_000_000;
        if day > 0 {
            let sign = if chance.millionths() < 470_000 { "-" } else { "" };
            let comma = if day == 1 { "" } else { "," };
            let fraction = chance.millionths() * 10_000_000_000 / 50 + chance.millionths();
            let _ =
                write!(benchmark, r#"{comma}{{"date":"{}","value":"{sign}0.{fraction:016}"}}"#, date(day));
        }
        if day % 21 == 20 {
            let comma = if day == 20 { "" } else { "," };
            let amount = chance.millionths() / 100;
            cents += amount * 100 + 50;
            let _ = write!(flows, r#"{comma}{{"date":"{}","amount":"{amount}.50"}}"#, date(day));
        }
    }
    format!(
        r#"{{"entity_type":"portfolio","entity_id":"p","valuations":[{rows}],"cash_flows":[{flows}],
            "benchmark":{{"id":"b","returns":[{benchmark}]}},"risk_free_rate":"0.02"}}"#
    )
}

fn irr_request(flows: usize) -> String {
    let mut chance = Chance(2);
    let (mut rows, mut total) = (String::new(), 0);
    for index in 0..flows - 1 {
        let amount = 10_000 + chance.millionths();
        let kept = chance.millionths() < 800_000 || index == 0;
        total += if kept { amount } else { 0 };
        let sign = if kept { "-" } else { "" };
        let day = index * 11_000 / flows;
        let _ = write!(
            rows,
            r#"{{"date":"{}","amount":"{sign}{}.{:02}"}},"#,
            date(day),
            amount / 100,
            amount % 100
        );
    }
    format!(
        r#"{{"kind":"irr","cash_flows":[{rows}{{"date":"{}","amount":"{}"}}]}}"#,
        date(11_001),
        total / 50
    )
}

fn stamp() -> Stamp {
    Stamp {
        request_id: "r".into(),
        client_id: "c".parse().expect("a name"),
        calculated_at: "2024-01-01T00:00:00Z".into(),
        risk_free_rate: Exact::ZERO,
    }
}

fn calculations(criterion: &mut Criterion) {
    let stamp = stamp();
    let mut group = criterion.benchmark_group("request");
    group.sample_size(20);
    for valuations in [10, 1_260, 10_000, 100_000] {
        let text = request(valuations);
        let parsed = read::calculation(text.as_bytes()).expect("a request");
        let result = calculate(&parsed, &stamp).expect("a result");
        group.throughput(Throughput::Elements(valuations as u64));
        group.bench_function(BenchmarkId::new("read", valuations), |b| {
            b.iter(|| read::calculation(black_box(text.as_bytes())));
        });
        group.bench_function(BenchmarkId::new("calculate", valuations), |b| {
            b.iter(|| calculate(black_box(&parsed), &stamp));
        });
        group.bench_function(BenchmarkId::new("write", valuations), |b| {
            b.iter(|| serde_json::to_string(black_box(&result)));
        });
        group.bench_function(BenchmarkId::new("write_request", valuations), |b| {
            b.iter(|| serde_json::to_string(black_box(&parsed)));
        });
    }
    group.finish();
}

fn rates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("irr");
    group.sample_size(20);
    for flows in [3, 100, 100_001] {
        let text = irr_request(flows);
        let parsed = read::irr(text.as_bytes()).expect("a request");
        group.throughput(Throughput::Elements(flows as u64));
        group.bench_function(BenchmarkId::from_parameter(flows), |b| {
            b.iter(|| internal_rate_of_return(black_box(&parsed)));
        });
    }
    group.finish();
}

/// A result that was computed, and is not needed.
fn ignore<T>(result: T) {
    let _ = black_box(result);
}

/// What the metrics are made of, over daily returns of values in cents.
fn kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernel");
    for returns in [1_260_u32, 25_200] {
        let mut chance = Chance(3);
        let mut cents = || (0..returns).map(|_| 90_000_000 + chance.millionths() as i64).collect::<Vec<_>>();
        let (capitals, portfolio, benchmark) = (cents(), cents(), cents());
        let gains = |values: &[i64]| {
            let gains: Vec<i64> = values.iter().zip(&capitals).map(|(to, from)| to - from).collect();
            Integers::from(gains.as_slice())
        };
        let capitals_as_integers = Integers::from(capitals.as_slice());
        let (portfolio, benchmark) = (gains(&portfolio), gains(&benchmark));
        let ratios = |gains: &Integers| Balls::ratios(gains, &capitals_as_integers);
        let (r, b) = (ratios(&portfolio), ratios(&benchmark));
        let [mean_r, mean_b] = [&r, &b].map(|series| series.sum().value / Ball::integer(returns.into()));
        group.throughput(Throughput::Elements(returns.into()));
        let mut kernel = |name: &str, work: &dyn Fn()| {
            group.bench_function(BenchmarkId::new(name, returns), |bencher| bencher.iter(work));
        };
        kernel("ratios", &|| ignore(ratios(&portfolio)));
        kernel("growth", &|| ignore(r.growth(&Chosen::All)));
        let signs = benchmark.signs();
        let beside = Chosen::Beside(&signs, Ordering::Greater);
        kernel("growth beside gains", &|| ignore(r.growth(&beside)));
        kernel("powers about a mean", &|| ignore(r.powers_about(&mean_r)));
        kernel("products about means", &|| ignore(r.products_about(&mean_r, &b, &mean_b)));
        kernel("squares below", &|| ignore(r.squares_below(&mean_b)));
        kernel("differences", &|| ignore(r.differences(&b)));
        // Kept by a series that has them.
        group.bench_function(BenchmarkId::new("sum and squares", returns), |bencher| {
            bencher.iter_batched_ref(|| ratios(&portfolio), |r| ignore(r.sum()), BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, calculations, rates, kernels);
criterion_main!(benches);
