//! The HTTP routes over the use cases, the queue and the store, in one process.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;

use api_handler::auth::{Keys, NewToken, Verifier};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request};
use chrono::Utc;
use perf_core::config::Secret;
use perf_core::number::Exact;
use perf_core::services::CalculatorSettings;
use perf_local::assembly;
use perf_local::store::{QueueSettings, SqliteStore};
use perf_local::system::SystemClock;
use perf_local::worker::Worker;
use serde_json::{Value, json};
use tower::ServiceExt;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

struct System {
    router: Router,
    worker: Worker,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
    body: Value,
}

impl System {
    fn new() -> Self {
        let store = SqliteStore::in_memory(Arc::new(SystemClock), QueueSettings::default()).unwrap();
        let store = Arc::new(store);
        let keys = Keys::hs256(&Secret::new(SECRET), None).unwrap();
        let verifier = Arc::new(Verifier::new(keys, "issuer", "audience").unwrap());
        let settings = CalculatorSettings { risk_free_rate: Exact::ZERO, cache_ttl_seconds: 300 };
        let router = assembly::http(&store, verifier, settings, CONCURRENCY);
        let worker = Worker::new(store.clone(), assembly::processor(&store, Exact::ZERO, CONCURRENCY));
        Self { router, worker }
    }

    async fn ask(
        &self,
        client: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.ask_as(client, "performance:read performance:write", method, path, headers, body).await
    }

    async fn ask_as(
        &self,
        client: &str,
        scope: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let token = NewToken {
            client_id: client.parse().unwrap(),
            subject: "jo",
            scope,
            issuer: "issuer",
            audience: "audience",
            issued_at: Utc::now().timestamp(),
            ttl_seconds: 600,
        };
        let token = token.sign(&Secret::new(SECRET)).unwrap();
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await;
        let (parts, body) = response.unwrap().into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text, body }
    }

    async fn get(&self, client: &str, path: &str) -> Answer {
        self.ask(client, "GET", path, &[], "").await
    }

    async fn post(&self, client: &str, path: &str, body: &Value) -> Answer {
        self.ask(client, "POST", path, &[], &body.to_string()).await
    }

    async fn drain(&self) {
        self.worker.drain().await.unwrap();
    }
}

fn calculation(entity: &str, closing: i64) -> Value {
    json!({"entity_type": "portfolio", "entity_id": entity, "account_id": "a-1",
           "valuations": {"dates": ["2023-01-01", "2023-06-30"], "values": [100, closing]}})
}

fn valuation(entity: &str, date: &str, value: i64) -> Value {
    json!({"version": 1, "type": "valuation", "entity_type": "portfolio", "entity_id": entity,
           "date": date, "value": value})
}

#[tokio::test]
async fn answered_calculation_is_stored_and_read_back() {
    let system = System::new();
    let answered = system.post("acme", "/calculate", &calculation("p", 108)).await;
    assert_eq!((answered.status, &answered.body["stored"]), (200, &json!("queued")), "{}", answered.text);
    let url = answered.body["result_url"].as_str().unwrap();
    assert_eq!(system.get("acme", url).await.status, 404);
    system.drain().await;
    let stored = system.get("acme", url).await;
    assert_eq!(stored.body["results"].as_array().map(Vec::len), Some(1), "{}", stored.text);
    let row = &stored.body["results"][0];
    for member in [
        "metrics",
        "undefined",
        "input_hash",
        "request_id",
        "period",
        "conventions",
        "drawdown",
        "irr",
        "reconciliation",
        "warnings",
        "calculated_at",
    ] {
        assert_eq!(row[member], answered.body[member], "{member}");
    }
    // The same request again is answered from memory and leaves the one row.
    let again = system.post("acme", "/calculate", &calculation("p", 108)).await;
    assert_eq!(again.body["cached"], json!(true));
    system.drain().await;
    assert_eq!(system.get("acme", url).await.body["results"].as_array().map(Vec::len), Some(1));
    let unstored = json!({"store": false, "entity_type": "portfolio", "entity_id": "q",
        "returns": [{"date": "2023-01-02", "value": "0.01"}]});
    let answered = system.post("acme", "/calculate", &unstored).await;
    assert_eq!((answered.status, &answered.body["stored"]), (200, &json!("none")));
    assert!(answered.body.get("result_url").is_none());
    system.drain().await;
    assert_eq!(system.get("acme", "/performance/portfolio/q").await.status, 404);
}

