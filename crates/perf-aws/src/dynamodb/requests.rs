//! Status of requests: a header, and an item each for what has ended.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use perf_core::model::Identifier;
use perf_core::parallel::{ItemError, process_each};
use perf_core::ports::{
    ItemOutcome, Itemized, NewRequest, PortError, RequestLog, RequestReader, RequestStatus,
};

use super::item::{
    Item, flag, get_flag, get_number, get_text, get_time, millis, number, text, time_to_live, unreadable,
};
use super::{StateTable, Table};
use crate::error::{is_done, port_error};

/// Sort key of the header; it comes before every item.
const HEADER: &str = "#header";
/// Items written at once.
const WRITES_AT_ONCE: NonZeroUsize = NonZeroUsize::new(8).expect("not zero");

fn id(client_id: &Identifier, request_id: &Identifier) -> AttributeValue {
    text(format!("{client_id}#request#{request_id}"))
}

fn key(client_id: &Identifier, request_id: &Identifier, item: String) -> Item {
    HashMap::from([("id".to_owned(), id(client_id, request_id)), ("item".to_owned(), text(item))])
}

fn request(header: &Item, client_id: &Identifier, request_id: &Identifier) -> Result<NewRequest, PortError> {
    Ok(NewRequest {
        client_id: client_id.clone(),
        request_id: request_id.clone(),
        total: get_number(header, "total")?,
        created_at: get_time(header, "created_at_ms")?,
        expires_at: get_time(header, "expires_at_ms")?,
    })
}

impl StateTable {
    async fn header(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
    ) -> Result<Option<NewRequest>, PortError> {
        let Table { client, name } = &self.0;
        let read = client.get_item().table_name(name).consistent_read(true);
        let answer = read.set_key(Some(key(client_id, request_id, HEADER.to_owned()))).send().await;
        let answer = answer.map_err(|error| port_error("read request", &error))?;
        answer.item.map(|header| request(&header, client_id, request_id)).transpose()
    }

    /// Notes one item, unless it is done. What is left of an earlier request of the
    /// name, which was forgotten before this one was made, is written over.
    async fn record(
        self,
        request: NewRequest,
        Itemized { item, outcome }: Itemized,
    ) -> Result<(), PortError> {
        let Table { client, name } = &self.0;
        let mut entry = key(&request.client_id, &request.request_id, format!("{item:010}"));
        let is_completed = matches!(outcome, ItemOutcome::Completed { .. });
        let outcome =
            serde_json::to_string(&outcome).map_err(|error| PortError::permanent(error.to_string()))?;
        entry.extend([
            ("is_completed".to_owned(), flag(is_completed)),
            ("outcome".to_owned(), text(outcome)),
            ("expires_at_ms".to_owned(), millis(request.expires_at)),
            ("expires_at".to_owned(), time_to_live(request.expires_at)),
        ]);
        let put = client
            .put_item()
            .table_name(name)
            .set_item(Some(entry))
            .condition_expression("attribute_not_exists(#id) OR #completed = :no OR #expires <= :created")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#completed", "is_completed")
            .expression_attribute_names("#expires", "expires_at_ms")
            .expression_attribute_values(":no", flag(false))
            .expression_attribute_values(":created", millis(request.created_at));
        is_done("record item", put.send().await).map(drop)
    }
}

#[async_trait]
impl RequestLog for StateTable {
    async fn create_request(&self, request: &NewRequest) -> Result<(), PortError> {
        let Table { client, name } = &self.0;
        let mut header = key(&request.client_id, &request.request_id, HEADER.to_owned());
        header.extend([
            ("total".to_owned(), number(request.total)),
            ("created_at_ms".to_owned(), millis(request.created_at)),
            ("expires_at_ms".to_owned(), millis(request.expires_at)),
            ("expires_at".to_owned(), time_to_live(request.expires_at)),
        ]);
        let put = client
            .put_item()
            .table_name(name)
            .set_item(Some(header))
            .condition_expression("attribute_not_exists(#id) OR #expires <= :now")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#expires", "expires_at_ms")
            .expression_attribute_values(":now", millis(request.created_at));
        is_done("create request", put.send().await).map(drop)
    }

    async fn record_items(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
        items: &[Itemized],
    ) -> Result<(), PortError> {
        let Some(request) = self.header(client_id, request_id).await? else { return Ok(()) };
        let items: Vec<Itemized> = items.iter().filter(|item| item.item < request.total).cloned().collect();
        let table = self.clone();
        // The last of several outcomes of one item counts: they go one after the other.
        let mut rounds: Vec<Vec<Itemized>> = Vec::new();
        for item in items {
            match rounds.last_mut() {
                Some(round) if round.iter().all(|known| known.item != item.item) => round.push(item),
                _ => rounds.push(vec![item]),
            }
        }
        for round in rounds {
            let (table, request) = (table.clone(), request.clone());
            let write = move |item| table.clone().record(request.clone(), item);
            for outcome in process_each(round, WRITES_AT_ONCE, write, "items").await {
                outcome.map_err(port)?;
            }
        }
        Ok(())
    }
}

/// The error of a write that was one of several.
pub(super) fn port(error: ItemError<PortError>) -> PortError {
    match error {
        ItemError::Failed(error) => error,
        other => PortError::transient(other.to_string()),
    }
}

#[async_trait]
impl RequestReader for StateTable {
    async fn read_request(
        &self,
        client_id: &Identifier,
        request_id: &Identifier,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Option<RequestStatus>, PortError> {
        let Table { client, name } = &self.0;
        let query = client
            .query()
            .table_name(name)
            .consistent_read(true)
            .key_condition_expression("#id = :id")
            .expression_attribute_names("#id", "id")
            .expression_attribute_values(":id", id(client_id, request_id));
        let mut entries = Vec::new();
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            entries
                .extend(page.map_err(|error| port_error("read request", &error))?.items.unwrap_or_default());
        }
        let mut entries = entries.into_iter();
        let header = entries.next().filter(|first| get_text(first, "item").is_ok_and(|item| item == HEADER));
        let Some(header) = header else { return Ok(None) };
        let request = request(&header, client_id, request_id)?;
        if request.expires_at <= now {
            return Ok(None);
        }
        let mut status = RequestStatus { request, completed: 0, failed: 0, items: Vec::new() };
        for entry in entries {
            if get_time(&entry, "expires_at_ms")? <= status.request.created_at {
                continue;
            }
            let count =
                if get_flag(&entry, "is_completed") { &mut status.completed } else { &mut status.failed };
            *count = count.saturating_add(1);
            if status.items.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
                let item = get_text(&entry, "item")?.parse().map_err(|_| unreadable("item"))?;
                let outcome = serde_json::from_str(get_text(&entry, "outcome")?);
                status.items.push(Itemized { item, outcome: outcome.map_err(|_| unreadable("outcome"))? });
            }
        }
        Ok(Some(status))
    }
}
