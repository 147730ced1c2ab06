//! Calls that are answered once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use perf_core::ports::{Begun, Idempotency, IdempotencyKey, PortError, SavedResponse};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Failure, SqliteStore, millis};

/// What is known of a call: the hash of its body, and its answer.
type Known = (String, Option<u16>, Option<String>);

fn known(connection: &Connection, key: &IdempotencyKey) -> Result<Option<Known>, Failure> {
    const SQL: &str = "SELECT body_hash, status, body FROM idempotency WHERE client_id = ?1 AND key = ?2";
    let row = connection.prepare_cached(SQL)?.query_row(params![key.client_id.as_str(), key.key], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    Ok(row.optional()?)
}

#[async_trait]
impl Idempotency for SqliteStore {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        body_hash: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Begun, PortError> {
        const FORGET: &str = "DELETE FROM idempotency WHERE expires_at_ms <= ?1";
        const BEGIN: &str = "INSERT INTO idempotency (client_id, key, body_hash, token, expires_at_ms)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let (key, body_hash) = (key.clone(), body_hash.to_owned());
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.prepare_cached(FORGET)?.execute([millis(now)])?;
            let begun = match known(&transaction, &key)? {
                Some((hash, _, _)) if hash != body_hash => Begun::OtherBody,
                Some((_, Some(status), Some(body))) => Begun::Answered(SavedResponse { status, body }),
                Some(_) => Begun::InProgress,
                None => {
                    let token = uuid::Uuid::new_v4().to_string();
                    let lease = millis(lease_until);
                    let values = params![key.client_id.as_str(), key.key, body_hash, token, lease];
                    transaction.prepare_cached(BEGIN)?.execute(values)?;
                    Begun::First { token }
                }
            };
            transaction.commit()?;
            Ok(begun)
        })
        .await
    }

    async fn finish(
        &self,
        key: &IdempotencyKey,
        token: &str,
        response: &SavedResponse,
        expires_at: DateTime<Utc>,
    ) -> Result<(), PortError> {
        const FINISH: &str = "UPDATE idempotency SET status = ?4, body = ?5, expires_at_ms = ?6
            WHERE client_id = ?1 AND key = ?2 AND token = ?3";
        let (key, token, response) = (key.clone(), token.to_owned(), response.clone());
        self.run(move |connection| {
            let SavedResponse { status, body } = response;
            let values = params![key.client_id.as_str(), key.key, token, status, body, millis(expires_at)];
            connection.prepare_cached(FINISH)?.execute(values)?;
            Ok(())
        })
        .await
    }

    async fn abandon(&self, key: &IdempotencyKey, token: &str) -> Result<(), PortError> {
        const ABANDON: &str = "DELETE FROM idempotency
            WHERE client_id = ?1 AND key = ?2 AND token = ?3 AND status IS NULL";
        let (key, token) = (key.clone(), token.to_owned());
        self.run(move |connection| {
            connection.prepare_cached(ABANDON)?.execute(params![key.client_id.as_str(), key.key, token])?;
            Ok(())
        })
        .await
    }
}