#[tokio::test]
async fn preference_for_later_is_honoured() {
    let system = System::new();
    let body = calculation("p", 108).to_string();
    for prefer in ["respond-async", "wait=5, Respond-Async; x=1"] {
        let accepted = system.ask("acme", "POST", "/calculate", &[("prefer", prefer)], &body).await;
        assert_eq!(
            (accepted.status, accepted.headers["preference-applied"].to_str().unwrap()),
            (202, "respond-async")
        );
        let status = accepted.body["status_url"].as_str().unwrap();
        let pending = system.get("acme", status).await.body;
        assert_eq!((&pending["status"], &pending["pending"]), (&json!("pending"), &json!(1)));
        system.drain().await;
        let done = system.get("acme", status).await.body;
        assert_eq!((&done["status"], &done["completed"]), (&json!("completed"), &json!(1)));
        assert_eq!(done["items"][0]["result_url"], "/performance/portfolio/p");
    }
    let now = system.ask("acme", "POST", "/calculate", &[("prefer", "wait=5")], &body).await;
    assert_eq!(now.status, 200);
}

#[tokio::test]
async fn batches_and_events_are_worked_on_and_counted() {
    let system = System::new();
    let list = json!({"requests": [calculation("p", 108), calculation("q", 0), calculation("r", 90)]});
    let accepted = system.post("acme", "/calculations", &list).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    assert_eq!(system.post("acme", "/calculations", &calculation("s", 101)).await.status, 202);
    let events = json!({"events": [valuation("l", "2023-01-31", 100), valuation("l", "2023-02-28", 110),
        {"version": 1, "type": "transaction", "client_id": "beta", "entity_type": "portfolio", "entity_id": "l",
         "transaction_id": "t-1", "date": "2023-02-01", "kind": "deposit", "amount": "5"}]});
    let events = system.post("acme", "/events", &events).await;
    assert_eq!(events.status, 202, "{}", events.text);
    system.drain().await;
    for accepted in [accepted, events] {
        let status = system.get("acme", accepted.body["status_url"].as_str().unwrap()).await.body;
        let counts = ["status", "total", "completed", "failed"].map(|name| status[name].clone());
        assert_eq!(counts, [json!("completed"), json!(3), json!(3), json!(0)], "{status}");
    }
    let twr = async |entity: &str| {
        let listing = system.get("acme", &format!("/performance/portfolio/{entity}?time_period=ITD")).await;
        listing.body["results"][0]["metrics"]["twr"].clone()
    };
    // 110 / (100 + 5 x 27/28) - 5 / ..., as one calculation of the same data.
    let direct = json!({"entity_type": "portfolio", "entity_id": "l", "store": false, "time_period": "ITD",
        "valuations": {"dates": ["2023-01-31", "2023-02-28"], "values": [100, 110]},
        "cash_flows": [{"date": "2023-02-01", "amount": 5}]});
    let direct = system.post("acme", "/calculate", &direct).await;
    assert_eq!(twr("l").await, direct.body["metrics"]["twr"]);
    assert!(direct.body["metrics"]["twr"].is_number());
    assert_eq!(system.get("beta", "/performance/portfolio/l").await.status, 404);
    let series = system.get("acme", "/performance/portfolio/l/series?metric=twr&time_period=ITD").await.body;
    assert_eq!(series["points"], json!([{"date": "2023-02-28", "value": direct.body["metrics"]["twr"]}]));
}

#[tokio::test]
async fn wrong_lists_are_refused_whole() {
    let system = System::new();
    let wrong = json!({"events": [valuation("p", "2023-01-31", 1), valuation("p", "2023-02-30", 1)]});
    let answer = system.post("acme", "/events", &wrong).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["pointer"]), (422, &json!("/events/1/date")));
    let many: Vec<Value> = (0..1_001).map(|_| valuation("p", "2023-01-31", 1)).collect();
    let answer = system.post("acme", "/events", &json!({"events": many})).await;
    assert_eq!((answer.status, &answer.body["code"]), (422, &json!("too_many_items")));
    let mixed = json!({"requests": [calculation("p", 1), {"entity_type": "portfolio", "entity_id": "q",
        "client_id": "beta"}]});
    assert_eq!(system.post("acme", "/calculations", &mixed).await.status, 403);
    system.drain().await;
    assert_eq!(system.get("acme", "/clients/acme/performance").await.body["results"], json!([]));
}

