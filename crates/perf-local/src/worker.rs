//! Takes messages from the queue and hands them to the processor.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use perf_core::ports::{PortError, QueueReceiver};
use perf_core::services::{Processor, Record, RecordOutcome};

/// Messages taken at once, as many as SQS hands to a function.
const MESSAGES_MAX: u32 = 10;

/// How long a worker that finds no message sleeps: at first, and at most.
const IDLE_MIN: Duration = Duration::from_millis(5);
const IDLE_MAX: Duration = Duration::from_millis(160);

/// The loop of the one-machine edition.
#[derive(Clone)]
pub struct Worker {
    queue: Arc<dyn QueueReceiver>,
    processor: Processor,
}

impl Worker {
    /// A worker on this queue.
    #[must_use]
    pub fn new(queue: Arc<dyn QueueReceiver>, processor: Processor) -> Self {
        Self { queue, processor }
    }

    /// Works on the messages that are waiting, one round; says how many there were.
    ///
    /// A message that failed stays on the queue: what may succeed later comes back
    /// after the visibility timeout, what cannot comes back at once, until the queue
    /// gives it up.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the queue cannot be reached.
    pub async fn step(&self) -> Result<usize, PortError> {
        let deliveries = self.queue.receive(MESSAGES_MAX).await?;
        let record = |delivery: &perf_core::ports::Delivery| Record {
            message_id: delivery.message_id.clone(),
            body: delivery.body.clone(),
            receive_count: delivery.receive_count,
        };
        let results = self.processor.process(deliveries.iter().map(record).collect()).await;
        let mut done = Vec::with_capacity(deliveries.len());
        for (delivery, result) in deliveries.iter().zip(results) {
            match result.outcome {
                RecordOutcome::Done => done.push(delivery.receipt.clone()),
                RecordOutcome::Permanent { code, detail } => {
                    tracing::warn!(message_id = result.message_id, code, detail, "message failed");
                    self.queue.postpone(&delivery.receipt, Duration::ZERO).await?;
                }
                RecordOutcome::Retry { detail } => {
                    tracing::warn!(message_id = result.message_id, detail, "message will be tried again");
                }
            }
        }
        if !done.is_empty() {
            self.queue.delete(&done).await?;
        }
        Ok(deliveries.len())
    }

    /// Works until told to stop; the messages at hand are finished first.
    pub async fn run(&self, mut stopped: watch::Receiver<bool>) {
        let mut idle = IDLE_MIN;
        while !*stopped.borrow() {
            idle = match self.step().await {
                Ok(0) => (idle * 2).min(IDLE_MAX),
                Ok(_) => IDLE_MIN,
                Err(error) => {
                    tracing::error!(%error, "queue out of reach");
                    IDLE_MAX
                }
            };
            if idle > IDLE_MIN {
                // Either way the loop looks again.
                let _ = tokio::time::timeout(idle, stopped.changed()).await;
            }
        }
    }

    /// Works until no message is waiting.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    pub async fn drain(&self) -> Result<(), PortError> {
        while self.step().await? > 0 {}
        Ok(())
    }
}
