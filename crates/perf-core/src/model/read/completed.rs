//! A result as our own functions send it and as it is stored.

use crate::model::{
    CompletedResult, Metric, Metrics, Outcome, Period, Problem, Reason, ResultBasis, TimePeriod, WindowName,
    Word,
};
use crate::number::Rounded;

use super::fault::{self, Fault};
use super::json::{Fields, Parsed, Reader};

const RESULT: Fields = Fields {
    required: &[
        "request_id",
        "engine_version",
        "input_hash",
        "entity_type",
        "entity_id",
        "client_id",
        "period",
        "time_period",
        "calculation_method",
        "metrics",
        "calculated_at",
    ],
    optional: &[
        "undefined",
        "input_revision",
        "basis",
        "account_id",
        "conventions",
        "drawdown",
        "irr",
        "reconciliation",
        "benchmark",
        "warnings",
        "id",
        "kind",
        "sub_periods",
        "cached",
        "stored",
        "result_url",
    ],
};
const PERIOD: Fields = Fields { required: &["end"], optional: &["start", "days"] };

/// The metrics' names.
static METRICS: Fields = Fields { required: &[], optional: &METRIC_NAMES };
static METRIC_NAMES: [&str; Metric::WORDS.len()] = metric_names();

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses to leave the array")]
const fn metric_names() -> [&'static str; Metric::WORDS.len()] {
    let mut names = [""; Metric::WORDS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Metric::WORDS[index].1;
        index += 1;
    }
    names
}

#[derive(Default)]
struct Draft {
    request_id: Option<String>,
    engine_version: Option<String>,
    input_hash: Option<String>,
    input_revision: Option<u64>,
    basis: Option<ResultBasis>,
    entity_type: Option<crate::model::EntityType>,
    entity_id: Option<crate::model::Identifier>,
    client_id: Option<crate::model::Identifier>,
    account_id: Option<crate::model::Identifier>,
    period: Option<Period>,
    time_period: Option<WindowName>,
    calculation_method: Option<crate::model::Method>,
    metrics: Vec<(Metric, Rounded)>,
    undefined: Vec<(Metric, Reason)>,
    calculated_at: Option<String>,
    details: Vec<(&'static str, String)>,
}

/// Reads a calculation's result as far as it is stored. The working
/// (`sub_periods`) and what only its first reader wants to know are left out.
///
/// # Errors
///
/// 400 where the text is not JSON; 422 with everything that is wrong otherwise.
///
/// ```
/// use perf_core::model::read::completed;
/// let problem = completed(br#"{"entity_type": "fund"}"#).expect_err("not a result");
/// assert!(problem.errors.iter().any(|error| error.pointer == "/entity_type"));
/// ```
pub fn completed(text: &[u8]) -> Result<CompletedResult, Problem> {
    let (draft, errors) = Reader::document(text, |reader| {
        let mut draft = Draft::default();
        reader.object(&RESULT, |reader, field| draft.read(reader, field))?;
        draft.check(reader);
        Ok(draft)
    })?;
    match draft.finish() {
        Some(result) if errors.is_empty() => Ok(result),
        _ => Err(errors.problem()),
    }
}

impl Draft {
    fn read(&mut self, reader: &mut Reader<'_>, field: &'static str) -> Parsed<()> {
        match field {
            "request_id" => self.request_id = reader.label()?,
            "engine_version" => self.engine_version = reader.label()?,
            "input_hash" => self.input_hash = reader.label()?,
            "input_revision" => self.input_revision = reader.counter()?,
            "basis" => self.basis = reader.choice()?,
            "entity_type" => self.entity_type = reader.choice()?,
            "entity_id" => self.entity_id = reader.identifier()?,
            "client_id" => self.client_id = reader.identifier()?,
            "account_id" => self.account_id = reader.identifier()?,
            "period" => self.period = period(reader)?,
            "time_period" => self.time_period = reader.string(window_name)?,
            "calculation_method" => self.calculation_method = reader.choice()?,
            "metrics" => self.metrics = by_metric(reader, Reader::rounded)?,
            "undefined" => self.undefined = by_metric(reader, Reader::choice)?,
            "calculated_at" => self.calculated_at = reader.label()?,
            "id" | "kind" | "sub_periods" | "cached" | "stored" | "result_url" => reader.skip()?,
            detail => {
                let text = String::from_utf8_lossy(reader.raw()?).into_owned();
                self.details.push((detail, text));
            }
        }
        Ok(())
    }

    fn check(&self, reader: &mut Reader<'_>) {
        for (metric, _) in &self.metrics {
            if self.undefined.iter().any(|(other, _)| other == metric) {
                let message = || "expected a figure or the reason for its absence, not both".to_owned();
                reader.fail_at("undefined", "conflicting_fields", message);
            }
        }
    }

    fn finish(self) -> Option<CompletedResult> {
        let figures = self.metrics.into_iter().map(|(metric, figure)| (metric, Ok(figure)));
        let reasons = self.undefined.into_iter().map(|(metric, reason)| (metric, Err(reason)));
        let mut metrics: Vec<(Metric, Outcome)> = figures.chain(reasons).collect();
        metrics.sort_unstable_by_key(|(metric, _)| *metric);
        let by_ledger = if self.input_revision.is_some_and(|revision| revision > 0) {
            ResultBasis::Ledger
        } else {
            ResultBasis::Request
        };
        Some(CompletedResult {
            request_id: self.request_id?,
            engine_version: self.engine_version?,
            input_hash: self.input_hash?,
            input_revision: self.input_revision.unwrap_or_default(),
            basis: self.basis.unwrap_or(by_ledger),
            entity_type: self.entity_type?,
            entity_id: self.entity_id?,
            client_id: self.client_id?,
            account_id: self.account_id,
            period: self.period?,
            time_period: self.time_period?,
            calculation_method: self.calculation_method?,
            metrics: Metrics(metrics),
            calculated_at: self.calculated_at?,
            details: self.details,
        })
    }
}

fn by_metric<'j, T>(
    reader: &mut Reader<'j>,
    mut read: impl FnMut(&mut Reader<'j>) -> Parsed<Option<T>>,
) -> Parsed<Vec<(Metric, T)>> {
    let mut found = Vec::new();
    reader.object(&METRICS, |reader, field| {
        let value = read(reader)?;
        found.extend(Metric::from_word(field).zip(value));
        Ok(())
    })?;
    Ok(found)
}

fn window_name(text: &str) -> Result<WindowName, Fault> {
    match text {
        "CUSTOM" => Ok(WindowName::Custom),
        _ => fault::word::<TimePeriod>(text).map(WindowName::Standing),
    }
}

fn period(reader: &mut Reader<'_>) -> Parsed<Option<Period>> {
    let (mut start, mut end) = (None, None);
    reader.object(&PERIOD, |reader, field| {
        match field {
            "start" => start = reader.date()?,
            "end" => end = reader.date()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let days = |end: chrono::NaiveDate| start.map(|start| (end - start).num_days());
    Ok(end.map(|end| Period { start, end, days: days(end) }))
}