#[tokio::test]
async fn tenants_never_meet() {
    let system = System::new();
    for (client, closing) in [("acme", 110), ("beta", 120)] {
        let events = json!({"events": [valuation("p", "2023-01-31", 100),
            valuation("p", "2023-02-28", closing)]});
        assert_eq!(system.post(client, "/events", &events).await.status, 202);
        assert_eq!(system.post(client, "/calculate", &calculation("c", closing)).await.status, 200);
    }
    system.drain().await;
    for (client, twr) in [("acme", 0.1), ("beta", 0.2)] {
        let entity = system.get(client, "/performance/portfolio/p?time_period=ITD").await.body;
        assert_eq!(entity["results"][0]["metrics"]["twr"], json!(twr));
        let own = system.get(client, &format!("/clients/{client}/performance")).await.body;
        let tenants = own["results"].as_array().unwrap().iter().map(|row| row["client_id"].clone());
        assert!(tenants.clone().all(|tenant| tenant == client) && tenants.count() >= 2);
        let ledger =
            json!({"entity_type": "portfolio", "entity_id": "p", "time_period": "ITD", "store": false});
        let figure = system.post(client, "/calculate", &ledger).await.body["metrics"]["twr"].clone();
        assert_eq!(figure, json!(twr));
    }
    for path in [
        "/clients/beta/performance",
        "/performance/portfolio/p?client_id=beta",
        "/performance/portfolio/p/series?metric=twr&client_id=beta",
        "/accounts/a-1/performance?client_id=beta",
        "/requests/r?client_id=beta",
    ] {
        assert_eq!(system.get("acme", path).await.status, 403, "{path}");
    }
    let admin = system.ask_as("ops", "performance:admin", "GET", "/clients/beta/performance", &[], "").await;
    assert_eq!(admin.status, 200);
    let theirs = system.post("beta", "/calculations", &calculation("p", 1)).await.body;
    assert_eq!(system.get("acme", theirs["status_url"].as_str().unwrap()).await.status, 404);
    // A cursor is a position: with another tenant's the own list goes on.
    let theirs = system.get("beta", "/clients/beta/performance?limit=1").await.body;
    let cursor = theirs["next_cursor"].as_str().unwrap();
    let own = system.get("acme", &format!("/clients/acme/performance?cursor={cursor}")).await.body;
    assert!(own["results"].as_array().unwrap().iter().all(|row| row["client_id"] == "acme"), "{own}");
}

