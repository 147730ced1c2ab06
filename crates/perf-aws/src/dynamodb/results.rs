//! Results. An item has the attributes that people and tools look for, and `result`,
//! the text that results are read from again.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use perf_core::model::{EntityKey, EntityType, Identifier, Outcome, WindowName, Word, read};
use perf_core::number::Rounded;
use perf_core::parallel::process_each;
use perf_core::ports::{
    CurrentPosition, CurrentResults, Page, PortError, Position, PutOutcome, ResultFilter, ResultReader,
    ResultRow, ResultWriter, SERIES_METRICS, Slice,
};

use super::item::{Item, flag, get_flag, get_text, number, text, unreadable};
use super::requests::port;
use super::{ResultsTable, Table};
use crate::error::{is_done, port_error};

/// Begin of the sort keys of current results.
const CURRENT_PREFIX: &str = "latest#";
/// Sort keys before and after every date.
const BEFORE_DATES: &str = "0";
const AFTER_DATES: &str = ":";
/// What comes right after the `#` that follows a date in a sort key.
const AFTER_DATE: char = '$';
/// Largest and smallest power of ten of DynamoDB's numbers.
const NUMBER_MAGNITUDES: std::ops::RangeInclusive<f64> = 1e-130..=9e125;
/// Rows written at once.
const WRITES_AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).expect("not zero");

/// A figure, if DynamoDB can hold it.
fn figure(figure: Rounded) -> Option<AttributeValue> {
    let text = figure.to_string();
    let magnitude: f64 = text.parse::<f64>().ok()?.abs();
    (magnitude == 0.0 || NUMBER_MAGNITUDES.contains(&magnitude)).then_some(AttributeValue::N(text))
}

/// The attributes of a row beside its key and the time of its making.
fn attributes(row: &ResultRow) -> Result<Item, PortError> {
    let result = &row.result;
    let json = serde_json::to_string(result).map_err(|error| PortError::permanent(error.to_string()))?;
    let mut metrics = HashMap::new();
    let mut undefined = HashMap::new();
    for (metric, outcome) in &result.metrics.0 {
        match outcome {
            Ok(value) => metrics.extend(figure(*value).map(|value| (metric.word().to_owned(), value))),
            Err(reason) => drop(undefined.insert(metric.word().to_owned(), text(reason.word()))),
        }
    }
    let mut item = HashMap::from([
        ("entity_type".to_owned(), text(result.entity_type.word())),
        ("entity_id".to_owned(), text(result.entity_id.as_str())),
        ("time_period".to_owned(), text(result.time_period.word())),
        ("calculation_method".to_owned(), text(result.calculation_method.word())),
        ("request_id".to_owned(), text(&result.request_id)),
        ("updated_at".to_owned(), text(&row.updated_at)),
        ("input_hash".to_owned(), text(&result.input_hash)),
        ("input_revision".to_owned(), number(result.input_revision)),
        ("engine_version".to_owned(), text(&result.engine_version)),
        ("metrics".to_owned(), AttributeValue::M(metrics)),
        ("undefined".to_owned(), AttributeValue::M(undefined)),
        ("is_withdrawn".to_owned(), flag(row.withdrawn)),
        ("result".to_owned(), text(json)),
    ]);
    for metric in SERIES_METRICS {
        let outcome: Option<Outcome> = result.metrics.get(metric);
        let value = outcome.and_then(Result::ok).and_then(figure);
        item.extend(value.map(|value| (metric.word().to_owned(), value)));
    }
    // The indexes list what carries these: current results that stand.
    if row.current && !row.withdrawn {
        item.insert("client_id".to_owned(), text(result.client_id.as_str()));
        let account = result.account_id.as_ref().map(|account| account_key(&result.client_id, account));
        item.extend(account.map(|account| ("account_id".to_owned(), text(account))));
    }
    Ok(item)
}

fn account_key(client_id: &Identifier, account_id: &Identifier) -> String {
    format!("{client_id}#{account_id}")
}

fn key(entity: &EntityKey, sort_key: &str) -> Item {
    HashMap::from([
        ("id".to_owned(), text(entity.to_string())),
        ("calculation_date".to_owned(), text(sort_key)),
    ])
}

/// Attributes that a row may lack, and its predecessor may have.
fn optional() -> impl Iterator<Item = &'static str> {
    SERIES_METRICS.into_iter().map(Word::word).chain(["client_id", "account_id"])
}

fn row(item: &Item) -> Result<ResultRow, PortError> {
    let result = read::completed(get_text(item, "result")?.as_bytes());
    let sort_key = get_text(item, "calculation_date")?.to_owned();
    Ok(ResultRow {
        current: sort_key.starts_with(CURRENT_PREFIX),
        sort_key,
        withdrawn: get_flag(item, "is_withdrawn"),
        result: result.map_err(|problem| unreadable(&problem.detail))?,
        created_at: get_text(item, "created_at")?.to_owned(),
        updated_at: get_text(item, "updated_at")?.to_owned(),
    })
}

