//! What holds for any text at all.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::model::{Problem, Request};

use super::{CsvFile, batch_line, calculation, csv_flows, csv_valuations, irr};

const CALCULATION: &str = r#"{"entity_type": "portfolio", "entity_id": "port-1", "client_id": "acme", "id": "ä\n",
    "period": {"start": "2023-01-01", "end": "2023-06-30"},
    "valuations": [{"date": "2023-01-01", "value": "10000"}, {"date": "2023-06-30", "value": 10850.5}],
    "cash_flows": {"dates": ["2023-02-15"], "amounts": [-1e3], "timings": [null]},
    "benchmark": {"id": "b", "values": [{"date": "2023-01-01", "value": "3.5"}]},
    "risk_free_rate": 0.02, "options": {"metrics": ["twr", "mwr"], "explain": false}, "store": true}"#;
const IRR: &str = r#"{"kind": "irr", "day_count": "ACT/360", "cash_flows": [
    {"date": "2023-01-01", "amount": "-10000"}, {"date": "2023-06-30", "amount": 11000.25}]}"#;
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "NaN",
    "-Infinity",
    "1e400",
    "-1",
    "0.5",
    "\"abc\"",
    "{}",
    "[]",
    "\"2021-02-30\"",
    "\"date\"",
    "\"value\":",
    "\"store\":",
    "\"valuations\":",
    "\\",
    "\\u0000",
    "\u{feff}",
    "é",
];

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Delete(Index, usize),
    Duplicate(Index, usize),
    Replace(Index, u8),
    Insert(Index, &'static str),
    SwapLines(Index, Index),
    SwapMembers(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        (place(), 1_usize..12).prop_map(|(at, length)| Change::Delete(at, length)),
        (place(), 1_usize..40).prop_map(|(at, length)| Change::Duplicate(at, length)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (place(), select(TOKENS)).prop_map(|(at, token)| Change::Insert(at, token)),
        (place(), place()).prop_map(|(a, b)| Change::SwapLines(a, b)),
        (place(), place()).prop_map(|(a, b)| Change::SwapMembers(a, b)),
    ]
}

fn swap(text: &[u8], separator: u8, a: &Index, b: &Index) -> Vec<u8> {
    let mut parts: Vec<_> = text.split(|byte| *byte == separator).collect();
    let (a, b) = (a.index(parts.len()), b.index(parts.len()));
    parts.swap(a, b);
    parts.join(&separator)
}

fn changed(mut text: Vec<u8>, change: &Change) -> Vec<u8> {
    let place = |at: &Index| at.index(text.len() + 1);
    match change {
        Change::Delete(at, length) => {
            let start = place(at);
            let end = (start + length).min(text.len());
            text.drain(start..end);
        }
        Change::Duplicate(at, length) => {
            let start = place(at);
            let part = text[start..(start + length).min(text.len())].to_vec();
            text.splice(start..start, part);
        }
        Change::Replace(at, byte) => {
            let start = place(at);
            if let Some(old) = text.get_mut(start) {
                *old = *byte;
            }
        }
        Change::Insert(at, token) => {
            let start = place(at);
            text.splice(start..start, token.bytes());
        }
        Change::SwapLines(a, b) => return swap(&text, b'\n', a, b),
        Change::SwapMembers(a, b) => return swap(&text, b',', a, b),
    }
    text
}

fn is_refusal(problem: &Problem, text: &[u8]) -> bool {
    let is_json = std::str::from_utf8(text).is_ok_and(|text| {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
    });
    let listed = !problem.errors.is_empty();
    match problem.status {
        // Unlike ours, serde_json's raw value may hold lone surrogates and nest at any depth.
        400 => !listed && (!is_json || text.contains(&b'\\') || problem.detail.contains("nested")),
        422 => listed && is_json,
        _ => false,
    }
}

fn reads_or_refuses(text: &[u8]) {
    for problem in [calculation(text).err(), irr(text).err()].into_iter().flatten() {
        assert!(is_refusal(&problem, text), "{problem:?}\n{}", String::from_utf8_lossy(text));
    }
    match batch_line(text) {
        Ok(Request::Calculation(request)) => assert_eq!(calculation(text), Ok(*request)),
        Ok(Request::Irr(request)) => assert_eq!(irr(text), Ok(request)),
        Err(refused) => assert!(is_refusal(&refused.problem, text), "{refused:?}"),
    }
    let file = CsvFile { name: "any.csv", text };
    for problem in [csv_valuations(file).err(), csv_flows(file).err()].into_iter().flatten() {
        assert!(problem.status == 422 && !problem.errors.is_empty());
    }
}

#[test]
fn the_unchanged_requests_are_accepted() {
    assert!(calculation(CALCULATION.as_bytes()).is_ok());
    assert!(irr(IRR.as_bytes()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..200)) {
        reads_or_refuses(&text);
    }

    #[test]
    fn any_tokens_are_read_or_refused(tokens in prop::collection::vec(select(TOKENS), 0..20)) {
        reads_or_refuses(tokens.concat().as_bytes());
    }

    #[test]
    fn changed_requests_are_read_or_refused(
        request in select(&[CALCULATION, IRR][..]),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let text = changes.iter().fold(request.as_bytes().to_vec(), changed);
        reads_or_refuses(&text);
    }

    #[test]
    fn changed_files_are_read_or_refused(changes in prop::collection::vec(change(), 1..4)) {
        let file = b"date,amount,timing\r\n2023-01-01,100.50,\r\n\"2023-02-01\",-5,mid_day\r\n".to_vec();
        reads_or_refuses(&changes.iter().fold(file, changed));
    }

    #[test]
    fn rows_may_come_in_any_order(
        days in prop::sample::subsequence((1..=28).collect::<Vec<_>>(), 2..20).prop_shuffle(),
    ) {
        let text = |days: &[i32]| {
            let row = |day: &i32| format!(r#"{{"date": "2023-01-{day:02}", "value": "{day}.5"}}"#);
            let rows: Vec<_> = days.iter().map(row).collect();
            format!(r#"{{"entity_type": "account", "entity_id": "a", "valuations": [{}]}}"#, rows.join(","))
        };
        let mut sorted = days.clone();
        sorted.sort_unstable();
        let shuffled = calculation(text(&days).as_bytes());
        prop_assert!(shuffled.is_ok());
        prop_assert_eq!(shuffled, calculation(text(&sorted).as_bytes()));
    }
}
