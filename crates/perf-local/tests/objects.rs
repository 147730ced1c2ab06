//! Objects, claims and time series, on the processor over SQLite.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not take for tests"
)]

mod system;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use perf_core::model::{EntityType, Metric, WindowName};
use perf_core::ports::{
    BlobRead, BlobReader, BlobWriter, DeadLetters, LedgerReader, PortError, QueueReceiver, QueueSender,
    SeriesRecord, TimeSeriesWriter,
};
use perf_core::services::{CLAIM_BYTES_MAX, IMPORT_BYTES_MAX, INLINE_BYTES_MAX, RecordOutcome, ResultQuery};
use serde_json::{Value, json};
use system::{CLAIMS, INPUT, System, entity, name};

const VALUATIONS: &str = "imports/acme/portfolio/p/valuations.csv";

fn object(key: &str, second: u32) -> Value {
    json!({"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
           "eventTime": format!("2024-01-02T03:04:{second:02}.678Z"), "eventName": "ObjectCreated:Put",
           "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": INPUT}, "object": {"key": key, "size": 1}}})
}

fn put_of(objects: &[Value]) -> Value {
    json!({ "Records": objects })
}

async fn put(system: &System, key: &str, text: &str) {
    system.store.bucket(INPUT).put_blob(key, text.as_bytes()).await.expect("put");
}

async fn rejected(system: &System, key: &str) -> Option<Value> {
    match system.store.bucket(INPUT).read_blob(key, 1 << 20).await.expect("an answer") {
        BlobRead::Found(text) => Some(serde_json::from_slice(&text).expect("JSON")),
        BlobRead::TooLarge | BlobRead::Missing => None,
    }
}

async fn revision(system: &System) -> u64 {
    system.store.read_ledger(&entity("acme", "p")).await.expect("a ledger").revision
}

/// Windows and their time-weighted returns.
async fn returns(system: &System) -> Vec<String> {
    let listing = system.queries.client(&name("acme"), &ResultQuery::default()).await.expect("a list");
    let line = |row: &perf_core::ports::ResultRow| {
        let twr = row.result.metrics.get(Metric::Twr).expect("asked for").expect("defined");
        format!("{} {} {twr}", row.result.entity_id, row.result.time_period.word())
    };
    listing.results.iter().map(line).collect()
}

fn code(outcome: &RecordOutcome) -> &str {
    match outcome {
        RecordOutcome::Done => "done",
        RecordOutcome::Retry { .. } => "retry",
        RecordOutcome::Permanent { code, .. } => code,
    }
}

#[tokio::test]
async fn files_of_one_notification_are_one_change() {
    let system = System::new();
    let flows = "imports/acme/portfolio/p/flows + é.csv";
    put(&system, VALUATIONS, "date,value\n2023-01-31,100\n2023-02-28,130\n").await;
    put(&system, flows, "date,amount,timing\n2023-02-01,10,\n2023-02-01,10,start_of_day\n").await;
    let encoded = "imports/acme/portfolio/p/flows+%2B+%C3%A9.csv";
    let notification = put_of(&[object(VALUATIONS, 1), object(encoded, 1)]);
    let outcomes = system.process(&[notification.clone(), notification]).await;
    assert_eq!(outcomes, [RecordOutcome::Done, RecordOutcome::Done]);
    assert_eq!(revision(&system).await, 1);
    let stored = system.store.read_ledger(&entity("acme", "p")).await.expect("a ledger");
    let february = stored.months.iter().find(|month| month.month == "2023-02").expect("the month");
    assert_eq!((february.valuations.len(), february.transactions.len()), (1, 2));
    assert_eq!(rejected(&system, "rejected/acme/portfolio/p/valuations.csv.json").await, None);
    let windows = returns(&system).await;
    assert!(windows[0].starts_with("p ITD 0.08"), "{windows:?}");
}

