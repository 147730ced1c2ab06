//! Status of requests.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use perf_core::model::Identifier;
use perf_core::ports::{
    ItemOutcome, Itemized, NewRequest, PortError, RequestLog, RequestReader, RequestStatus,
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Failure, SqliteStore, millis, time};

#[async_trait]
impl RequestLog for SqliteStore {
    async fn create_request(&self, request: &NewRequest) -> Result<(), PortError> {
        const FORGET: &str = "DELETE FROM requests WHERE expires_at_ms <= ?1";
        const CREATE: &str = "INSERT OR IGNORE INTO requests
            (client_id, request_id, total, created_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
        let request = request.clone();
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let now = millis(request.created_at);
            transaction.prepare_cached(FORGET)?.execute([now])?;
            transaction.prepare_cached(CREATE)?.execute(params![
                request.client_id.as_str(),
                request.request_id.as_str(),
                request.total,
                now,
                millis(request.expires_at)
            ])?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    async fn record_items(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
        items: &[Itemized],
    ) -> Result<(), PortError> {
        const RECORD: &str = "INSERT INTO request_items (client_id, request_id, item, is_completed, outcome)
            SELECT client_id, request_id, ?3, ?4, ?5 FROM requests
            WHERE client_id = ?1 AND request_id = ?2 AND ?3 < total
            ON CONFLICT DO UPDATE SET is_completed = excluded.is_completed, outcome = excluded.outcome
            WHERE request_items.is_completed = 0";
        let (client_id, request_id, items) = (client_id.clone(), request_id.clone(), items.to_vec());
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for Itemized { item, outcome } in &items {
                let is_completed = matches!(outcome, ItemOutcome::Completed { .. });
                let text = serde_json::to_string(outcome).map_err(Failure::stored)?;
                let values = params![client_id.as_str(), request_id.as_str(), item, is_completed, text];
                transaction.prepare_cached(RECORD)?.execute(values)?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }
}

/// Items that ended well, and those that did not.
fn counts(connection: &Connection, client: &str, request: &str) -> Result<(u32, u32), Failure> {
    const SQL: &str = "SELECT coalesce(sum(is_completed), 0), count(*) FROM request_items
        WHERE client_id = ?1 AND request_id = ?2";
    let counted = connection
        .prepare_cached(SQL)?
        .query_row([client, request], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?)))?;
    Ok((counted.0, counted.1.saturating_sub(counted.0)))
}

fn items(connection: &Connection, client: &str, request: &str, limit: u32) -> Result<Vec<Itemized>, Failure> {
    const SQL: &str = "SELECT item, outcome FROM request_items
        WHERE client_id = ?1 AND request_id = ?2 ORDER BY item LIMIT ?3";
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query(params![client, request, limit])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(1)?;
        items.push(Itemized {
            item: row.get(0)?,
            outcome: serde_json::from_str(&text).map_err(Failure::stored)?,
        });
    }
    Ok(items)
}

#[async_trait]
impl RequestReader for SqliteStore {
    async fn read_request(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Option<RequestStatus>, PortError> {
        const SQL: &str = "SELECT total, created_at_ms, expires_at_ms FROM requests
            WHERE client_id = ?1 AND request_id = ?2 AND expires_at_ms > ?3";
        let (client_id, request_id) = (client_id.clone(), request_id.clone());
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            let (client, request) = (client_id.as_str(), request_id.as_str());
            let header = transaction
                .prepare_cached(SQL)?
                .query_row(params![client, request, millis(now)], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            let Some((total, created_at, expires_at)) = header else { return Ok(None) };
            let (completed, failed) = counts(&transaction, client, request)?;
            let items = items(&transaction, client, request, limit)?;
            let (created_at, expires_at) = (time(created_at)?, time(expires_at)?);
            let request = NewRequest {
                client_id: client_id.clone(),
                request_id: request_id.clone(),
                total,
                created_at,
                expires_at,
            };
            Ok(Some(RequestStatus { request, completed, failed, items }))
        })
        .await
    }
}
