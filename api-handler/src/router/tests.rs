use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use axum::body::{Body, to_bytes};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE,
};
use axum::http::request::Builder;
use axum::http::{Extensions, HeaderMap, HeaderName, Method, Request, StatusCode};
use chrono::{DateTime, Utc};
use perf_core::config::Secret;
use perf_core::number::Exact;
use perf_core::ports::{Clock, Ids};
use perf_core::services::{
    Calculator, CalculatorPorts, CalculatorSettings, Queries, QueryPorts, SubmissionPorts, Submissions,
    Workers,
};
use perf_local::store::{QueueSettings, SqliteStore};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::auth::NewToken;
use crate::auth::testing::{NOW, SECRET, token, verifier};
use crate::{Invocation, Surroundings};

const CALCULATION: &str = include_str!("../../../examples/requests/calculation.json");
const IRR: &str = include_str!("../../../examples/requests/irr.json");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
    text: String,
}

impl Answer {
    fn header(&self, name: impl axum::http::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a problem and that its parts agree.
    fn refused(&self, status: u16, code: &str) {
        let found = (self.status.as_u16(), self.body["code"].as_str());
        assert_eq!(found, (status, Some(code)), "{}", self.text);
        assert_eq!(self.header(CONTENT_TYPE), "application/problem+json");
        assert_eq!(self.body["status"], json!(status));
        assert_eq!(self.body["type"], json!(format!("urn:investment-performance:problem:{code}")));
        assert_eq!(self.body["request_id"], json!(self.header(X_REQUEST_ID)));
        assert!(self.body["title"].is_string() && self.body["detail"].is_string());
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

/// Every route over a store of its own; the clock stands still and request ids count.
fn system() -> (Router<ApiState>, ApiState) {
    let clock = Arc::new(StandingClock);
    let store = Arc::new(SqliteStore::in_memory(clock.clone(), QueueSettings::default()).unwrap());
    let workers = Workers::new(NonZeroUsize::MIN);
    let (calculator, submissions, queries) = (
        CalculatorPorts { ledger: store.clone(), queue: store.clone(), clock: clock.clone() },
        SubmissionPorts { queue: store.clone(), requests: store.clone(), clock: clock.clone() },
        QueryPorts {
            results: store.clone(),
            current: store.clone(),
            requests: store.clone(),
            clock: clock.clone(),
        },
    );
    let settings = CalculatorSettings { risk_free_rate: Exact::new(1, 2), cache_ttl_seconds: 300 };
    let submissions = Submissions::new(submissions);
    let calculator = Calculator::new(calculator, settings, workers.clone());
    let routes = calculator_routes(calculator, submissions.clone())
        .merge(store_routes(submissions, Queries::new(queries)));
    let (authenticator, ids) = (Arc::new(verifier()), Arc::new(CountedIds::default()));
    let invocation = |_: &Extensions| Invocation::default();
    (
        routes,
        ApiState::new(Surroundings { authenticator, clock, ids, idempotency: store, workers, invocation }),
    )
}

fn whole() -> Router {
    let (routes, state) = system();
    router(routes, state)
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answer { status: parts.status, headers: parts.headers, body, text }
}

fn bearer(client: &str, scope: &str) -> String {
    let token = NewToken { client_id: client.parse().unwrap(), scope, ..token() };
    format!("Bearer {}", token.sign(&Secret::new(SECRET)).unwrap())
}

const USER: &str = "performance:read performance:write";

fn request(method: Method, path: &str) -> Builder {
    let builder = Request::builder().method(method).uri(path);
    builder.header(AUTHORIZATION, bearer("acme", USER)).header(CONTENT_TYPE, "application/json")
}

async fn get(path: &str) -> Answer {
    send(&whole(), request(Method::GET, path).body(Body::empty()).unwrap()).await
}

async fn post_as(router: &Router, caller: &str, path: &str, body: impl Into<Body>) -> Answer {
    let builder = Request::post(path).header(CONTENT_TYPE, "application/json");
    send(router, builder.header(AUTHORIZATION, caller).body(body.into()).unwrap()).await
}

async fn post(path: &str, body: impl Into<Body>) -> Answer {
    post_as(&whole(), &bearer("acme", USER), path, body).await
}

/// The sample calculation with some fields replaced.
fn calculation(changes: &Value) -> String {
    let mut request: Value = serde_json::from_str(CALCULATION).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    request.to_string()
}

#[tokio::test]
async fn health_needs_no_token_and_tells_the_version_only() {
    let request = Request::get("/health").body(Body::empty()).unwrap();
    let answer = send(&whole(), request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, json!({"version": env!("CARGO_PKG_VERSION")}));
    assert_eq!((answer.header(X_REQUEST_ID), answer.header(CACHE_CONTROL)), ("r1", "no-store"));
}

#[tokio::test]
async fn every_other_route_of_the_contract_needs_a_token() {
    for (method, path) in [
        (Method::POST, "/calculate"),
        (Method::POST, "/irr"),
        (Method::POST, "/calculations"),
        (Method::POST, "/events"),
        (Method::GET, "/requests/r"),
        (Method::GET, "/performance/portfolio/p"),
        (Method::GET, "/performance/portfolio/p/series?metric=twr"),
        (Method::GET, "/clients/acme/performance"),
        (Method::GET, "/accounts/a/performance"),
        (Method::GET, "/openapi.json"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = send(&whole(), request).await;
        answer.refused(401, "unauthorized");
        assert_eq!(answer.header(WWW_AUTHENTICATE), r#"Bearer realm="performance""#, "{path}");
    }
}

#[tokio::test]
async fn refused_tokens_are_told_apart_only_when_expired() {
    let expired = NewToken { issued_at: NOW - 7_200, ..token() }.sign(&Secret::new(SECRET)).unwrap();
    let answer = post_as(&whole(), &format!("Bearer {expired}"), "/irr", IRR).await;
    answer.refused(401, "unauthorized");
    assert!(answer.header(WWW_AUTHENTICATE).ends_with(r#"error_description="the token has expired""#));
    let foreign = NewToken { audience: "other", ..token() }.sign(&Secret::new(SECRET)).unwrap();
    let forged = token().sign(&Secret::new("fedcba9876543210fedcba9876543210")).unwrap();
    for token in [foreign, forged, "x".to_owned()] {
        let answer = post_as(&whole(), &format!("Bearer {token}"), "/irr", IRR).await;
        answer.refused(401, "unauthorized");
        assert_eq!(answer.body["detail"], "the token is not valid here");
        assert_eq!(answer.header(WWW_AUTHENTICATE), r#"Bearer realm="performance", error="invalid_token""#);
    }
}

#[tokio::test]
async fn callers_are_refused_before_their_bodies_are_read() {
    let unread = Body::from_stream(Unread);
    let builder = Request::post("/calculate").header(CONTENT_TYPE, "application/json");
    send(&whole(), builder.body(unread).unwrap()).await.refused(401, "unauthorized");
}

/// A stream that must not be polled.
struct Unread;

impl futures_core::Stream for Unread {
    type Item = Result<axum::body::Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        panic!("the body was read");
    }
}

#[tokio::test]
async fn calculation_is_answered_with_the_contracts_result() {
    let answer = post("/calculate", CALCULATION).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.header(CONTENT_TYPE), "application/json");
    assert!(answer.text.contains(r#""twr":0.031839285714285714286,"#), "{}", answer.text);
    let result = &answer.body;
    assert_eq!((&result["client_id"], &result["request_id"]), (&json!("acme"), &json!("r1")));
    assert_eq!(result["calculated_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(result["conventions"]["risk_free_rate"], json!(0.01));
    assert_eq!((&result["cached"], &result["stored"]), (&json!(false), &json!("queued")));
    assert_eq!(result["result_url"], "/performance/portfolio/port-12345");
    assert_eq!(result["sub_periods"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn irr_is_answered_with_every_root() {
    let answer = post("/irr", IRR).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.text.contains(r#""irr":0.10476882309258727403,"#), "{}", answer.text);
    assert_eq!((&answer.body["kind"], &answer.body["status"]), (&json!("irr"), &json!("unique")));
}

#[tokio::test]
async fn second_answer_comes_from_the_cache_under_its_own_request_id() {
    let router = whole();
    let caller = bearer("acme", USER);
    let first = post_as(&router, &caller, "/calculate", CALCULATION).await;
    let second = post_as(&router, &caller, "/calculate", CALCULATION).await;
    let expected = first.text.replace(r#""request_id":"r1""#, r#""request_id":"r2""#);
    assert_eq!(second.text, expected.replace(r#""cached":false"#, r#""cached":true"#));
    let irr = post_as(&router, &caller, "/irr", IRR).await.text;
    assert_eq!(post_as(&router, &caller, "/irr", IRR).await.text, irr);
}

#[tokio::test]
async fn tenants_share_no_answer() {
    let router = whole();
    for client in ["acme", "beta"] {
        let answer = post_as(&router, &bearer(client, USER), "/calculate", CALCULATION).await;
        assert_eq!((&answer.body["client_id"], &answer.body["cached"]), (&json!(client), &json!(false)));
    }
    let hashes = async |client: &str| {
        let answer = post_as(&router, &bearer(client, USER), "/calculate", CALCULATION).await;
        assert_eq!(answer.body["cached"], json!(true));
        answer.body["input_hash"].as_str().map(str::to_owned)
    };
    assert_ne!(hashes("acme").await, hashes("beta").await);
}

#[tokio::test]
async fn equal_inputs_in_other_words_are_answered_in_those_words() {
    let router = whole();
    let caller = bearer("acme", USER);
    let ask =
        async |changes: Value| post_as(&router, &caller, "/calculate", calculation(&changes)).await.body;
    let custom = ask(json!({"period": {"start": "2023-01-01", "end": "2023-01-03"}, "id": "a"})).await;
    let standing = ask(json!({"time_period": "ITD", "id": "b"})).await;
    assert_eq!(custom["input_hash"], standing["input_hash"]);
    assert_eq!((&custom["time_period"], &custom["id"]), (&json!("CUSTOM"), &json!("a")));
    assert_eq!((&standing["time_period"], &standing["id"]), (&json!("ITD"), &json!("b")));
    let inferred = ask(json!({"options": {}})).await;
    let stated = ask(json!({"options": {"periods_per_year": 252}})).await;
    assert_eq!(inferred["input_hash"], stated["input_hash"]);
    let is_inferred = |result: &Value| result["conventions"]["periods_per_year_inferred"].clone();
    assert_eq!((is_inferred(&inferred), is_inferred(&stated)), (json!(true), json!(false)));
}

#[tokio::test]
async fn another_tenant_is_for_administrators() {
    let body = calculation(&json!({"client_id": "beta"}));
    post("/calculate", body.clone()).await.refused(403, "forbidden");
    let answer = post_as(&whole(), &bearer("ops", "performance:admin"), "/calculate", body).await;
    assert_eq!((answer.status, &answer.body["client_id"]), (StatusCode::OK, &json!("beta")));
    let own = post("/calculate", calculation(&json!({"client_id": "acme"}))).await;
    assert_eq!(own.status, StatusCode::OK);
}

#[tokio::test]
async fn refused_tenant_does_not_find_the_answer_in_the_cache() {
    let router = whole();
    let body = calculation(&json!({"client_id": "beta"}));
    let admin = bearer("acme", "performance:admin");
    assert_eq!(post_as(&router, &admin, "/calculate", body.clone()).await.status, StatusCode::OK);
    let answer = post_as(&router, &bearer("acme", USER), "/calculate", body).await;
    answer.refused(403, "forbidden");
}

#[tokio::test]
async fn scopes_are_enforced() {
    let stored = calculation(&json!({"store": true}));
    let unstored = calculation(&json!({"store": false}));
    let ledger = json!({"entity_type": "portfolio", "entity_id": "p", "store": true}).to_string();
    let (read, write) = ("performance:read", "performance:write");
    for (scope, path, body, missing) in [
        ("", "/irr", IRR, Some(read)),
        (write, "/irr", IRR, Some(read)),
        (read, "/irr", IRR, None),
        ("", "/calculate", unstored.as_str(), Some(read)),
        (read, "/calculate", &unstored, None),
        (read, "/calculate", &stored, Some(write)),
        (write, "/calculate", &stored, None),
        (write, "/calculate", &unstored, Some(read)),
        (write, "/calculate", &ledger, Some(read)),
        ("performance:admin", "/calculate", &stored, None),
    ] {
        let answer = post_as(&whole(), &bearer("acme", scope), path, body.to_owned()).await;
        let Some(missing) = missing else {
            assert_eq!(answer.status, StatusCode::OK, "{scope} {path}: {}", answer.text);
            continue;
        };
        answer.refused(403, "insufficient_scope");
        let challenge =
            format!(r#"Bearer realm="performance", error="insufficient_scope", scope="{missing}""#);
        assert_eq!(answer.header(WWW_AUTHENTICATE), challenge);
    }
}

#[tokio::test]
async fn entities_without_a_ledger_are_not_found() {
    let body = json!({"entity_type": "portfolio", "entity_id": "p"}).to_string();
    post("/calculate", body).await.refused(404, "not_found");
}

#[tokio::test]
async fn malformed_and_impossible_requests_are_told_apart() {
    for path in ["/calculate", "/irr"] {
        for text in ["", "{", "<xml/>"] {
            post(path, text).await.refused(400, "malformed_json");
        }
        post(path, vec![b'"', 0xff, b'"']).await.refused(400, "malformed_json");
    }
    let answer = post("/calculate", r#"{"entity_type": "fund", "surprise": 1}"#).await;
    answer.refused(422, "invalid_request");
    let pointers: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/entity_type", "/surprise", "/entity_id"]);
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let spaces = |count: usize| calculation(&json!({})) + &" ".repeat(count);
    let fitting = spaces(BODY_BYTES_MAX - spaces(0).len());
    assert_eq!(fitting.len(), BODY_BYTES_MAX);
    assert_eq!(post("/calculate", fitting).await.status, StatusCode::OK);
    for path in ["/calculate", "/irr"] {
        post(path, spaces(BODY_BYTES_MAX)).await.refused(413, "too_large");
    }
}

#[tokio::test]
async fn bodies_must_say_that_they_are_json() {
    let typed = async |headers: &[(HeaderName, &str)]| {
        let mut builder = Request::post("/irr").header(AUTHORIZATION, bearer("acme", USER));
        for (name, value) in headers {
            builder = builder.header(name, *value);
        }
        send(&whole(), builder.body(Body::from(IRR)).unwrap()).await
    };
    for fine in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(typed(&[(CONTENT_TYPE, fine)]).await.status, StatusCode::OK);
    }
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        typed(&[(CONTENT_TYPE, wrong)]).await.refused(415, "unsupported_media_type");
    }
    typed(&[]).await.refused(415, "unsupported_media_type");
    let packed = [(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")];
    typed(&packed).await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems() {
    get("/nowhere").await.refused(404, "not_found");
    get("/calculate/").await.refused(404, "not_found");
    for (method, path, allowed) in [
        (Method::GET, "/calculate", "POST"),
        (Method::DELETE, "/irr", "POST"),
        (Method::POST, "/health", "GET,HEAD"),
        (Method::PUT, "/openapi.json", "GET,HEAD"),
    ] {
        let answer = send(&whole(), request(method, path).body(Body::empty()).unwrap()).await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.header(ALLOW), allowed, "{path}");
    }
}

#[tokio::test]
async fn panics_and_internal_errors_keep_their_text() {
    async fn explode() {
        panic!("the balance was 1234");
    }
    async fn fail() -> Refusal {
        perf_core::model::Problem::internal("table performance-results is gone".to_owned()).into()
    }
    let routes = Router::new()
        .route("/panic", axum::routing::get(explode))
        .route("/error", axum::routing::get(fail))
        .route("/bare", axum::routing::get(async || StatusCode::BAD_GATEWAY));
    let router = router(routes, system().1);
    for (path, status) in [("/panic", 500), ("/error", 500), ("/bare", 502)] {
        let answer = send(&router, request(Method::GET, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.body["code"], "internal_error");
        assert!(!answer.text.contains("1234") && !answer.text.contains("table"), "{}", answer.text);
    }
}

#[tokio::test]
async fn description_is_served_as_generated() {
    let answer = get("/openapi.json").await;
    assert_eq!((answer.status, answer.header(CONTENT_TYPE)), (StatusCode::OK, "application/json"));
    assert_eq!(answer.text, crate::openapi::json());
}

#[tokio::test]
async fn every_described_route_is_there() {
    let document = serde_json::to_value(crate::openapi::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let expected = if path == "/health" { 200 } else { 401 };
            assert_eq!(send(&whole(), request).await.status.as_u16(), expected, "{path}");
        }
    }
}

#[cfg(feature = "viewer")]
#[tokio::test]
async fn viewer_loads_nothing_from_elsewhere() {
    let open = async |path: &str| send(&whole(), Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(open("/docs").await.header("location"), "/docs/");
    let page = open("/docs/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-security-policy").starts_with("default-src 'self';"));
    assert!(
        !page.text.contains("http://") && !page.text.contains("https://") && !page.text.contains("//cdn")
    );
    let sources: Vec<_> =
        page.text.split(r#"src=""#).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(sources.len() >= 2, "{}", page.text);
    for source in sources {
        assert_eq!(open(&format!("/docs/{}", source.trim_start_matches("./"))).await.status, StatusCode::OK);
    }
    let start = open("/docs/swagger-initializer.js").await.text;
    assert!(start.contains("/docs/openapi.json") && start.contains(r#""validatorUrl": "none""#), "{start}");
    assert_eq!(open("/docs/openapi.json").await.status, StatusCode::OK);
    assert_eq!(open("/docs/nothing.js").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn large_requests_are_calculated_too() {
    let flows: Vec<Value> = (0..4_000)
        .map(|day| chrono::NaiveDate::from_num_days_from_ce_opt(730_000 + day).unwrap())
        .map(|date| json!({"date": date, "amount": -1}))
        .chain([json!({"date": "2024-01-01", "amount": 5_000})])
        .collect();
    let body = json!({"cash_flows": flows}).to_string();
    assert!(body.len() > 100_000);
    let answer = post("/irr", body).await;
    assert_eq!((answer.status, &answer.body["status"]), (StatusCode::OK, &json!("unique")));
}

/// A route that never answers, called in an invocation that ends soon.
#[tokio::test]
async fn near_its_deadline_a_request_is_refused_and_may_be_sent_again() {
    let (_, state) = system();
    let soon = |_: &Extensions| Invocation {
        deadline: Some(SystemTime::now() + Duration::from_millis(1_020)),
        ..Invocation::default()
    };
    let routes = Router::new().route("/never", axum::routing::get(std::future::pending::<StatusCode>));
    let state = state.invoked(soon);
    let answer = send(&router(routes, state), Request::get("/never").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("out_of_time"))
    );
    assert_eq!(answer.headers["retry-after"], "1");
}
