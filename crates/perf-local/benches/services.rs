//! Times of the use cases: answers computed and remembered, many at once, and a new day in a ledger of five years.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::expect_used, reason = "a broken workload should stop the measurement")]

#[path = "../tests/system/mod.rs"]
mod system;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use perf_core::calculations::{Stamp, calculate};
use perf_core::model::{CalculationRequest, read};
use perf_core::number::Exact;
use perf_core::parallel::process_batch;
use perf_core::services::{
    Calculator, CalculatorPorts, CalculatorSettings, Caller, RequestText, Scopes, Workers,
};
use perf_local::system::SystemClock;
use serde_json::{Value, json};
use system::{System, name};
use tokio::runtime::Runtime;

/// Days of five years of trading.
const DAYS: u64 = 1_260;
/// Requests of a batch.
const BATCH: usize = 64;

/// Both cores, as in the service.
fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

fn date(day: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).expect("a date") + Days::new(day)
}

/// In cents, going up and down.
fn value(day: u64) -> String {
    format!("{}.{:02}", 100_000 + day * 7_919 % 10_007, day % 100)
}

fn body() -> String {
    let row = |day| json!({"date": date(day), "value": value(day)});
    json!({"entity_type": "portfolio", "entity_id": "p", "store": false, "risk_free_rate": "0.02",
           "valuations": (0..DAYS).map(row).collect::<Vec<_>>()})
    .to_string()
}

fn request(body: &str) -> CalculationRequest {
    read::calculation(body.as_bytes()).expect("a request")
}

fn answers(criterion: &mut Criterion) {
    let (runtime, system, body) = (runtime(), System::new(), body());
    let scopes = Scopes::from_claim("performance:write");
    let caller = Caller { client_id: name("acme"), subject: "jo".to_owned(), scopes, expires_at: i64::MAX };
    let mut group = criterion.benchmark_group("calculator");
    for (case, cache_ttl_seconds) in [("miss", 0), ("hit", 300)] {
        let ports = CalculatorPorts {
            ledger: system.store.clone(),
            queue: system.store.clone(),
            clock: Arc::new(SystemClock),
        };
        let settings = CalculatorSettings { risk_free_rate: Exact::ZERO, cache_ttl_seconds };
        let calculator = Calculator::new(ports, settings, Workers::new(NonZeroUsize::MIN));
        group.bench_function(case, |bencher| {
            bencher.iter(|| {
                let text = RequestText::new(body.as_bytes());
                runtime.block_on(calculator.calculate(request(&body), text, &caller, "r")).expect("a result")
            });
        });
    }
    group.finish();
}

fn batches(criterion: &mut Criterion) {
    let (runtime, request) = (runtime(), Arc::new(request(&body())));
    let stamp = Arc::new(Stamp {
        request_id: "r".into(),
        client_id: name("acme"),
        calculated_at: "2024-01-01T00:00:00Z".into(),
        risk_free_rate: Exact::ZERO,
    });
    let mut group = criterion.benchmark_group("process_batch");
    group.throughput(Throughput::Elements(BATCH as u64));
    for concurrency in [1, 2, 4, 8, 16] {
        group.bench_function(BenchmarkId::from_parameter(concurrency), |bencher| {
            bencher.iter(|| {
                let stamp = stamp.clone();
                let one = move |request: Arc<CalculationRequest>| {
                    let stamp = stamp.clone();
                    async move { calculate(&request, &stamp) }
                };
                let items = vec![request.clone(); BATCH];
                // On a worker of the runtime, as a handler is.
                let batch = async move { process_batch(items, concurrency, one, "r").await };
                let done = runtime.block_on(runtime.spawn(batch)).expect("no panic");
                black_box(done.expect("results"))
            });
        });
    }
    group.finish();
}

fn valuation(day: u64) -> Value {
    json!({"version": 1, "type": "valuation", "client_id": "acme", "entity_type": "portfolio",
           "entity_id": "p", "date": date(day), "value": value(day)})
}

fn recalculations(criterion: &mut Criterion) {
    let runtime = runtime();
    let backfill: Vec<Value> = (0..DAYS).map(valuation).collect();
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(20);
    group.bench_function("backfill of 1,260 days in one batch", |bencher| {
        bencher.iter(|| runtime.block_on(System::new().process(&backfill)));
    });
    let filled = || {
        let system = System::new();
        runtime.block_on(system.process(&backfill));
        system
    };
    let day = [valuation(DAYS)];
    group.bench_function("one day more than 1,260", |bencher| {
        let process = |system: &mut System| runtime.block_on(system.process(&day));
        bencher.iter_batched_ref(filled, process, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, answers, batches, recalculations);
criterion_main!(benches);
