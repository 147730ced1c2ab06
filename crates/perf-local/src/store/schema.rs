//! The tables, and how an older file becomes a present one.

use rusqlite::{Connection, TransactionBehavior};

use super::Failure;

/// One step for each version; a step that has been released is never changed.
const STEPS: [&str; 2] = [
    "
CREATE TABLE results (
    client_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    account_id TEXT,
    is_current INTEGER NOT NULL,
    is_withdrawn INTEGER NOT NULL,
    time_period TEXT NOT NULL,
    input_revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    result TEXT NOT NULL,
    PRIMARY KEY (client_id, entity_type, entity_id, sort_key)
) WITHOUT ROWID;
CREATE INDEX results_by_client ON results (client_id, entity_type, entity_id, sort_key)
    WHERE is_current = 1;
CREATE INDEX results_by_account ON results (client_id, account_id, entity_type, entity_id, sort_key)
    WHERE is_current = 1;

CREATE TABLE ledgers (
    client_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (client_id, entity_type, entity_id)
) WITHOUT ROWID;
CREATE TABLE ledger_months (
    client_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    month TEXT NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (client_id, entity_type, entity_id, month)
) WITHOUT ROWID;

CREATE TABLE requests (
    client_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    total INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (client_id, request_id)
) WITHOUT ROWID;
CREATE INDEX requests_by_expiry ON requests (expires_at_ms);
CREATE TABLE request_items (
    client_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    item INTEGER NOT NULL,
    is_completed INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (client_id, request_id, item),
    FOREIGN KEY (client_id, request_id) REFERENCES requests ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE idempotency (
    client_id TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    token TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (client_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at_ms);

CREATE TABLE messages (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    visible_at_ms INTEGER NOT NULL,
    receive_count INTEGER NOT NULL,
    receipt TEXT UNIQUE
);
CREATE INDEX messages_by_visibility ON messages (visible_at_ms);
CREATE TABLE dead_letters (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL
);
",
    "
CREATE TABLE blobs (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (bucket, key)
);
",
];

/// Takes the steps that the file has not seen.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(steps) = usize::try_from(version).ok().and_then(|version| STEPS.get(version..)) else {
        return Err(Failure::Stored("the file was made by a newer version".to_owned()));
    };
    for (next, step) in (version + 1..).zip(steps) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", next)?;
    }
    transaction.commit()?;
    Ok(())
}