#[tokio::test]
async fn a_corrected_file_corrects_and_a_late_notification_changes_nothing() {
    let system = System::new();
    put(&system, VALUATIONS, "date,value\n2023-01-31,100\n2023-02-28,110\n").await;
    assert_eq!(system.process(&[put_of(&[object(VALUATIONS, 1)])]).await, [RecordOutcome::Done]);
    put(&system, VALUATIONS, "date,value\n2023-01-31,100\n2023-02-28,120\n").await;
    assert_eq!(system.process(&[put_of(&[object(VALUATIONS, 2)])]).await, [RecordOutcome::Done]);
    assert_eq!(returns(&system).await, ["p ITD 0.2", "p MTD 0.2"]);
    let event = json!({"version": 1, "type": "valuation", "client_id": "acme", "entity_type": "portfolio",
                       "entity_id": "p", "date": "2023-02-28", "value": 130, "revision": 2});
    system.process(&[event]).await;
    let before = revision(&system).await;
    for second in [1, 2] {
        let outcomes = system.process(&[put_of(&[object(VALUATIONS, second)])]).await;
        assert_eq!(outcomes, [RecordOutcome::Done]);
    }
    assert_eq!((revision(&system).await, returns(&system).await[0].as_str()), (before, "p ITD 0.3"));
}

#[tokio::test]
async fn events_in_an_object_are_those_of_its_key() {
    let system = System::new();
    let key = "imports/acme/portfolio/p/history.jsonl";
    let line = |members: &Value| {
        let mut event = json!({"version": 1, "entity_type": "portfolio", "entity_id": "p"});
        event.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        event.to_string()
    };
    let good = [
        line(&json!({"type": "valuation", "client_id": "acme", "date": "2023-01-31", "value": "100"})),
        line(&json!({"type": "valuation", "date": "2023-02-28", "value": "110"})),
    ];
    put(&system, key, &format!("{}\r\n\n{}\n", good[0], good[1])).await;
    assert_eq!(system.process(&[put_of(&[object(key, 1)])]).await, [RecordOutcome::Done]);
    assert_eq!(returns(&system).await, ["p ITD 0.1", "p MTD 0.1"]);
    let before = revision(&system).await;
    let wrong = [
        good[0].clone(),
        line(&json!({"type": "valuation", "client_id": "other", "date": "2023-03-31", "value": "1"})),
        line(&json!({"type": "valuation", "entity_id": "q", "date": "2023-03-31", "value": "1"})),
        line(
            &json!({"type": "portfolio_performance", "request": {"entity_type": "portfolio", "entity_id": "p"}}),
        ),
        "{".to_owned(),
    ];
    put(&system, key, &wrong.join("\n")).await;
    assert_eq!(system.process(&[put_of(&[object(key, 2)])]).await, [RecordOutcome::Done]);
    let problem = rejected(&system, "rejected/acme/portfolio/p/history.jsonl.json").await.expect("a problem");
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|error| error["pointer"].as_str().expect("text"))
        .collect();
    assert_eq!(pointers[..2], ["/1/client_id", "/2/entity_id"], "{problem}");
    assert_eq!(pointers.last(), Some(&"/4"), "{problem}");
    assert_eq!(revision(&system).await, before);
    // What is at odds with the ledger is told by line, too.
    let changed = line(&json!({"type": "valuation", "date": "2023-02-28", "value": "111"}));
    put(&system, key, &format!("\n{}\n{changed}", good[0])).await;
    assert_eq!(system.process(&[put_of(&[object(key, 3)])]).await, [RecordOutcome::Done]);
    let problem = rejected(&system, "rejected/acme/portfolio/p/history.jsonl.json").await.expect("a problem");
    assert_eq!(problem["errors"][0]["pointer"], "/2/revision");
    assert_eq!(problem["code"], "conflicting_revision");
}