impl ResultsTable {
    async fn put(self, row: ResultRow) -> Result<PutOutcome, PortError> {
        let Table { client, name } = &self.0;
        let attributes = attributes(&row)?;
        let removed: Vec<&str> = optional().filter(|name| !attributes.contains_key(*name)).collect();
        let mut sets = vec!["#created_at = if_not_exists(#created_at, :created_at)".to_owned()];
        let mut update = client
            .update_item()
            .table_name(name)
            .set_key(Some(key(&row.result.entity(), &row.sort_key)))
            .condition_expression("attribute_not_exists(#id) OR #input_revision <= :input_revision")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#created_at", "created_at")
            .expression_attribute_values(":created_at", text(&row.created_at));
        for (name, value) in attributes {
            sets.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), &name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        for name in &removed {
            update = update.expression_attribute_names(format!("#{name}"), *name);
        }
        let removes: Vec<String> = removed.iter().map(|name| format!("#{name}")).collect();
        let removes =
            if removes.is_empty() { String::new() } else { format!(" REMOVE {}", removes.join(", ")) };
        let update = update.update_expression(format!("SET {}{removes}", sets.join(", ")));
        let is_done = is_done("put result", update.send().await)?;
        Ok(if is_done { PutOutcome::Written } else { PutOutcome::Outdated })
    }

    fn query(&self) -> QueryFluentBuilder {
        let Table { client, name } = &self.0;
        client.query().table_name(name)
    }

    /// Current results that an index lists under a key.
    async fn listed(
        &self,
        (index, attribute): (&str, &str),
        value: String,
        client_id: &Identifier,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError> {
        let start = page.after.as_ref().map(|position| {
            let CurrentPosition { entity_type, entity_id, sort_key } = position;
            let (client_id, entity_id) = (client_id.clone(), entity_id.clone());
            let mut start = key(&EntityKey { client_id, entity_type: *entity_type, entity_id }, sort_key);
            start.insert(attribute.to_owned(), text(&value));
            start.insert("entity_type".to_owned(), text(EntityType::word(*entity_type)));
            start
        });
        let query = self
            .query()
            .index_name(index)
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", text(&value))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(page.limit).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(|error| port_error("list results", &error))?;
        let rows = answer.items().iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let position = |row: &ResultRow| CurrentPosition {
            entity_type: row.result.entity_type,
            entity_id: row.result.entity_id.clone(),
            sort_key: row.sort_key.clone(),
        };
        let next = rows.last().filter(|_| answer.last_evaluated_key.is_some()).map(position);
        Ok(Slice { rows, next })
    }
}

#[async_trait]
impl ResultWriter for ResultsTable {
    async fn put_results(&self, rows: &[ResultRow]) -> Result<Vec<PutOutcome>, PortError> {
        let mut outcomes = Vec::with_capacity(rows.len());
        // Dated rows are all written before a current one is: the caller's order.
        for group in rows.chunk_by(|one, other| one.current == other.current) {
            let table = self.clone();
            let write = move |row| table.clone().put(row);
            for outcome in process_each(group.to_vec(), WRITES_AT_ONCE, write, "results").await {
                outcomes.push(outcome.map_err(port)?);
            }
        }
        Ok(outcomes)
    }
}

#[async_trait]
impl ResultReader for ResultsTable {
    async fn results_of(
        &self,
        entity: &EntityKey,
        filter: &ResultFilter,
        page: &Page<Position>,
    ) -> Result<Slice<Position>, PortError> {
        let from = filter.from.map_or_else(|| BEFORE_DATES.to_owned(), |date| date.to_string());
        let to = filter.to.map_or_else(|| AFTER_DATES.to_owned(), |date| format!("{date}{AFTER_DATE}"));
        let to = page.after.clone().filter(|after| *after < to).unwrap_or(to);
        if to < from {
            return Ok(Slice { rows: Vec::new(), next: None });
        }
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let mut query = self
            .query()
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("#id = :id AND #date BETWEEN :from AND :to")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#date", "calculation_date")
            .expression_attribute_names("#withdrawn", "is_withdrawn")
            .expression_attribute_values(":id", text(entity.to_string()))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .expression_attribute_values(":no", flag(false))
            // One more than wanted says whether there are more, and one is the position.
            .limit(i32::try_from(limit.saturating_add(2)).unwrap_or(i32::MAX));
        let mut condition = "#withdrawn = :no".to_owned();
        if let Some(window) = filter.time_period {
            condition += " AND #time_period = :time_period";
            query = query
                .expression_attribute_names("#time_period", "time_period")
                .expression_attribute_values(":time_period", text(WindowName::word(window)));
        }
        let mut pages = query.filter_expression(condition).into_paginator().send();
        let mut rows = Vec::new();
        while rows.len() <= limit
            && let Some(found) = pages.next().await
        {
            let found = found.map_err(|error| port_error("read results", &error))?;
            for item in found.items() {
                let row = row(item)?;
                if page.after.as_ref() != Some(&row.sort_key) {
                    rows.push(row);
                }
            }
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.sort_key.clone());
        Ok(Slice { rows, next })
    }

    async fn current_of(&self, entity: &EntityKey) -> Result<Vec<ResultRow>, PortError> {
        let query = self
            .query()
            .consistent_read(true)
            .key_condition_expression("#id = :id AND begins_with(#date, :prefix)")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#date", "calculation_date")
            .expression_attribute_values(":id", text(entity.to_string()))
            .expression_attribute_values(":prefix", text(CURRENT_PREFIX));
        let mut pages = query.into_paginator().send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("read results", &error))?;
            for item in page.items() {
                rows.push(row(item)?);
            }
        }
        Ok(rows)
    }
}

#[async_trait]
impl CurrentResults for ResultsTable {
    async fn current_of_client(
        &self,
        client_id: &Identifier,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError> {
        self.listed(("ClientIndex", "client_id"), client_id.to_string(), client_id, page).await
    }

    async fn current_of_account(
        &self,
        client_id: &Identifier,
        account_id: &Identifier,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError> {
        self.listed(("AccountIndex", "account_id"), account_key(client_id, account_id), client_id, page).await
    }
}
