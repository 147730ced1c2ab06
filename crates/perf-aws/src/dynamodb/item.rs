//! Attributes of items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use perf_core::ports::PortError;
use serde_json::{Map, Number, Value};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(super) fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

pub(super) fn unreadable(what: &str) -> PortError {
    PortError::permanent(format!("unreadable in the table: {what}"))
}

pub(super) fn get_text<'i>(item: &'i Item, name: &str) -> Result<&'i str, PortError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| unreadable(name))
}

pub(super) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, PortError> {
    let value = item.get(name).and_then(|value| value.as_n().ok());
    value.and_then(|value| value.parse().ok()).ok_or_else(|| unreadable(name))
}

pub(super) fn get_flag(item: &Item, name: &str) -> bool {
    item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or_default()
}

pub(super) fn millis(time: DateTime<Utc>) -> AttributeValue {
    number(time.timestamp_millis())
}

pub(super) fn get_time(item: &Item, name: &str) -> Result<DateTime<Utc>, PortError> {
    let millis = get_number(item, name)?;
    DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable(name))
}

/// A time as DynamoDB's time to live wants it: not before the time itself.
pub(super) fn time_to_live(time: DateTime<Utc>) -> AttributeValue {
    number(time.timestamp().saturating_add(1))
}

/// A JSON value that holds no number but whole ones.
pub(super) fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => flag(value),
        Value::Number(value) => AttributeValue::N(value.to_string()),
        Value::String(value) => text(value),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(attribute).collect()),
        Value::Object(members) => {
            AttributeValue::M(members.into_iter().map(|(name, value)| (name, attribute(value))).collect())
        }
    }
}

/// The reverse of [`attribute`].
pub(super) fn value(attribute: &AttributeValue) -> Result<Value, PortError> {
    Ok(match attribute {
        AttributeValue::S(value) => Value::String(value.clone()),
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::N(text) => {
            let whole: i64 = text.parse().map_err(|_| unreadable("a number"))?;
            Value::Number(Number::from(whole))
        }
        AttributeValue::L(values) => Value::Array(values.iter().map(value).collect::<Result<_, _>>()?),
        AttributeValue::M(members) => {
            let member = |(name, of): (&String, &AttributeValue)| Ok((name.clone(), value(of)?));
            Value::Object(members.iter().map(member).collect::<Result<Map<_, _>, PortError>>()?)
        }
        _ => return Err(unreadable("an attribute")),
    })
}
