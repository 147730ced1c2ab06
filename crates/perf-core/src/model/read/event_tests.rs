use proptest::prelude::*;

use super::testing::found;
use super::{calculation, event};
use crate::calculations::{Stamp, calculate};
use crate::model::{
    BatchMembers, CalculationRequest, CompletedResult, EntityType, Event, EventBody, ResultBasis,
    Transaction, TransactionEntry, TransactionKind, Valuation, ValuationEntry, Window, Word,
};
use crate::number::Exact;

fn refuses(text: &str, expected: &[(&str, &str)]) {
    let problem = event(text.as_bytes()).expect_err(text);
    let listed = found(&problem);
    let listed: Vec<_> = listed.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
    assert_eq!(listed, expected, "{text}");
}

fn read_back(event_written: &Event) -> Event {
    let text = serde_json::to_string(event_written).expect("serializable");
    event(text.as_bytes()).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
}

fn request(members: &str) -> CalculationRequest {
    super::testing::accepted(members)
}

fn requests() -> Vec<CalculationRequest> {
    [
        "",
        r#""time_period": "YTD", "as_of": "2024-02-29", "client_id": "acme", "store": false"#,
        r#""period": {"end": "2024-02-29"}, "account_id": "a", "id": "line 1", "risk_free_rate": "0.020"#,
        r#""returns": {"dates": ["2023-01-02"], "values": ["0.1234567890123456789012345678"]},
           "benchmark": {"returns": [{"date": "2023-01-02", "value": 1e-5}]}"#,
        r#""valuations": {"dates": ["2023-01-02", "2023-02-02"], "values": ["1.50", -2]},
           "cash_flows": [{"date": "2023-01-05", "amount": -3, "timing": "mid_day"}, {"date": "2023-01-06", "amount": 4}],
           "benchmark": {"id": "b", "values": [{"date": "2023-01-02", "value": 7}]},
           "options": {"method": "modified_dietz", "metrics": ["mwr", "twr"], "explain": true, "periods_per_year": 12,
                       "confidence_level": 0.99, "day_count": "ACT/ACT ISDA", "volatility": "sample"}"#,
    ]
    .map(|members| request(&members.replace("\"0.020", "\"0.020\"")))
    .to_vec()
}

fn enveloped(body: EventBody) -> Event {
    Event { request_id: Some("r-1".parse().expect("a name")), client_id: None, item: 3, body }
}

#[test]
fn requests_written_are_read_back_equal() {
    for request in requests() {
        let text = serde_json::to_string(&request).expect("serializable");
        assert_eq!(calculation(text.as_bytes()).as_ref(), Ok(&request), "{text}");
        let one = enveloped(EventBody::PortfolioPerformance(Box::new(request)));
        assert_eq!(read_back(&one), one);
    }
    let accepted = (0..).zip(requests()).collect();
    let members = BatchMembers::Requests { accepted, refused: Vec::new() };
    let batch = enveloped(EventBody::BatchCalculation(members));
    assert_eq!(read_back(&batch), batch);
    for window in requests().into_iter().map(|request| request.window) {
        let entity_ids = ["a", "b"].map(|name| name.parse().expect("a name")).to_vec();
        let members = BatchMembers::Entities { entity_type: EntityType::Account, entity_ids, window };
        let batch = enveloped(EventBody::BatchCalculation(members));
        assert_eq!(read_back(&batch), batch);
    }
}

