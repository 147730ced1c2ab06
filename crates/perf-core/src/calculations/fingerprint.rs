//! The hash of what a result was computed from.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate};
use sha2::{Digest, Sha256};

use super::resolve::Resolved;
use crate::model::{BenchmarkSeries, CalculationRequest, Dated, Identifier, Metric, Word};
use crate::number::{Exact, MAX_TEXT_BYTES};

/// SHA-256, in hexadecimal, of the resolved inputs: the data used in date order
/// and every convention, defaults included.
///
/// A ledger's revision is part of it, and so is what the result warns of: data
/// that was left aside is not hashed itself.
pub(crate) fn input_hash(
    request: &CalculationRequest,
    client: &Identifier,
    resolved: &Resolved,
    input_revision: Option<u64>,
) -> String {
    let mut hash = Fields { hash: Sha256::new(), text: Vec::with_capacity(2 * BUFFER_BYTES) };
    hash.text("client", client.as_str());
    hash.text("entity_type", request.entity_type.word());
    hash.text("entity_id", request.entity_id.as_str());
    hash.text("account", request.account_id.as_ref().map_or("", Identifier::as_str));
    hash.text("start", &resolved.start.map(|date| date.to_string()).unwrap_or_default());
    hash.text("end", &resolved.end.to_string());
    if let Some(money) = &resolved.money {
        hash.rows("valuation", &money.valuations);
        for (flow, timing) in &money.flows {
            hash.row("flow", flow.date, &flow.amount);
            hash.text("timing", timing.word());
        }
    }
    hash.rows("return", &resolved.returns);
    for warning in &resolved.warnings {
        hash.text("warning", warning.code);
        hash.text("date", &warning.date.map(|date| date.to_string()).unwrap_or_default());
    }
    if let Some(revision) = input_revision {
        hash.text("revision", &revision.to_string());
    }
    hash.benchmark(request);
    hash.conventions(request, resolved);
    hash.finish().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Text is hashed in pieces of about this size.
const BUFFER_BYTES: usize = 1 << 12;

struct Fields {
    hash: Sha256,
    text: Vec<u8>,
}

impl Fields {
    fn finish(mut self) -> [u8; 32] {
        self.hash.update(&self.text);
        self.hash.finalize().into()
    }

    /// A name and a value; neither can hold the separators.
    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.end(value.as_bytes());
    }

    fn name(&mut self, name: &str) {
        self.text.extend_from_slice(name.as_bytes());
        self.text.push(b'=');
    }

    fn end(&mut self, value: &[u8]) {
        self.text.extend_from_slice(value);
        self.text.push(b'\n');
        if self.text.len() >= BUFFER_BYTES {
            self.hash.update(&self.text);
            self.text.clear();
        }
    }

    fn row(&mut self, name: &str, date: NaiveDate, value: &Exact) {
        self.name(name);
        match written(date) {
            Some(date) => self.end(&date),
            None => self.end(date.to_string().as_bytes()),
        }
        self.name("value");
        match value.text(&mut [0; MAX_TEXT_BYTES]) {
            Some(text) => self.end(text),
            None => self.end(value.to_string().as_bytes()),
        }
    }

    fn rows(&mut self, name: &str, rows: &[Dated]) {
        for row in rows {
            self.row(name, row.date, &row.value);
        }
    }

    fn benchmark(&mut self, request: &CalculationRequest) {
        let Some(benchmark) = &request.benchmark else { return };
        self.text("benchmark", benchmark.id.as_ref().map_or("", Identifier::as_str));
        match &benchmark.series {
            BenchmarkSeries::Values(rows) => self.rows("benchmark_value", rows),
            BenchmarkSeries::Returns(rows) => self.rows("benchmark_return", rows),
        }
    }

    fn conventions(&mut self, request: &CalculationRequest, resolved: &Resolved) {
        let (options, series) = (&request.options, &resolved.series);
        self.text("method", options.method.word());
        self.text("cash_flow_timing", options.cash_flow_timing.word());
        self.text("volatility", options.volatility.word());
        self.text("day_count", options.day_count.word());
        self.text("periods_per_year", &series.periods_per_year.to_string());
        self.text("risk_free_rate", &series.risk_free_rate.to_canonical());
        self.text("minimum_acceptable_return", &series.minimum_acceptable_return.to_canonical());
        self.text("confidence_level", &series.confidence_level.to_canonical());
        self.text("explain", if options.explain { "true" } else { "false" });
        let all = options.metrics.is_empty();
        for metric in Metric::all().filter(|metric| all || options.metrics.contains(metric)) {
            self.text("metric", metric.word());
        }
    }
}

/// YYYY-MM-DD, of years that have four digits.
fn written(date: NaiveDate) -> Option<[u8; 10]> {
    let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9_999)?;
    let digit = |number: u32| b'0' + (number % 10) as u8;
    let (month, day) = (date.month(), date.day());
    Some([
        digit(year / 1_000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(day / 10),
        digit(day),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_everywhere() {
        for text in ["0000-01-01", "0999-12-31", "2024-02-29", "9999-12-31", "-0001-01-01", "+10000-01-01"] {
            let date: NaiveDate = text.parse().expect("a date");
            let found = written(date).map(|date| String::from_utf8_lossy(&date).into_owned());
            assert!(found.is_none_or(|found| found == date.to_string()), "{text}");
        }
    }
}
