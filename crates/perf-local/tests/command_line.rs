//! The command as a user runs it: what goes in, what comes out, how it ends.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::{fs, thread};

use chrono::{Days, NaiveDate};
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;

struct Run {
    status: Option<i32>,
    out: String,
    err: String,
}

fn perfcalc(arguments: &[&str], input: &str) -> Run {
    let mut child = command(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // Whoever refuses the arguments reads nothing, so writing may fail.
        scope.spawn(move || _ = stdin.write_all(input.as_bytes()));
        child.wait_with_output().unwrap()
    });
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    Run { status: output.status.code(), out, err }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfcalc"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Standard output of a run that must succeed without a word on standard error.
fn answer(arguments: &[&str], input: &str) -> String {
    let Run { status, out, err } = perfcalc(arguments, input);
    assert_eq!((status, err.as_str()), (Some(0), ""), "{arguments:?}");
    out
}

/// Checks that a run is refused with this problem and nothing on standard output.
fn refuses(run: &Run, status: u16, code: &str, pointers: &[&str]) {
    assert_eq!((run.status, run.out.as_str()), (Some(2), ""), "{}", run.err);
    let problem: Value = serde_json::from_str(&run.err).expect(&run.err);
    assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()), "{problem}");
    assert_eq!(problem["type"], format!("urn:investment-performance:problem:{code}"));
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    assert_eq!(found(&problem, "pointer"), pointers, "{problem}");
    assert!(found(&problem, "message").iter().all(|message| !message.is_empty()), "{problem}");
}

/// One member of each error of a problem.
fn found<'a>(problem: &'a Value, member: &str) -> Vec<&'a str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors.map(|error| error[member].as_str().unwrap()).collect()
}

fn example(name: &str) -> String {
    format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn members(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).expect(json)
}

/// The text at a JSON pointer as it was printed: no digit passes through a float.
fn at<'a>(json: &'a str, pointer: &str) -> &'a str {
    pointer.split('/').skip(1).fold(json, |json, name| match name.parse::<usize>() {
        Ok(index) => serde_json::from_str::<Vec<&RawValue>>(json).expect(json)[index].get(),
        Err(_) => members(json).get(name).unwrap_or_else(|| panic!("no {name} in {json}")).get(),
    })
}

/// The text without what differs from run to run.
fn unstamped(json: &str) -> String {
    let pieces: Vec<_> = json.split('"').collect();
    let is_stamp = |index: usize| index > 1 && ["request_id", "calculated_at"].contains(&pieces[index - 2]);
    let kept = (0..pieces.len()).map(|index| if is_stamp(index) { "" } else { pieces[index] });
    kept.collect::<Vec<_>>().join("\"")
}

fn calculate(members: &str) -> Run {
    perfcalc(&["calculate"], &request(members))
}

fn calculated(members: &str) -> String {
    answer(&["calculate"], &request(members))
}