#[test]
fn results_written_are_read_back_equal() {
    let stamp = Stamp {
        request_id: "r-1".to_owned(),
        client_id: "acme".parse().expect("a name"),
        calculated_at: "2024-01-01T00:00:00Z".to_owned(),
        risk_free_rate: Exact::ZERO,
    };
    let calculable = requests().into_iter().filter_map(|request| calculate(&request, &stamp).ok());
    let mut count = 0;
    for result in calculable {
        for basis in [ResultBasis::Standing, ResultBasis::Ledger, ResultBasis::Request] {
            let completed = CompletedResult::new(&result, basis).expect("serializable");
            let one = enveloped(EventBody::CalculationCompleted(Box::new(completed.clone())));
            assert_eq!(read_back(&one), one);
            // A whole result is read too.
            let whole = format!(
                r#"{{"version": 1, "type": "calculation_completed", "result": {}}}"#,
                serde_json::to_string(&result).expect("serializable")
            );
            let EventBody::CalculationCompleted(read) = event(whole.as_bytes()).expect("an event").body
            else {
                panic!("another type")
            };
            assert_eq!((read.metrics, read.basis), (completed.metrics, ResultBasis::Request));
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

#[test]
fn what_is_wrong_is_listed_at_its_place() {
    refuses("{}", &[("/type", "missing_field")]);
    refuses(r#"{"version": 1, "type": "split"}"#, &[("/type", "unknown_event_type")]);
    refuses(
        r#"{"version": 2, "type": "valuation", "entity_type": "fund", "entity_id": "p", "date": "x"}"#,
        &[("/version", "unknown_version"), ("/entity_type", "unknown_value"), ("/date", "not_a_date")],
    );
    refuses(
        r#"{"version": 1, "type": "transaction", "entity_type": "portfolio", "entity_id": "p", "transaction_id": "t",
            "date": "2023-01-01", "amount": -5, "currency": "eur", "revision": 1.5, "surprise": 1}"#,
        &[
            ("/amount", "negative_amount"),
            ("/currency", "invalid_currency"),
            ("/revision", "number_out_of_range"),
            ("/surprise", "unknown_field"),
            ("/kind", "missing_field"),
        ],
    );
    refuses(
        r#"{"version": 1, "type": "portfolio_performance", "client_id": "a", "request":
            {"entity_type": "portfolio", "entity_id": "p", "valuations": [{"date": "2023-01-01", "value": "x"}]}}"#,
        &[("/request/valuations/0/value", "not_a_decimal"), ("/request/valuations", "too_few_valuations")],
    );
    refuses(
        r#"{"version": 1, "type": "portfolio_performance", "client_id": "a", "request":
            {"entity_type": "portfolio", "entity_id": "p", "client_id": "b"}}"#,
        &[("/request/client_id", "conflicting_fields")],
    );
    refuses(
        r#"{"version": 1, "type": "batch_calculation", "time_period": "YTD", "period": {}}"#,
        &[("/time_period", "conflicting_fields"), ("/requests", "missing_field")],
    );
    assert_eq!(event(b"{\"type\": ").expect_err("not JSON").status, 400);
    assert_eq!(event(b"[]").expect_err("no object").code, "missing_field");
}

#[test]
fn one_bad_member_does_not_spoil_a_batch() {
    let text = br#"{"version": 1, "type": "batch_calculation", "requests": [
        {"entity_type": "portfolio", "entity_id": "p"}, {"entity_type": "fund", "entity_id": "p"}, 5]}"#;
    let EventBody::BatchCalculation(members) = event(text).expect("an event").body else { panic!("a batch") };
    assert_eq!(members.len(), 3);
    let refusal = members.refusal().expect("two refused");
    let places: Vec<_> = found(&refusal);
    assert_eq!(
        places,
        [("/requests/1/entity_type".to_owned(), "unknown_value"), ("/requests/2".to_owned(), "wrong_type")]
    );
}

#[test]
fn a_void_needs_no_content() {
    let text = br#"{"version": 1, "type": "transaction", "entity_type": "portfolio", "entity_id": "p",
        "transaction_id": "t", "revision": 2, "void": true, "amount": "5"}"#;
    let EventBody::Transaction { entry, .. } = event(text).expect("an event").body else {
        panic!("a transaction")
    };
    assert_eq!((entry.revision, entry.transaction), (2, None));
}

fn money() -> impl Strategy<Value = Exact> {
    (0_i64..1_000_000_000_000, 0_u32..6).prop_map(|(mantissa, scale)| Exact::new(mantissa, scale))
}

fn day() -> impl Strategy<Value = chrono::NaiveDate> {
    (1_i32..700_000).prop_map(|days| chrono::NaiveDate::from_num_days_from_ce_opt(days).expect("a day"))
}

fn body() -> impl Strategy<Value = EventBody> {
    let currency = prop::option::of(prop::sample::select(vec!["EUR", "USD"]))
        .prop_map(|code| code.map(|code| code.parse().expect("a currency")));
    let kind = prop::sample::select(TransactionKind::WORDS).prop_map(|(kind, _)| kind);
    let timing =
        prop::option::of(prop::sample::select(crate::model::Timing::WORDS).prop_map(|(timing, _)| timing));
    let transaction =
        prop::option::of((day(), kind, money(), currency.clone(), timing, any::<bool>()).prop_map(
            |(date, kind, amount, currency, timing, named)| Transaction {
                date,
                kind,
                amount,
                currency,
                timing,
                account_id: named.then(|| "acct:1".parse().expect("a name")),
            },
        ));
    let name = || "p_1".parse().expect("a name");
    let transactions =
        (transaction, any::<u32>()).prop_map(move |(transaction, revision)| EventBody::Transaction {
            entity_type: EntityType::Security,
            entity_id: name(),
            entry: TransactionEntry { transaction_id: name(), revision, transaction },
        });
    let valuation =
        prop::option::of((money(), currency).prop_map(|(value, currency)| Valuation { value, currency }));
    let valuations =
        (valuation, day(), any::<u32>()).prop_map(move |(valuation, date, revision)| EventBody::Valuation {
            entity_type: EntityType::Account,
            entity_id: name(),
            entry: ValuationEntry { date, revision, valuation },
        });
    prop_oneof![transactions, valuations]
}

proptest! {
    #[test]
    fn ledger_events_written_are_read_back_equal(body in body(), item in any::<u32>(), named in any::<bool>()) {
        let client_id = named.then(|| "acme".parse().expect("a name"));
        let one = Event { request_id: None, client_id, item, body };
        prop_assert_eq!(read_back(&one), one);
    }
}

#[test]
fn the_callers_tenant_goes_everywhere() {
    let tenant = "mine".parse().expect("a name");
    let theirs = request(r#""client_id": "theirs""#);
    assert_eq!(theirs.window, Window::Custom { start: None, end: None });
    let members = BatchMembers::Requests { accepted: vec![(0, theirs)], refused: Vec::new() };
    let event = enveloped(EventBody::BatchCalculation(members)).for_tenant(&tenant);
    let text = serde_json::to_string(&event).expect("serializable");
    assert!(!text.contains("theirs") && text.contains("mine"));
}
