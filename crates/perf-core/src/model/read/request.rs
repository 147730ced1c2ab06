//! A calculation request from JSON.

use std::ops::RangeInclusive;

use crate::model::{CalculationRequest, Metric, Options, Problem};

use super::batch::{self, Kind};
use super::draft::{BenchmarkDraft, Draft, WindowDraft};
use super::errors::Errors;
use super::fault::Fault;
use super::json::{Fields, Parsed, Reader};
use super::rows::series;
use super::series::{BENCHMARK_RETURNS, BENCHMARK_VALUES, CASH_FLOWS, RETURNS, VALUATIONS};

/// What `periods_per_year` may be.
const PERIODS_PER_YEAR: RangeInclusive<u32> = 1..=366;
/// Most names in `options.metrics`, repetitions included.
const MAX_METRICS: usize = 1_000;

const REQUEST: Fields = Fields {
    required: &["entity_type", "entity_id"],
    optional: &[
        "client_id",
        "account_id",
        "period",
        "time_period",
        "as_of",
        "valuations",
        "cash_flows",
        "returns",
        "benchmark",
        "risk_free_rate",
        "options",
        "store",
        "kind",
        "id",
    ],
};
const PERIOD: Fields = Fields { required: &[], optional: &["start", "end"] };
const BENCHMARK: Fields = Fields { required: &[], optional: &["id", "values", "returns"] };
const OPTIONS: Fields = Fields {
    required: &[],
    optional: &[
        "method",
        "cash_flow_timing",
        "volatility",
        "periods_per_year",
        "minimum_acceptable_return",
        "confidence_level",
        "day_count",
        "metrics",
        "explain",
    ],
};

/// Reads a calculation request.
///
/// # Errors
///
/// 400 where the text is not JSON; 422 with everything that is wrong otherwise.
///
/// ```
/// use perf_core::model::read::calculation;
/// let request = br#"{
///     "entity_type": "portfolio", "entity_id": "port-1",
///     "valuations": [{"date": "2023-06-30", "value": "10850.00"}, {"date": "2023-01-01", "value": 10000}]
/// }"#;
/// assert!(calculation(request).is_ok());
///
/// let problem = calculation(br#"{"entity_type": "fund", "entity_id": "port-1"}"#).expect_err("no such type");
/// assert_eq!((problem.status, problem.code), (422, "unknown_value"));
/// assert_eq!(problem.errors[0].pointer, "/entity_type");
/// ```
pub fn calculation(text: &[u8]) -> Result<CalculationRequest, Problem> {
    let (draft, errors) = draft(text)?;
    draft.finish(errors)
}

/// The request as written, and what is wrong with its members.
pub(super) fn draft(text: &[u8]) -> Result<(Draft, Errors), Problem> {
    Reader::document(text, |reader| {
        let mut draft = Draft::default();
        reader.object(&REQUEST, |reader, field| member(reader, &mut draft, field))?;
        Ok(draft)
    })
}

fn member(reader: &mut Reader<'_>, draft: &mut Draft, field: &str) -> Parsed<()> {
    match field {
        "entity_type" => draft.entity_type = reader.choice()?,
        "entity_id" => draft.entity_id = reader.identifier()?,
        "client_id" => draft.client_id = reader.identifier()?,
        "account_id" => draft.account_id = reader.identifier()?,
        "period" => period(reader, &mut draft.window)?,
        "time_period" => draft.window.time_period = Some(reader.choice()?),
        "as_of" => draft.window.as_of = Some(reader.date()?),
        "valuations" => draft.valuations = Some(series(reader, &VALUATIONS)?),
        "cash_flows" => draft.cash_flows = Some(series(reader, &CASH_FLOWS)?),
        "returns" => draft.returns = Some(series(reader, &RETURNS)?),
        "benchmark" => draft.benchmark = benchmark(reader)?,
        "risk_free_rate" => draft.risk_free_rate = reader.decimal()?,
        "options" => options(reader, &mut draft.options)?,
        "store" => draft.store = reader.boolean()?,
        "kind" => batch::expect_kind(reader, Kind::Calculation)?,
        _ => draft.id = reader.label()?,
    }
    Ok(())
}

