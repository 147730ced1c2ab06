//! What services answer when something is wrong, from a server of this test.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not take for tests"
)]

mod local;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any;
use perf_aws::{LedgerTable, Queue, StateTable};
use perf_core::model::{EntityKey, EntityType, LedgerMonth};
use perf_core::ports::{
    Commit, Idempotency, IdempotencyKey, LedgerCommit, LedgerReader, LedgerWriter, PortError, QueueSender,
    SavedResponse,
};
use perf_core::retry::{Classify, RetryClass};
use serde_json::{Value, json};

/// Operation and body of each call that came.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers with the texts given, one after the other, and the last one again and again.
async fn serve(answers: Vec<(u16, String)>) -> (String, Calls) {
    let calls = Calls::default();
    let (seen, given) = (calls.clone(), Arc::new(Mutex::new(answers)));
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        let target = headers.get("x-amz-target").map_or("", |target| target.to_str().expect("text"));
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        seen.lock().expect("no panic").push((operation, body));
        let mut given = given.lock().expect("no panic");
        let (status, text) = if given.len() > 1 { given.remove(0) } else { given[0].clone() };
        (StatusCode::from_u16(status).expect("a status"), text).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(any(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), calls)
}

fn failure(code: &str) -> (u16, String) {
    (400, json!({"__type": format!("com.amazonaws#{code}"), "message": "no"}).to_string())
}

fn accepted(body: &Value) -> (u16, String) {
    (200, body.to_string())
}

fn operations(calls: &Calls) -> Vec<String> {
    calls.lock().expect("no panic").iter().map(|(operation, _)| operation.clone()).collect()
}

fn class<T: std::fmt::Debug>(outcome: Result<T, PortError>) -> RetryClass {
    outcome.expect_err("an error").retry_class()
}

fn entity() -> EntityKey {
    let name = |text: &str| text.parse().expect("a name");
    EntityKey { client_id: name("acme"), entity_type: EntityType::Portfolio, entity_id: name("p") }
}

async fn ledger_of(answers: Vec<(u16, String)>) -> (LedgerTable, Calls) {
    let (url, calls) = serve(answers).await;
    (LedgerTable::new(local::clients(&url).await.dynamodb(), "ledger".to_owned()), calls)
}

async fn commit(answer: (u16, String)) -> Result<Commit, PortError> {
    let (ledger, _) = ledger_of(vec![answer]).await;
    let month = LedgerMonth { month: "2023-01".to_owned(), ..LedgerMonth::default() };
    ledger.commit_ledger(&LedgerCommit { entity: entity(), expected: 3, months: vec![month] }).await
}

fn cancelled(reasons: &[&str]) -> (u16, String) {
    let reasons: Vec<Value> = reasons.iter().map(|code| json!({"Code": code})).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (400, json!({"__type": kind, "Message": "cancelled", "CancellationReasons": reasons}).to_string())
}

#[tokio::test]
async fn a_cancelled_transaction_says_why() {
    for reasons in [["ConditionalCheckFailed", "None"], ["None", "TransactionConflict"]] {
        assert_eq!(commit(cancelled(&reasons)).await.expect("an outcome"), Commit::Conflict, "{reasons:?}");
    }
    for (reason, expected) in [
        ("ThrottlingError", RetryClass::Throttled),
        ("ProvisionedThroughputExceeded", RetryClass::Throttled),
        ("ItemCollectionSizeLimitExceeded", RetryClass::Permanent),
        ("ValidationError", RetryClass::Permanent),
    ] {
        assert_eq!(class(commit(cancelled(&["None", reason])).await), expected, "{reason}");
    }
    // A condition that fails beside it tells nothing of whether there was room.
    let both = cancelled(&["ConditionalCheckFailed", "ValidationError"]);
    assert_eq!(class(commit(both).await), RetryClass::Permanent);
}

#[tokio::test]
async fn failures_of_a_table_have_classes() {
    for (answer, expected, attempts) in [
        (failure("ProvisionedThroughputExceededException"), RetryClass::Throttled, 4),
        ((500, "{}".to_owned()), RetryClass::Transient, 4),
        (failure("AccessDeniedException"), RetryClass::Permanent, 1),
        (failure("ResourceNotFoundException"), RetryClass::Permanent, 1),
    ] {
        let (ledger, calls) = ledger_of(vec![answer.clone()]).await;
        assert_eq!(class(ledger.read_ledger(&entity()).await), expected, "{answer:?}");
        // The SDK repeats what may pass, and nothing else does.
        assert_eq!(operations(&calls).len(), attempts, "{answer:?}");
    }
    let nobody = local::clients("http://127.0.0.1:9").await;
    let ledger = LedgerTable::new(nobody.dynamodb(), "ledger".to_owned());
    assert_eq!(class(ledger.read_ledger(&entity()).await), RetryClass::Transient);
}

