//! Results.

use async_trait::async_trait;
use perf_core::model::{CompletedResult, EntityKey, EntityType, Identifier, WindowName, Word, read};
use perf_core::ports::{
    CurrentPosition, CurrentResults, Page, PortError, Position, PutOutcome, ResultFilter, ResultReader,
    ResultRow, ResultWriter, Slice,
};
use rusqlite::{Connection, Row, ToSql, named_params, params};

use super::{Failure, SqliteStore, as_stored};

/// The first sort key that is no date.
const FIRST_UNDATED: &str = ":";
/// What comes right after the `#` that follows a date in a sort key.
const AFTER_DATE: char = '$';

const PUT: &str = "
    INSERT INTO results (client_id, entity_type, entity_id, sort_key, account_id, is_current, is_withdrawn,
        time_period, input_revision, created_at, updated_at, result)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT DO UPDATE SET account_id = excluded.account_id, is_current = excluded.is_current,
        is_withdrawn = excluded.is_withdrawn, time_period = excluded.time_period,
        input_revision = excluded.input_revision, updated_at = excluded.updated_at, result = excluded.result
    WHERE excluded.input_revision >= results.input_revision";
const COLUMNS: &str = "sort_key, is_current, is_withdrawn, created_at, updated_at, result";

#[async_trait]
impl ResultWriter for SqliteStore {
    async fn put_results(&self, rows: &[ResultRow]) -> Result<Vec<PutOutcome>, PortError> {
        let rows = rows.to_vec();
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            let outcomes = rows.iter().map(|row| put(&transaction, row)).collect::<Result<_, Failure>>()?;
            transaction.commit()?;
            Ok(outcomes)
        })
        .await
    }
}

fn put(connection: &Connection, row: &ResultRow) -> Result<PutOutcome, Failure> {
    let result = &row.result;
    let written = connection.prepare_cached(PUT)?.execute(params![
        result.client_id.as_str(),
        result.entity_type.word(),
        result.entity_id.as_str(),
        row.sort_key,
        result.account_id.as_ref().map(Identifier::as_str),
        row.current,
        row.withdrawn,
        result.time_period.word(),
        as_stored(result.input_revision),
        row.created_at,
        row.updated_at,
        serde_json::to_string(result).map_err(Failure::stored)?,
    ])?;
    Ok(if written == 1 { PutOutcome::Written } else { PutOutcome::Outdated })
}

fn select(
    connection: &Connection,
    rest: &str,
    values: &[(&str, &dyn ToSql)],
) -> Result<Vec<ResultRow>, Failure> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM results {rest}"))?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(result_row(row)?);
    }
    Ok(found)
}

fn result_row(row: &Row<'_>) -> Result<ResultRow, Failure> {
    let text: String = row.get(5)?;
    let result: CompletedResult =
        read::completed(text.as_bytes()).map_err(|problem| Failure::stored(problem.detail))?;
    Ok(ResultRow {
        sort_key: row.get(0)?,
        current: row.get(1)?,
        withdrawn: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
        result,
    })
}

/// The rows of a page, one having been read beyond it to see whether there are more.
fn slice<P>(mut rows: Vec<ResultRow>, limit: u32, position: impl Fn(&ResultRow) -> P) -> Slice<P> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(position);
    Slice { rows, next }
}

#[async_trait]
impl ResultReader for SqliteStore {
    async fn results_of(
        &self,
        entity: &EntityKey,
        filter: &ResultFilter,
        page: &Page<Position>,
    ) -> Result<Slice<Position>, PortError> {
        const REST: &str = "
            WHERE client_id = :client_id AND entity_type = :entity_type AND entity_id = :entity_id
                AND sort_key >= :from AND sort_key < :to AND sort_key < :after
                AND (:time_period IS NULL OR time_period = :time_period) AND is_withdrawn = 0
            ORDER BY sort_key DESC LIMIT :limit";
        let (entity, filter, page) = (entity.clone(), *filter, page.clone());
        self.run(move |connection| {
            let rows = select(
                connection,
                REST,
                named_params! {
                    ":client_id": entity.client_id.as_str(),
                    ":entity_type": entity.entity_type.word(),
                    ":entity_id": entity.entity_id.as_str(),
                    ":from": filter.from.map(|date| date.to_string()).unwrap_or_default(),
                    ":to": filter.to.map_or_else(|| FIRST_UNDATED.to_owned(), |date| format!("{date}{AFTER_DATE}")),
                    ":after": page.after.as_deref().unwrap_or(FIRST_UNDATED),
                    ":time_period": filter.time_period.map(WindowName::word),
                    ":limit": i64::from(page.limit) + 1,
                },
            )?;
            Ok(slice(rows, page.limit, |row| row.sort_key.clone()))
        })
        .await
    }

    async fn current_of(&self, entity: &EntityKey) -> Result<Vec<ResultRow>, PortError> {
        const REST: &str = "
            WHERE client_id = :client_id AND entity_type = :entity_type AND entity_id = :entity_id
                AND is_current = 1";
        let entity = entity.clone();
        self.run(move |connection| {
            let values = named_params! {
                ":client_id": entity.client_id.as_str(),
                ":entity_type": entity.entity_type.word(),
                ":entity_id": entity.entity_id.as_str(),
            };
            select(connection, REST, values)
        })
        .await
    }
}

impl SqliteStore {
    async fn current(
        &self,
        client_id: &Identifier,
        account_id: Option<&Identifier>,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError> {
        const OF_CLIENT: &str = "
            WHERE client_id = :client_id AND :account_id IS NULL AND is_current = 1 AND is_withdrawn = 0
                AND (entity_type, entity_id, sort_key) > (:entity_type, :entity_id, :sort_key)
            ORDER BY entity_type, entity_id, sort_key LIMIT :limit";
        const OF_ACCOUNT: &str = "
            WHERE client_id = :client_id AND account_id = :account_id AND is_current = 1 AND is_withdrawn = 0
                AND (entity_type, entity_id, sort_key) > (:entity_type, :entity_id, :sort_key)
            ORDER BY entity_type, entity_id, sort_key LIMIT :limit";
        let (client_id, account_id, page) = (client_id.clone(), account_id.cloned(), page.clone());
        self.run(move |connection| {
            let after = page.after.as_ref();
            let values = named_params! {
                ":client_id": client_id.as_str(),
                ":account_id": account_id.as_ref().map(Identifier::as_str),
                ":entity_type": after.map_or("", |position| EntityType::word(position.entity_type)),
                ":entity_id": after.map_or("", |position| position.entity_id.as_str()),
                ":sort_key": after.map_or("", |position| &position.sort_key),
                ":limit": i64::from(page.limit) + 1,
            };
            let rest = if account_id.is_some() { OF_ACCOUNT } else { OF_CLIENT };
            let rows = select(connection, rest, values)?;
            Ok(slice(rows, page.limit, |row| CurrentPosition {
                entity_type: row.result.entity_type,
                entity_id: row.result.entity_id.clone(),
                sort_key: row.sort_key.clone(),
            }))
        })
        .await
    }
}

#[async_trait]
impl CurrentResults for SqliteStore {
    async fn current_of_client(
        &self,
        client_id: &Identifier,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError> {
        self.current(client_id, None, page).await
    }

    async fn current_of_account(
        &self,
        client_id: &Identifier,
        account_id: &Identifier,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError> {
        self.current(client_id, Some(account_id), page).await
    }
}
