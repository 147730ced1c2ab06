//! From an event of SQS to the messages that are to come again.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use perf_core::services::{Processor, Record, RecordOutcome, RecordResult};
use thiserror::Error;

/// Kept before the deadline for the answer.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// A message without a name could not be reported, so the whole batch comes again.
#[derive(Debug, Error)]
#[error("a message of the batch has no id")]
pub(crate) struct Nameless;

/// Works on a batch; names the messages that are to come again. What is not done
/// when the deadline nears is among them: work that was begun may then be done twice,
/// which changes nothing.
pub(crate) async fn handle(
    processor: &Processor,
    event: SqsEvent,
    deadline: SystemTime,
) -> Result<SqsBatchResponse, Nameless> {
    let records: Vec<Record> = event.records.into_iter().map(record).collect::<Result<_, _>>()?;
    let ids: Vec<String> = records.iter().map(|record| record.message_id.clone()).collect();
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(ANSWER_TIME);
    let mut response = SqsBatchResponse::default();
    match tokio::time::timeout(left, processor.process(records)).await {
        Ok(results) => {
            response.batch_item_failures = results.into_iter().filter_map(failure).collect();
        }
        Err(_) => {
            tracing::warn!(messages = ids.len(), "stopped before the deadline");
            response.batch_item_failures = ids.into_iter().map(named).collect();
        }
    }
    Ok(response)
}

fn record(message: SqsMessage) -> Result<Record, Nameless> {
    let receives = message.attributes.get("ApproximateReceiveCount");
    Ok(Record {
        message_id: message.message_id.filter(|id| !id.is_empty()).ok_or(Nameless)?,
        body: message.body.unwrap_or_default(),
        receive_count: receives.and_then(|count| count.parse().ok()).unwrap_or(1),
    })
}

/// The texts of refusals quote messages, so only their codes are logged.
fn failure(result: RecordResult) -> Option<BatchItemFailure> {
    let message_id = result.message_id;
    match result.outcome {
        RecordOutcome::Done => return None,
        RecordOutcome::Permanent { code, .. } => tracing::warn!(message_id, code, "message failed"),
        RecordOutcome::Retry { .. } => tracing::warn!(message_id, "message will be tried again"),
    }
    Some(named(message_id))
}

fn named(message_id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message_id;
    failure
}
