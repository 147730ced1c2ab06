//! Ledgers: a header that holds the revision, and an item a month.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use perf_core::model::{EntityKey, LedgerMonth, read};
use perf_core::ports::{Commit, LedgerCommit, LedgerReader, LedgerWriter, PortError, StoredLedger};
use serde_json::{Value, json};

use super::item::{Item, attribute, get_number, get_text, number, text, unreadable, value};
use super::{LedgerTable, Table};
use crate::error::{by_code, port_error};

/// Sort key of the header; it comes before every month.
const HEADER: &str = "#header";
/// Reads of one ledger while others change it.
const READS_MAX: u32 = 5;
/// Reasons for which a transaction gives way to another one.
const OVERTAKEN: [&str; 2] = ["ConditionalCheckFailed", "TransactionConflict"];
/// Reasons for which it may succeed later.
const THROTTLED: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];
const BAD_REQUEST: u16 = 400;

fn key(entity: &EntityKey, month: &str) -> Item {
    HashMap::from([("id".to_owned(), text(entity.to_string())), ("month".to_owned(), text(month))])
}

/// The rows of a month as a map by the member that names them.
fn rows(month: &mut Value, list: &str, name: &str) -> Result<AttributeValue, PortError> {
    let Some(Value::Array(rows)) = month.get_mut(list).map(Value::take) else {
        return Err(unreadable(list));
    };
    let mut named = HashMap::new();
    for mut row in rows {
        let removed = row.as_object_mut().and_then(|row| row.remove(name));
        let Some(Value::String(key)) = removed else { return Err(unreadable(name)) };
        named.insert(key, attribute(row));
    }
    Ok(AttributeValue::M(named))
}

fn item(entity: &EntityKey, month: &LedgerMonth) -> Result<Item, PortError> {
    let mut json = serde_json::to_value(month).map_err(|error| PortError::permanent(error.to_string()))?;
    let mut item = key(entity, &month.month);
    item.insert("valuations".to_owned(), rows(&mut json, "valuations", "date")?);
    item.insert("transactions".to_owned(), rows(&mut json, "transactions", "transaction_id")?);
    Ok(item)
}

/// The rows of a map, in the order of their names.
fn list(item: &Item, list: &str, name: &str) -> Result<Vec<Value>, PortError> {
    let named = item.get(list).and_then(|rows| rows.as_m().ok()).ok_or_else(|| unreadable(list))?;
    let mut names: Vec<(&String, &AttributeValue)> = named.iter().collect();
    names.sort_by_key(|(name, _)| *name);
    let row = |(key, row): (&String, &AttributeValue)| {
        let mut row = value(row)?;
        row.as_object_mut().ok_or_else(|| unreadable(list))?.insert(name.to_owned(), json!(key));
        Ok(row)
    };
    names.into_iter().map(row).collect()
}

fn month(item: &Item) -> Result<LedgerMonth, PortError> {
    let json = json!({
        "month": get_text(item, "month")?,
        "valuations": list(item, "valuations", "date")?,
        "transactions": list(item, "transactions", "transaction_id")?,
    });
    read::ledger_month(json.to_string().as_bytes()).map_err(|problem| unreadable(&problem.detail))
}

impl LedgerTable {
    async fn items(&self, entity: &EntityKey) -> Result<Vec<Item>, PortError> {
        let Table { client, name } = &self.0;
        let query = client
            .query()
            .table_name(name)
            .consistent_read(true)
            .key_condition_expression("#id = :id")
            .expression_attribute_names("#id", "id")
            .expression_attribute_values(":id", text(entity.to_string()));
        let mut pages = query.into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|error| port_error("read ledger", &error))?.items.unwrap_or_default());
        }
        Ok(items)
    }

    async fn revision(&self, entity: &EntityKey) -> Result<u64, PortError> {
        let Table { client, name } = &self.0;
        let header = client.get_item().table_name(name).consistent_read(true);
        let answer = header.set_key(Some(key(entity, HEADER))).send().await;
        let answer = answer.map_err(|error| port_error("read ledger", &error))?;
        answer.item.map_or(Ok(0), |header| get_number(&header, "revision"))
    }
}

#[async_trait]
impl LedgerReader for LedgerTable {
    /// A query sees each item as some commit left it; the header, read again, says
    /// whether it was one commit.
    async fn read_ledger(&self, entity: &EntityKey) -> Result<StoredLedger, PortError> {
        for _ in 0..READS_MAX {
            let mut items = self.items(entity).await?;
            let is_header = |item: &Item| {
                item.get("month").and_then(|name| name.as_s().ok()).is_some_and(|name| name == HEADER)
            };
            let place = items.iter().position(is_header);
            let revision = place.map_or(Ok(0), |place| get_number(&items.swap_remove(place), "revision"))?;
            if self.revision(entity).await? == revision {
                let mut months = items.iter().map(month).collect::<Result<Vec<_>, _>>()?;
                months.sort_by(|one, other| one.month.cmp(&other.month));
                return Ok(StoredLedger { revision, months });
            }
        }
        Err(PortError::transient("the ledger changes faster than it can be read"))
    }
}

/// The header at its next revision, unless it has another one than expected.
fn header(table: &str, entity: &EntityKey, expected: u64) -> Result<TransactWriteItem, PortError> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key(entity, HEADER)))
        .update_expression("SET #revision = :next")
        .condition_expression(if expected == 0 {
            "attribute_not_exists(#revision)"
        } else {
            "#revision = :expected"
        })
        .expression_attribute_names("#revision", "revision")
        .expression_attribute_values(":next", number(expected.saturating_add(1)));
    let update = match expected {
        0 => update,
        _ => update.expression_attribute_values(":expected", number(expected)),
    };
    let update = update.build().map_err(|error| PortError::permanent(error.to_string()))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn change(table: &str, entity: &EntityKey, month: &LedgerMonth) -> Result<TransactWriteItem, PortError> {
    let incomplete =
        |error: aws_smithy_types::error::operation::BuildError| PortError::permanent(error.to_string());
    let change = TransactWriteItem::builder();
    if month.valuations.is_empty() && month.transactions.is_empty() {
        let delete = Delete::builder().table_name(table).set_key(Some(key(entity, &month.month)));
        return Ok(change.delete(delete.build().map_err(incomplete)?).build());
    }
    let put = Put::builder().table_name(table).set_item(Some(item(entity, month)?));
    Ok(change.put(put.build().map_err(incomplete)?).build())
}

#[async_trait]
impl LedgerWriter for LedgerTable {
    async fn commit_ledger(&self, commit: &LedgerCommit) -> Result<Commit, PortError> {
        let Table { client, name } = &self.0;
        let LedgerCommit { entity, expected, months } = commit;
        let mut changes = vec![header(name, entity, *expected)?];
        for month in months {
            changes.push(change(name, entity, month)?);
        }
        let answer = client.transact_write_items().set_transact_items(Some(changes)).send().await;
        let Err(error) = answer else { return Ok(Commit::Done(expected.saturating_add(1))) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
        else {
            return Err(port_error("commit ledger", &error));
        };
        let reasons = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
        match reasons.filter(|code| *code != "None").find(|code| !OVERTAKEN.contains(code)) {
            None if !cancelled.cancellation_reasons().is_empty() => Ok(Commit::Conflict),
            None => Err(port_error("commit ledger", &error)),
            Some(code) => {
                let code = if THROTTLED.contains(&code) { "ThrottlingException" } else { code };
                Err(by_code("commit ledger", code, BAD_REQUEST, error.message().unwrap_or_default()))
            }
        }
    }
}
