//! Sends messages.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use perf_core::ports::{PortError, QueueSender};

use crate::clients::Lazy;
use crate::error::{by_code, port_error};

/// Most messages of one call.
const MESSAGES_MAX: usize = 10;
/// Most bytes of one call: what every queue takes, whatever its settings.
const BYTES_MAX: usize = 256 << 10;
/// How often what a call left behind is sent again.
const ROUNDS_MAX: u32 = 4;
/// HTTP statuses that stand for an entry's fault: ours, or the service's.
const OUR_FAULT: u16 = 400;
const THEIR_FAULT: u16 = 500;

/// One queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Lazy<Client>,
    url: String,
}

impl Queue {
    /// The queue of this URL.
    #[must_use]
    pub fn new(client: Lazy<Client>, url: String) -> Self {
        Self { client, url }
    }

    /// Sends messages of one call; those that were left behind for a while.
    async fn send_batch<'b>(&self, bodies: &[&'b str]) -> Result<Vec<&'b str>, PortError> {
        let mut entries = Vec::with_capacity(bodies.len());
        for (place, body) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(*body);
            entries.push(entry.build().map_err(|error| PortError::permanent(error.to_string()))?);
        }
        let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send();
        let answer = sent.await.map_err(|error| port_error("send messages", &error))?;
        let mut left = Vec::new();
        for failure in answer.failed() {
            if failure.sender_fault() {
                let message = failure.message().unwrap_or_default();
                return Err(by_code("send messages", failure.code(), OUR_FAULT, message));
            }
            let place: Option<usize> = failure.id().parse().ok();
            let body = place.and_then(|place| bodies.get(place));
            left.push(
                *body.ok_or_else(|| by_code("send messages", failure.code(), THEIR_FAULT, "no such id"))?,
            );
        }
        Ok(left)
    }
}

/// The messages of each call: in order, within the limits of a call.
fn batches<'b>(bodies: &[&'b str]) -> Vec<Vec<&'b str>> {
    let mut batches: Vec<Vec<&str>> = Vec::new();
    let mut bytes = 0;
    for body in bodies {
        match batches.last_mut() {
            Some(batch) if batch.len() < MESSAGES_MAX && bytes + body.len() <= BYTES_MAX => {
                batch.push(body);
                bytes += body.len();
            }
            _ => {
                batches.push(vec![body]);
                bytes = body.len();
            }
        }
    }
    batches
}

#[async_trait]
impl QueueSender for Queue {
    async fn send(&self, bodies: &[String]) -> Result<(), PortError> {
        let mut waiting: Vec<&str> = bodies.iter().map(String::as_str).collect();
        for _ in 0..ROUNDS_MAX {
            let mut left = Vec::new();
            for batch in batches(&waiting) {
                left.extend(self.send_batch(&batch).await?);
            }
            if left.is_empty() {
                return Ok(());
            }
            waiting = left;
        }
        Err(PortError::transient(format!("send messages: {} were left behind", waiting.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_full_and_within_limits() {
        let small = vec!["a"; 25];
        assert_eq!(batches(&small).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
        let large = "x".repeat(200 << 10);
        let mixed = ["a", &large, "b", &large, "c"];
        assert_eq!(batches(&mixed).iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
        assert!(batches(&[]).is_empty());
    }
}
