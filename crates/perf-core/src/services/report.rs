//! Outcomes in the words of the queue and of a request's status.

use chrono::Duration;

use super::process::{Ended, RecordOutcome};
use super::submit::STATUS_DAYS;
use crate::model::Problem;
use crate::ports::{Clock, ItemOutcome, Itemized, NewRequest, PortError, RequestLog};

/// HTTP status of what may succeed later.
const UNAVAILABLE: u16 = 503;

/// Whether the problem may be gone at the next attempt.
pub(super) fn is_passing(problem: &Problem) -> bool {
    problem.status == UNAVAILABLE
}

pub(super) fn permanent(problem: &Problem) -> RecordOutcome {
    RecordOutcome::Permanent { code: problem.code, detail: problem.detail.clone() }
}

/// What becomes of a message.
pub(super) fn outcome(outcome: &Result<(), Problem>) -> RecordOutcome {
    match outcome {
        Ok(()) => RecordOutcome::Done,
        Err(problem) if is_passing(problem) => RecordOutcome::Retry { detail: problem.detail.clone() },
        Err(problem) => permanent(problem),
    }
}

pub(super) fn failed(problem: &Problem) -> ItemOutcome {
    ItemOutcome::Failed { code: problem.code.to_owned(), detail: problem.detail.clone() }
}

/// What becomes of an item whose result can be read at `url`.
pub(super) fn item(outcome: &Result<(), Problem>, url: Option<&str>) -> ItemOutcome {
    match outcome {
        Ok(()) => ItemOutcome::Completed { result_url: url.map(str::to_owned) },
        Err(problem) => failed(problem),
    }
}

/// What becomes of an item that says itself where its result can be read.
pub(super) fn done(outcome: &Result<Option<String>, Problem>) -> ItemOutcome {
    match outcome {
        Ok(result_url) => ItemOutcome::Completed { result_url: result_url.clone() },
        Err(problem) => failed(problem),
    }
}

/// Notes how a task ended in the status of its request. What may still succeed is
/// not noted, unless the queue gives the message up now.
pub(super) async fn note(
    requests: &dyn RequestLog,
    clock: &dyn Clock,
    ended: &Ended,
    exhausted: bool,
) -> Result<(), PortError> {
    let Some(request_id) = &ended.task.event.request_id else { return Ok(()) };
    let (tenant, event) = (&ended.task.tenant, &ended.task.event);
    if event.item == 0 {
        // For a message that did not come through our own front door.
        let now = clock.now();
        let request = NewRequest {
            client_id: tenant.clone(),
            request_id: request_id.clone(),
            total: event.body.items(),
            created_at: now,
            expires_at: now + Duration::days(STATUS_DAYS),
        };
        requests.create_request(&request).await?;
    }
    let passing = ended.outcome.as_ref().err().filter(|problem| is_passing(problem));
    let items: Vec<Itemized> = match passing {
        None => ended.items.clone(),
        Some(problem) if exhausted => all_failed(ended, problem),
        // A single item that may still succeed; in a batch, the members that have ended.
        Some(_) if event.body.items() == 1 => Vec::new(),
        Some(_) => ended.items.clone(),
    };
    if items.is_empty() { Ok(()) } else { requests.record_items(tenant, request_id, &items).await }
}

/// Every item that has not ended, as failed.
fn all_failed(ended: &Ended, problem: &Problem) -> Vec<Itemized> {
    let first = ended.task.event.item;
    let single = ended.task.event.body.items() == 1;
    let mut items = if single { Vec::new() } else { ended.items.clone() };
    for item in first..first.saturating_add(ended.task.event.body.items()) {
        if !items.iter().any(|known| known.item == item) {
            let outcome =
                ItemOutcome::Failed { code: "retries_exhausted".to_owned(), detail: problem.detail.clone() };
            items.push(Itemized { item, outcome });
        }
    }
    items
}
