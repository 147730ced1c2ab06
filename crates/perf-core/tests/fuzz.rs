//! Requests at the edges of what may be asked: an answer or a problem, never a
//! panic, and always well-formed JSON. `make fuzz` runs more cases.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

use perf_core::calculations::{Stamp, calculate, internal_rate_of_return};
use perf_core::model::read;
use perf_core::number::Exact;
use proptest::prelude::*;

fn number() -> impl Strategy<Value = String> {
    const EXTREMES: [&str; 13] = [
        "0",
        "1",
        "-1",
        "0.01",
        "-0.01",
        "100",
        "9999999999999999999999999999",
        "-9999999999999999999999999999",
        "1e-100",
        "-1e-100",
        "1e27",
        "0.0000000000000000000000000001",
        "123456789012345678.9012345678",
    ];
    prop_oneof![
        prop::sample::select(&EXTREMES[..]).prop_map(str::to_owned),
        (-100_000_i64..100_000).prop_map(|n| Exact::new(n, 2).to_string())
    ]
}

fn date() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_i64..800).prop_map(|days| (chrono::NaiveDate::from_ymd_opt(2019, 11, 1).expect("a date") + chrono::Duration::days(days)).to_string()),
        1 => prop::sample::select(&["0001-01-01", "9999-12-31", "2020-02-29", "2021-02-30", "1999-12-31"][..]).prop_map(str::to_owned),
    ]
}

fn rows(field: &'static str, count: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec((date(), number()), count).prop_map(move |rows| {
        let row = |(date, value): &(String, String)| format!(r#"{{"date": "{date}", "{field}": "{value}"}}"#);
        format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join(", "))
    })
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

fn options() -> impl Strategy<Value = String> {
    (
        word(&["daily", "modified_dietz"]),
        word(&["after_close", "end_of_day", "start_of_day", "mid_day"]),
        word(&["population", "sample"]),
        word(&["ACT/365F", "ACT/365.25", "ACT/360", "ACT/ACT ISDA", "30/360", "30E/360"]),
        word(&["0.95", "0.5000000000000000000000000001", "0.9999999999999999999999999999", "0.75"]),
        word(&["1", "366", "12", "null"]),
        word(&["0", "-0.9999999999999999999999999999", "1e27", "0.05"]),
    )
        .prop_map(|(method, timing, volatility, day_count, confidence, periods, minimum)| {
            format!(
                r#"{{"method": "{method}", "cash_flow_timing": "{timing}", "volatility": "{volatility}", "day_count": "{day_count}",
                "confidence_level": "{confidence}", "periods_per_year": {periods}, "minimum_acceptable_return": "{minimum}", "explain": true}}"#
            )
        })
}

fn well_formed(text: &str) -> Result<(), TestCaseError> {
    prop_assert!(serde_json::from_str::<Box<serde_json::value::RawValue>>(text).is_ok(), "{}", text);
    Ok(())
}

fn answered(request: &str) -> Result<(), TestCaseError> {
    let stamp = Stamp {
        request_id: "r1".into(),
        client_id: "acme".parse().expect("a name"),
        calculated_at: "2026-01-01T00:00:00Z".into(),
        risk_free_rate: Exact::ZERO,
    };
    match read::calculation(request.as_bytes()).and_then(|request| calculate(&request, &stamp)) {
        Ok(result) => well_formed(&serde_json::to_string(&result).expect("serializable")),
        Err(problem) => {
            prop_assert_eq!(problem.status, 422, "{}", request);
            Ok(())
        }
    }
}

proptest! {
    #[test]
    fn fuzz_portfolios(
        valuations in rows("value", 1..9), flows in rows("amount", 0..6), benchmark in rows("value", 1..9),
        options in options(), rate in number(), window in word(&["\"ITD\"", "\"1Y\"", "\"MTD\"", "null"]),
    ) {
        answered(&format!(
            r#"{{"entity_type": "portfolio", "entity_id": "p", "valuations": {valuations}, "cash_flows": {flows},
                "benchmark": {{"values": {benchmark}}}, "options": {options}, "risk_free_rate": "{rate}", "time_period": {window}}}"#
        ))?;
    }

    #[test]
    fn fuzz_returns(returns in rows("value", 1..12), options in options(), rate in number()) {
        answered(&format!(
            r#"{{"entity_type": "security", "entity_id": "p", "returns": {returns}, "options": {options}, "risk_free_rate": "{rate}"}}"#
        ))?;
    }

    #[test]
    fn fuzz_rates_of_dated_flows(flows in rows("amount", 1..12), day_count in word(&["ACT/365F", "30/360", "ACT/ACT ISDA"])) {
        let request = format!(r#"{{"cash_flows": {flows}, "day_count": "{day_count}"}}"#);
        if let Ok(request) = read::irr(request.as_bytes()) {
            well_formed(&serde_json::to_string(&internal_rate_of_return(&request)).expect("serializable"))?;
        }
    }
}
