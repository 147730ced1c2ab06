//! Ledgers.

use async_trait::async_trait;
use perf_core::model::{EntityKey, LedgerMonth, Word, read};
use perf_core::ports::{Commit, LedgerCommit, LedgerReader, LedgerWriter, PortError, StoredLedger};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Failure, SqliteStore, as_revision, as_stored};

fn revision(connection: &Connection, entity: &EntityKey) -> Result<u64, Failure> {
    const SQL: &str =
        "SELECT revision FROM ledgers WHERE client_id = ?1 AND entity_type = ?2 AND entity_id = ?3";
    let key = params![entity.client_id.as_str(), entity.entity_type.word(), entity.entity_id.as_str()];
    let stored: Option<i64> = connection.prepare_cached(SQL)?.query_row(key, |row| row.get(0)).optional()?;
    Ok(as_revision(stored.unwrap_or_default()))
}

fn months(connection: &Connection, entity: &EntityKey) -> Result<Vec<LedgerMonth>, Failure> {
    const SQL: &str = "SELECT entries FROM ledger_months
        WHERE client_id = ?1 AND entity_type = ?2 AND entity_id = ?3 ORDER BY month";
    let key = params![entity.client_id.as_str(), entity.entity_type.word(), entity.entity_id.as_str()];
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query(key)?;
    let mut months = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        months.push(read::ledger_month(text.as_bytes()).map_err(|problem| Failure::stored(problem.detail))?);
    }
    Ok(months)
}

fn store(connection: &Connection, entity: &EntityKey, month: &LedgerMonth) -> Result<(), Failure> {
    const PUT: &str = "INSERT INTO ledger_months (client_id, entity_type, entity_id, month, entries)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET entries = excluded.entries";
    const REMOVE: &str = "DELETE FROM ledger_months
        WHERE client_id = ?1 AND entity_type = ?2 AND entity_id = ?3 AND month = ?4";
    let (client, level, name) =
        (entity.client_id.as_str(), entity.entity_type.word(), entity.entity_id.as_str());
    if month.valuations.is_empty() && month.transactions.is_empty() {
        connection.prepare_cached(REMOVE)?.execute(params![client, level, name, month.month])?;
    } else {
        let text = serde_json::to_string(month).map_err(Failure::stored)?;
        connection.prepare_cached(PUT)?.execute(params![client, level, name, month.month, text])?;
    }
    Ok(())
}

#[async_trait]
impl LedgerReader for SqliteStore {
    async fn read_ledger(&self, entity: &EntityKey) -> Result<StoredLedger, PortError> {
        let entity = entity.clone();
        self.run(move |connection| {
            // Both queries see the same commit.
            let transaction = connection.transaction()?;
            let revision = revision(&transaction, &entity)?;
            Ok(StoredLedger { revision, months: months(&transaction, &entity)? })
        })
        .await
    }
}

#[async_trait]
impl LedgerWriter for SqliteStore {
    async fn commit_ledger(&self, commit: &LedgerCommit) -> Result<Commit, PortError> {
        const HEADER: &str = "INSERT INTO ledgers (client_id, entity_type, entity_id, revision)
            VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET revision = excluded.revision";
        let commit = commit.clone();
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let entity = &commit.entity;
            if revision(&transaction, entity)? != commit.expected {
                return Ok(Commit::Conflict);
            }
            for month in &commit.months {
                store(&transaction, entity, month)?;
            }
            let next = commit.expected.saturating_add(1);
            transaction.prepare_cached(HEADER)?.execute(params![
                entity.client_id.as_str(),
                entity.entity_type.word(),
                entity.entity_id.as_str(),
                as_stored(next)
            ])?;
            transaction.commit()?;
            Ok(Commit::Done(next))
        })
        .await
    }
}
