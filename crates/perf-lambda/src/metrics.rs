//! Measures as CloudWatch metrics, in the embedded metric format: a line of JSON in
//! the log, of which CloudWatch makes metrics. (Specification: "Embedded metric
//! format" in the CloudWatch user guide.)

use std::fmt;
use std::io::Write;

use perf_core::MEASURES;
use perf_core::ports::Clock;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::SystemClock;

/// What the metrics are found under.
const NAMESPACE: &str = "InvestmentPerformance";
/// The dimension of every metric; the others are text that an event has.
const FUNCTION: &str = "FunctionName";

/// Writes a line for each event of measures.
pub(crate) struct EmbeddedMetrics<W> {
    function: String,
    writer: W,
}

impl<W> EmbeddedMetrics<W> {
    /// Metrics of this function, on lines of what `writer` makes.
    pub(crate) fn new(function: String, writer: W) -> Self {
        Self { function, writer }
    }

    fn line(&self, measures: Measures) -> Value {
        let Measures { metrics, mut values, texts } = measures;
        let of_function = json!([FUNCTION]);
        let of_kind: Vec<&str> = [FUNCTION].into_iter().chain(texts.iter().map(String::as_str)).collect();
        let dimensions = if texts.is_empty() { vec![of_function] } else { vec![of_function, json!(of_kind)] };
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics});
        let time = SystemClock.now().timestamp_millis();
        values.insert("_aws".to_owned(), json!({"Timestamp": time, "CloudWatchMetrics": [directive]}));
        values.insert(FUNCTION.to_owned(), json!(self.function));
        Value::Object(values)
    }
}

impl<S: Subscriber, W: Fn() -> O + 'static, O: Write> Layer<S> for EmbeddedMetrics<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != MEASURES {
            return;
        }
        let mut measures = Measures::default();
        event.record(&mut measures);
        // At once, so that no other line comes between.
        let line = format!("{}\n", self.line(measures));
        // A line that cannot be written has nowhere to be told of.
        let _ = (self.writer)().write_all(line.as_bytes());
    }
}

/// The fields of an event.
#[derive(Default)]
struct Measures {
    metrics: Vec<Value>,
    values: Map<String, Value>,
    texts: Vec<String>,
}

impl Measures {
    fn measure(&mut self, field: &Field, value: Value) {
        let unit = if field.name().ends_with("_ms") { "Milliseconds" } else { "Count" };
        self.metrics.push(json!({"Name": field.name(), "Unit": unit}));
        self.values.insert(field.name().to_owned(), value);
    }
}

impl Visit for Measures {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.measure(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.measure(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.measure(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.texts.push(field.name().to_owned());
        self.values.insert(field.name().to_owned(), json!(value));
    }

    /// Measures are numbers and text: anything else may be what must not be logged.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a broken assumption should stop the test"
)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn measures_become_metrics_with_their_units_and_other_events_nothing() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = EmbeddedMetrics::new("calculator".to_owned(), move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(valuations = 48_151_623, "a line of the log");
            tracing::trace!(target: MEASURES, route = "/calculate", requests = 1_u64, request_ms = 12_u64, secret = ?"x");
            tracing::trace!(target: MEASURES, tokens_refused = 2_u64);
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        let directive = &lines[0]["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], NAMESPACE);
        assert_eq!(directive["Dimensions"], json!([["FunctionName"], ["FunctionName", "route"]]));
        let metrics =
            json!([{"Name": "requests", "Unit": "Count"}, {"Name": "request_ms", "Unit": "Milliseconds"}]);
        assert_eq!(directive["Metrics"], metrics);
        assert_eq!((&lines[0]["request_ms"], &lines[0]["route"]), (&json!(12), &json!("/calculate")));
        assert_eq!(lines[0]["FunctionName"], "calculator");
        assert!(lines[0]["_aws"]["Timestamp"].as_i64().unwrap() > 1_700_000_000_000);
        assert_eq!(lines[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["FunctionName"]]));
        assert!(!text.contains("secret") && !text.contains("48151623"));
    }
}