#[tokio::test]
async fn pages_lead_through_the_whole_list() {
    let system = System::new();
    let events: Vec<Value> =
        (1..=28).map(|day| valuation("p", &format!("2023-01-{day:02}"), 100 + day)).collect();
    for event in &events {
        system.post("acme", "/events", event).await;
        system.drain().await;
    }
    let (mut dates, mut next) = (Vec::new(), Some(String::new()));
    while let Some(cursor) = next {
        let path = format!("/performance/portfolio/p/series?metric=twr&limit=5{cursor}");
        let page = system.get("acme", &path).await.body;
        let points = page["points"].as_array().unwrap().iter();
        dates.extend(points.map(|point| point["date"].as_str().unwrap().to_owned()));
        next = page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}"));
    }
    let expected: Vec<String> = (2..=28).rev().map(|day| format!("2023-01-{day:02}")).collect();
    assert_eq!(dates, expected);
    let part =
        system.get("acme", "/performance/portfolio/p/series?metric=twr&from=2023-01-10&to=2023-01-12").await;
    assert_eq!(part.body["points"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn queries_are_checked() {
    let system = System::new();
    system.post("acme", "/events", &valuation("p", "2023-01-31", 1)).await;
    for (query, pointer, code) in [
        ("limit=0", "/limit", "number_out_of_range"),
        ("limit=101", "/limit", "number_out_of_range"),
        ("limit=x", "/limit", "number_out_of_range"),
        ("from=2023-02-30", "/from", "not_a_date"),
        ("time_period=2Y", "/time_period", "unknown_value"),
        ("cursor=%25", "/cursor", "invalid_cursor"),
        ("sort=up", "/sort", "unknown_field"),
        ("limit=1&limit=2", "/limit", "duplicate_field"),
        ("client_id=a%23b", "/client_id", "invalid_identifier"),
    ] {
        let answer = system.get("acme", &format!("/performance/portfolio/p?{query}")).await;
        let error = &answer.body["errors"][0];
        assert_eq!((answer.status, &error["pointer"], &error["code"]), (422, &json!(pointer), &json!(code)));
    }
    let series = system.get("acme", "/performance/portfolio/p/series?from=x").await.body;
    assert_eq!(series["errors"].as_array().map(Vec::len), Some(2), "{series}");
    for path in
        ["/performance/fund/p", "/performance/portfolio/a%23b", "/performance/portfolio/p", "/requests/none"]
    {
        assert_eq!(system.get("acme", path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn scopes_of_every_route_are_enforced() {
    let system = System::new();
    let body = calculation("p", 1).to_string();
    for (method, path, needed) in [
        ("POST", "/calculations", "performance:write"),
        ("POST", "/events", "performance:write"),
        ("GET", "/requests/r", "performance:read"),
        ("GET", "/performance/portfolio/p", "performance:read"),
        ("GET", "/performance/portfolio/p/series?metric=twr", "performance:read"),
        ("GET", "/clients/acme/performance", "performance:read"),
        ("GET", "/accounts/a/performance", "performance:read"),
    ] {
        let other = if needed == "performance:write" { "performance:read" } else { "performance:write" };
        let refused = system.ask_as("acme", other, method, path, &[], &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("insufficient_scope")), "{path}");
        let allowed = system.ask_as("acme", needed, method, path, &[], &body).await;
        assert_ne!(allowed.status, 403, "{path}");
    }
}

#[tokio::test]
async fn idempotency_keys_name_calls() {
    let system = System::new();
    let body = calculation("p", 108).to_string();
    let ask = async |client: &str, key: &str, path: &str, body: &str| {
        system.ask(client, "POST", path, &[("idempotency-key", key)], body).await
    };
    let first = ask("acme", "k", "/calculate", &body).await;
    let again = ask("acme", "k", "/calculate", &body).await;
    assert_eq!((first.status, again.status, &first.text), (200, 200, &again.text));
    assert!(first.headers.get("idempotency-replayed").is_none());
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = ask("acme", "k", "/calculate", &calculation("p", 109).to_string()).await;
    assert_eq!((other.status, &other.body["code"]), (409, &json!("idempotency_key_reused")));
    assert_eq!(ask("acme", "k", "/calculations", &body).await.status, 409);
    // Another tenant's key is another key, and a refusal leaves the key free.
    let theirs = ask("beta", "k", "/calculate", &body).await;
    assert_eq!((theirs.status, &theirs.body["client_id"]), (200, &json!("beta")));
    assert_eq!(ask("acme", "new", "/calculate", "{}").await.status, 422);
    assert_eq!(ask("acme", "new", "/calculate", &body).await.status, 200);
    let accepted = ask("acme", "e", "/events", &valuation("p", "2023-01-31", 1).to_string()).await;
    let repeated = ask("acme", "e", "/events", &valuation("p", "2023-01-31", 1).to_string()).await;
    assert_eq!((accepted.status, &accepted.text), (202, &repeated.text));
    for key in ["", &"k".repeat(256)] {
        let answer = ask("acme", key, "/calculate", &body).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid_idempotency_key")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_one_key_at_once_are_done_once() {
    let system = Arc::new(System::new());
    let body = calculation("p", 108).to_string();
    let calls = (0..16).map(|_| {
        let (system, body) = (system.clone(), body.clone());
        tokio::spawn(async move {
            system.ask("acme", "POST", "/calculations", &[("idempotency-key", "k")], &body).await
        })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text);
        answers.push(answer);
    }
    let first: Vec<_> =
        answers.iter().filter(|answer| !answer.headers.contains_key("idempotency-replayed")).collect();
    assert_eq!(first.len(), 1);
    assert!(answers.iter().all(|answer| answer.text == first[0].text));
}