#[tokio::test]
async fn what_cannot_be_imported_is_told_beside_it() {
    let system = System::new();
    let folder = "imports/acme/portfolio/p";
    let cases = [
        (format!("{folder}/valuations-1.csv"), "date,value\n2023-01-31,ten\n", "not_a_decimal"),
        (format!("{folder}/prices.csv"), "date,value\n", "unknown_key"),
        (format!("{folder}/more/valuations.csv"), "date,value\n", "unknown_key"),
        ("imports/acme/fund/p/valuations.csv".to_owned(), "date,value\n", "unknown_key"),
        ("imports/ac#me/portfolio/p/valuations.csv".to_owned(), "date,value\n", "unknown_key"),
    ];
    let mut objects = Vec::new();
    for (key, text, _) in &cases {
        put(&system, key, text).await;
        objects.push(object(&key.replace('#', "%23"), 1));
    }
    let large = format!("{folder}/valuations-2.csv");
    let bytes = usize::try_from(IMPORT_BYTES_MAX).expect("a size") + 1;
    system.store.bucket(INPUT).put_blob(&large, &vec![b'x'; bytes]).await.expect("put");
    objects.push(object(&large, 1));
    put(&system, VALUATIONS, "date,value\n2023-01-31,100\n2023-02-28,110\n").await;
    objects.push(object(VALUATIONS, 1));
    assert_eq!(system.process(&[put_of(&objects)]).await, [RecordOutcome::Done]);
    for (key, expected) in
        cases.iter().map(|case| (&case.0, case.2)).chain(std::iter::once((&large, "too_large")))
    {
        let place = format!("rejected/{}.json", key.trim_start_matches("imports/"));
        let problem = rejected(&system, &place).await.expect(key);
        assert_eq!(problem["code"], expected, "{key}");
        let original = system.store.bucket(INPUT).read_blob(key, u64::MAX).await.expect("an answer");
        assert!(matches!(original, BlobRead::Found(_)), "{key}");
        // Should the bucket announce it, nothing comes of it.
        assert_eq!(system.process(&[put_of(&[object(&place, 2)])]).await, [RecordOutcome::Done]);
    }
    assert_eq!(returns(&system).await, ["p ITD 0.1", "p MTD 0.1"]);
}

#[tokio::test]
async fn notifications_that_are_not_ours_fail() {
    let system = System::new();
    let mut foreign = object(VALUATIONS, 1);
    foreign["s3"]["bucket"]["name"] = json!("elsewhere");
    let mut removed = object(VALUATIONS, 1);
    removed["eventName"] = json!("ObjectRemoved:Delete");
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": INPUT});
    let gone = object(VALUATIONS, 1);
    let messages = [put_of(&[foreign]), put_of(&[removed]), test, put_of(&[gone])];
    let outcomes = system.process(&messages).await;
    let codes: Vec<&str> = outcomes.iter().map(code).collect();
    assert_eq!(codes, ["forbidden", "unknown_event_type", "done", "not_found"]);
}

#[tokio::test]
async fn a_month_that_no_item_holds_is_refused() {
    let system = System::new();
    let flows = |count: usize, day: u32| {
        let row = format!("2023-01-{day:02},1\n");
        format!("date,amount\n{}", row.repeat(count))
    };
    put(&system, VALUATIONS, "date,value\n2023-01-31,100\n2023-02-28,110\n").await;
    put(&system, "imports/acme/portfolio/p/flows-1.csv", &flows(2_000, 2)).await;
    put(&system, "imports/acme/portfolio/p/flows-2.csv", &flows(2_000, 3)).await;
    let first = object("imports/acme/portfolio/p/flows-1.csv", 1);
    system.process(&[put_of(&[object(VALUATIONS, 1), first])]).await;
    let second = object("imports/acme/portfolio/p/flows-2.csv", 1);
    assert_eq!(system.process(&[put_of(&[second])]).await, [RecordOutcome::Done]);
    let problem = rejected(&system, "rejected/acme/portfolio/p/flows-2.csv.json").await.expect("a problem");
    let detail = problem["detail"].as_str().expect("text");
    assert_eq!(problem["code"], "too_large");
    assert!(detail.starts_with("the ledger's month 2023-01 would exceed"), "{detail}");
    // Events that go over the edge fail for good; those of other months do not.
    let event = |day: &str, id: usize| {
        json!({"version": 1, "type": "transaction", "client_id": "acme", "entity_type": "portfolio",
               "entity_id": "p", "transaction_id": format!("{}{id}", "t".repeat(100)), "date": day,
               "kind": "deposit", "amount": 1})
    };
    let mut events: Vec<Value> = (0..2_000).map(|id| event("2023-01-05", id)).collect();
    events.push(event("2023-02-05", 9_999));
    let outcomes = system.process(&events).await;
    assert_eq!(outcomes.iter().filter(|outcome| code(outcome) == "too_large").count(), 2_000);
    assert_eq!(outcomes.last(), Some(&RecordOutcome::Done));
}

