//! Requests, events and ledger months as JSON that their readers read back equal.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{
    BatchMembers, Benchmark, BenchmarkSeries, CalculationRequest, CashFlow, CompletedResult, Data, Event,
    EventBody, EventType, LedgerMonth, Options, TimeSeries, TransactionEntry, ValuationEntry, Window, Word,
};

/// The only version of the events.
pub(crate) const EVENT_VERSION: u32 = 1;

impl Word for EventType {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::PortfolioPerformance, "portfolio_performance"),
        (Self::BatchCalculation, "batch_calculation"),
        (Self::Transaction, "transaction"),
        (Self::Valuation, "valuation"),
        (Self::CalculationCompleted, "calculation_completed"),
    ];
}

/// Writes a member unless it is absent.
fn optional<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

/// Rows as columns: half the bytes.
struct Columns<'a>(&'a TimeSeries);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("dates", self.0.view().dates())?;
        map.serialize_entry("values", &self.0.view().values().iter().collect::<Vec<_>>())?;
        map.end()
    }
}

struct FlowColumns<'a>(&'a [CashFlow]);

impl Serialize for FlowColumns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("dates", &self.0.iter().map(|flow| flow.date).collect::<Vec<_>>())?;
        map.serialize_entry("amounts", &self.0.iter().map(|flow| &flow.amount).collect::<Vec<_>>())?;
        if self.0.iter().any(|flow| flow.timing.is_some()) {
            map.serialize_entry("timings", &self.0.iter().map(|flow| flow.timing).collect::<Vec<_>>())?;
        }
        map.end()
    }
}

impl Serialize for Benchmark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        optional(&mut map, "id", self.id.as_ref())?;
        match &self.series {
            BenchmarkSeries::Values(rows) => map.serialize_entry("values", &Columns(rows))?,
            BenchmarkSeries::Returns(rows) => map.serialize_entry("returns", &Columns(rows))?,
        }
        map.end()
    }
}

impl Serialize for Options {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", &self.method)?;
        map.serialize_entry("cash_flow_timing", &self.cash_flow_timing)?;
        map.serialize_entry("volatility", &self.volatility)?;
        optional(&mut map, "periods_per_year", self.periods_per_year.as_ref())?;
        map.serialize_entry("minimum_acceptable_return", &self.minimum_acceptable_return)?;
        map.serialize_entry("confidence_level", &self.confidence_level)?;
        map.serialize_entry("day_count", &self.day_count)?;
        if !self.metrics.is_empty() {
            map.serialize_entry("metrics", &self.metrics)?;
        }
        map.serialize_entry("explain", &self.explain)?;
        map.end()
    }
}

fn window<M: SerializeMap>(map: &mut M, window: &Window) -> Result<(), M::Error> {
    match window {
        Window::Custom { start: None, end: None } => Ok(()),
        Window::Custom { start, end } => {
            map.serialize_entry("period", &serde_json::json!({"start": start, "end": end}))
        }
        Window::Standing { time_period, as_of } => {
            map.serialize_entry("time_period", time_period)?;
            optional(map, "as_of", as_of.as_ref())
        }
    }
}

impl Serialize for CalculationRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        optional(&mut map, "id", self.id.as_ref())?;
        map.serialize_entry("entity_type", &self.entity_type)?;
        map.serialize_entry("entity_id", &self.entity_id)?;
        optional(&mut map, "client_id", self.client_id.as_ref())?;
        optional(&mut map, "account_id", self.account_id.as_ref())?;
        window(&mut map, &self.window)?;
        match &self.data {
            Data::Valuations { valuations, cash_flows } => {
                map.serialize_entry("valuations", &Columns(valuations))?;
                map.serialize_entry("cash_flows", &FlowColumns(cash_flows))?;
            }
            Data::Returns(returns) => map.serialize_entry("returns", &Columns(returns))?,
            Data::Ledger => {}
        }
        optional(&mut map, "benchmark", self.benchmark.as_ref())?;
        optional(&mut map, "risk_free_rate", self.risk_free_rate.as_ref())?;
        map.serialize_entry("options", &self.options)?;
        map.serialize_entry("store", &self.store)?;
        map.end()
    }
}

