//! The use cases on SQLite.

#![allow(clippy::expect_used, reason = "helpers of tests, which clippy does not take for tests")]

mod system;

use perf_core::calculations::{Stamp, calculate};
use perf_core::model::{CalculationRequest, Metric, Problem, TimePeriod, WindowName, Word, read};
use perf_core::number::Exact;
use perf_core::ports::{DeadLetters, ResultFilter};
use perf_core::services::{
    Caller, RecordOutcome, RequestState, RequestText, ResultQuery, STANDING_WINDOWS, Scopes, SeriesQuery,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use system::{System, entity, name};

fn valuation(entity: &str, date: &str, value: i64) -> Value {
    json!({"version": 1, "type": "valuation", "client_id": "acme", "entity_type": "portfolio",
           "entity_id": entity, "date": date, "value": value.to_string()})
}

fn caller() -> Caller {
    let scopes = Scopes::from_claim("performance:read performance:write");
    Caller { client_id: name("acme"), subject: "jo".to_owned(), scopes, expires_at: i64::MAX }
}

fn request(members: &Value) -> CalculationRequest {
    let document = document(members);
    read::calculation(document.as_bytes()).expect("a request")
}

fn text(members: &Value) -> RequestText {
    RequestText::new(document(members).as_bytes())
}

fn document(members: &Value) -> String {
    let mut document = json!({"entity_type": "portfolio", "entity_id": "p"});
    let object = document.as_object_mut().expect("an object");
    object.extend(members.as_object().expect("an object").clone());
    document.to_string()
}

fn figures(metrics: &perf_core::model::Metrics) -> Vec<String> {
    metrics.0.iter().map(|(metric, outcome)| format!("{metric:?} {outcome:?}")).collect()
}

#[tokio::test]
async fn events_become_current_results() {
    let system = System::new();
    let events = [valuation("p", "2023-01-31", 100), valuation("p", "2023-02-28", 110)];
    assert_eq!(system.process(&events).await, [RecordOutcome::Done, RecordOutcome::Done]);
    let listing = system.queries.client(&name("acme"), &ResultQuery::default()).await.expect("a list");
    let windows: Vec<&str> = listing.results.iter().map(|row| row.result.time_period.word()).collect();
    assert_eq!(windows, ["ITD", "MTD"]);
    let twr = listing.results[0].result.metrics.get(Metric::Twr).expect("asked for").expect("defined");
    assert_eq!(twr.to_string(), "0.1");
    // A month later, the older result is still there, and the current one is the newer.
    system.process(&[valuation("p", "2023-03-31", 99)]).await;
    let query = SeriesQuery {
        metric: Metric::Twr,
        query: ResultQuery { filter: ResultFilter::default(), limit: Some(1), cursor: None },
    };
    let series = system.queries.series(&entity("acme", "p"), &query).await.expect("a series");
    assert_eq!(series.points[0].date.to_string(), "2023-03-31");
    let query = SeriesQuery { query: ResultQuery { cursor: series.next_cursor, ..query.query }, ..query };
    let series = system.queries.series(&entity("acme", "p"), &query).await.expect("a series");
    assert_eq!(series.points[0].date.to_string(), "2023-02-28");
    let others = system.queries.performance(&entity("other", "p"), &ResultQuery::default()).await;
    assert_eq!(others.expect_err("not theirs").status, 404);
}

#[tokio::test]
async fn a_window_that_is_gone_is_withdrawn() {
    let system = System::new();
    system.process(&[valuation("p", "2023-01-31", 100), valuation("p", "2023-02-28", 110)]).await;
    let mut void = valuation("p", "2023-02-28", 0);
    void["void"] = json!(true);
    void["revision"] = json!(1);
    assert_eq!(system.process(&[void]).await, [RecordOutcome::Done]);
    let listing = system.queries.client(&name("acme"), &ResultQuery::default()).await.expect("a list");
    assert!(listing.results.is_empty());
    let listing =
        system.queries.performance(&entity("acme", "p"), &ResultQuery::default()).await.expect("a list");
    assert!(listing.results.is_empty());
}

#[tokio::test]
async fn one_bad_message_leaves_the_others_alone() {
    let system = System::new();
    let mut changed = valuation("p", "2023-01-31", 101);
    let good = valuation("p", "2023-01-31", 100);
    let mut foreign = valuation("q", "2023-01-31", 1);
    foreign["currency"] = json!("USD");
    let mut euro = valuation("q", "2023-02-28", 1);
    euro["currency"] = json!("EUR");
    changed["request_id"] = json!("r");
    let unknown = json!({"version": 1, "type": "split", "client_id": "acme"});
    let nobody = json!({"version": 1, "type": "valuation", "entity_type": "portfolio", "entity_id": "p",
                        "date": "2023-01-31", "value": 1});
    let outcomes = system.process(&[good.clone(), changed, unknown, nobody, foreign, euro, good]).await;
    let codes: Vec<&str> = outcomes
        .iter()
        .map(|outcome| match outcome {
            RecordOutcome::Done => "done",
            RecordOutcome::Retry { .. } => "retry",
            RecordOutcome::Permanent { code, .. } => code,
        })
        .collect();
    let expected = [
        "done",
        "conflicting_revision",
        "unknown_event_type",
        "missing_field",
        "mixed_currencies",
        "mixed_currencies",
        "done",
    ];
    assert_eq!(codes, expected);
    let status = system.queries.request(&name("acme"), &name("r")).await.expect("a status");
    assert_eq!((status.status, status.failed), (RequestState::Failed, 1));
}

#[tokio::test]
async fn a_batch_is_split_and_counts_truthfully() {
    let system = System::new();
    let member = |index: i64| {
        let closing = if index % 60 == 7 { json!("2023-13-01") } else { json!("2023-06-30") };
        json!({"entity_type": "portfolio", "entity_id": format!("p{index}"),
               "valuations": {"dates": ["2023-01-01", closing], "values": [100, 100 + index]}})
    };
    let requests: Vec<Value> = (0..130).map(member).collect();
    let event = json!({"version": 1, "type": "batch_calculation", "client_id": "acme", "request_id": "b",
                       "requests": requests});
    system.send(&event).await;
    system.worker.drain().await.expect("drained");
    let status = system.queries.request(&name("acme"), &name("b")).await.expect("a status");
    assert_eq!((status.total, status.completed, status.failed, status.pending), (130, 127, 3, 0));
    assert_eq!(status.status, RequestState::Completed);
    let failed: Vec<u32> = status
        .items
        .iter()
        .filter(|item| matches!(item.outcome, perf_core::ports::ItemOutcome::Failed { .. }))
        .map(|item| item.item)
        .collect();
    assert_eq!(failed, [7, 67, 127]);
    let listing = system.queries.performance(&entity("acme", "p129"), &ResultQuery::default()).await;
    assert_eq!(listing.expect("a list").results[0].result.request_id, "b");
    assert!(system.store.dead_letters(10).await.expect("a list").is_empty());
}

#[tokio::test]
async fn an_answer_is_computed_once_and_stored() {
    let system = System::new();
    let supplied = json!({"valuations": {"dates": ["2023-01-01", "2023-06-30"], "values": [100, 108]}});
    let caller = caller();
    let answers = tokio::join!(
        system.calculator.calculate(request(&supplied), text(&supplied), &caller, "r-1"),
        system.calculator.calculate(request(&supplied), text(&supplied), &caller, "r-2")
    );
    let (one, other) = (answers.0.expect("a result"), answers.1.expect("a result"));
    assert_eq!([one.cached, other.cached].iter().filter(|cached| **cached).count(), 1);
    assert_eq!((one.request_id.as_str(), other.request_id.as_str()), ("r-1", "r-2"));
    assert_eq!(one.metrics, other.metrics);
    system.worker.drain().await.expect("drained");
    let listing =
        system.queries.performance(&entity("acme", "p"), &ResultQuery::default()).await.expect("a list");
    let expected = format!("2023-06-30#CUSTOM:2023-01-01#daily#{}", &one.input_hash[..16]);
    assert_eq!(listing.results.iter().map(|row| row.sort_key.as_str()).collect::<Vec<_>>(), [expected]);
    assert_eq!(listing.results[0].result.metrics, one.metrics);
    // Neither another tenant nor a request that names one gets at it.
    let mut foreign = request(&supplied);
    foreign.client_id = Some(name("other"));
    let refused =
        system.calculator.calculate(foreign, text(&supplied), &caller, "r-3").await.expect_err("not ours");
    assert_eq!(refused.status, 403);
    let nothing = system.calculator.calculate(request(&json!({})), text(&json!({})), &caller, "r-4").await;
    assert_eq!(nothing.expect_err("no ledger").status, 404);
}

#[tokio::test]
async fn a_ledger_request_does_not_replace_a_standing_result_unless_it_is_the_same() {
    let system = System::new();
    system.process(&[valuation("p", "2023-01-31", 100), valuation("p", "2023-02-28", 110)]).await;
    let keys = || async {
        let listing = system.queries.performance(&entity("acme", "p"), &ResultQuery::default()).await;
        let rows = listing.expect("a list").results;
        rows.into_iter().map(|row| (row.sort_key, row.result.request_id)).collect::<Vec<_>>()
    };
    let before = keys().await;
    let what_if = json!({"time_period": "ITD", "risk_free_rate": "0.05"});
    let result = system
        .calculator
        .calculate(request(&what_if), text(&what_if), &caller(), "r-1")
        .await
        .expect("a result");
    assert_eq!(result.input_revision, Some(1));
    system.worker.drain().await.expect("drained");
    let after = keys().await;
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|row| after.contains(row)));
}

