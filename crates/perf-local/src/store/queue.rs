//! The queue: messages that are hidden while somebody works on them.

use std::time::Duration;

use async_trait::async_trait;
use perf_core::ports::{DeadLetter, DeadLetters, Delivery, PortError, QueueReceiver, QueueSender};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Failure, SqliteStore, millis};

/// How the queue treats its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a message that was received is hidden.
    pub visibility_timeout: Duration,
    /// Deliveries after which a message becomes a dead letter.
    pub max_receives: u32,
}

impl Default for QueueSettings {
    /// As the deployed queue: 180 s and 5 deliveries.
    fn default() -> Self {
        Self { visibility_timeout: Duration::from_secs(180), max_receives: 5 }
    }
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// On the queue, or being worked on.
    Waiting,
    /// Among the dead letters.
    Dead,
    /// Done with.
    Gone,
}

const SEND: &str = "INSERT INTO messages (message_id, body, visible_at_ms, receive_count)
    VALUES (?1, ?2, ?3, 0)";

impl SqliteStore {
    /// Sends one message; its name.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn send_message(&self, body: &str) -> Result<String, PortError> {
        let (body, now) = (body.to_owned(), millis(self.clock.now()));
        let message_id = uuid::Uuid::new_v4().to_string();
        self.run(move |connection| {
            connection.prepare_cached(SEND)?.execute(params![message_id, body, now])?;
            Ok(message_id)
        })
        .await
    }

    /// Where the message of this name is.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn message_state(&self, message_id: &str) -> Result<MessageState, PortError> {
        const SQL: &str = "SELECT 1 FROM messages WHERE message_id = ?1
            UNION ALL SELECT 2 FROM dead_letters WHERE message_id = ?1";
        let message_id = message_id.to_owned();
        self.run(move |connection| {
            let found = connection.prepare_cached(SQL)?.query_row([message_id], |row| row.get::<_, u8>(0));
            Ok(match found.optional()? {
                None => MessageState::Gone,
                Some(1) => MessageState::Waiting,
                Some(_) => MessageState::Dead,
            })
        })
        .await
    }
}

impl SqliteStore {
    /// Shows every message again that somebody had in hand. For the start of the one
    /// process that works on the file: whoever had them is gone. Such a delivery was
    /// interrupted and has not failed, so it does not count.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn release_messages(&self) -> Result<u64, PortError> {
        const RELEASE: &str = "UPDATE messages SET visible_at_ms = ?1, receipt = NULL,
            receive_count = max(receive_count - 1, 0) WHERE visible_at_ms > ?1";
        let now = millis(self.clock.now());
        self.run(move |connection| {
            let released = connection.prepare_cached(RELEASE)?.execute([now])?;
            Ok(u64::try_from(released).unwrap_or(u64::MAX))
        })
        .await
    }
}

fn later(now: i64, delay: Duration) -> i64 {
    now.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}

#[async_trait]
impl QueueSender for SqliteStore {
    async fn send(&self, bodies: &[String]) -> Result<(), PortError> {
        let (bodies, now) = (bodies.to_vec(), millis(self.clock.now()));
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for body in &bodies {
                let message_id = uuid::Uuid::new_v4().to_string();
                transaction.prepare_cached(SEND)?.execute(params![message_id, body, now])?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }
}

/// Moves what has been received too often to the dead letters.
fn bury(connection: &Connection, now: i64, max_receives: u32) -> Result<(), Failure> {
    const COPY: &str = "INSERT INTO dead_letters (message_id, body) SELECT message_id, body FROM messages
        WHERE visible_at_ms <= ?1 AND receive_count >= ?2 ORDER BY place";
    const REMOVE: &str = "DELETE FROM messages WHERE visible_at_ms <= ?1 AND receive_count >= ?2";
    for sql in [COPY, REMOVE] {
        connection.prepare_cached(sql)?.execute(params![now, max_receives])?;
    }
    Ok(())
}

fn waiting(connection: &Connection, now: i64, limit: u32) -> Result<Vec<(i64, Delivery)>, Failure> {
    const SQL: &str = "SELECT place, message_id, receive_count, body FROM messages
        WHERE visible_at_ms <= ?1 ORDER BY place LIMIT ?2";
    let mut statement = connection.prepare_cached(SQL)?;
    let rows = statement.query_map(params![now, limit], |row| {
        let delivery = Delivery {
            message_id: row.get(1)?,
            receipt: uuid::Uuid::new_v4().to_string(),
            receive_count: row.get::<_, u32>(2)?.saturating_add(1),
            body: row.get(3)?,
        };
        Ok((row.get(0)?, delivery))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[async_trait]
impl QueueReceiver for SqliteStore {
    async fn receive(&self, limit: u32) -> Result<Vec<Delivery>, PortError> {
        const HIDE: &str = "UPDATE messages SET visible_at_ms = ?2, receive_count = ?3, receipt = ?4
            WHERE place = ?1";
        let (now, settings) = (millis(self.clock.now()), self.queue);
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            bury(&transaction, now, settings.max_receives)?;
            let mut deliveries = Vec::new();
            for (place, delivery) in waiting(&transaction, now, limit)? {
                let hidden_until = later(now, settings.visibility_timeout);
                let values = params![place, hidden_until, delivery.receive_count, delivery.receipt];
                transaction.prepare_cached(HIDE)?.execute(values)?;
                deliveries.push(delivery);
            }
            transaction.commit()?;
            Ok(deliveries)
        })
        .await
    }

    async fn delete(&self, receipts: &[String]) -> Result<(), PortError> {
        let receipts = receipts.to_vec();
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for receipt in &receipts {
                transaction.prepare_cached("DELETE FROM messages WHERE receipt = ?1")?.execute([receipt])?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), PortError> {
        const POSTPONE: &str = "UPDATE messages SET visible_at_ms = ?2 WHERE receipt = ?1";
        let (receipt, visible_at) = (receipt.to_owned(), later(millis(self.clock.now()), delay));
        self.run(move |connection| {
            connection.prepare_cached(POSTPONE)?.execute(params![receipt, visible_at])?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl DeadLetters for SqliteStore {
    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, PortError> {
        const SQL: &str = "SELECT message_id, body FROM dead_letters ORDER BY place LIMIT ?1";
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let letter =
                |row: &rusqlite::Row<'_>| Ok(DeadLetter { message_id: row.get(0)?, body: row.get(1)? });
            let letters = statement.query_map([limit], letter)?;
            Ok(letters.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn redrive(&self) -> Result<u64, PortError> {
        const COPY: &str = "INSERT INTO messages (message_id, body, visible_at_ms, receive_count)
            SELECT message_id, body, ?1, 0 FROM dead_letters ORDER BY place";
        let now = millis(self.clock.now());
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let count = transaction.execute(COPY, [now])?;
            transaction.execute("DELETE FROM dead_letters", [])?;
            transaction.commit()?;
            Ok(u64::try_from(count).unwrap_or(u64::MAX))
        })
        .await
    }
}
