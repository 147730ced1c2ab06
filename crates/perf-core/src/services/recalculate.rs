//! Keeps the standing windows of an entity at the state of its ledger.

use std::sync::Arc;

use tracing::trace;

use super::compute::{Supplied, compute, stamp, timestamp};
use super::process::ProcessorPorts;
use super::rows::{dated_key, rows};
use super::time_series::STANDING_REQUEST;
use crate::MEASURES;
use crate::calculations::ENGINE_VERSION;
use crate::ledger::Ledger;
use crate::model::{
    CalculationRequest, CompletedResult, EntityKey, Problem, ResultBasis, TimePeriod, Window,
};
use crate::number::Exact;
use crate::ports::{PortError, ResultRow};

/// The windows that are kept current.
pub const STANDING_WINDOWS: [TimePeriod; 7] = [
    TimePeriod::Mtd,
    TimePeriod::Qtd,
    TimePeriod::Ytd,
    TimePeriod::OneYear,
    TimePeriod::ThreeYears,
    TimePeriod::FiveYears,
    TimePeriod::Itd,
];
/// Refusals that mean that the ledger does not reach as far as the window.
const NOT_AVAILABLE: [&str; 2] = ["too_few_valuations", "insufficient_history"];

/// Why standing results could not be brought up to date.
pub(super) enum Failure {
    Port(PortError),
    Problem(Problem),
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// Computes and stores every window that the ledger allows, and withdraws those
/// that it no longer does; the results.
pub(super) async fn recalculate(
    ports: &ProcessorPorts,
    risk_free_rate: &Exact,
    entity: &EntityKey,
    ledger: &Ledger,
    revision: u64,
) -> Result<Vec<CompletedResult>, Failure> {
    if ledger.has_mixed_currencies() {
        return Err(Failure::Problem(super::compute::mixed_currencies()));
    }
    let before = ports.results.current_of(entity).await?;
    let results = windows(ports, risk_free_rate, entity, ledger, revision).await.map_err(Failure::Problem)?;
    let now = timestamp(ports.clock.now());
    let mut changed: Vec<ResultRow> = results.iter().flat_map(|result| rows(result, &now)).collect();
    changed.extend(withdrawn(&before, &changed, revision, &now));
    // Current rows last: until they are written, a repetition does everything again.
    changed.sort_by_key(|row| row.current);
    ports.writer.put_results(&changed).await?;
    trace!(target: MEASURES, recalculations = 1_u64, rows_written = changed.len());
    Ok(results)
}

/// One result for each window that the ledger allows.
async fn windows(
    ports: &ProcessorPorts,
    risk_free_rate: &Exact,
    entity: &EntityKey,
    ledger: &Ledger,
    revision: u64,
) -> Result<Vec<CompletedResult>, Problem> {
    let data = ledger.data(entity.entity_type);
    let stamp = stamp(STANDING_REQUEST, &entity.client_id, &*ports.clock, risk_free_rate);
    let mut results = Vec::with_capacity(STANDING_WINDOWS.len());
    for time_period in STANDING_WINDOWS {
        let request = CalculationRequest {
            client_id: Some(entity.client_id.clone()),
            account_id: ledger.account_id().cloned(),
            window: Window::Standing { time_period, as_of: None },
            ..CalculationRequest::new(entity.entity_type, entity.entity_id.clone(), data.clone())
        };
        let supplied = Supplied { request, revision: Some(revision), basis: ResultBasis::Standing };
        match compute(Arc::new(supplied), stamp.clone()).await {
            Ok(result) => results.push(
                CompletedResult::new(&result, ResultBasis::Standing)
                    .map_err(|error| Problem::internal(error.to_string()))?,
            ),
            Err(problem) if NOT_AVAILABLE.contains(&problem.code) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(results)
}

/// Rows for what the ledger no longer says: windows that it no longer reaches, and
/// dated results of a last day that is gone.
fn withdrawn(before: &[ResultRow], now_current: &[ResultRow], revision: u64, now: &str) -> Vec<ResultRow> {
    let gone = |row: &ResultRow, sort_key: String, current| {
        let mut row =
            ResultRow { sort_key, current, withdrawn: true, updated_at: now.to_owned(), ..row.clone() };
        row.result.input_revision = revision;
        ENGINE_VERSION.clone_into(&mut row.result.engine_version);
        row
    };
    let mut rows = Vec::new();
    for row in before.iter().filter(|row| !row.withdrawn) {
        let successor = now_current.iter().find(|new| new.sort_key == row.sort_key);
        if successor.is_none() {
            rows.push(gone(row, row.sort_key.clone(), true));
        }
        if successor.is_none_or(|new| new.result.period.end < row.result.period.end) {
            rows.push(gone(row, dated_key(&row.result), false));
        }
    }
    rows
}
