//! Requests with their data, and their calculation off the event loop.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

use super::problem_of;
use crate::calculations::{Prepared, Stamp};
use crate::ledger::Ledger;
use crate::model::{
    CalculationRequest, CalculationResult, Data, EntityKey, Identifier, Method, Options, Problem,
    ResultBasis, Window,
};
use crate::number::Exact;
use crate::ports::{Clock, LedgerReader};

/// A request whose data has been read.
#[derive(Clone, Debug)]
pub(super) struct Supplied {
    pub(super) request: CalculationRequest,
    /// Of the ledger, where the data comes from one.
    pub(super) revision: Option<u64>,
    pub(super) basis: ResultBasis,
}

/// RFC 3339, to the millisecond.
pub(super) fn timestamp(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn stamp(
    request_id: &str,
    tenant: &Identifier,
    clock: &dyn Clock,
    risk_free_rate: &Exact,
) -> Stamp {
    Stamp {
        request_id: request_id.to_owned(),
        client_id: tenant.clone(),
        calculated_at: timestamp(clock.now()),
        risk_free_rate: risk_free_rate.clone(),
    }
}

/// The refusal of a ledger that a calculation cannot be made from.
pub(super) fn mixed_currencies() -> Problem {
    Problem::field("/entity_id", "mixed_currencies", "the ledger holds amounts in more than one currency")
}

/// The request with its data: that of the ledger where it brings none.
pub(super) async fn supply(
    ledger: &dyn LedgerReader,
    mut request: CalculationRequest,
    tenant: &Identifier,
) -> Result<Supplied, Problem> {
    request.client_id = Some(tenant.clone());
    if request.data != Data::Ledger {
        return Ok(Supplied { request, revision: None, basis: ResultBasis::Request });
    }
    let entity = EntityKey {
        client_id: tenant.clone(),
        entity_type: request.entity_type,
        entity_id: request.entity_id.clone(),
    };
    let stored = ledger.read_ledger(&entity).await.map_err(|error| problem_of(&error))?;
    if stored.revision == 0 {
        return Err(Problem::not_found("there is no ledger of this entity"));
    }
    let known = Ledger::new(stored.months);
    if known.has_mixed_currencies() {
        return Err(mixed_currencies());
    }
    let basis = basis(&request);
    request.data = known.data(request.entity_type);
    request.account_id = request.account_id.or_else(|| known.account_id().cloned());
    Ok(Supplied { request, revision: Some(stored.revision), basis })
}

/// Where the result of a ledger's request is filed: beside the standing windows
/// only where it has their conventions.
fn basis(request: &CalculationRequest) -> ResultBasis {
    let plain =
        Options { method: request.options.method, explain: request.options.explain, ..Options::default() };
    let is_plain =
        request.options == plain && request.benchmark.is_none() && request.risk_free_rate.is_none();
    match request.window {
        _ if !is_plain => ResultBasis::Request,
        Window::Standing { time_period, as_of: None }
            if request.options.method == Method::Daily && super::STANDING_WINDOWS.contains(&time_period) =>
        {
            ResultBasis::Standing
        }
        Window::Standing { .. } | Window::Custom { .. } => ResultBasis::Ledger,
    }
}

/// The result, computed on a thread that may take its time.
pub(super) async fn compute(supplied: Arc<Supplied>, stamp: Stamp) -> Result<CalculationResult, Problem> {
    let work = move || Prepared::new(&supplied.request, &stamp, supplied.revision)?.calculate();
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|error| Err(Problem::internal(error.to_string())))
}