#[tokio::test]
async fn a_long_history_is_stored_in_several_commits() {
    let system = System::new();
    let key = "imports/acme/portfolio/p/flows.csv";
    // 100 months, 14 of them with more than 300 kB: more than one commit takes.
    let mut text = "date,amount\n".to_owned();
    for month in 0..100 {
        let rows = if month < 14 { 2_500 } else { 1 };
        text += &format!("{}-{:02}-05,1\n", 2010 + month / 12, month % 12 + 1).repeat(rows);
    }
    put(&system, VALUATIONS, "date,value\n2010-01-01,100\n2018-12-31,110\n").await;
    put(&system, key, &text).await;
    let notification = put_of(&[object(VALUATIONS, 1), object(key, 1)]);
    assert_eq!(system.process(std::slice::from_ref(&notification)).await, [RecordOutcome::Done]);
    assert_eq!(rejected(&system, "rejected/acme/portfolio/p/flows.csv.json").await, None);
    let stored = system.store.read_ledger(&entity("acme", "p")).await.expect("a ledger");
    let rows: usize = stored.months.iter().map(|month| month.transactions.len()).sum();
    assert_eq!((stored.revision, rows), (3, 14 * 2_500 + 86 + 2));
    assert_eq!(system.process(&[notification]).await, [RecordOutcome::Done]);
    assert_eq!(revision(&system).await, 3);
}

/// An event of more bytes than the queue takes.
fn large_event() -> Value {
    let dates: Vec<String> = (0..30_000_i64)
        .map(|day| (chrono::NaiveDate::default() + chrono::Duration::days(day)).to_string())
        .collect();
    let values = vec![json!(100); dates.len()];
    json!({"version": 1, "type": "portfolio_performance", "client_id": "acme",
           "request": {"entity_type": "portfolio", "entity_id": "p", "valuations": {"dates": dates, "values": values}}})
}

