//! Sustained load on a server: `POST /calculate` of one request over kept-alive
//! connections, every result stored. Prints requests a second, p50 and p99.
//!
//! `cargo run --release -p perf-local --example load -- URL TOKEN [SECONDS] [CONNECTIONS] [REQUEST.json]`
//!
//! Each request carries another opening value, so that none is answered from memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

const REQUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/portfolio-5y/request.json");

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("the server's URL comes first")?;
    let token = arguments.next().context("a token comes second")?;
    let seconds: u64 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let connections: u64 = arguments.next().map_or(Ok(4), |text| text.parse())?;
    let path = arguments.next().unwrap_or_else(|| REQUEST.to_owned());
    let request: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let (count, until) = (AtomicU64::new(0), Instant::now() + Duration::from_secs(seconds));
    let times = thread::scope(|scope| {
        let work = || caller(&url, &token, request.clone(), &count, until);
        let callers: Vec<_> = (0..connections).map(|_| scope.spawn(work)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap_or_else(|_| Ok(Vec::new()))).collect::<Vec<_>>()
    });
    let mut times = times.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
    times.sort_unstable();
    ensure!(!times.is_empty(), "no request was answered");
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "{} requests in {seconds} s over {connections} connections: {:.0} a second, p50 {:.2} ms, p99 {:.2} ms",
        times.len(),
        times.len() as f64 / seconds as f64,
        at(0.5).as_secs_f64() * 1e3,
        at(0.99).as_secs_f64() * 1e3,
    );
    Ok(())
}

/// One connection's requests, one after the other.
fn caller(
    url: &str,
    token: &str,
    mut request: Value,
    count: &AtomicU64,
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let agent = ureq::Agent::new_with_defaults();
    let mut times = Vec::new();
    while Instant::now() < until {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let value = request.pointer_mut("/valuations/0/value").context("expected rows of valuations")?;
        *value = json!(400_000 + number);
        let body = request.to_string();
        let started_at = Instant::now();
        agent
            .post(format!("{url}/calculate"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(&body)?
            .into_body()
            .read_to_vec()?;
        times.push(started_at.elapsed());
    }
    Ok(times)
}
