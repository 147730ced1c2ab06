//! Requests from CSV files, for the command line and for imports.

use crate::model::{CalculationRequest, CashFlow, Dated, Problem};

use super::checks;
use super::draft::BenchmarkDraft;
use super::errors::Errors;
use super::request;
use super::series::{BENCHMARK_RETURNS, BENCHMARK_VALUES, CASH_FLOWS, RETURNS, VALUATIONS};
use super::table::{has_column, table};

/// A CSV file with a header line.
#[derive(Clone, Copy, Debug)]
pub struct CsvFile<'a> {
    /// How messages call it.
    pub name: &'a str,
    /// Its bytes.
    pub text: &'a [u8],
}

/// A calculation request whose series are CSV files. Columns may stand in any
/// order, rows too.
///
/// ```
/// use perf_core::model::read::{CsvFile, CsvRequest};
/// let request = CsvRequest {
///     conventions: br#"{"entity_type": "portfolio", "entity_id": "port-1"}"#,
///     valuations: Some(CsvFile { name: "v.csv", text: b"date,value\n2023-01-01,10000\n2023-06-30,ten\n" }),
///     flows: None,
///     returns: None,
///     benchmark: None,
/// };
/// let problem = request.read().expect_err("not a number");
/// assert_eq!(problem.errors[0].pointer, "/valuations/1/value");
/// assert_eq!(problem.errors[0].message, "expected a decimal number such as 1234.56 (v.csv line 3)");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CsvRequest<'a> {
    /// The request as JSON; a file takes the place of the series of its name.
    pub conventions: &'a [u8],
    /// Columns `date,value`.
    pub valuations: Option<CsvFile<'a>>,
    /// Columns `date,amount`, and `timing` if wanted.
    pub flows: Option<CsvFile<'a>>,
    /// Columns `date,return`.
    pub returns: Option<CsvFile<'a>>,
    /// Columns `date,value` or `date,return`.
    pub benchmark: Option<CsvFile<'a>>,
}

impl CsvRequest<'_> {
    /// Reads the files and checks them as a JSON request is checked.
    ///
    /// # Errors
    ///
    /// 422 with everything that is wrong: the pointers are those of the same
    /// request in JSON, the messages name file and line. 400 where the
    /// conventions are not JSON.
    pub fn read(self) -> Result<CalculationRequest, Problem> {
        let (mut draft, mut errors) = request::draft(self.conventions)?;
        if let Some(file) = self.valuations {
            draft.valuations = Some(table(file, &VALUATIONS, "value", &mut errors));
        }
        if let Some(file) = self.flows {
            draft.cash_flows = Some(table(file, &CASH_FLOWS, "amount", &mut errors));
        }
        if let Some(file) = self.returns {
            draft.returns = Some(table(file, &RETURNS, "return", &mut errors));
        }
        if let Some(file) = self.benchmark {
            draft.benchmark = Some(benchmark(file, &mut errors));
        }
        draft.finish(errors)
    }
}

/// Reads valuations (`date,value`) for a ledger: in date order, each date once, any number.
///
/// # Errors
///
/// 422 with everything that is wrong.
///
/// ```
/// use perf_core::model::read::{CsvFile, csv_valuations};
/// let file = CsvFile { name: "v.csv", text: b"value,date\n10850.00,2023-06-30\n10000,2023-01-01\n" };
/// assert_eq!(csv_valuations(file)?[0].value.to_string(), "10000");
/// # Ok::<(), perf_core::model::Problem>(())
/// ```
pub fn csv_valuations(file: CsvFile<'_>) -> Result<Vec<Dated>, Problem> {
    let mut errors = Errors::default();
    let series = table(file, &VALUATIONS, "value", &mut errors);
    checks::distinct_dates(&series, &mut errors);
    if errors.is_empty() { Ok(series.into_dated()) } else { Err(errors.problem()) }
}

/// Reads flows (`date,amount`, and `timing` if wanted) for a ledger, in date
/// order; those of one day in the file's order.
///
/// # Errors
///
/// 422 with everything that is wrong.
///
/// ```
/// use perf_core::model::read::{CsvFile, csv_flows};
/// let file = CsvFile { name: "f.csv", text: b"date,amount\n2023-02-15,1000\n" };
/// assert_eq!(csv_flows(file)?.len(), 1);
/// # Ok::<(), perf_core::model::Problem>(())
/// ```
pub fn csv_flows(file: CsvFile<'_>) -> Result<Vec<CashFlow>, Problem> {
    let mut errors = Errors::default();
    let series = table(file, &CASH_FLOWS, "amount", &mut errors);
    if errors.is_empty() { Ok(series.into_flows()) } else { Err(errors.problem()) }
}