impl TransactionEntry {
    fn members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("transaction_id", &self.transaction_id)?;
        map.serialize_entry("revision", &self.revision)?;
        let Some(transaction) = &self.transaction else { return map.serialize_entry("void", &true) };
        map.serialize_entry("date", &transaction.date)?;
        map.serialize_entry("kind", &transaction.kind)?;
        map.serialize_entry("amount", &transaction.amount)?;
        optional(map, "currency", transaction.currency.as_ref())?;
        optional(map, "timing", transaction.timing.as_ref())?;
        optional(map, "account_id", transaction.account_id.as_ref())
    }
}

impl ValuationEntry {
    fn members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("date", &self.date)?;
        map.serialize_entry("revision", &self.revision)?;
        let Some(valuation) = &self.valuation else { return map.serialize_entry("void", &true) };
        map.serialize_entry("value", &valuation.value)?;
        optional(map, "currency", valuation.currency.as_ref())
    }
}

impl Serialize for TransactionEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.members(&mut map)?;
        map.end()
    }
}

impl Serialize for ValuationEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.members(&mut map)?;
        map.end()
    }
}

impl Serialize for LedgerMonth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("month", &self.month)?;
        map.serialize_entry("valuations", &self.valuations)?;
        map.serialize_entry("transactions", &self.transactions)?;
        map.end()
    }
}

impl Serialize for CompletedResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("request_id", &self.request_id)?;
        map.serialize_entry("engine_version", &self.engine_version)?;
        map.serialize_entry("input_hash", &self.input_hash)?;
        map.serialize_entry("input_revision", &self.input_revision)?;
        map.serialize_entry("basis", &self.basis)?;
        map.serialize_entry("entity_type", &self.entity_type)?;
        map.serialize_entry("entity_id", &self.entity_id)?;
        map.serialize_entry("client_id", &self.client_id)?;
        optional(&mut map, "account_id", self.account_id.as_ref())?;
        map.serialize_entry("period", &self.period)?;
        map.serialize_entry("time_period", &self.time_period)?;
        map.serialize_entry("calculation_method", &self.calculation_method)?;
        self.metrics.members(&mut map)?;
        for (name, text) in &self.details {
            let raw = RawValue::from_string(text.clone()).map_err(S::Error::custom)?;
            map.serialize_entry(name, &raw)?;
        }
        map.serialize_entry("calculated_at", &self.calculated_at)?;
        map.end()
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &EVENT_VERSION)?;
        map.serialize_entry("type", self.event_type().word())?;
        optional(&mut map, "request_id", self.request_id.as_ref())?;
        optional(&mut map, "client_id", self.client_id.as_ref())?;
        if self.item > 0 {
            map.serialize_entry("item", &self.item)?;
        }
        match &self.body {
            EventBody::PortfolioPerformance(request) => map.serialize_entry("request", request)?,
            EventBody::BatchCalculation(members) => batch(&mut map, members)?,
            EventBody::Transaction { entity_type, entity_id, entry } => {
                map.serialize_entry("entity_type", entity_type)?;
                map.serialize_entry("entity_id", entity_id)?;
                entry.members(&mut map)?;
            }
            EventBody::Valuation { entity_type, entity_id, entry } => {
                map.serialize_entry("entity_type", entity_type)?;
                map.serialize_entry("entity_id", entity_id)?;
                entry.members(&mut map)?;
            }
            EventBody::CalculationCompleted(result) => map.serialize_entry("result", result)?,
        }
        map.end()
    }
}

fn batch<M: SerializeMap>(map: &mut M, members: &BatchMembers) -> Result<(), M::Error> {
    match members {
        BatchMembers::Requests { accepted, .. } => {
            let requests: Vec<&CalculationRequest> = accepted.iter().map(|(_, request)| request).collect();
            map.serialize_entry("requests", &requests)
        }
        BatchMembers::Entities { entity_type, entity_ids, window: wanted } => {
            map.serialize_entry("entity_type", entity_type)?;
            map.serialize_entry("entity_ids", entity_ids)?;
            window(map, wanted)
        }
    }
}
