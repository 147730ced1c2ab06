//! Time series and key sets against servers of this test.

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
use axum::routing::{get, post};
use perf_aws::{Cached, Jwks, KEY_SET_BYTES_MAX, TimestreamTable};
use perf_core::model::{EntityKey, EntityType, Method, Metric, TimePeriod, WindowName};
use perf_core::ports::{SeriesRecord, TimeSeriesWriter};
use perf_core::retry::{Classify, RetryClass};
use serde_json::{Value, json};

/// Serves on a free port of the loopback until the test ends.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Calls that came, and what is answered: one after the other, then an accepting one.
type Calls = Arc<Mutex<Vec<Value>>>;
type Answers = Arc<Mutex<Vec<(u16, Value)>>>;

async fn timestream(answers: Vec<(u16, Value)>) -> (String, Calls, Answers) {
    let calls = Calls::default();
    let answers = Arc::new(Mutex::new(answers));
    let (seen, given) = (calls.clone(), answers.clone());
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers["x-amz-target"], "Timestream_20181101.WriteRecords");
        seen.lock().expect("no panic").push(serde_json::from_slice(&body).expect("JSON"));
        let mut given = given.lock().expect("no panic");
        let accepted = (200, json!({"RecordsIngested": {"Total": 1, "MemoryStore": 0, "MagneticStore": 1}}));
        let (status, body) = if given.is_empty() { accepted } else { given.remove(0) };
        let headers = [("content-type", "application/x-amz-json-1.0")];
        (StatusCode::from_u16(status).expect("a status"), headers, body.to_string()).into_response()
    };
    (serve(Router::new().route("/", post(answer))).await, calls, answers)
}

fn record(entity: &str, day: u32, version: u64) -> SeriesRecord {
    let figure = |text: &str| text.parse().expect("a figure");
    SeriesRecord {
        entity: EntityKey {
            client_id: "acme".parse().expect("a name"),
            entity_type: EntityType::Portfolio,
            entity_id: entity.parse().expect("a name"),
        },
        calculation_method: Method::Daily,
        time_period: WindowName::Standing(TimePeriod::Ytd),
        request_id: "standing".to_owned(),
        date: chrono::NaiveDate::from_ymd_opt(2023, 6, day).expect("a day"),
        version,
        figures: vec![(Metric::Twr, figure("0.12345678901234567891")), (Metric::MaxDrawdown, figure("0.1"))],
    }
}

async fn table(url: &str) -> TimestreamTable {
    TimestreamTable::new(local::clients(url).await, "performance".to_owned(), "metrics".to_owned())
}

fn rejection(records: &Value) -> (u16, Value) {
    (400, json!({"__type": "RejectedRecordsException", "Message": "rejected", "RejectedRecords": records}))
}

#[tokio::test]
async fn records_share_what_they_can() {
    let (url, calls, _) = timestream(Vec::new()).await;
    let mut records: Vec<SeriesRecord> = (1..=30).map(|day| record("p", day, 7)).collect();
    records.extend((1..=25).map(|day| record("q", day, 8)));
    let table = table(&url).await;
    table.write_series(&[]).await.expect("nothing to do");
    table.write_series(&records).await.expect("written");
    let calls = calls.lock().expect("no panic").clone();
    let sizes: Vec<usize> =
        calls.iter().map(|call| call["Records"].as_array().expect("a list").len()).collect();
    assert_eq!(sizes, [60, 50]);
    let first = &calls[0];
    assert_eq!((&first["DatabaseName"], &first["TableName"]), (&json!("performance"), &json!("metrics")));
    let dimension = |name: &str, value: &str| json!({"Name": name, "Value": value});
    let expected = json!({
        "Dimensions": [dimension("entity_type", "portfolio"), dimension("entity_id", "p"),
            dimension("client_id", "acme"), dimension("calculation_method", "daily"),
            dimension("request_id", "standing")],
        "MeasureValueType": "DOUBLE", "TimeUnit": "SECONDS"});
    assert_eq!(first["CommonAttributes"], expected);
    let expected = json!({"Dimensions": [dimension("time_period", "YTD")], "MeasureName": "twr",
        "MeasureValue": "0.12345678901234567891", "Time": "1685577600", "Version": 7});
    assert_eq!(first["Records"][0], expected);
    assert_eq!(first["Records"][1]["MeasureName"], "max_drawdown");
}

