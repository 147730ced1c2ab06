//! Imports and dead letters as a user runs them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use perf_core::ports::{QueueSender, ResultReader};
use perf_local::store::{QueueSettings, SqliteStore};
use perf_local::system::SystemClock;
use serde_json::{Value, json};

fn perfcalc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfcalc"));
    for name in ["LOG_LEVEL", "RISK_FREE_RATE", "CACHE_TTL_SECONDS", "MAX_CONCURRENCY", "PERF_CONFIG"] {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn import(folder: &Path, arguments: &[&str]) -> Output {
    let fixed = ["import", "--entity", "portfolio:port-1", "--data", "perf.db"];
    perfcalc(folder, &[&fixed, arguments].concat())
}

fn summary(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn problem(output: &Output) -> Value {
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
    serde_json::from_slice(&output.stderr).unwrap()
}

fn store(folder: &Path) -> SqliteStore {
    let settings = QueueSettings::default();
    SqliteStore::open(&folder.join("perf.db"), Arc::new(SystemClock), settings).unwrap()
}

#[test]
fn files_become_a_ledger_and_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("v.csv"), "date,value\n2023-01-31,100\n2023-02-28,121\n").unwrap();
    fs::write(folder.join("f.csv"), "date,amount\n2023-01-31,5\n2023-01-31,5\n").unwrap();
    let files = ["--valuations", "v.csv", "--flows", "f.csv"];
    let expected = json!({"entity_type": "portfolio", "entity_id": "port-1", "client_id": "local",
        "valuations": 2, "cash_flows": 2, "input_revision": 1, "windows": ["ITD", "MTD"]});
    assert_eq!(summary(&import(folder, &files)), expected);
    let twr = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let key = perf_core::model::EntityKey {
            client_id: "local".parse().unwrap(),
            entity_type: perf_core::model::EntityType::Portfolio,
            entity_id: "port-1".parse().unwrap(),
        };
        let rows = runtime.block_on(store(folder).current_of(&key)).unwrap();
        rows[0].result.metrics.get(perf_core::model::Metric::Twr).unwrap().unwrap().to_string()
    };
    // The flows of the first day come after its valuation: 110 becomes 121.
    assert_eq!(twr(), "0.1");
    fs::write(folder.join("f.csv"), "date,amount\n2023-01-31,21\n").unwrap();
    let corrected = summary(&import(folder, &["--flows", "f.csv"]));
    assert_eq!((&corrected["cash_flows"], &corrected["input_revision"]), (&json!(1), &json!(2)));
    assert_eq!(twr(), "0");
}

#[test]
fn imports_may_work_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("v.csv"), "date,value\n2023-01-31,100\n2023-02-28,121\n").unwrap();
    // Whichever of them takes a message, each waits for the end of its own.
    let entities: Vec<String> = (0..6).map(|index| format!("account:a{}", index / 2)).collect();
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let start = |entity| {
            let arguments = ["import", "--data", "perf.db", "--valuations", "v.csv", "--entity", entity];
            scope.spawn(move || perfcalc(folder, &arguments))
        };
        let running: Vec<_> = entities.iter().map(|entity| start(entity.as_str())).collect();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    for (entity, output) in entities.iter().zip(&outputs) {
        let summary = summary(output);
        assert_eq!(format!("account:{}", summary["entity_id"].as_str().unwrap()), *entity);
        assert_eq!(summary["windows"], json!(["ITD", "MTD"]));
    }
}

#[test]
fn tenants_are_apart() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("v.csv"), "date,value\n2023-01-31,100\n").unwrap();
    let one = summary(&import(folder, &["--valuations", "v.csv", "--client", "acme"]));
    assert_eq!(
        (&one["client_id"], &one["windows"], &one["input_revision"]),
        (&json!("acme"), &json!([]), &Value::Null)
    );
    fs::write(folder.join("v.csv"), "date,value\n2023-02-28,110\n").unwrap();
    let other = summary(&import(folder, &["--valuations", "v.csv", "--client", "other"]));
    assert_eq!(other["windows"], json!([]));
    let both = summary(&import(folder, &["--valuations", "v.csv", "--client", "acme"]));
    assert_eq!(both["windows"], json!(["ITD", "MTD"]));
}

#[test]
fn invalid_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("v.csv"), "date,value\n2023-01-31,ten\n").unwrap();
    let refused = problem(&import(folder, &["--valuations", "v.csv"]));
    assert_eq!(refused["code"], "not_a_decimal");
    assert_eq!(refused["errors"][0]["message"], "expected a decimal number such as 1234.56 (v.csv line 2)");
    assert!(!folder.join("perf.db").exists());
    for wrong in [
        &["import", "--entity", "fund:p", "--valuations", "v.csv"][..],
        &["import", "--entity", "portfolio:a#b", "--valuations", "v.csv"],
        &["import", "--entity", "portfolio:p"],
    ] {
        assert_eq!(perfcalc(folder, wrong).status.code(), Some(2), "{wrong:?}");
    }
    // A problem that only the ledger knows of comes from the processor.
    let flows = format!("date,amount\n{}", "2023-01-05,1\n".repeat(4_000));
    fs::write(folder.join("f.csv"), flows).unwrap();
    let refused = problem(&import(folder, &["--flows", "f.csv"]));
    assert_eq!(refused["code"], "too_large");
    fs::write(folder.join("f.csv"), "date,amount\n2023-01-05,1\n").unwrap();
    assert_eq!(summary(&import(folder, &["--flows", "f.csv"]))["cash_flows"], 1);
}

#[test]
fn dead_letters_are_listed_and_redriven() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let missing = perfcalc(folder, &["dead-letters", "list", "--data", "perf.db"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(!folder.join("perf.db").exists());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let conflicting = |value: u32| {
        json!({"version": 1, "type": "valuation", "client_id": "acme", "request_id": "r-1",
               "entity_type": "portfolio", "entity_id": "p", "date": "2023-01-31", "value": value})
    };
    let bodies = ["nonsense".to_owned(), conflicting(1).to_string(), conflicting(2).to_string()];
    runtime.block_on(store(folder).send(&bodies)).unwrap();
    // An import works the queue; what cannot succeed fails until the queue gives it up.
    fs::write(folder.join("v.csv"), "date,value\n2023-01-31,100\n").unwrap();
    for _ in 0..=QueueSettings::default().max_receives {
        summary(&import(folder, &["--valuations", "v.csv"]));
    }
    let list = || {
        let output = perfcalc(folder, &["dead-letters", "list", "--data", "perf.db"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let dead = list();
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert_eq!(dead[0]["type"], Value::Null);
    assert!(dead[0]["reason"].as_str().unwrap().starts_with("malformed_json"), "{dead:?}");
    assert_eq!((&dead[1]["type"], &dead[1]["client_id"]), (&json!("valuation"), &json!("acme")));
    assert_eq!((&dead[1]["request_id"], &dead[1]["reason"]), (&json!("r-1"), &Value::Null));
    assert!(dead.iter().all(|line| line["message_id"].is_string()));
    let redriven = perfcalc(folder, &["dead-letters", "redrive", "--data", "perf.db"]);
    assert_eq!(String::from_utf8(redriven.stdout).unwrap(), "2 messages back on the queue\n");
    assert!(list().is_empty());
}
