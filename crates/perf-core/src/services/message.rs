//! What a message of the queue is: an event, the claim of one, or news of objects.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::claim::Claim;
use crate::model::{Identifier, Problem, Word, read};

/// Most objects of one notification; S3 itself names one.
const OBJECTS_MAX: usize = 100;

/// A message, as far as it can be told apart.
pub(super) enum Message {
    /// An event, or a text that its reader will refuse.
    Event,
    /// Where the event is kept.
    Claim(Claim),
    /// Objects that were put.
    Objects(Vec<PutObject>),
    /// What S3 sends when notifications are set up.
    Test,
}

/// An object that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PutObject {
    pub(super) bucket: String,
    /// As it is, no longer encoded.
    pub(super) key: String,
    pub(super) put_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Shape<'t> {
    #[serde(rename = "Records", borrow)]
    records: Option<&'t RawValue>,
    #[serde(rename = "Event")]
    event: Option<&'t RawValue>,
    claim: Option<&'t RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    event_source: String,
    event_name: String,
    event_time: DateTime<Utc>,
    s3: Place,
}

#[derive(Deserialize)]
struct Place {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// Tells messages apart.
///
/// # Errors
///
/// 422 for a notification or a claim that cannot be read.
pub(super) fn message(body: &str) -> Result<Message, Problem> {
    let Ok(shape) = serde_json::from_str::<Shape<'_>>(body) else { return Ok(Message::Event) };
    if let Some(records) = shape.records {
        return objects(records.get()).map(Message::Objects);
    }
    if let Some(claim) = shape.claim {
        let claim = serde_json::from_str(claim.get());
        return claim.map(Message::Claim).map_err(|error| malformed("/claim", "malformed_claim", &error));
    }
    match shape.event.map(RawValue::get) {
        Some("\"s3:TestEvent\"") => Ok(Message::Test),
        _ => Ok(Message::Event),
    }
}

/// What can be said of a message without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageSummary {
    /// `type` of an event; `claim`, `s3_notification` or `s3_test_event`; none for a
    /// text that cannot be read.
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    /// Tenant, where the event names one.
    pub client_id: Option<Identifier>,
    /// Request that the event is part of.
    pub request_id: Option<Identifier>,
    /// Why it cannot be read, if it cannot.
    pub reason: Option<String>,
}

/// Describes a message.
///
/// ```
/// let summary = perf_core::services::describe(r#"{"version": 1, "type": "split"}"#);
/// assert!(summary.kind.is_none() && summary.reason.is_some());
/// ```
#[must_use]
pub fn describe(body: &str) -> MessageSummary {
    let summary = |kind| MessageSummary { kind: Some(kind), client_id: None, request_id: None, reason: None };
    let refused =
        |problem: &Problem| MessageSummary { kind: None, reason: Some(problem.to_string()), ..summary("") };
    match message(body) {
        Ok(Message::Claim(_)) => summary("claim"),
        Ok(Message::Objects(_)) => summary("s3_notification"),
        Ok(Message::Test) => summary("s3_test_event"),
        Ok(Message::Event) => match read::event(body.as_bytes()) {
            Ok(event) => MessageSummary {
                client_id: event.client_id.clone(),
                request_id: event.request_id.clone(),
                ..summary(event.event_type().word())
            },
            Err(problem) => refused(&problem),
        },
        Err(problem) => refused(&problem),
    }
}

fn malformed(pointer: &str, code: &'static str, error: &serde_json::Error) -> Problem {
    Problem::field(pointer, code, error.to_string())
}

fn objects(records: &str) -> Result<Vec<PutObject>, Problem> {
    let records: Vec<Notification> = serde_json::from_str(records)
        .map_err(|error| malformed("/Records", "malformed_notification", &error))?;
    if records.len() > OBJECTS_MAX {
        return Err(Problem::field("/Records", "too_many_items", format!("expected at most {OBJECTS_MAX}")));
    }
    records.into_iter().enumerate().map(|(index, record)| record.object(index)).collect()
}

impl Notification {
    fn object(self, index: usize) -> Result<PutObject, Problem> {
        let place = format!("/Records/{index}");
        if self.event_source != "aws:s3" {
            let place = format!("{place}/eventSource");
            return Err(Problem::field(&place, "unknown_event_type", "expected aws:s3"));
        }
        // S3 writes the name without the prefix that its configuration has.
        if !self.event_name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
            let place = format!("{place}/eventName");
            return Err(Problem::field(&place, "unknown_event_type", "expected ObjectCreated"));
        }
        let key = self.s3.object.key.replace('+', " ");
        let key = percent_decode_str(&key).decode_utf8().map_err(|_| {
            let place = format!("{place}/s3/object/key");
            Problem::field(&place, "malformed_notification", "expected UTF-8")
        })?;
        Ok(PutObject { bucket: self.s3.bucket.name, key: key.into_owned(), put_at: self.event_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(source: &str, name: &str, key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"{source}","awsRegion":"eu-west-1",
            "eventTime":"2024-01-02T03:04:05.678Z","eventName":"{name}",
            "s3":{{"s3SchemaVersion":"1.0","bucket":{{"name":"in","arn":"arn:aws:s3:::in"}},
                   "object":{{"key":"{key}","size":12,"eTag":"e","sequencer":"0A"}}}}}}]}}"#
        )
    }

    #[test]
    fn keys_are_decoded_as_s3_encodes_them() {
        let body =
            notification("aws:s3", "ObjectCreated:Put", "imports/a/portfolio/p/flows+%2B+%C3%A9%20x.csv");
        let Ok(Message::Objects(objects)) = message(&body) else { panic!("objects") };
        assert_eq!(objects[0].key, "imports/a/portfolio/p/flows + é x.csv");
        assert_eq!((objects[0].bucket.as_str(), objects[0].put_at.timestamp()), ("in", 1_704_164_645));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (source, name, key) in [
            ("aws:sns", "ObjectCreated:Put", "k"),
            ("aws:s3", "ObjectRemoved:Delete", "k"),
            ("aws:s3", "ObjectCreated:Put", "%FF"),
        ] {
            assert!(message(&notification(source, name, key)).is_err(), "{source} {name} {key}");
        }
        assert!(message(r#"{"Records": {}}"#).is_err());
        assert!(message(r#"{"claim": {"bucket": "b"}}"#).is_err());
    }

    #[test]
    fn other_texts_are_events() {
        for text in ["", "[]", "{", r#"{"version": 1}"#, r#"{"Event": "s3:Other"}"#] {
            assert!(matches!(message(text), Ok(Message::Event)), "{text}");
        }
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2024-01-02T03:04:05.678Z",
            "Bucket":"in","RequestId":"r","HostId":"h"}"#;
        assert!(matches!(message(test), Ok(Message::Test)));
    }
}
