//! The local server, killed at random moments under load.
//!
//! `CRASH_ROUNDS` sets how often (100 where absent); the seed is printed.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, thread};

use serde_json::{Value, json};
use server::{PATIENCE, Server, answer};

/// Callers, each with a ledger and a series of calculations of its own.
const CALLERS: u64 = 4;
/// Longest life of a server, after its start.
const LIFE_MILLISECONDS_MAX: u64 = 250;
const ROUNDS: u32 = 100;

/// What one caller has sent so far. A call without an answer is sent again.
#[derive(Default)]
struct Sent {
    valuations: u64,
    calculations: u64,
    /// Names of the requests that were accepted.
    accepted: Vec<String>,
}

fn random(state: &mut u64) -> u64 {
    // xorshift64: any spread of the moments will do.
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn day(index: u64) -> String {
    let first: chrono::NaiveDate = "2000-01-01".parse().unwrap();
    (first + chrono::Days::new(index)).to_string()
}

fn level(caller: u64, index: u64) -> u64 {
    1_000_000 + 1_000 * caller + (index * 7_919) % 50_000
}

fn valuation(caller: u64, index: u64) -> Value {
    json!({"version": 1, "type": "valuation", "entity_type": "portfolio", "entity_id": format!("l{caller}"),
           "date": day(index), "value": level(caller, index)})
}

fn calculation(caller: u64, index: u64) -> Value {
    json!({"entity_type": "portfolio", "entity_id": format!("c{caller}"),
           "valuations": {"dates": ["2023-01-01", "2023-06-30"], "values": [100, 100 + index]}})
}

/// The answer's body, where there is a whole one of success.
fn post(address: &str, token: &str, path: &str, body: &Value) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 2"), "{text}");
    serde_json::from_str(body).ok()
}

fn load(address: &str, token: &str, caller: u64, sent: &mut Sent, stopped: &AtomicBool) {
    while !stopped.load(Ordering::Relaxed) {
        let Some(accepted) = post(address, token, "/events", &valuation(caller, sent.valuations)) else {
            return;
        };
        sent.accepted.push(accepted["request_id"].as_str().unwrap().to_owned());
        sent.valuations += 1;
        let calculation = calculation(caller, sent.calculations);
        let Some(_) = post(address, token, "/calculate", &calculation) else { return };
        sent.calculations += 1;
    }
}

fn wait_until_done(server: &Server, token: &str, sent: &[Sent]) {
    let started_at = Instant::now();
    for request_id in sent.iter().flat_map(|sent| &sent.accepted) {
        loop {
            let status = server.get(&format!("/requests/{request_id}"), token);
            let status: Value = serde_json::from_str(&status.body).unwrap();
            match status["status"].as_str() {
                Some("completed") => break,
                Some("pending") => assert!(started_at.elapsed() < PATIENCE * 3, "never done: {status}"),
                _ => panic!("{request_id}: {status}"),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn listing(server: &Server, token: &str, entity: &str) -> Vec<Value> {
    let (mut rows, mut next) = (Vec::new(), Some(String::new()));
    while let Some(cursor) = next {
        let page = server.get(&format!("/performance/portfolio/{entity}?limit=100{cursor}"), token);
        let page: Value = serde_json::from_str(&page.body).unwrap();
        rows.extend(page["results"].as_array().unwrap().iter().cloned());
        next = page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}"));
    }
    rows
}

#[test]
fn nothing_accepted_is_lost_or_doubled() {
    let rounds = env::var("CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into();
    println!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let mut sent: Vec<Sent> = (0..CALLERS).map(|_| Sent::default()).collect();
    for _ in 0..rounds {
        let server = Server::start_in(folder.path());
        let token = answer(&["token", "--client", "acme", "--data", &server.data()]).trim().to_owned();
        let (address, stopped) = (server.address().to_owned(), AtomicBool::new(false));
        thread::scope(|scope| {
            for (caller, sent) in (0..).zip(&mut sent) {
                let (address, token, stopped) = (&address, &token, &stopped);
                scope.spawn(move || load(address, token, caller, sent, stopped));
            }
            thread::sleep(Duration::from_millis(random(&mut seed) % LIFE_MILLISECONDS_MAX));
            server.kill();
            stopped.store(true, Ordering::Relaxed);
        });
    }
    let server = Server::start_in(folder.path());
    let token = answer(&["token", "--client", "acme", "--data", &server.data()]).trim().to_owned();
    // What got no answer is sent again, as a client would; what was accepted is not.
    for (caller, sent) in (0..).zip(&mut sent) {
        let accepted =
            post(server.address(), &token, "/events", &valuation(caller, sent.valuations)).unwrap();
        sent.accepted.push(accepted["request_id"].as_str().unwrap().to_owned());
        post(server.address(), &token, "/calculate", &calculation(caller, sent.calculations)).unwrap();
    }
    wait_until_done(&server, &token, &sent);
    check(&server, &token, &sent);
    let dead = answer(&["dead-letters", "list", "--data", &server.data()]);
    assert_eq!(dead, "");
    let count = |part: fn(&Sent) -> u64| sent.iter().map(part).sum::<u64>();
    println!(
        "{} valuations, {} calculations",
        count(|sent| sent.valuations),
        count(|sent| sent.calculations)
    );
    server.stop();
}

/// Every ledger holds exactly what was sent, and every calculation has exactly one row.
fn check(server: &Server, token: &str, sent: &[Sent]) {
    for (caller, sent) in (0_u64..).zip(sent) {
        let days = 0..=sent.valuations;
        let direct = json!({"entity_type": "portfolio", "entity_id": "direct", "store": false,
            "valuations": {"dates": days.clone().map(day).collect::<Vec<_>>(),
                           "values": days.map(|index| level(caller, index)).collect::<Vec<_>>()}});
        let direct = post(server.address(), token, "/calculate", &direct).unwrap();
        let ledger = json!({"entity_type": "portfolio", "entity_id": format!("l{caller}"), "store": false});
        let stored = post(server.address(), token, "/calculate", &ledger).unwrap();
        assert_eq!(stored["metrics"], direct["metrics"]);
        let standing = listing(server, token, &format!("l{caller}"));
        let current = standing.iter().find(|row| row["time_period"] == "ITD").unwrap();
        assert_eq!(current["metrics"], direct["metrics"]);
        let rows = listing(server, token, &format!("c{caller}"));
        let mut closing: Vec<String> = rows
            .iter()
            .map(|row| row["reconciliation"]["closing_value"].as_str().unwrap().to_owned())
            .collect();
        closing.sort_by_key(|value| value.parse::<u64>().unwrap());
        let expected: Vec<String> = (0..=sent.calculations).map(|index| (100 + index).to_string()).collect();
        assert_eq!(closing, expected, "calculations of caller {caller}");
    }
}