#[tokio::test]
async fn a_large_message_goes_by_claim() {
    let system = System::new();
    let large = large_event().to_string();
    assert!(large.len() > INLINE_BYTES_MAX);
    let small = json!({"version": 1, "type": "valuation", "client_id": "acme", "entity_type": "portfolio",
                       "entity_id": "q", "date": "2023-02-28", "value": 1});
    system.sender().send(&[large, small.to_string()]).await.expect("sent");
    let messages = system.store.receive(10).await.expect("received");
    assert!(messages[0].body.starts_with(r#"{"claim":"#) && messages[0].body.len() < 400);
    assert_eq!(messages[1].body, small.to_string());
    for message in messages {
        system.store.postpone(&message.receipt, std::time::Duration::ZERO).await.expect("postponed");
    }
    system.worker.drain().await.expect("drained");
    let listing = system.queries.performance(&entity("acme", "p"), &ResultQuery::default()).await;
    assert_eq!(listing.expect("a list").results[0].result.time_period, WindowName::Custom);
    assert!(system.store.dead_letters(10).await.expect("a list").is_empty());
    let huge = "x".repeat(usize::try_from(CLAIM_BYTES_MAX).expect("a size") + 1);
    assert!(system.sender().send(&[huge]).await.is_err());
}

#[tokio::test]
async fn a_claim_must_be_ours_and_true() {
    let system = System::new();
    system.sender().send(&[large_event().to_string()]).await.expect("sent");
    let message = system.store.receive(1).await.expect("received").remove(0);
    let claim: Value = serde_json::from_str(&message.body).expect("JSON");
    let with = |member: &str, value: Value| {
        let mut claim = claim.clone();
        claim["claim"][member] = value;
        claim
    };
    let length = claim["claim"]["length"].as_u64().expect("a number");
    let cases = [
        (claim.clone(), "done"),
        (with("bucket", json!(INPUT)), "foreign_bucket"),
        (with("key", json!("claims/other.json")), "claim_missing"),
        (with("length", json!(length - 1)), "claim_mismatch"),
        (with("length", json!(length + 1)), "claim_mismatch"),
        (with("length", json!(CLAIM_BYTES_MAX + 1)), "too_large"),
        (with("sha256", json!("0".repeat(64))), "claim_mismatch"),
        (with("more", json!(1)), "malformed_claim"),
    ];
    let messages: Vec<Value> = cases.iter().map(|(claim, _)| claim.clone()).collect();
    let outcomes = system.process(&messages).await;
    let codes: Vec<&str> = outcomes.iter().map(code).collect();
    assert_eq!(codes, cases.map(|(_, code)| code));
    // Something else under the claim's key.
    let key = claim["claim"]["key"].as_str().expect("text");
    let other = "y".repeat(usize::try_from(length).expect("a size"));
    system.store.bucket(CLAIMS).put_blob(key, other.as_bytes()).await.expect("put");
    assert_eq!(code(&system.process(std::slice::from_ref(&claim)).await[0]), "claim_mismatch");
}

/// Keeps what it is given; fails while it is told to.
#[derive(Default)]
struct Recorder {
    records: Mutex<Vec<SeriesRecord>>,
    failing: Mutex<bool>,
}

#[async_trait]
impl TimeSeriesWriter for Recorder {
    async fn write_series(&self, records: &[SeriesRecord]) -> Result<(), PortError> {
        if *self.failing.lock().expect("no panic") {
            return Err(PortError::transient("down"));
        }
        self.records.lock().expect("no panic").extend_from_slice(records);
        Ok(())
    }
}

#[tokio::test]
async fn results_become_time_series_after_they_are_stored() {
    let recorder = Arc::new(Recorder::default());
    let system = System::new().with_time_series(recorder.clone());
    let valuation = |date: &str, value: u32| {
        json!({"version": 1, "type": "valuation", "client_id": "acme", "entity_type": "portfolio",
               "entity_id": "p", "date": date, "value": value})
    };
    let events = [valuation("2023-01-31", 100), valuation("2023-02-28", 110)];
    *recorder.failing.lock().expect("no panic") = true;
    let outcomes = system.process(&events).await;
    assert!(outcomes.iter().all(|outcome| code(outcome) == "retry"), "{outcomes:?}");
    assert_eq!(returns(&system).await, ["p ITD 0.1", "p MTD 0.1"]);
    *recorder.failing.lock().expect("no panic") = false;
    assert_eq!(system.process(&events).await, [RecordOutcome::Done, RecordOutcome::Done]);
    let own = json!({"version": 1, "type": "portfolio_performance", "client_id": "acme", "request_id": "r-1",
        "request": {"entity_type": "portfolio", "entity_id": "p", "valuations":
                    {"dates": ["2023-01-31", "2023-03-31"], "values": [100, 120]}}});
    assert_eq!(system.process(&[own]).await, [RecordOutcome::Done]);
    let records = recorder.records.lock().expect("no panic").clone();
    let lines: Vec<String> = records
        .iter()
        .map(|record| {
            let SeriesRecord { entity, request_id, date, version, figures, .. } = record;
            assert_eq!(entity.entity_type, EntityType::Portfolio);
            format!(
                "{} {request_id} {date} {version} {:?}={}",
                record.time_period.word(),
                figures[0].0,
                figures[0].1
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "MTD standing 2023-02-28 1 Twr=0.1",
            "ITD standing 2023-02-28 1 Twr=0.1",
            "CUSTOM r-1 2023-03-31 1 Twr=0.2"
        ]
    );
    assert!(records[0].figures.iter().all(|(metric, _)| *metric != Metric::SharpeRatio));
}
