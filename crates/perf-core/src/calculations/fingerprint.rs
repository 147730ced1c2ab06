//! The hash of what a result was computed from.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate};
use sha2::{Digest, Sha256};

use super::day_count::days_between;
use super::resolve::Resolved;
use crate::model::{BenchmarkSeries, CalculationRequest, Identifier, Metric, TimeSeriesView, Word};
use crate::number::Exact;

/// SHA-256, in hexadecimal, of the resolved inputs: the data used in date order
/// and every convention, defaults included.
///
/// A ledger's revision is part of it, and so is what the result warns of: data
/// that was left aside is not hashed itself.
pub(crate) fn input_hash(
    request: &CalculationRequest,
    client: &Identifier,
    resolved: &Resolved<'_>,
    input_revision: Option<u64>,
) -> String {
    let mut hash = Fields { hash: Sha256::new(), bytes: Vec::with_capacity(2 * BUFFER_BYTES) };
    hash.text("client", client.as_str());
    hash.text("entity_type", request.entity_type.word());
    hash.text("entity_id", request.entity_id.as_str());
    hash.text("account", request.account_id.as_ref().map_or("", Identifier::as_str));
    hash.text("start", &resolved.start.map(|date| date.to_string()).unwrap_or_default());
    hash.text("end", &resolved.end.to_string());
    if let Some(money) = &resolved.money {
        hash.rows("valuations", money.valuations);
        hash.count("flows", money.flows.len());
        for (flow, timing) in &money.flows {
            hash.row(flow.date, &flow.amount);
            hash.text("timing", timing.word());
        }
    }
    hash.rows("returns", resolved.returns);
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

/// Bytes are hashed in pieces of about this size.
const BUFFER_BYTES: usize = 1 << 12;

struct Fields {
    hash: Sha256,
    bytes: Vec<u8>,
}

impl Fields {
    fn finish(mut self) -> [u8; 32] {
        self.hash.update(&self.bytes);
        self.hash.finalize().into()
    }

    /// A name and a value; neither can hold the separators.
    fn text(&mut self, name: &str, value: &str) {
        self.put(name.as_bytes());
        self.put(b"=");
        self.put(value.as_bytes());
        self.put(b"\n");
    }

    /// A name and how many rows follow.
    fn count(&mut self, name: &str, rows: usize) {
        self.text(name, &rows.to_string());
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= BUFFER_BYTES {
            self.hash.update(&self.bytes);
            self.bytes.clear();
        }
    }

    /// Days, scale and mantissa, little-endian; or, where the mantissa needs more than
    /// 64 bits, a scale that no number has and the text with its length.
    fn row(&mut self, date: NaiveDate, value: &Exact) {
        const LONG: u8 = u8::MAX;
        let days = date.num_days_from_ce();
        match value.as_short() {
            Some((mantissa, scale)) => self.short_row(days, mantissa, scale),
            None => {
                let text = value.to_string();
                self.put(&days.to_le_bytes());
                self.put(&[LONG]);
                self.count("length", text.len());
                self.put(text.as_bytes());
            }
        }
    }

    #[inline]
    fn short_row(&mut self, days: i32, mantissa: i64, scale: u8) {
        let ([d0, d1, d2, d3], [m0, m1, m2, m3, m4, m5, m6, m7]) =
            (days.to_le_bytes(), mantissa.to_le_bytes());
        self.put(&[d0, d1, d2, d3, scale, m0, m1, m2, m3, m4, m5, m6, m7]);
    }

    fn rows(&mut self, name: &str, rows: TimeSeriesView<'_>) {
        self.count(name, rows.len());
        let (Some((mantissas, scales)), Some(first)) = (rows.values().as_short(), rows.dates().first())
        else {
            return rows.iter().for_each(|row| self.row(row.date, &row.value));
        };
        // From date to date, which most often is a subtraction.
        let (mut before, mut days) = (*first, first.num_days_from_ce());
        for (date, (mantissa, scale)) in rows.dates().iter().zip(mantissas.iter().zip(scales)) {
            days += days_between(before, *date) as i32;
            before = *date;
            self.short_row(days, *mantissa, *scale);
        }
    }

    fn benchmark(&mut self, request: &CalculationRequest) {
        let Some(benchmark) = &request.benchmark else { return };
        self.text("benchmark", benchmark.id.as_ref().map_or("", Identifier::as_str));
        match &benchmark.series {
            BenchmarkSeries::Values(rows) => self.rows("benchmark_values", rows.view()),
            BenchmarkSeries::Returns(rows) => self.rows("benchmark_returns", rows.view()),
        }
    }

    fn conventions(&mut self, request: &CalculationRequest, resolved: &Resolved<'_>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dated, TimeSeries};

    fn row(value: &str) -> [u8; 32] {
        let mut fields = Fields { hash: Sha256::new(), bytes: Vec::new() };
        let date = NaiveDate::from_ymd_opt(2024, 2, 29).expect("a date");
        let row = Dated { date, value: value.parse().expect("a number") };
        fields.rows("rows", [row].into_iter().collect::<TimeSeries>().view());
        fields.finish()
    }

    #[test]
    fn columns_have_the_hash_of_their_rows() {
        let dates = ["2023-12-30", "2024-01-02", "2024-02-29", "2029-03-01"];
        let values = ["1.50", "-0.0001", "9223372036854775807", "0"];
        let rows = dates.iter().zip(values).map(|(date, value)| Dated {
            date: date.parse().expect("a date"),
            value: value.parse().expect("a number"),
        });
        let rows: TimeSeries = rows.collect();
        let [mut by_rows, mut by_columns] =
            [(); 2].map(|()| Fields { hash: Sha256::new(), bytes: Vec::new() });
        by_columns.rows("rows", rows.view());
        by_rows.count("rows", rows.len());
        rows.view().iter().for_each(|row| by_rows.row(row.date, &row.value));
        assert_eq!(by_rows.finish(), by_columns.finish());
    }

    #[test]
    fn numbers_are_told_apart_by_value_and_by_scale() {
        let values = [
            "1",
            "1.0",
            "10",
            "-1",
            "0",
            "0.0",
            "1234567890123456789012345678",
            "1234567890123456789012345679",
        ];
        let mut hashes: Vec<_> = values.iter().map(|value| row(value)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), values.len());
    }
}
