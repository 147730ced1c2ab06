//! The processor on a local AWS, which `.ci/run aws` starts: what lies in the tables.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not take for tests"
)]

mod local;
mod made;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use perf_aws::{Bucket, Lazy, LedgerTable, ResultsTable, StateTable};
use perf_core::number::Exact;
use perf_core::ports::{BlobRead, BlobReader, BlobWriter, Clock, PortError, QueueSender};
use perf_core::services::{
    ClaimCheck, ClaimPorts, ImportPorts, Processor, ProcessorPorts, Queries, QueryPorts, Record,
    RecordOutcome, RequestState, ResultQuery,
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(4).expect("not zero");
const BUCKET: &str = "bucket";

struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }
}

/// Keeps what would go to the queue.
#[derive(Default)]
struct Outbox(Mutex<Vec<String>>);

#[async_trait]
impl QueueSender for Outbox {
    async fn send(&self, bodies: &[String]) -> Result<(), PortError> {
        self.0.lock().await.extend_from_slice(bodies);
        Ok(())
    }
}

struct Pipeline {
    processor: Processor,
    queries: Queries,
    results: (Lazy<aws_sdk_dynamodb::Client>, String),
    ledger: (Lazy<aws_sdk_dynamodb::Client>, String),
    bucket: Arc<Bucket>,
    outbox: Arc<Outbox>,
    sender: ClaimCheck,
}

async fn pipeline() -> Pipeline {
    let ledger = made::table("month", &[]).await;
    let results = made::results_table().await;
    let ledger_table = Arc::new(LedgerTable::new(ledger.0.clone(), ledger.1.clone()));
    let results_table = Arc::new(ResultsTable::new(results.0.clone(), results.1.clone()));
    let state: Arc<StateTable> = Arc::new(made::state().await);
    let bucket = Arc::new(made::bucket().await);
    let outbox = Arc::new(Outbox::default());
    let sender = ClaimCheck::new(outbox.clone(), bucket.clone(), BUCKET.to_owned());
    let ports = ProcessorPorts {
        ledger: ledger_table.clone(),
        ledger_writer: ledger_table,
        results: results_table.clone(),
        writer: results_table.clone(),
        requests: state.clone(),
        queue: Arc::new(sender.clone()),
        clock: Arc::new(RealClock),
    };
    let imports = ImportPorts { bucket: BUCKET.to_owned(), reader: bucket.clone(), writer: bucket.clone() };
    let claims = ClaimPorts { bucket: BUCKET.to_owned(), reader: bucket.clone() };
    let query_ports = QueryPorts {
        results: results_table.clone(),
        current: results_table,
        requests: state,
        clock: Arc::new(RealClock),
    };
    Pipeline {
        processor: Processor::new(ports, Exact::ZERO, CONCURRENCY, 5)
            .with_imports(imports)
            .with_claims(claims),
        queries: Queries::new(query_ports),
        results,
        ledger,
        bucket,
        outbox,
        sender,
    }
}

impl Pipeline {
    async fn process(&self, bodies: Vec<String>) -> Vec<RecordOutcome> {
        let record = |(index, body)| Record { message_id: format!("m{index}"), body, receive_count: 1 };
        let records = bodies.into_iter().enumerate().map(record).collect();
        self.processor.process(records).await.into_iter().map(|result| result.outcome).collect()
    }
}

async fn items(
    (client, table): &(Lazy<aws_sdk_dynamodb::Client>, String),
) -> Vec<HashMap<String, AttributeValue>> {
    let scan = client.scan().table_name(table).consistent_read(true).send().await.expect("items");
    assert!(scan.last_evaluated_key.is_none());
    scan.items.expect("items")
}

fn text<'i>(item: &'i HashMap<String, AttributeValue>, name: &str) -> &'i str {
    item.get(name).expect(name).as_s().expect("text")
}

