use std::time::Duration;

use async_trait::async_trait;

use super::PortError;

/// Puts messages on the queue.
#[async_trait]
pub trait QueueSender: Send + Sync {
    /// Sends all messages. After an error some of them may have been sent: the
    /// caller sends all again, and the receiver's work is such that this does no harm.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn send(&self, bodies: &[String]) -> Result<(), PortError>;
}

/// A message in the hands of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Name of the message, the same at every delivery.
    pub message_id: String,
    /// Name of this delivery.
    pub receipt: String,
    /// How often it has been delivered, this time included.
    pub receive_count: u32,
    /// The text.
    pub body: String,
}

/// Takes messages from the queue.
#[async_trait]
pub trait QueueReceiver: Send + Sync {
    /// Up to `limit` messages, hidden from other receivers for the queue's
    /// visibility timeout. A message that has been received too often becomes a
    /// dead letter instead.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn receive(&self, limit: u32) -> Result<Vec<Delivery>, PortError>;

    /// Removes messages that are done with. A delivery that has timed out and been
    /// given to another receiver is no longer this one's to remove.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn delete(&self, receipts: &[String]) -> Result<(), PortError>;

    /// Shows a message again after this time instead of the visibility timeout.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), PortError>;
}

/// A message that was received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Name of the message.
    pub message_id: String,
    /// The text.
    pub body: String,
}

/// The messages that nobody could deal with.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Up to `limit` of them, the oldest first.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, PortError>;

    /// Puts all of them back on the queue, as new messages; says how many.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn redrive(&self) -> Result<u64, PortError>;
}
