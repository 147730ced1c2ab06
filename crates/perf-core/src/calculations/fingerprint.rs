//! The hash of what a result was computed from.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::resolve::Resolved;
use crate::model::{BenchmarkSeries, CalculationRequest, Dated, Identifier, Metric, Word};
use crate::number::Exact;

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
    let mut hash = Fields(Sha256::new());
    hash.text("client", client.as_str());
    hash.text("entity_type", request.entity_type.word());
    hash.text("entity_id", request.entity_id.as_str());
    hash.text("account", request.account_id.as_ref().map_or("", Identifier::as_str));
    hash.text("start", &resolved.start.map(|date| date.to_string()).unwrap_or_default());
    hash.text("end", &resolved.end.to_string());
    if let Some(money) = &resolved.money {
        hash.rows("valuation", &money.valuations);
        for (flow, timing) in &money.flows {
            hash.row("flow", &flow.date.to_string(), &flow.amount);
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
    hash.0.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Fields(Sha256);

impl Fields {
    /// A name and a value; neither can hold the separators.
    fn text(&mut self, name: &str, value: &str) {
        for part in [name, "=", value, "\n"] {
            self.0.update(part.as_bytes());
        }
    }

    fn row(&mut self, name: &str, date: &str, value: &Exact) {
        self.text(name, date);
        self.text("value", &value.to_string());
    }

    fn rows(&mut self, name: &str, rows: &[Dated]) {
        for row in rows {
            self.row(name, &row.date.to_string(), &row.value);
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