fn request(members: &str) -> String {
    format!(r#"{{"entity_type": "portfolio", "entity_id": "p", {members}}}"#)
}

/// Valuations of consecutive days as JSON rows.
fn daily(count: u64) -> String {
    let first = NaiveDate::from_ymd_opt(1700, 1, 1).unwrap();
    let row = |day| format!(r#"{{"date": "{}", "value": {}}}"#, first + Days::new(day), 100 + day % 7);
    format!(r#""valuations": [{}]"#, (0..count).map(row).collect::<Vec<_>>().join(","))
}

/// Two valuations.
fn pair(opening: &str, closing: &str) -> String {
    let row = |date: &str, value: &str| format!(r#"{{"date": "{date}", "value": {value}}}"#);
    format!(r#""valuations": [{}, {}]"#, row("2023-01-01", opening), row("2023-06-30", closing))
}

#[test]
fn a_request_comes_from_a_file_or_from_standard_input() {
    let path = example("requests/calculation.json");
    let request = fs::read_to_string(&path).unwrap();
    let from_file = answer(&["calculate", &path], "");
    for arguments in [&["calculate", "-"][..], &["calculate"], &["calculate", "--format", "json"]] {
        assert_eq!(unstamped(&answer(arguments, &request)), unstamped(&from_file));
    }
    assert_eq!(at(&from_file, "/metrics/twr"), "0.031839285714285714286");
    let names = "request_id engine_version input_hash entity_type entity_id client_id time_period \
        calculation_method undefined conventions drawdown warnings calculated_at cached stored";
    assert!(names.split(' ').all(|name| !at(&from_file, &format!("/{name}")).is_empty()));
}

#[test]
fn a_table_shows_the_same_digits() {
    let table = answer(&["calculate", &example("requests/calculation.json"), "--format", "table"], "");
    let row = table.lines().find(|line| line.trim_start().starts_with("twr ")).expect(&table);
    assert!(row.contains("3.1839 %") && row.ends_with(" 0.031839285714285714286"), "{row}");
    assert!(table.contains("zero_drawdown") && table.contains("10000 + flows 1000 + gain 330"), "{table}");
}

#[test]
fn csv_files_give_what_json_gives() {
    let file = |name: &str| example("portfolio-5y/") + name;
    let [valuations, flows, benchmark] = ["valuations.csv", "flows.csv", "benchmark.csv"].map(file);
    let options = ["--valuations", &valuations, "--flows", &flows, "--benchmark", &benchmark];
    let csv = answer(&[&["calculate", "--risk-free", "0.02"], &options[..]].concat(), "");
    let json = answer(&["calculate", &file("request.json")], "");
    for section in ["/metrics", "/undefined", "/irr", "/drawdown", "/reconciliation"] {
        assert_eq!(at(&csv, section), at(&json, section));
    }
    assert!(at(&csv, "/metrics/twr").starts_with("1.1239293595"));
    assert!(at(&csv, "/metrics/mwr").starts_with("0.168328635079"));
}

#[test]
fn a_missing_file_is_named_and_is_no_problem_of_the_input() {
    for arguments in ["calculate", "calculate --valuations", "irr", "batch"] {
        let arguments: Vec<_> = arguments.split(' ').chain(["no/such/file"]).collect();
        let run = perfcalc(&arguments, "");
        assert_eq!((run.status, run.out.as_str()), (Some(1), ""));
        assert!(run.err.starts_with("perfcalc: cannot read no/such/file: "), "{}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    }
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    for text in ["NaN", "Infinity", "-Infinity", "0x10", ""] {
        refuses(&calculate(&pair("1", text)), 400, "malformed_json", &[]);
    }
    let folder = TempDir::new().unwrap();
    let not_decimals =
        ["\"NaN\"", "\"Infinity\"", "\"abc\"", "\"\"", "null"].map(|text| (text, "not_a_decimal"));
    let out_of_range = ["1e400", "\"1e400\"", "12345678901234567890123456789"];
    let out_of_range = out_of_range.map(|text| (text, "number_out_of_range"));
    for (text, code) in not_decimals.into_iter().chain(out_of_range) {
        refuses(&calculate(&pair("1", text)), 422, code, &["/valuations/1/value"]);
        let path = file(&folder, "v.csv", &format!("date,value\n2023-01-01,1\n2023-06-30,{text}\n"));
        let run = perfcalc(&["calculate", "--valuations", &path], "");
        refuses(&run, 422, code, &["/valuations/1/value"]);
        assert!(run.err.contains("v.csv line 3"), "{}", run.err);
    }
}

#[test]
fn requests_that_cannot_be_calculated_are_refused() {
    let good = pair("100", "110");
    let flow = |date: &str| format!(r#"{good}, "cash_flows": [{{"date": "{date}", "amount": 1}}]"#);
    let twice = pair("1", "\"x\"").replace("06-30", "06-31");
    let cases: [(&str, &str, &[&str]); 14] = [
        (&good.replace("2023-01-01", "2021-02-30"), "not_a_date", &["/valuations/0/date"]),
        (&good.replace("06-30", "01-01"), "duplicate_date", &["/valuations/1/date"]),
        (r#""valuations": [{"date": "2023-01-01", "value": 1}]"#, "too_few_valuations", &["/valuations"]),
        (r#""valuations": []"#, "too_few_valuations", &["/valuations"]),
        (r#""store": true"#, "missing_field", &["/valuations"]),
        (r#""valuation": [], "options": {"a/b": 1}"#, "unknown_field", &["/valuation", "/options/a~1b"]),
        (r#""returns": [{"date": "2023-01-01", "value": 1, "x": 1}]"#, "unknown_field", &["/returns/0/x"]),
        (r#""valuations": "all""#, "wrong_type", &["/valuations"]),
        (r#""cash_flows": [[]], "valuations": 7"#, "wrong_type", &["/cash_flows/0", "/valuations"]),
        (r#""options": {"metrics": {}}"#, "wrong_type", &["/options/metrics"]),
        (r#""benchmark": {"values": [5]}"#, "wrong_type", &["/benchmark/values/0"]),
        (&flow("2022-12-31"), "flow_outside_valuations", &["/cash_flows/0/date"]),
        (&flow("2023-07-01"), "flow_outside_valuations", &["/cash_flows/0/date"]),
        (&twice, "invalid_request", &["/valuations/1/date", "/valuations/1/value"]),
    ];
    for (members, code, pointers) in cases {
        refuses(&calculate(members), 422, code, pointers);
    }
    refuses(&calculate(&daily(100_001)), 422, "too_many_items", &["/valuations"]);
    for text in ["[]", "null", "7", "\"text\""] {
        refuses(&perfcalc(&["calculate"], text), 422, "wrong_type", &[""]);
    }
    for text in ["", "{", "nonsense", "{} {}"] {
        refuses(&perfcalc(&["calculate"], text), 400, "malformed_json", &[]);
    }
}

#[test]
fn twenty_eight_digits_survive() {
    let [opening, closing] = ["1234567890.123456789012345678", "1234567890.123456789012345679"];
    let result = calculated(&pair(opening, &format!("{closing:?}")));
    let shown = ["opening", "closing"].map(|end| at(&result, &format!("/reconciliation/{end}_value")));
    assert_eq!(shown, [opening, closing].map(|text| format!("{text:?}")));
    assert_eq!(at(&result, "/reconciliation/gain"), "\"0.000000000000000001\"");
    let third = calculated(&pair("3", "4"));
    assert_eq!(at(&third, "/metrics/twr"), "0.33333333333333333333");
    let round = calculated(&pair("100", "110.00"));
    assert_eq!((at(&round, "/metrics/twr"), at(&round, "/metrics/positive_periods")), ("0.1", "1"));
    assert_eq!(at(&round, "/reconciliation/gain"), "\"10.00\"");
}

#[test]
fn neither_order_nor_layout_changes_a_byte() {
    let rows = r#""valuations": [{"date": "2023-01-01", "value": 100.10}, {"date": "2023-02-01", "value": 90},
        {"date": "2023-03-01", "value": 120}], "cash_flows": [{"date": "2023-01-05", "amount": 7},
        {"date": "2023-02-01", "amount": -3}]"#;
    let reordered = r#""cash_flows": [{"amount": "-3", "date": "2023-02-01"}, {"date": "2023-01-05", "amount": 7}],
        "valuations": [{"date": "2023-03-01", "value": 120}, {"value": "100.10", "date": "2023-01-01"},
        {"date": "2023-02-01", "value": 90}]"#;
    let columns = r#""valuations": {"values": [90, 100.10, 120], "dates": ["2023-02-01", "2023-01-01", "2023-03-01"]},
        "cash_flows": {"dates": ["2023-02-01", "2023-01-05"], "amounts": [-3, 7]}"#;
    let expected = unstamped(&calculated(rows));
    assert_eq!(unstamped(&calculated(reordered)), expected);
    assert_eq!(unstamped(&calculated(columns)), expected);
}

fn irr(amounts: [i32; 3]) -> String {
    let flow = |(index, amount)| format!(r#"{{"date": "200{index}-01-01", "amount": {amount}}}"#);
    let flows: Vec<_> = (1..).zip(amounts).map(flow).collect();
    format!(r#"{{"kind": "irr", "cash_flows": [{}]}}"#, flows.join(", "))
}

#[test]
fn every_rate_of_return_is_listed() {
    let several = answer(&["irr"], &irr([-100, 230, -132]));
    let shown = ["/irr", "/status", "/roots/0", "/roots/1", "/log_rate"].map(|name| at(&several, name));
    assert_eq!(shown, ["0.1", "\"multiple\"", "0.1", "0.2", "0.095310179804324860044"]);
    for (amounts, reason) in [([-100, 150, -100], "\"no_root\""), ([-1, -2, -3], "\"no_sign_change\"")] {
        let none = answer(&["irr", "-"], &irr(amounts));
        let shown = ["/irr", "/status", "/roots", "/undefined/irr"].map(|name| at(&none, name));
        assert_eq!(shown, ["null", "\"none\"", "[]", reason]);
    }
    let one = answer(&["irr", &example("requests/irr.json")], "");
    assert_eq!((at(&one, "/irr"), at(&one, "/status")), ("0.10476882309258727403", "\"unique\""));
    refuses(&perfcalc(&["irr"], "{}"), 422, "missing_field", &["/cash_flows"]);
}

/// A line of a batch: mostly calculations, some rates of return, some refused.
fn line(index: usize) -> String {
    let text = match index % 7 {
        3 => irr([-100, 100 + i32::try_from(index).unwrap(), 1]),
        5 => request(&pair("1", "\"x\"")),
        _ => request(&format!(r#""returns": [{{"date": "2023-01-31", "value": "{index}.5"}}]"#)),
    };
    text.replacen('{', &format!(r#"{{"id": "line {index}", "#), 1)
}

#[test]
fn a_batch_keeps_its_order_and_goes_on_after_bad_lines() {
    let lines = [line(2), line(5), line(3), request(&pair("1", "2"))].join("\n\n \t\r\n");
    let answers = answer(&["batch"], &format!("nonsense\n{lines}\n{{\"kind\": \"what\"}}"));
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown = |name| answers.iter().map(|answer| answer[name].as_str().unwrap_or("-")).collect::<Vec<_>>();
    assert_eq!(shown("id"), ["-", "line 2", "line 5", "line 3", "-", "-"]);
    assert_eq!(shown("kind"), ["-", "calculation", "-", "irr", "calculation", "-"]);
    assert_eq!(found(&answers[2]["error"], "pointer"), ["/valuations/1/value"]);
    let codes = [0, 2, 5].map(|index: usize| answers[index]["error"]["code"].as_str().unwrap());
    assert_eq!(codes, ["malformed_json", "not_a_decimal", "unknown_value"]);
}

#[test]
fn any_number_of_jobs_gives_the_same_answers() {
    let lines = (0..2_000).map(line).collect::<Vec<_>>().join("\n");
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "requests.jsonl", &lines);
    let one = unstamped(&answer(&["batch", &path, "--jobs", "1"], ""));
    let four = unstamped(&answer(&["batch", "-", "--jobs", "4"], &lines));
    assert!(one == four, "the number of jobs changes the answers");
    assert_eq!(one.lines().count(), 2_000);
    for (index, answer) in one.lines().enumerate() {
        assert_eq!(at(answer, "/id"), format!("\"line {index}\""));
        assert_eq!(members(answer).contains_key("error"), index % 7 == 5);
    }
}

#[test]
fn published_figures_are_recomputed() {
    let text = answer(&["selftest"], "");
    let last = text.lines().last().unwrap();
    let passed = last.strip_suffix(" passed, 0 failed").expect(last);
    assert!(passed.parse::<u32>().unwrap() > 100, "{last}");
    assert!(["expected ", "got ", "difference "].iter().all(|word| text.contains(word)));
}

#[test]
fn help_shows_an_example() {
    for command in ["calculate", "irr", "batch", "selftest"] {
        let help = answer(&[command, "--help"], "");
        assert!(help.contains(&format!("perfcalc {command}")), "{help}");
        assert!(help.to_lowercase().contains("example"), "{help}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let calculation = request(&pair("1", "2"));
    for (arguments, input) in [("calculate", &calculation), ("irr", &irr([-1, 1, 1])), ("batch", &line(1))] {
        let mut child = command(&[arguments]).spawn().unwrap();
        drop(child.stdout.take());
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{arguments}");
    }
}

#[test]
fn the_working_links_to_the_return() {
    let plain = fs::read_to_string(example("portfolio-5y/request.json")).unwrap();
    let explained = plain.replace(r#""options": {"#, r#""options": {"explain": true, "#);
    let result = answer(&["calculate"], &explained);
    let rows: Vec<Value> = serde_json::from_str(at(&result, "/sub_periods")).unwrap();
    assert_eq!(rows.len(), 1_259);
    assert_eq!((&rows[0]["start"], &rows[0]["beginning_value"]), (&"2017-12-27".into(), &"429819.2".into()));
    assert!(rows.windows(2).all(|rows| rows[0]["end"] == rows[1]["start"]));
    let growth: f64 = rows.iter().map(|row| 1.0 + row["return"].as_f64().unwrap()).product();
    let twr: f64 = at(&result, "/metrics/twr").parse().unwrap();
    assert!((growth - 1.0 - twr).abs() < 1e-12, "{growth} {twr}");
    assert!(!members(&answer(&["calculate"], &plain)).contains_key("sub_periods"));
}

#[test]
fn a_working_is_at_most_ten_thousand_sub_periods_long() {
    let explained = |days| format!(r#"{}, "options": {{"explain": true}}"#, daily(days));
    let result = calculated(&explained(10_001));
    let rows: Vec<&RawValue> = serde_json::from_str(at(&result, "/sub_periods")).unwrap();
    assert_eq!(rows.len(), 10_000);
    refuses(&calculate(&explained(10_002)), 422, "explain_too_large", &["/options/explain"]);
}

#[test]
fn conventions_are_chosen_by_flags() {
    let folder = TempDir::new().unwrap();
    let days_360 = "date,value\n2023-01-01,100\n2023-01-11,121\n2023-01-31,150\n2023-12-27,165\n";
    let valuations = file(&folder, "v.csv", days_360);
    let flows = file(&folder, "f.csv", "date,amount,timing\n2023-01-11,20,\n");
    let calculate = ["calculate", "--valuations", &valuations, "--flows", &flows];
    let cases = [
        ("", "/metrics/twr", "0.4159574468085106383"),
        ("--timing end_of_day", "/metrics/twr", "0.37727272727272727273"),
        ("--timing mid_day", "/metrics/twr", "0.37713771377137713771"),
        ("--timing start_of_day", "/metrics/twr", "0.3770053475935828877"),
        ("--method modified_dietz", "/metrics/twr", "0.37674418604651162791"),
        ("--day-count ACT/360", "/metrics/annualized_return", "0.4159574468085106383"),
        ("--start 2023-01-11 --end 2023-01-31", "/metrics/twr", "0.063829787234042553191"),
        ("--start 2023-01-20", "/period/start", "\"2023-01-11\""),
        ("--time-period MTD", "/time_period", "\"MTD\""),
        ("--time-period 3M", "/metrics/twr", "0.1"),
        ("--time-period ITD --as-of 2023-01-11", "/metrics/twr", "0.21"),
        ("--metrics max_drawdown", "/metrics", "{\n    \"max_drawdown\": 0\n  }"),
        ("--periods-per-year 12", "/conventions/periods_per_year", "12"),
        ("--volatility sample", "/conventions/volatility", "\"sample\""),
        ("--risk-free -0.5", "/conventions/risk_free_rate", "-0.5"),
        ("--minimum-acceptable-return -0.01", "/conventions/minimum_acceptable_return", "-0.01"),
        ("--confidence-level 0.99", "/conventions/confidence_level", "0.99"),
        ("--entity security:fund-a", "/entity_id", "\"fund-a\""),
    ];
    for (flags, pointer, expected) in cases {
        let flags: Vec<_> = flags.split_whitespace().collect();
        assert_eq!(at(&answer(&[&calculate[..], &flags].concat(), ""), pointer), expected, "{flags:?}");
    }
    for level in ["0.5", "1", "95"] {
        let run = perfcalc(&[&calculate[..], &["--confidence-level", level]].concat(), "");
        refuses(&run, 422, "number_out_of_range", &["/options/confidence_level"]);
    }
}
