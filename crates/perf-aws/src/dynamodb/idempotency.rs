//! Calls that are answered once.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use chrono::{DateTime, Utc};
use perf_core::ports::{Begun, Idempotency, IdempotencyKey, PortError, SavedResponse};

use super::item::{Item, get_number, get_text, millis, number, text, time_to_live};
use super::{StateTable, Table};
use crate::error::{is_done, port_error};

/// The one item of a call.
const CALL: &str = "#call";
/// Largest answer that an item holds beside its other attributes.
const ANSWER_BYTES_MAX: usize = 380_000;

fn key(key: &IdempotencyKey) -> Item {
    let id = format!("{}#call#{}", key.client_id, key.key);
    HashMap::from([("id".to_owned(), text(id)), ("item".to_owned(), text(CALL))])
}

/// What an attempt that was made before means for another one.
fn known(item: &Item, body_hash: &str) -> Result<Begun, PortError> {
    if get_text(item, "body_hash")? != body_hash {
        return Ok(Begun::OtherBody);
    }
    if !item.contains_key("status") {
        return Ok(Begun::InProgress);
    }
    let (status, body) = (get_number(item, "status")?, get_text(item, "body")?.to_owned());
    Ok(Begun::Answered(SavedResponse { status, body }))
}

#[async_trait]
impl Idempotency for StateTable {
    async fn begin(
        &self,
        call: &IdempotencyKey,
        body_hash: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Begun, PortError> {
        let Table { client, name } = &self.0;
        let token = uuid::Uuid::new_v4().to_string();
        let mut attempt = key(call);
        attempt.extend([
            ("body_hash".to_owned(), text(body_hash)),
            ("token".to_owned(), text(&token)),
            ("expires_at_ms".to_owned(), millis(lease_until)),
            ("expires_at".to_owned(), time_to_live(lease_until)),
        ]);
        let put = client
            .put_item()
            .table_name(name)
            .set_item(Some(attempt))
            .condition_expression("attribute_not_exists(#id) OR #expires <= :now OR #token = :token")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#expires", "expires_at_ms")
            // The client may repeat a put that went through.
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":token", text(&token))
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            );
        let Err(error) = put.send().await else { return Ok(Begun::First { token }) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => match failed.item() {
                Some(item) => known(item, body_hash),
                None => Err(PortError::transient("begin call: the known attempt is gone")),
            },
            _ => Err(port_error("begin call", &error)),
        }
    }

    /// An answer that no item holds is not kept: the call, sent again, is done again.
    async fn finish(
        &self,
        call: &IdempotencyKey,
        token: &str,
        response: &SavedResponse,
        expires_at: DateTime<Utc>,
    ) -> Result<(), PortError> {
        if response.body.len() > ANSWER_BYTES_MAX {
            tracing::warn!(bytes = response.body.len(), "an answer is too large to be kept");
            return self.abandon(call, token).await;
        }
        let Table { client, name } = &self.0;
        let update = client
            .update_item()
            .table_name(name)
            .set_key(Some(key(call)))
            .update_expression("SET #status = :status, #body = :body, #expires = :expires, #ttl = :ttl")
            .condition_expression("#token = :token")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#body", "body")
            .expression_attribute_names("#expires", "expires_at_ms")
            .expression_attribute_names("#ttl", "expires_at")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":status", number(response.status))
            .expression_attribute_values(":body", text(&response.body))
            .expression_attribute_values(":expires", millis(expires_at))
            .expression_attribute_values(":ttl", time_to_live(expires_at))
            .expression_attribute_values(":token", text(token));
        is_done("finish call", update.send().await).map(drop)
    }

    async fn abandon(&self, call: &IdempotencyKey, token: &str) -> Result<(), PortError> {
        let Table { client, name } = &self.0;
        let delete = client
            .delete_item()
            .table_name(name)
            .set_key(Some(key(call)))
            .condition_expression("#token = :token AND attribute_not_exists(#status)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":token", text(token));
        is_done("abandon call", delete.send().await).map(drop)
    }
}
