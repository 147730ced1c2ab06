//! `perfcalc calculate`.

use std::path::Path;

use perf_core::calculations::{self, Stamp};
use perf_core::model::read::{self, CsvFile, CsvRequest};
use perf_core::model::{CalculationRequest, Identifier, InvalidIdentifier};
use perf_core::number::Exact;
use serde_json::json;

use crate::arguments::{CalculateArguments, ConventionArguments, Format};
use crate::input;
use crate::report::{Failure, Outcome, print, print_json, request_id};
use crate::table;

/// Tenant of results that nobody asked for over a network.
pub(crate) const LOCAL_CLIENT: &str = "local";

pub(crate) fn run(arguments: &CalculateArguments) -> Outcome {
    let request = request(arguments)?;
    let result = calculations::calculate(&request, &stamp().map_err(anyhow::Error::from)?)?;
    match arguments.format {
        Format::Json => print_json(&result),
        Format::Table => print(&table::render(&result)),
    }
}

/// A stamp for one result of this process.
pub(crate) fn stamp() -> Result<Stamp, InvalidIdentifier> {
    Ok(Stamp {
        request_id: request_id(),
        client_id: LOCAL_CLIENT.parse::<Identifier>()?,
        calculated_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        risk_free_rate: Exact::ZERO,
    })
}

fn request(arguments: &CalculateArguments) -> Result<CalculationRequest, Failure> {
    if arguments.valuations.is_none() && arguments.returns.is_none() {
        let file = arguments.file.as_deref().unwrap_or(Path::new(input::STANDARD_INPUT));
        return Ok(read::calculation(&input::read(file)?)?);
    }
    let valuations = CsvText::read(arguments.valuations.as_deref())?;
    let flows = CsvText::read(arguments.flows.as_deref())?;
    let returns = CsvText::read(arguments.returns.as_deref())?;
    let benchmark = CsvText::read(arguments.conventions.benchmark.as_deref())?;
    let conventions = conventions(&arguments.conventions);
    let request = CsvRequest {
        conventions: conventions.as_bytes(),
        valuations: valuations.as_ref().map(CsvText::as_file),
        flows: flows.as_ref().map(CsvText::as_file),
        returns: returns.as_ref().map(CsvText::as_file),
        benchmark: benchmark.as_ref().map(CsvText::as_file),
    };
    Ok(request.read()?)
}

/// The request without its series, as JSON: so the command line's texts meet the
/// same checks as a request's.
fn conventions(arguments: &ConventionArguments) -> String {
    let (entity_type, entity_id) = &arguments.entity;
    let windowed = arguments.start.is_some() || arguments.end.is_some();
    let period = windowed.then(|| json!({"start": arguments.start, "end": arguments.end}));
    let metrics = (!arguments.metrics.is_empty()).then_some(&arguments.metrics);
    json!({
        "entity_type": entity_type,
        "entity_id": entity_id,
        "period": period,
        "time_period": arguments.time_period,
        "as_of": arguments.as_of,
        "risk_free_rate": arguments.risk_free,
        "options": {
            "method": arguments.method,
            "cash_flow_timing": arguments.timing,
            "volatility": arguments.volatility,
            "day_count": arguments.day_count,
            "periods_per_year": arguments.periods_per_year,
            "minimum_acceptable_return": arguments.minimum_acceptable_return,
            "confidence_level": arguments.confidence_level,
            "metrics": metrics,
            "explain": arguments.explain,
        },
    })
    .to_string()
}

pub(crate) struct CsvText {
    name: String,
    pub(crate) text: Vec<u8>,
}

impl CsvText {
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let read = |path: &Path| Ok(Self { name: path.display().to_string(), text: input::read(path)? });
        path.map(read).transpose()
    }

    pub(crate) fn as_file(&self) -> CsvFile<'_> {
        CsvFile { name: &self.name, text: &self.text }
    }
}