#[tokio::test]
async fn a_ledger_that_changes_is_read_again() {
    let header = |revision: u64| json!({"id": {"S": "i"}, "month": {"S": "#header"}, "revision": {"N": revision.to_string()}});
    let month = |date: &str| {
        json!({"id": {"S": "i"}, "month": {"S": "2023-01"}, "transactions": {"M": {}},
               "valuations": {"M": {date: {"M": {"revision": {"N": "0"}, "value": {"S": "1.0"}}}}}})
    };
    let query = |revision, date| accepted(&json!({"Items": [header(revision), month(date)], "Count": 2}));
    let get = |revision| accepted(&json!({"Item": header(revision)}));
    let (ledger, calls) =
        ledger_of(vec![query(1, "2023-01-01"), get(2), query(2, "2023-01-02"), get(2)]).await;
    let stored = ledger.read_ledger(&entity()).await.expect("a ledger");
    assert_eq!(
        (stored.revision, stored.months[0].valuations[0].date.to_string()),
        (2, "2023-01-02".to_owned())
    );
    assert_eq!(operations(&calls), ["Query", "GetItem", "Query", "GetItem"]);
    let months =
        json!({"Items": [header(1), json!({"id": {"S": "i"}, "month": {"S": "2023-01"}})], "Count": 2});
    let (ledger, _) = ledger_of(vec![accepted(&months), get(1)]).await;
    assert_eq!(class(ledger.read_ledger(&entity()).await), RetryClass::Permanent);
}

#[tokio::test]
async fn messages_that_were_left_behind_are_sent_again() {
    let failed = |ids: &[&str], is_ours: bool| {
        let failed: Vec<Value> = ids
            .iter()
            .map(|id| json!({"Id": id, "SenderFault": is_ours, "Code": "InternalError", "Message": "no"}))
            .collect();
        accepted(&json!({"Successful": [], "Failed": failed}))
    };
    let bodies: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    let queue = async |answers| {
        let (url, calls) = serve(answers).await;
        (Queue::new(local::clients(&url).await.sqs(), format!("{url}/queue")), calls)
    };
    let (sender, calls) =
        queue(vec![failed(&["0", "2"], false), failed(&["1"], false), failed(&[], false)]).await;
    sender.send(&bodies).await.expect("sent");
    let sent = calls.lock().expect("no panic").clone();
    let texts = |(_, body): &(String, Value)| {
        let entries = body["Entries"].as_array().expect("a list");
        entries
            .iter()
            .map(|entry| entry["MessageBody"].as_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    let texts: Vec<Vec<String>> = sent.iter().map(texts).collect();
    assert_eq!(texts, [vec!["a", "b", "c"], vec!["a", "c"], vec!["c"]]);
    let (sender, calls) = queue(vec![failed(&["0"], false)]).await;
    assert_eq!(class(sender.send(&bodies).await), RetryClass::Transient);
    assert_eq!(operations(&calls).len(), 4);
    let (sender, calls) = queue(vec![failed(&["0"], true)]).await;
    assert_eq!(class(sender.send(&bodies).await), RetryClass::Permanent);
    assert_eq!(operations(&calls).len(), 1);
}

#[tokio::test]
async fn an_answer_that_no_item_holds_is_not_kept() {
    let (url, calls) = serve(vec![accepted(&json!({}))]).await;
    let table = StateTable::new(local::clients(&url).await.dynamodb(), "state".to_owned());
    let key = IdempotencyKey { client_id: entity().client_id, key: "POST /calculate k".to_owned() };
    let response = |bytes: usize| SavedResponse { status: 200, body: "x".repeat(bytes) };
    for bytes in [380_000, 380_001] {
        table.finish(&key, "token", &response(bytes), chrono::DateTime::UNIX_EPOCH).await.expect("finished");
    }
    assert_eq!(operations(&calls), ["UpdateItem", "DeleteItem"]);
}