#[tokio::test]
async fn submitted_work_is_the_callers_and_has_a_status() {
    let system = System::new();
    let mut theirs = valuation("p", "2023-01-31", 100);
    theirs["client_id"] = json!("other");
    let events: Vec<_> = [theirs, valuation("p", "2023-02-28", 110)]
        .iter()
        .map(|event| read::event(event.to_string().as_bytes()).expect("an event"))
        .collect();
    let accepted = system.submissions.events(events, &caller(), &name("s")).await.expect("accepted");
    assert_eq!(accepted.status_url, "/requests/s");
    let before = system.queries.request(&name("acme"), &accepted.request_id).await.expect("a status");
    assert_eq!((before.status, before.pending), (RequestState::Pending, 2));
    system.worker.drain().await.expect("drained");
    let status = system.queries.request(&name("acme"), &accepted.request_id).await.expect("a status");
    assert_eq!((status.status, status.completed), (RequestState::Completed, 2));
    let listing = system.queries.performance(&entity("acme", "p"), &ResultQuery::default()).await;
    assert!(!listing.expect("a list").results.is_empty());
    let unknown = system.queries.request(&name("other"), &name("s")).await.expect_err("not theirs");
    assert_eq!(unknown.status, 404);
    let empty = system.submissions.calculations(Vec::new(), &caller(), &name("s")).await;
    assert_eq!(empty.expect_err("nothing").code, "too_few_items");
}