#[tokio::test]
async fn calls_have_at_most_a_hundred_records() {
    let (url, calls, _) = timestream(Vec::new()).await;
    let mut records = Vec::new();
    for month in 0..4 {
        records.extend((1..=30).map(|day| record("p", day, month + 1)));
    }
    table(&url).await.write_series(&records).await.expect("written");
    let calls = calls.lock().expect("no panic");
    let sizes: Vec<usize> =
        calls.iter().map(|call| call["Records"].as_array().expect("a list").len()).collect();
    assert_eq!(sizes, [100, 100, 40]);
}

#[tokio::test]
async fn what_is_there_is_no_failure_and_what_is_rejected_is() {
    let newer = json!([{"RecordIndex": 0, "Reason": "a newer version", "ExistingVersion": 8},
                       {"RecordIndex": 1, "Reason": "the same version", "ExistingVersion": 7}]);
    let older = json!([{"RecordIndex": 0, "Reason": "a newer version", "ExistingVersion": 8},
                       {"RecordIndex": 1, "Reason": "outside of the retention"}]);
    let (url, calls, _) = timestream(vec![rejection(&newer), rejection(&older)]).await;
    let table = table(&url).await;
    table.write_series(&[record("p", 1, 7)]).await.expect("known");
    // The second entity is written although the first one's records are rejected.
    let error = table.write_series(&[record("p", 1, 7), record("q", 1, 7)]).await.expect_err("rejected");
    assert_eq!(error.to_string(), "write records: 1 rejected: outside of the retention");
    assert_eq!(error.retry_class(), RetryClass::Permanent);
    assert_eq!(calls.lock().expect("no panic").len(), 3);
}

#[tokio::test]
async fn a_throttled_write_is_repeated_and_then_comes_again() {
    let throttled = (400, json!({"__type": "ThrottlingException", "Message": "slow down"}));
    let (url, calls, answers) = timestream(vec![throttled.clone(); 2]).await;
    let table = table(&url).await;
    table.write_series(&[record("p", 1, 7)]).await.expect("written at last");
    assert_eq!(calls.lock().expect("no panic").len(), 3);
    *answers.lock().expect("no panic") = vec![throttled; 20];
    let error = table.write_series(&[record("p", 1, 7)]).await.expect_err("throttled");
    assert_eq!(error.retry_class(), RetryClass::Throttled);
}

#[tokio::test]
async fn a_key_set_is_fetched_within_bounds() {
    let clients = local::clients("http://127.0.0.1:9").await;
    let large = "x".repeat(KEY_SET_BYTES_MAX + 1);
    let router = Router::new()
        .route("/keys", get(|| async { r#"{"keys": []}"# }))
        .route("/large", get(|| async { large }))
        .route("/down", get(|| async { StatusCode::SERVICE_UNAVAILABLE }));
    let url = serve(router).await;
    let fetched = |path: &str| {
        let cached = Cached::new(Jwks::new(&clients, format!("{url}{path}")));
        async move { cached.get().await.map(|document| document.to_string()) }
    };
    assert_eq!(fetched("/keys").await.expect("a document"), r#"{"keys": []}"#);
    assert_eq!(fetched("/large").await.expect_err("too large").to_string(), "get key set: too large");
    let down = fetched("/down").await.expect_err("down");
    assert_eq!(
        (down.to_string().as_str(), down.retry_class()),
        ("get key set: status 503", RetryClass::Transient)
    );
    let nobody = Cached::new(Jwks::new(&clients, "http://127.0.0.1:9/keys".to_owned()));
    assert_eq!(nobody.get().await.expect_err("nobody there").retry_class(), RetryClass::Transient);
}