pub(super) fn period(reader: &mut Reader<'_>, window: &mut WindowDraft) -> Parsed<()> {
    let (mut start, mut end) = (None, None);
    reader.object(&PERIOD, |reader, field| {
        match field {
            "start" => start = reader.date()?,
            _ => end = reader.date()?,
        }
        Ok(())
    })?;
    window.period = Some((start, end));
    Ok(())
}

fn benchmark(reader: &mut Reader<'_>) -> Parsed<Option<BenchmarkDraft>> {
    let mut benchmark = BenchmarkDraft::default();
    let is_object = reader.object(&BENCHMARK, |reader, field| {
        match field {
            "id" => benchmark.id = reader.identifier()?,
            "values" => benchmark.values = Some(series(reader, &BENCHMARK_VALUES)?),
            _ => benchmark.returns = Some(series(reader, &BENCHMARK_RETURNS)?),
        }
        Ok(())
    })?;
    Ok(is_object.then_some(benchmark))
}

fn options(reader: &mut Reader<'_>, options: &mut Options) -> Parsed<()> {
    reader.object(&OPTIONS, |reader, field| {
        match field {
            "method" => set(&mut options.method, reader.choice()?),
            "cash_flow_timing" => set(&mut options.cash_flow_timing, reader.choice()?),
            "volatility" => set(&mut options.volatility, reader.choice()?),
            "periods_per_year" => options.periods_per_year = reader.whole_number(PERIODS_PER_YEAR)?,
            "minimum_acceptable_return" => set(&mut options.minimum_acceptable_return, reader.decimal()?),
            "confidence_level" => set(&mut options.confidence_level, reader.decimal()?),
            "day_count" => set(&mut options.day_count, reader.choice()?),
            "metrics" => options.metrics = metrics(reader)?,
            _ => set(&mut options.explain, reader.boolean()?),
        }
        Ok(())
    })?;
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn metrics(reader: &mut Reader<'_>) -> Parsed<Vec<Metric>> {
    let mut metrics = Vec::new();
    let count = reader.array(MAX_METRICS, |reader| {
        metrics.extend(reader.choice::<Metric>()?);
        Ok(())
    })?;
    if count == Some(0) {
        let message = "expected at least one metric: name some or leave the field out for all";
        reader.fail(Fault::new("too_few_items", message));
    }
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{accepted, found, refused, refuses, request};
    use super::*;
    use crate::model::{
        BenchmarkSeries, Data, DayCount, Deviation, EntityType, MAX_VALUATIONS, Method, TimePeriod,
        TimeSeries, Timing, Window,
    };
    use crate::number::Exact;

    const VALUATIONS: &str =
        r#""valuations": [{"date": "2023-01-01", "value": 100}, {"date": "2023-06-30", "value": 110}]"#;

    fn refuses_value(value: &str, code: &str) {
        let members = format!(
            r#""valuations": [{{"date": "2023-01-01", "value": 1}}, {{"date": "2023-06-30", "value": {value}}}]"#
        );
        refuses(&members, &[("/valuations/1/value", code)]);
    }

    fn day(text: &str) -> chrono::NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn reads_every_field() {
        let request = accepted(
            r#""client_id": "acme", "account_id": "a-1", "id": "line 1", "kind": "calculation",
            "period": {"start": "2023-01-01", "end": "2023-06-30"},
            "valuations": [{"date": "2023-01-01", "value": "10000"}, {"value": 10850.00, "date": "2023-06-30"}],
            "cash_flows": [{"date": "2023-02-15", "amount": "-1000", "timing": "mid_day"},
                           {"date": "2023-02-15", "amount": 5}],
            "benchmark": {"id": "sp500", "values": [{"date": "2023-01-01", "value": 3.5}]},
            "risk_free_rate": "0.02",
            "options": {"method": "modified_dietz", "cash_flow_timing": "end_of_day", "volatility": "sample",
                "periods_per_year": 252, "minimum_acceptable_return": "-0.5", "confidence_level": 0.99,
                "day_count": "30E/360", "metrics": ["mwr", "twr", "mwr"], "explain": true},
            "store": false"#,
        );
        assert_eq!((request.entity_type, request.entity_id.as_str()), (EntityType::Portfolio, "p"));
        assert_eq!(request.client_id.map(|id| id.to_string()).as_deref(), Some("acme"));
        assert_eq!(request.account_id.map(|id| id.to_string()).as_deref(), Some("a-1"));
        assert_eq!(request.id.as_deref(), Some("line 1"));
        let (start, end) = (Some(day("2023-01-01")), Some(day("2023-06-30")));
        assert_eq!(request.window, Window::Custom { start, end });
        let Data::Valuations { valuations, cash_flows } = request.data else { panic!("valuations") };
        let last = valuations.view().last().expect("two valuations");
        assert_eq!(last.value.to_string(), "10850.00");
        assert_eq!((cash_flows[0].timing, cash_flows[1].timing), (Some(Timing::MidDay), None));
        assert_eq!(cash_flows[0].amount, Exact::new(-1000, 0));
        let benchmark = request.benchmark.expect("a benchmark");
        assert!(matches!(benchmark.series, BenchmarkSeries::Values(rows) if rows.len() == 1));
        assert_eq!(request.risk_free_rate, Some(Exact::new(2, 2)));
        assert!(!request.store);
        let options = Options {
            method: Method::ModifiedDietz,
            cash_flow_timing: Timing::EndOfDay,
            volatility: Deviation::Sample,
            periods_per_year: Some(252),
            minimum_acceptable_return: Exact::new(-5, 1),
            confidence_level: Exact::new(99, 2),
            day_count: DayCount::ThirtyE360,
            metrics: vec![Metric::Twr, Metric::Mwr],
            explain: true,
        };
        assert_eq!(request.options, options);
    }

    #[test]
    fn defaults_are_the_contracts() {
        let bare = accepted("");
        assert_eq!(bare.data, Data::Ledger);
        assert_eq!(bare.window, Window::Custom { start: None, end: None });
        assert_eq!(bare.options, Options::default());
        assert!(bare.store && bare.benchmark.is_none() && bare.risk_free_rate.is_none() && bare.id.is_none());
        let standing = accepted(r#""time_period": "3M", "as_of": "2024-02-29""#);
        let as_of = Some(day("2024-02-29"));
        assert_eq!(standing.window, Window::Standing { time_period: TimePeriod::ThreeMonths, as_of });
        assert!(matches!(
            accepted(r#""returns": [{"date": "2023-01-02", "value": 0}]"#).data,
            Data::Returns(_)
        ));
    }

    #[test]
    fn optional_fields_may_be_null() {
        let nulls = r#""client_id": null, "account_id": null, "period": null, "time_period": null, "as_of": null,
            "valuations": null, "cash_flows": null, "returns": null, "benchmark": null, "risk_free_rate": null,
            "options": null, "store": null, "kind": null, "id": null"#;
        assert_eq!(accepted(nulls), accepted(""));
        let options = r#""options": {"method": null, "periods_per_year": null, "metrics": null, "explain": null},
            "period": {"start": null, "end": null}"#;
        assert_eq!(accepted(options), accepted(""));
    }

    #[test]
    fn required_fields_may_not_be_null() {
        let problem = calculation(br#"{"entity_type": null}"#).expect_err("nothing given");
        assert_eq!(
            found(&problem),
            [("/entity_type".to_owned(), "wrong_type"), ("/entity_id".to_owned(), "missing_field")]
        );
        refuses(
            r#""returns": [{"date": null, "value": null}]"#,
            &[("/returns/0/date", "not_a_date"), ("/returns/0/value", "not_a_decimal")],
        );
    }

    #[test]
    fn a_number_and_its_text_are_the_same() {
        for digits in [
            "1234567890123456789012345678",
            "0.1234567890123456789012345678",
            "-9999999999999999999999999999",
            "10000.10",
            "1E3",
            "0",
        ] {
            let [as_number, as_text] = [digits.to_owned(), format!("\"{digits}\"")].map(|value| {
                accepted(&format!(r#""returns": [{{"date": "2023-01-01", "value": {value}}}]"#)).data
            });
            let Data::Returns(rows) = &as_number else { panic!("returns") };
            let value = |rows: &TimeSeries| rows.view().values().get(0).expect("a value");
            assert_eq!(value(rows), digits.parse().expect("a decimal"));
            assert_eq!(as_number, as_text);
            let Data::Returns(text_rows) = &as_text else { panic!("returns") };
            assert_eq!(value(rows).to_string(), value(text_rows).to_string());
        }
    }

    #[test]
    fn what_is_no_decimal() {
        for value in
            [r#""abc""#, r#""""#, "null", "true", "[1]", r#"{"a": 1}"#, r#""NaN""#, r#""1,000""#, r#"" 1""#]
        {
            refuses_value(value, "not_a_decimal");
        }
        for value in ["1e400", r#""1e400""#, "12345678901234567890123456789", "1e28", "-1e28"] {
            refuses_value(value, "number_out_of_range");
        }
        let message = &refused(r#""risk_free_rate": "secret-amount""#).errors[0].message;
        assert_eq!(message, "expected a decimal number such as 1234.56");
    }

    #[test]
    fn numbers_longer_than_the_json_reader_follows() {
        let members = format!(r#""store": 1, "risk_free_rate": {}"#, "9".repeat(5_000));
        refuses(&members, &[("/store", "wrong_type"), ("/risk_free_rate", "number_out_of_range")]);
        refuses(
            &format!(r#""risk_free_rate": 0.{}"#, "3".repeat(5_000)),
            &[("/risk_free_rate", "number_out_of_range")],
        );
    }

    #[test]
    fn what_is_no_date() {
        for date in [r#""2021-02-30""#, r#""2021-2-3""#, r#""""#, "20210203", "false", "[]"] {
            refuses(
                &format!(r#""returns": [{{"date": {date}, "value": 1}}]"#),
                &[("/returns/0/date", "not_a_date")],
            );
        }
        let problem =
            refused(r#""time_period": "YTD", "as_of": "yesterday, or the day before if that was a Sunday""#);
        assert_eq!(
            problem.detail,
            "/as_of: expected an existing day as YYYY-MM-DD, not \"yesterday, or the day before if that was\"…"
        );
    }

    #[test]
    fn wrong_types_at_every_depth() {
        for text in ["[]", "null", "7", r#""text""#] {
            let problem = calculation(text.as_bytes()).expect_err(text);
            assert_eq!(found(&problem), [(String::new(), "wrong_type")]);
        }
        refuses(
            r#""client_id": 5, "period": [], "time_period": {}, "valuations": 5, "cash_flows": [7, []],
            "benchmark": "sp500", "options": [], "store": "yes", "id": 12"#,
            &[
                ("/client_id", "wrong_type"),
                ("/period", "wrong_type"),
                ("/time_period", "wrong_type"),
                ("/valuations", "wrong_type"),
                ("/cash_flows/0", "wrong_type"),
                ("/cash_flows/1", "wrong_type"),
                ("/benchmark", "wrong_type"),
                ("/options", "wrong_type"),
                ("/store", "wrong_type"),
                ("/id", "wrong_type"),
                ("/time_period", "conflicting_fields"),
            ],
        );
        refuses(
            r#""benchmark": {"id": {}, "returns": true}, "options": {"metrics": "twr", "explain": 1}"#,
            &[
                ("/benchmark/id", "wrong_type"),
                ("/benchmark/returns", "wrong_type"),
                ("/options/metrics", "wrong_type"),
                ("/options/explain", "wrong_type"),
            ],
        );
    }

    #[test]
    fn unknown_and_repeated_fields() {
        refuses(
            r#""extra": {"a": [1, {}]}, "a/b~": 1, "store": true, "store": 5, "options": {"metod": "daily"},
            "returns": [{"date": "2023-01-01", "value": 1, "amount": 2, "value": "x"}]"#,
            &[
                ("/extra", "unknown_field"),
                ("/a~1b~0", "unknown_field"),
                ("/store", "duplicate_field"),
                ("/options/metod", "unknown_field"),
                ("/returns/0/amount", "unknown_field"),
                ("/returns/0/value", "duplicate_field"),
            ],
        );
        refuses(r#""client_id": null, "client_id": "acme""#, &[("/client_id", "duplicate_field")]);
        let message = &refused(r#""period": {"from": "2023-01-01"}"#).errors[0].message;
        assert_eq!(message, "expected one of the fields start, end: remove or rename this one");
    }

    #[test]
    fn missing_fields() {
        let problem = calculation(b"{}").expect_err("nothing given");
        assert_eq!(
            found(&problem),
            [("/entity_type".to_owned(), "missing_field"), ("/entity_id".to_owned(), "missing_field")]
        );
        refuses(
            r#""returns": [{"value": 1}, {"date": "2023-01-02"}], "benchmark": {"id": "b"}"#,
            &[
                ("/returns/0/date", "missing_field"),
                ("/returns/1/value", "missing_field"),
                ("/benchmark", "missing_field"),
            ],
        );
    }

    #[test]
    fn unknown_words_and_bad_names() {
        refuses(
            r#""kind": "irr", "client_id": "a#b", "time_period": "2Y", "id": "",
            "options": {"method": "Daily", "metrics": ["twr", "sharpe", "mwr"], "day_count": ""},
            "cash_flows": [{"date": "2023-01-01", "amount": 1, "timing": "noon"}], "valuations": []"#,
            &[
                ("/kind", "unknown_value"),
                ("/client_id", "invalid_identifier"),
                ("/time_period", "unknown_value"),
                ("/options/method", "unknown_value"),
                ("/options/metrics/1", "unknown_value"),
                ("/options/day_count", "unknown_value"),
                ("/cash_flows/0/timing", "unknown_value"),
                ("/valuations", "too_few_valuations"),
            ],
        );
        let message = &refused(r#""options": {"volatility": "popluation"}"#).errors[0].message;
        assert_eq!(message, "expected one of population, sample, not \"popluation\"");
        refuses(&format!(r#""id": "{}""#, "é".repeat(129)), &[("/id", "invalid_identifier")]);
        assert_eq!(accepted(&format!(r#""id": "{}""#, "é".repeat(128))).id, Some("é".repeat(128)));
    }

    #[test]
    fn numbers_outside_their_range() {
        for (field, values) in [
            ("periods_per_year", ["0", "367", "1.5", "-1"]),
            ("confidence_level", ["0.5", "1", "95", "-0.95"]),
            ("minimum_acceptable_return", ["-1", "-1.0", "-2", "1e28"]),
        ] {
            for value in values {
                let pointer = format!("/options/{field}");
                let expected = [(pointer.as_str(), "number_out_of_range")];
                refuses(&format!(r#""options": {{"{field}": {value}}}"#), &expected);
            }
        }
        refuses(r#""risk_free_rate": -1"#, &[("/risk_free_rate", "number_out_of_range")]);
        refuses(
            r#""options": {"periods_per_year": "daily"}"#,
            &[("/options/periods_per_year", "not_a_decimal")],
        );
        assert_eq!(
            accepted(r#""options": {"periods_per_year": "252.0"}"#).options.periods_per_year,
            Some(252)
        );
        assert!(accepted(r#""risk_free_rate": -0.999"#).risk_free_rate.is_some());
    }

    #[test]
    fn too_few_rows() {
        refuses(
            r#""valuations": [{"date": "2023-01-01", "value": 1}]"#,
            &[("/valuations", "too_few_valuations")],
        );
        refuses(r#""valuations": {"dates": [], "values": []}"#, &[("/valuations", "too_few_valuations")]);
        refuses(r#""returns": []"#, &[("/returns", "too_few_returns")]);
        refuses(r#""benchmark": {"values": []}"#, &[("/benchmark/values", "too_few_items")]);
        refuses(r#""options": {"metrics": []}"#, &[("/options/metrics", "too_few_items")]);
    }

    #[test]
    fn more_rows_than_the_bound() {
        let mut row = day("1900-01-01");
        let mut rows = Vec::new();
        for _ in 0..MAX_VALUATIONS {
            rows.push(format!(r#"{{"date": "{row}", "value": 1}}"#));
            row = row.succ_opt().expect("a day");
        }
        accepted(&format!(r#""valuations": [{}]"#, rows.join(",")));
        rows.push("{\"nonsense\": true}".to_owned());
        refuses(&format!(r#""valuations": [{}]"#, rows.join(",")), &[("/valuations", "too_many_items")]);
        let metrics = vec!["\"twr\""; MAX_METRICS + 1].join(",");
        refuses(
            &format!(r#""options": {{"metrics": [{metrics}]}}"#),
            &[("/options/metrics", "too_many_items")],
        );
    }

    #[test]
    fn a_date_given_twice() {
        let rows = r#"[{"date": "2023-01-02", "value": 1}, {"date": "2023-01-01", "value": 2},
            {"date": "2023-01-02", "value": 3}, {"date": "2023-01-01", "value": "x"}]"#;
        for (members, series) in [
            (format!(r#""valuations": {rows}"#), "/valuations"),
            (format!(r#""returns": {rows}"#), "/returns"),
            (format!(r#""benchmark": {{"values": {rows}}}"#), "/benchmark/values"),
            (format!(r#""benchmark": {{"returns": {rows}}}"#), "/benchmark/returns"),
        ] {
            let [value, first, second] =
                ["3/value", "2/date", "3/date"].map(|place| format!("{series}/{place}"));
            refuses(
                &members,
                &[(&value, "not_a_decimal"), (&first, "duplicate_date"), (&second, "duplicate_date")],
            );
            let message = &refused(&members).errors[1].message;
            let expected =
                format!("expected each date once, and {series}/0/date has this one: remove one of the two");
            assert_eq!(*message, expected);
        }
    }

    #[test]
    fn flows_outside_the_valuations() {
        let flows = r#""cash_flows": [{"date": "2023-06-30", "amount": 1}, {"date": "2022-12-31", "amount": 1},
            {"date": "2023-01-01", "amount": 1}, {"date": "2023-07-01", "amount": "x"}]"#;
        refuses(
            &format!("{flows}, {VALUATIONS}"),
            &[
                ("/cash_flows/3/amount", "not_a_decimal"),
                ("/cash_flows/1/date", "flow_outside_valuations"),
                ("/cash_flows/3/date", "flow_outside_valuations"),
            ],
        );
        let unknown_span = VALUATIONS.replace("2023-06-30", "2023-06-31");
        refuses(
            &format!("{flows}, {unknown_span}"),
            &[("/cash_flows/3/amount", "not_a_decimal"), ("/valuations/1/date", "not_a_date")],
        );
    }

    #[test]
    fn fields_that_exclude_each_other() {
        let rows = r#"[{"date": "2023-01-01", "value": 1}]"#;
        refuses(&format!(r#""returns": {rows}, {VALUATIONS}"#), &[("/returns", "conflicting_fields")]);
        refuses(&format!(r#""returns": {rows}, "cash_flows": []"#), &[("/cash_flows", "conflicting_fields")]);
        refuses(r#""cash_flows": []"#, &[("/cash_flows", "conflicting_fields")]);
        refuses(r#""period": {}, "time_period": "YTD""#, &[("/time_period", "conflicting_fields")]);
        refuses(r#""as_of": "2023-01-01", "period": {}"#, &[("/as_of", "conflicting_fields")]);
        let both = format!(r#""benchmark": {{"values": {rows}, "returns": {rows}}}"#);
        refuses(&both, &[("/benchmark", "conflicting_fields")]);
    }

    #[test]
    fn periods_run_forwards() {
        for end in ["2023-01-01", "2022-12-31"] {
            let period = format!(r#""period": {{"start": "2023-01-01", "end": "{end}"}}"#);
            refuses(&period, &[("/period", "period_reversed")]);
        }
    }

    #[test]
    fn index_levels_are_positive() {
        let levels = r#"[{"date": "2023-01-01", "value": 0}, {"date": "2023-01-02", "value": "-0.1"}]"#;
        refuses(
            &format!(r#""benchmark": {{"values": {levels}}}"#),
            &[("/benchmark/values/0/value", "not_positive"), ("/benchmark/values/1/value", "not_positive")],
        );
        accepted(&format!(r#""benchmark": {{"returns": {levels}}}"#));
        refuses(
            r#""benchmark": {"values": {"dates": ["2023-01-01"], "values": [0]}}"#,
            &[("/benchmark/values/values/0", "not_positive")],
        );
    }

    #[test]
    fn everything_wrong_is_listed_at_once() {
        let text = br#"{"entity_type": "fund", "extra": 1,
            "valuations": [{"date": "2021-02-30", "value": "abc"}, {"date": "2021-01-01", "value": 1}, 5],
            "options": {"confidence_level": 2, "method": "weekly"}, "period": {"start": "2021-02-01", "end": "2021-01-01"}}"#;
        let problem = calculation(text).expect_err("nearly all of it is wrong");
        let expected = [
            ("/entity_type", "unknown_value"),
            ("/extra", "unknown_field"),
            ("/valuations/0/date", "not_a_date"),
            ("/valuations/0/value", "not_a_decimal"),
            ("/valuations/2", "wrong_type"),
            ("/options/method", "unknown_value"),
            ("/entity_id", "missing_field"),
            ("/period", "period_reversed"),
            ("/options/confidence_level", "number_out_of_range"),
        ];
        assert_eq!(found(&problem), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!((problem.code, problem.errors_omitted), ("invalid_request", None));
    }

    #[test]
    fn more_errors_than_are_listed() {
        let rows = vec!["0"; 50_000].join(",");
        let problem = refused(&format!(r#""valuations": [{rows}]"#));
        assert_eq!((problem.errors.len(), problem.errors_omitted), (1_000, Some(49_000)));
        assert_eq!(problem.detail, "50000 places of the request need correction");
        assert_eq!(problem.code, "wrong_type");
    }

    #[test]
    fn order_and_spacing_do_not_matter() {
        let forwards = accepted(VALUATIONS);
        let backwards =
            r#""valuations": [{"date": "2023-06-30", "value": 110}, {"date": "2023-01-01", "value": 100}]"#;
        assert_eq!(accepted(backwards), forwards);
        let compact = request(VALUATIONS).replace(' ', "");
        assert_eq!(calculation(compact.as_bytes()), Ok(forwards.clone()));
        assert_eq!(calculation(format!("\u{feff}{compact}\r\n").as_bytes()), Ok(forwards));
    }
}