/// One state of a valuation or a transaction; the highest revision counts.
#[derive(Clone, Debug)]
enum Fact {
    Valuation { day: i64, revision: u32, cents: Option<i64> },
    Transaction { id: u32, revision: u32, content: Option<(i64, &'static str, i64)> },
}

const KINDS: [&str; 6] = ["deposit", "withdrawal", "transfer_in", "fee", "dividend", "transfer_out"];

fn date(day: i64) -> String {
    let first: chrono::NaiveDate = "2021-11-15".parse().expect("a day");
    (first + chrono::Duration::days(day)).to_string()
}

fn event(fact: &Fact) -> Value {
    let mut event = json!({"version": 1, "client_id": "acme", "entity_type": "portfolio", "entity_id": "p"});
    let members = match fact {
        Fact::Valuation { day, revision, cents } => match cents {
            Some(cents) => json!({"type": "valuation", "date": date(*day), "revision": revision,
                                  "value": Exact::new(*cents, 2).to_string()}),
            None => json!({"type": "valuation", "date": date(*day), "revision": revision, "void": true}),
        },
        Fact::Transaction { id, revision, content } => match content {
            Some((day, kind, cents)) => json!({"type": "transaction", "transaction_id": format!("t{id}"),
                "revision": revision, "date": date(*day), "kind": kind, "amount": Exact::new(*cents, 2).to_string()}),
            None => json!({"type": "transaction", "transaction_id": format!("t{id}"), "revision": revision,
                           "void": true}),
        },
    };
    let object = event.as_object_mut().expect("an object");
    object.extend(members.as_object().expect("an object").clone());
    event
}

/// Revisions of some valuations and transactions, each with one content.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let valuation = (0_i64..120, 0_u32..3, prop::option::weighted(0.85, 900_000_i64..1_100_000));
    let valuation =
        valuation.prop_map(|(place, revision, cents)| Fact::Valuation { day: place * 6, revision, cents });
    let content = prop::option::weighted(0.85, (0_i64..720, prop::sample::select(&KINDS[..]), 1_i64..50_000));
    let transaction = (0_u32..20, 0_u32..3, content).prop_map(|(id, revision, content)| Fact::Transaction {
        id,
        revision,
        content,
    });
    prop::collection::vec(prop_oneof![2 => valuation, 1 => transaction], 1..60).prop_map(|facts| {
        let mut known = std::collections::BTreeMap::new();
        for fact in facts {
            let key = match &fact {
                Fact::Valuation { day, revision, .. } => (0, *day, *revision),
                Fact::Transaction { id, revision, .. } => (1, i64::from(*id), *revision),
            };
            known.insert(key, fact);
        }
        known.into_values().collect()
    })
}

/// The figures of one calculation of what is left when every correction is made.
fn direct(facts: &[Fact], window: TimePeriod) -> Result<Vec<String>, Problem> {
    let mut final_facts = std::collections::BTreeMap::new();
    for fact in facts {
        // In the order of their revisions.
        match fact {
            Fact::Valuation { day, .. } => final_facts.insert((0, *day), fact),
            Fact::Transaction { id, .. } => final_facts.insert((1, i64::from(*id)), fact),
        };
    }
    let (mut valuations, mut flows) = (Vec::new(), Vec::new());
    for fact in final_facts.into_values() {
        match fact {
            Fact::Valuation { day, cents: Some(cents), .. } => {
                valuations
                    .push((*day, json!({"date": date(*day), "value": Exact::new(*cents, 2).to_string()})));
            }
            Fact::Transaction { content: Some((day, kind, cents)), .. } => {
                let sign = match *kind {
                    "deposit" | "transfer_in" => 1,
                    "withdrawal" | "transfer_out" => -1,
                    _ => continue,
                };
                flows.push((
                    *day,
                    json!({"date": date(*day), "amount": Exact::new(sign * *cents, 2).to_string()}),
                ));
            }
            Fact::Valuation { .. } | Fact::Transaction { .. } => {}
        }
    }
    let ends = valuations.first().map(|row| row.0).zip(valuations.last().map(|row| row.0));
    flows.retain(|(day, _)| ends.is_some_and(|(first, last)| (first..=last).contains(day)));
    let rows = |rows: Vec<(i64, Value)>| rows.into_iter().map(|row| row.1).collect::<Vec<_>>();
    let document = json!({"entity_type": "portfolio", "entity_id": "p", "time_period": window.word(),
                          "valuations": rows(valuations), "cash_flows": rows(flows)});
    let stamp = Stamp {
        request_id: "r".to_owned(),
        client_id: name("acme"),
        calculated_at: String::new(),
        risk_free_rate: Exact::ZERO,
    };
    let request = read::calculation(document.to_string().as_bytes())?;
    calculate(&request, &stamp).map(|result| figures(&result.metrics))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_of_events_gives_the_figures_of_one_calculation(
        facts in facts(),
        order in prop::collection::vec(any::<u32>(), 120),
        sizes in prop::collection::vec(1_usize..12, 1..8),
    ) {
        // Everything twice, in any order, in batches of any size.
        let mut deliveries: Vec<(u32, &Fact)> =
            order.iter().copied().zip(facts.iter().chain(&facts)).collect();
        deliveries.sort_by_key(|(place, _)| *place);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let stored = runtime.block_on(async {
            let system = System::new();
            let mut rest = deliveries.as_slice();
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (batch, later) = rest.split_at(rest.len().min(*size));
                let events: Vec<Value> = batch.iter().map(|(_, fact)| event(fact)).collect();
                for outcome in system.process(&events).await {
                    assert_eq!(outcome, RecordOutcome::Done);
                }
                rest = later;
            }
            let query = ResultQuery { limit: Some(100), ..ResultQuery::default() };
            system.queries.client(&name("acme"), &query).await.expect("a list").results
        });
        for window in STANDING_WINDOWS {
            let wanted = WindowName::Standing(window);
            let found = stored.iter().find(|row| row.result.time_period == wanted);
            match direct(&facts, window) {
                Ok(expected) => {
                    let found = found.map(|row| figures(&row.result.metrics));
                    prop_assert_eq!(found, Some(expected), "{:?}", window);
                }
                Err(_) => prop_assert!(found.is_none(), "{:?}", window),
            }
        }
    }
}