fn benchmark(file: CsvFile<'_>, errors: &mut Errors) -> BenchmarkDraft {
    let mut draft = BenchmarkDraft::default();
    if has_column(file, "return") {
        draft.returns = Some(table(file, &BENCHMARK_RETURNS, "return", errors));
    } else {
        draft.values = Some(table(file, &BENCHMARK_VALUES, "value", errors));
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::super::testing::{accepted, found, request};
    use super::*;

    fn file<'a>(name: &'a str, text: &'a str) -> Option<CsvFile<'a>> {
        Some(CsvFile { name, text: text.as_bytes() })
    }

    fn with(members: &str, change: impl FnOnce(&mut CsvRequest<'_>)) -> Result<CalculationRequest, Problem> {
        let conventions = request(members);
        let mut request = CsvRequest {
            conventions: conventions.as_bytes(),
            valuations: None,
            flows: None,
            returns: None,
            benchmark: None,
        };
        change(&mut request);
        request.read()
    }

    fn refuses_valuations(text: &'static str, expected: &[(&str, &'static str)]) -> Vec<String> {
        let problem = with("", |request| request.valuations = file("v.csv", text)).expect_err(text);
        assert_eq!(problem.status, 422);
        let expected: Vec<_> =
            expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect();
        assert_eq!(found(&problem), expected, "{text:?}");
        problem.errors.into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn files_are_the_same_as_json() {
        let json = accepted(
            r#""valuations": [{"date": "2023-01-01", "value": "10000.00"}, {"date": "2023-06-30", "value": 10850}],
            "cash_flows": [{"date": "2023-02-15", "amount": "-1000", "timing": "mid_day"},
                           {"date": "2023-02-15", "amount": "1e3"}],
            "benchmark": {"values": [{"date": "2023-01-01", "value": "3.5"}]}, "risk_free_rate": "0.02""#,
        );
        let files = with(r#""risk_free_rate": "0.02""#, |request| {
            request.valuations = file(
                "v.csv",
                "\u{feff}value, date\r\n 10850 ,2023-06-30\r\n\r\n10000.00,2023-01-01\r\n  \r\n",
            );
            request.flows =
                file("f.csv", "date,timing,amount\n2023-02-15,mid_day,-1000\n\"2023-02-15\",,\"1e3\"");
            request.benchmark = file("b.csv", "date,value\n2023-01-01,3.5\n");
        });
        assert_eq!(files, Ok(json));
        let returns = with(r#""time_period": "YTD""#, |request| {
            request.returns = file("r.csv", "date,return\n2023-01-31,0.01\n");
            request.benchmark = file("b.csv", "return,date\n0.02,2023-01-31\n");
        });
        let json = r#""returns": [{"date": "2023-01-31", "value": 0.01}], "time_period": "YTD",
            "benchmark": {"returns": [{"date": "2023-01-31", "value": 0.02}]}"#;
        assert_eq!(returns, Ok(accepted(json)));
    }

    #[test]
    fn cells_that_cannot_be_read_name_their_line() {
        let text =
            "date,value\n\r\n2023-01-01,1\n\n  \n2023-02-30,\n2023-01-01,1e28\n2023-01-03\n2023-01-04,1,2\n";
        let messages = refuses_valuations(
            text,
            &[
                ("/valuations/1/date", "not_a_date"),
                ("/valuations/1/value", "not_a_decimal"),
                ("/valuations/2/value", "number_out_of_range"),
                ("/valuations/3", "length_mismatch"),
                ("/valuations/4", "length_mismatch"),
                ("/valuations/2/date", "duplicate_date"),
            ],
        );
        assert_eq!(messages[0], "expected an existing day as YYYY-MM-DD, not \"2023-02-30\" (v.csv line 6)");
        assert_eq!(messages[3], "expected 2 columns, not 1 (v.csv line 8)");
        assert_eq!(
            messages[5],
            "expected each date once, and /valuations/0/date (v.csv line 3) has this one: \
             remove one of the two (v.csv line 7)"
        );
    }

    #[test]
    fn lines_are_counted_over_every_line_end() {
        for text in
            ["date,value\r\n\r\n\r\nx,1", "\n\ndate,value\nx,1", "\u{feff}\r\ndate,value\r\n\r\nx,1\r\n"]
        {
            let messages = refuses_valuations(
                text,
                &[("/valuations/0/date", "not_a_date"), ("/valuations", "too_few_valuations")],
            );
            assert!(messages[0].ends_with(" (v.csv line 4)"), "{text:?}: {}", messages[0]);
            assert_eq!(messages[1], "expected at least 2 rows, not 1 (v.csv)");
        }
    }

    #[test]
    fn headers_are_exact() {
        let messages = refuses_valuations(
            "Date,value,value,note\nx,y\n",
            &[
                ("/valuations", "unknown_field"),
                ("/valuations", "duplicate_field"),
                ("/valuations", "unknown_field"),
                ("/valuations", "missing_field"),
            ],
        );
        assert_eq!(messages[0], "expected the columns date,value, not \"Date\" (v.csv)");
        for empty in ["", "\n\n"] {
            refuses_valuations(empty, &[("/valuations", "missing_field"), ("/valuations", "missing_field")]);
        }
        refuses_valuations("date,value,timing\n", &[("/valuations", "unknown_field")]);
        refuses_valuations("date,value\n", &[("/valuations", "too_few_valuations")]);
        let problem = with("", |request| request.benchmark = file("b.csv", "date,level\n"))
            .expect_err("no such column");
        assert_eq!(found(&problem)[0], ("/benchmark/values".to_owned(), "unknown_field"));
    }

    #[test]
    fn text_that_is_not_utf8() {
        let text = CsvFile { name: "v.csv", text: b"date,value\n2023-01-01,\xff" };
        let problem = with("", |request| request.valuations = Some(text)).expect_err("not UTF-8");
        assert_eq!(found(&problem), [("/valuations".to_owned(), "malformed_csv")]);
        assert_eq!(problem.errors[0].message, "expected UTF-8 text at line 2 column 12 (v.csv)");
    }

    #[test]
    fn the_same_checks_run() {
        let conventions = r#""risk_free_rate": "-1", "store": 1,
            "options": {"confidence_level": 0.5, "periods_per_year": 0}"#;
        let problem = with(conventions, |request| {
            request.valuations = file("v.csv", "date,value\n2023-01-01,1\n2023-01-31,2\n");
            request.flows = file("f.csv", "date,amount,timing\n2023-01-02,1,noon\n2023-02-01,1,\n");
            request.benchmark = file("b.csv", "date,value\n2023-01-01,0\n");
        })
        .expect_err("much of it is wrong");
        let expected = [
            ("/store", "wrong_type"),
            ("/options/periods_per_year", "number_out_of_range"),
            ("/cash_flows/0/timing", "unknown_value"),
            ("/cash_flows/1/date", "flow_outside_valuations"),
            ("/benchmark/values/0/value", "not_positive"),
            ("/risk_free_rate", "number_out_of_range"),
            ("/options/confidence_level", "number_out_of_range"),
        ];
        assert_eq!(found(&problem), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert!(problem.errors[3].message.ends_with(" (f.csv line 3)"));
    }

    #[test]
    fn a_file_takes_the_place_of_a_series() {
        let valuations = r#""valuations": {"dates": ["2023-01-01", "2023-01-31"], "values": [1, 2]}"#;
        let only_flows =
            |request: &mut CsvRequest<'_>| request.flows = file("f.csv", "date,amount\n2023-01-02,1\n");
        let flows = r#""cash_flows": [{"date": "2023-01-02", "amount": 1}]"#;
        assert_eq!(with(valuations, only_flows), Ok(accepted(&format!("{valuations}, {flows}"))));
        let given = format!(r#"{valuations}, "cash_flows": [{{"date": "2023-01-03", "amount": 2}}]"#);
        assert_eq!(with(&given, only_flows), Ok(accepted(&format!("{valuations}, {flows}"))));
    }

    #[test]
    fn conventions_that_are_not_json() {
        let problem = with("nonsense", |_| {}).expect_err("not JSON");
        assert_eq!(problem.status, 400);
    }

    #[test]
    fn more_rows_than_the_bound() {
        let rows = "2023-01-01,1\n".repeat(crate::model::MAX_CASH_FLOWS + 1);
        let text = format!("date,amount\n{rows}");
        let problem = csv_flows(CsvFile { name: "f.csv", text: text.as_bytes() }).expect_err("too many");
        assert_eq!(found(&problem), [("/cash_flows".to_owned(), "too_many_items")]);
    }

    #[test]
    fn imports_are_sorted_and_checked() {
        let valuations =
            CsvFile { name: "v.csv", text: b"date,value\n2023-02-01,2\n2023-01-01,1\n2023-01-01,3\n" };
        let problem = csv_valuations(valuations).expect_err("a date twice");
        assert_eq!(found(&problem), [("/valuations/2/date".to_owned(), "duplicate_date")]);
        let flows =
            CsvFile { name: "f.csv", text: b"date,amount\n2023-02-01,2\n2023-01-01,1\n2023-02-01,1\n" };
        let flows = csv_flows(flows).expect("flows");
        let amounts: Vec<_> = flows.iter().map(|flow| flow.amount.to_string()).collect();
        assert_eq!(amounts, ["1", "2", "1"]);
    }
}