fn valuation(date: &str, value: &str) -> String {
    json!({"version": 1, "type": "valuation", "client_id": "acme", "entity_type": "portfolio",
           "entity_id": "p", "date": date, "value": value, "request_id": "r-1"})
    .to_string()
}

fn deposit(date: &str, amount: &str) -> String {
    json!({"version": 1, "type": "transaction", "client_id": "acme", "entity_type": "portfolio",
           "entity_id": "p", "date": date, "transaction_id": "t-1", "kind": "deposit", "amount": amount,
           "account_id": "acct"})
    .to_string()
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/run aws"]
async fn events_lie_in_the_tables_as_described() {
    let pipeline = pipeline().await;
    let events =
        vec![valuation("2023-01-31", "100.00"), deposit("2023-01-31", "10"), valuation("2023-02-28", "121")];
    for _ in 0..2 {
        let outcomes = pipeline.process(events.clone()).await;
        assert!(outcomes.iter().all(|outcome| *outcome == RecordOutcome::Done), "{outcomes:?}");
    }
    let mut ledger = items(&pipeline.ledger).await;
    ledger.sort_by_key(|item| text(item, "month").to_owned());
    assert_eq!(
        ledger.iter().map(|item| text(item, "month")).collect::<Vec<_>>(),
        ["#header", "2023-01", "2023-02"]
    );
    assert!(ledger.iter().all(|item| text(item, "id") == "portfolio#p#acme"));
    assert_eq!(ledger[0]["revision"], AttributeValue::N("1".to_owned()));
    let january = ledger[1]["valuations"].as_m().expect("a map")["2023-01-31"].as_m().expect("a map");
    assert_eq!(text(january, "value"), "100.00");
    let flow = ledger[1]["transactions"].as_m().expect("a map")["t-1"].as_m().expect("a map");
    assert_eq!((text(flow, "kind"), text(flow, "amount")), ("deposit", "10"));

    let mut results = items(&pipeline.results).await;
    results.sort_by_key(|item| text(item, "calculation_date").to_owned());
    let keys: Vec<&str> = results.iter().map(|item| text(item, "calculation_date")).collect();
    let expected = ["2023-02-28#ITD#daily", "2023-02-28#MTD#daily", "latest#ITD#daily", "latest#MTD#daily"];
    assert_eq!(keys, expected);
    let (dated, latest) = (&results[0], &results[2]);
    assert!(!dated.contains_key("client_id") && !dated.contains_key("account_id"));
    assert_eq!((text(latest, "client_id"), text(latest, "account_id")), ("acme", "acme#acct"));
    assert_eq!(dated["twr"], AttributeValue::N("0.1".to_owned()));
    assert!(!dated.contains_key("sharpe_ratio"));
    assert_eq!(text(dated["undefined"].as_m().expect("a map"), "sharpe_ratio"), "too_few_returns");
    assert_eq!(dated["metrics"].as_m().expect("a map")["twr"], dated["twr"]);
    for (name, expected) in [
        ("entity_type", "portfolio"),
        ("entity_id", "p"),
        ("time_period", "ITD"),
        ("calculation_method", "daily"),
        ("request_id", "standing"),
    ] {
        assert_eq!(text(dated, name), expected);
    }
    assert!(text(dated, "created_at") < text(dated, "updated_at"));
    let acme = "acme".parse().expect("a name");
    let status = pipeline.queries.request(&acme, &"r-1".parse().expect("a name")).await.expect("a status");
    assert_eq!((status.status, status.completed), (RequestState::Completed, 1));
    let account = "acct".parse().expect("a name");
    let listed = pipeline.queries.account(&acme, &account, &ResultQuery::default()).await.expect("a list");
    assert_eq!(listed.results.len(), 2);
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/run aws"]
async fn objects_and_claims_are_read_from_a_bucket() {
    let pipeline = pipeline().await;
    let folder = "imports/acme/portfolio/p";
    let good = format!("{folder}/valuations 2023.csv");
    let bad = format!("{folder}/flows.csv");
    pipeline.bucket.put_blob(&good, b"date,value\n2023-01-31,100\n2023-02-28,110\n").await.expect("put");
    pipeline.bucket.put_blob(&bad, b"date,amount\n2023-02-30,1\n").await.expect("put");
    let object = |key: &str| {
        json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2024-01-02T03:04:05.678Z",
               "s3": {"bucket": {"name": BUCKET}, "object": {"key": key.replace(' ', "+")}}})
    };
    let notification = json!({"Records": [object(&good), object(&bad)]}).to_string();
    let outcomes = pipeline.process(vec![notification.clone(), notification]).await;
    assert_eq!(outcomes, [RecordOutcome::Done, RecordOutcome::Done]);
    let account = pipeline.bucket.read_blob("rejected/acme/portfolio/p/flows.csv.json", 1 << 20).await;
    let BlobRead::Found(account) = account.expect("an answer") else { panic!("no account") };
    let account: Value = serde_json::from_slice(&account).expect("JSON");
    assert_eq!(account["code"], "not_a_date");

    let values: Vec<Value> = (0..20_000).map(|_| json!("100.25")).collect();
    let dates: Vec<String> = (0..20_000_i64)
        .map(|day| (chrono::NaiveDate::default() + chrono::Duration::days(day)).to_string())
        .collect();
    let large = json!({"version": 1, "type": "portfolio_performance", "client_id": "acme",
        "request": {"entity_type": "portfolio", "entity_id": "q", "valuations": {"dates": dates, "values": values}}});
    pipeline.sender.send(&[large.to_string()]).await.expect("sent");
    let sent = std::mem::take(&mut *pipeline.outbox.0.lock().await);
    assert!(sent[0].len() < 500, "{}", sent[0].len());
    assert_eq!(pipeline.process(sent).await, [RecordOutcome::Done]);
    let entities: Vec<String> =
        items(&pipeline.results).await.iter().map(|item| text(item, "id").to_owned()).collect();
    assert_eq!(entities.iter().filter(|id| *id == "portfolio#p#acme").count(), 4);
    assert_eq!(entities.iter().filter(|id| *id == "portfolio#q#acme").count(), 1);
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/run aws"]
async fn processors_at_work_on_one_ledger_lose_nothing() {
    let pipeline = pipeline().await;
    let day = |day: u32| valuation(&format!("2023-01-{day:02}"), &day.to_string());
    // Four batches at once, each event in two of them.
    let batch = |first: u32| (0..10).map(|index| day((first + index) % 20 + 1)).collect::<Vec<_>>();
    let mut batches = vec![batch(0), batch(5), batch(10), batch(15)];
    // What was overtaken too often comes again, as it would from the queue.
    for _ in 0..4 {
        let (one, two, three, four) = tokio::join!(
            pipeline.process(batches[0].clone()),
            pipeline.process(batches[1].clone()),
            pipeline.process(batches[2].clone()),
            pipeline.process(batches[3].clone())
        );
        for (batch, outcomes) in batches.iter_mut().zip([one, two, three, four]) {
            let mut outcomes = outcomes.iter();
            batch.retain(|_| outcomes.next().is_some_and(|outcome| *outcome != RecordOutcome::Done));
        }
    }
    assert!(batches.iter().all(Vec::is_empty), "{batches:?}");
    let ledger = items(&pipeline.ledger).await;
    let month = ledger.iter().find(|item| text(item, "month") == "2023-01").expect("the month");
    assert_eq!(month["valuations"].as_m().expect("a map").len(), 20);
    let results = items(&pipeline.results).await;
    let latest = results.iter().find(|item| text(item, "calculation_date") == "latest#ITD#daily");
    assert_eq!(latest.expect("a result")["twr"], AttributeValue::N("19".to_owned()));
}
