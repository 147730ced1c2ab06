//! Nanoseconds for one portfolio from memory: `portfolio_times FOLDER ROUNDS` prints
//! the median of each step as JSON. The folder holds `valuations.csv`, `flows.csv`
//! and `benchmark.csv`, as in `examples/portfolio-5y`.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use perf_core::calculations::{Prepared, Stamp};
use perf_core::model::read::{CsvFile, CsvRequest};
use perf_core::number::Exact;

const CONVENTIONS: &[u8] = br#"{"entity_type": "portfolio", "entity_id": "p", "risk_free_rate": "0.02"}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return Err("expected a folder and a number of rounds".into());
    };
    let rounds: usize = rounds.parse()?;
    let read = |name| fs::read(Path::new(&folder).join(name));
    let (valuations, flows, benchmark) =
        (read("valuations.csv")?, read("flows.csv")?, read("benchmark.csv")?);
    let request = CsvRequest {
        conventions: CONVENTIONS,
        valuations: Some(CsvFile { name: "valuations.csv", text: &valuations }),
        flows: Some(CsvFile { name: "flows.csv", text: &flows }),
        returns: None,
        benchmark: Some(CsvFile { name: "benchmark.csv", text: &benchmark }),
    };
    let parsed = request.read().map_err(|problem| problem.detail)?;
    let stamp = Stamp {
        request_id: "r".into(),
        client_id: "c".parse()?,
        calculated_at: "2024-01-01T00:00:00Z".into(),
        risk_free_rate: Exact::ZERO,
    };
    let prepared = Prepared::new(&parsed, &stamp, None).map_err(|problem| problem.detail)?;
    let parse = median(rounds, || drop(black_box(request.read())));
    let prepare = median(rounds, || drop(black_box(Prepared::new(&parsed, &stamp, None))));
    let figures = median(rounds, || drop(black_box(prepared.calculate())));
    println!(r#"{{"read_csv": {parse}, "resolve_and_hash": {prepare}, "figures": {figures}}}"#);
    Ok(())
}

/// Median duration in nanoseconds.
fn median(rounds: usize, mut work: impl FnMut()) -> u128 {
    let mut times: Vec<u128> = (0..rounds.max(1))
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
