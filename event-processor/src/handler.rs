//! From a batch of messages to those that failed.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use perf_core::MEASURES;
use perf_core::services::{Processor, Record, RecordOutcome, RecordResult, WorkTime};
use tokio::time::Instant;

/// No work is begun when less than this is left, or less than a third of the whole
/// time where that is shorter: a call of AWS may take 20 seconds.
const BEGIN_MARGIN: Duration = Duration::from_secs(20);
/// Work that has not ended when this is left is given up, so that the answer gets out.
const END_MARGIN: Duration = Duration::from_secs(2);
/// How often a message has been delivered that does not say: a first time.
const RECEIVE_COUNT_DEFAULT: u32 = 1;
const RECEIVE_COUNT: &str = "ApproximateReceiveCount";

/// Works on the messages of an event, and names those that are to come again. What
/// the deadline leaves no time for is among them.
pub(crate) async fn process(
    processor: &Processor,
    event: SqsEvent,
    deadline: SystemTime,
) -> Result<SqsBatchResponse, &'static str> {
    let records: Option<Vec<Record>> = event.records.into_iter().map(record).collect();
    // A failure that cannot be named is one of the whole batch.
    let records = records.ok_or("a message has no id")?;
    let (messages, started_at) = (records.len(), Instant::now());
    let results = match work_time(deadline) {
        Some(time) => processor.process_within(records, time).await,
        None => processor.process(records).await,
    };
    let mut response = SqsBatchResponse::default();
    let (mut messages_failed, mut messages_again) = (0_u64, 0_u64);
    for RecordResult { message_id, outcome } in results {
        match outcome {
            RecordOutcome::Done => continue,
            // What was wrong may quote the message.
            RecordOutcome::Permanent { code, .. } => {
                messages_failed += 1;
                tracing::warn!(message_id, code, "message failed");
            }
            RecordOutcome::Retry { detail } => {
                messages_again += 1;
                tracing::warn!(message_id, detail, "message will be tried again");
            }
        }
        response.add_failure(message_id);
    }
    let batch_ms = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::trace!(target: MEASURES, messages, messages_failed, messages_again, batch_ms);
    Ok(response)
}

/// A message as the processor takes it; each body is read on its own, there.
fn record(message: SqsMessage) -> Option<Record> {
    let receive_count = message.attributes.get(RECEIVE_COUNT).and_then(|count| count.parse().ok());
    Some(Record {
        message_id: message.message_id.filter(|id| !id.is_empty())?,
        body: message.body.unwrap_or_default(),
        receive_count: receive_count.unwrap_or(RECEIVE_COUNT_DEFAULT),
    })
}

/// No time at all is left where nobody tells the deadline: a local runtime says 1970.
fn work_time(deadline: SystemTime) -> Option<WorkTime> {
    let left = deadline.duration_since(SystemTime::now()).ok()?;
    let now = Instant::now();
    Some(WorkTime {
        begin_until: now + left.saturating_sub(BEGIN_MARGIN.min(left / 3)),
        end_until: now + left.saturating_sub(END_MARGIN),
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::Arc;

    use perf_core::number::Exact;
    use perf_local::store::{QueueSettings, SqliteStore};
    use perf_local::system::SystemClock;

    use super::*;

    const POISON: &str = include_str!("../../events/sqs-poison.json");

    async fn failures(left: Duration) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let store =
            SqliteStore::open(&folder.path().join("db"), Arc::new(SystemClock), QueueSettings::default());
        let processor =
            perf_local::assembly::processor(&Arc::new(store.unwrap()), Exact::ZERO, NonZeroUsize::MIN);
        let event: SqsEvent = serde_json::from_str(POISON).unwrap();
        let response = process(&processor, event, SystemTime::now() + left).await.unwrap();
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    fn ids() -> Vec<String> {
        let event: SqsEvent = serde_json::from_str(POISON).unwrap();
        event.records.into_iter().map(|message| message.message_id.unwrap()).collect()
    }

    #[tokio::test]
    async fn messages_that_fail_come_again_and_no_others() {
        assert_eq!(failures(Duration::from_secs(60)).await, ids()[1..4]);
    }

    #[tokio::test]
    async fn nothing_is_begun_when_the_deadline_is_near() {
        assert_eq!(failures(Duration::from_millis(1_500)).await, ids());
        assert!(work_time(SystemTime::UNIX_EPOCH + Duration::from_secs(600)).is_none());
        let time = work_time(SystemTime::now() + Duration::from_secs(90)).unwrap();
        let margin = time.end_until - time.begin_until;
        assert_eq!(margin, BEGIN_MARGIN - END_MARGIN);
        assert_eq!(failures(Duration::from_secs(9)).await, ids()[1..4]);
    }

    #[test]
    fn a_delivery_is_counted() {
        let event: SqsEvent = serde_json::from_str(POISON).unwrap();
        let mut message = event.records.into_iter().next().unwrap();
        message.attributes.insert(RECEIVE_COUNT.to_owned(), "3".to_owned());
        assert_eq!(record(message.clone()).unwrap().receive_count, 3);
        message.attributes.clear();
        assert_eq!(record(message.clone()).unwrap().receive_count, 1);
        message.message_id = None;
        assert!(record(message).is_none());
    }
}
