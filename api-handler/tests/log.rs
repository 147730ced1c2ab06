//! What is logged of a request. The only test of its process: tests that run beside
//! it would decide which events its subscriber is shown.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use api_handler::auth::{Keys, NewToken, Verifier};
use api_handler::{ApiState, Invocation, Surroundings, calculator_routes, router};
use axum::Router;
use axum::body::Body;
use axum::http::{Extensions, Request};
use chrono::{DateTime, Utc};
use perf_core::config::Secret;
use perf_core::number::Exact;
use perf_core::ports::{Clock, Ids};
use perf_core::services::{
    Calculator, CalculatorPorts, CalculatorSettings, SubmissionPorts, Submissions, Workers,
};
use perf_local::store::{QueueSettings, SqliteStore};
use serde_json::{Value, json};
use tower::ServiceExt;

const CALCULATION: &str = include_str!("../../examples/requests/calculation.json");
const NOW: i64 = 1_700_000_000;

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(NOW, 0).unwrap()
    }
}

#[derive(Default)]
struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn new_id(&self) -> String {
        format!("r{}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

fn local_router(secret: &Secret) -> Router {
    let verifier = Verifier::new(Keys::hs256(secret, None).unwrap(), "issuer", "audience").unwrap();
    let (clock, workers) = (Arc::new(StandingClock), Workers::new(NonZeroUsize::MIN));
    let store = SqliteStore::in_memory(clock.clone(), QueueSettings::default()).unwrap();
    let store = Arc::new(store);
    let settings = CalculatorSettings { risk_free_rate: Exact::ZERO, cache_ttl_seconds: 0 };
    let calculator = CalculatorPorts { ledger: store.clone(), queue: store.clone(), clock: clock.clone() };
    let submissions = SubmissionPorts { queue: store.clone(), requests: store.clone(), clock: clock.clone() };
    let routes = calculator_routes(
        Calculator::new(calculator, settings, workers.clone()),
        Submissions::new(submissions),
    );
    let ids = Arc::new(CountedIds::default());
    let authenticator = Arc::new(verifier);
    let invocation = |_: &Extensions| Invocation {
        gateway_request_id: Some("gateway-9".to_owned()),
        ..Invocation::default()
    };
    router(
        routes,
        ApiState::new(Surroundings { authenticator, clock, ids, idempotency: store, workers, invocation }),
    )
}

async fn post(router: &Router, path: &str, token: &str, body: &str) -> u16 {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    router.clone().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn log_tells_requests_apart_and_tells_nothing_of_their_content() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let secret = Secret::new("0123456789abcdef0123456789abcdef");
    let token = NewToken {
        client_id: "tenant-7".parse().unwrap(),
        subject: "subject-8",
        scope: "performance:write",
        issuer: "issuer",
        audience: "audience",
        issued_at: NOW,
        ttl_seconds: 60,
    };
    let token = token.sign(&secret).unwrap();
    let router = local_router(&secret);
    let wrong = r#"{"entity_id": "port-12345", "valuations": "11330"}"#;
    assert_eq!(post(&router, "/calculate", &token, CALCULATION).await, 200);
    assert_eq!(post(&router, "/calculate", &token, wrong).await, 422);
    assert_eq!(post(&router, "/calculate?token=query-text", "forged-token", CALCULATION).await, 401);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered: Vec<_> =
        lines.iter().filter(|line| line["fields"]["message"] == "request answered").collect();
    let [calculated, refused, unknown] = answered[..] else { panic!("{text}") };
    assert_eq!(calculated["fields"]["status"], json!(200));
    assert_eq!(calculated["span"]["request_id"], json!("r1"));
    assert_eq!(calculated["span"]["gateway_request_id"], json!("gateway-9"));
    assert_eq!(calculated["span"]["route"], json!("/calculate"));
    assert_eq!(calculated["span"]["tenant"].as_str().map(str::len), Some(12));
    assert_eq!(refused["fields"]["code"], json!("invalid_request"));
    assert_eq!(unknown["fields"]["code"], json!("unauthorized"));
    let measures: Vec<_> = lines.iter().filter(|line| line["target"] == "measures").collect();
    let of = |name: &str| measures.iter().filter_map(|line| line["fields"][name].as_u64()).sum::<u64>();
    assert_eq!((of("requests"), of("client_errors"), of("calculations"), of("cache_hits")), (3, 2, 1, 0));
    for secret in
        ["tenant-7", "subject-8", &token, "forged-token", "query-text", "port-12345", "11330", "0.0318"]
    {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
