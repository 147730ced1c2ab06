//! `perfcalc import`: files go the way that files in an input bucket go.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use chrono::{SecondsFormat, Utc};
use perf_core::config::Settings;
use perf_core::model::read::{csv_flows, csv_valuations};
use perf_core::model::{EntityKey, EntityType, Identifier, Word};
use perf_core::ports::{BlobRead, BlobReader, BlobWriter, ResultReader};
use perf_core::services::{IMPORT_BYTES_MAX, rejected_key};
use perf_local::assembly::{INPUT_BUCKET, processor};
use perf_local::store::{MessageState, QueueSettings, SqliteStore};
use perf_local::system::SystemClock;
use perf_local::worker::Worker;
use serde::Serialize;
use serde_json::json;

use crate::arguments::ImportArguments;
use crate::calculate::CsvText;
use crate::report::{Failure, Outcome, print_json};
use crate::serve::settings;

/// How long to wait before looking again after a message that somebody else has.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A file on its way.
struct Upload {
    key: String,
    text: Vec<u8>,
}

#[derive(Serialize)]
struct Summary {
    entity_type: EntityType,
    entity_id: Identifier,
    client_id: Identifier,
    /// Rows of the files.
    valuations: usize,
    cash_flows: usize,
    /// Of the ledger that the results were computed from; absent where no window
    /// could be computed.
    input_revision: Option<u64>,
    /// Standing windows that have a result.
    windows: Vec<&'static str>,
}

pub(crate) fn run(arguments: &ImportArguments) -> Outcome {
    let (entity_type, entity_id) = arguments.entity.clone();
    let entity = EntityKey { client_id: arguments.client.clone(), entity_type, entity_id };
    let (mut uploads, mut rows) = (Vec::new(), [0, 0]);
    if let Some(file) = CsvText::read(arguments.valuations.as_deref())? {
        rows[0] = csv_valuations(file.as_file())?.len();
        uploads.push(upload(&entity, "valuations", arguments.valuations.as_deref(), file));
    }
    if let Some(file) = CsvText::read(arguments.flows.as_deref())? {
        rows[1] = csv_flows(file.as_file())?.len();
        uploads.push(upload(&entity, "flows", arguments.flows.as_deref(), file));
    }
    let settings = settings()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = open(&arguments.data)?;
        import(&store, &settings, &uploads).await?;
        print_json(&summary(&store, entity, rows).await?)
    })
}

/// A file under the name that says what it holds: its own, with `valuations-` or
/// `flows-` before it where it does not begin so.
fn upload(entity: &EntityKey, kind: &str, path: Option<&Path>, file: CsvText) -> Upload {
    let name = path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let prefix = if name.starts_with(kind) { String::new() } else { format!("{kind}-") };
    let suffix = if name.ends_with(".csv") { "" } else { ".csv" };
    let EntityKey { client_id, entity_type, entity_id } = entity;
    let folder = format!("imports/{client_id}/{}/{entity_id}", entity_type.word());
    Upload { key: format!("{folder}/{prefix}{name}{suffix}"), text: file.text }
}

fn open(data: &Path) -> anyhow::Result<Arc<SqliteStore>> {
    let store = SqliteStore::open(data, Arc::new(SystemClock), QueueSettings::default());
    store.map(Arc::new).with_context(|| format!("cannot open {}", data.display()))
}

async fn import(store: &Arc<SqliteStore>, settings: &Settings, uploads: &[Upload]) -> Result<(), Failure> {
    let bucket = store.bucket(INPUT_BUCKET);
    for Upload { key, text } in uploads {
        // What was said of an earlier content.
        bucket.remove_blob(&rejected_key(key)).await.map_err(anyhow::Error::from)?;
        bucket.put_blob(key, text).await.map_err(anyhow::Error::from)?;
    }
    let message_id = store.send_message(&notification(uploads)).await.map_err(anyhow::Error::from)?;
    finish(store, settings, &message_id).await?;
    for Upload { key, .. } in uploads {
        let account = bucket.read_blob(&rejected_key(key), IMPORT_BYTES_MAX).await;
        if let BlobRead::Found(text) = account.map_err(anyhow::Error::from)? {
            return Err(Failure::Refused(String::from_utf8_lossy(&text).into_owned()));
        }
    }
    Ok(())
}

async fn summary(store: &SqliteStore, entity: EntityKey, rows: [usize; 2]) -> anyhow::Result<Summary> {
    let current = store.current_of(&entity).await?;
    let stored = current.iter().filter(|row| !row.withdrawn);
    let [valuations, cash_flows] = rows;
    Ok(Summary {
        entity_type: entity.entity_type,
        entity_id: entity.entity_id,
        client_id: entity.client_id,
        valuations,
        cash_flows,
        input_revision: stored.clone().map(|row| row.result.input_revision).max(),
        windows: stored.map(|row| row.result.time_period.word()).collect(),
    })
}

/// Works on the queue until the message is done with, by us or by a server on the
/// same file.
async fn finish(store: &Arc<SqliteStore>, settings: &Settings, message_id: &str) -> anyhow::Result<()> {
    let processor = processor(store, settings.risk_free_rate.into(), settings.max_concurrency);
    let worker = Worker::new(Arc::<SqliteStore>::clone(store), processor);
    loop {
        match store.message_state(message_id).await? {
            MessageState::Gone => return Ok(()),
            MessageState::Dead => {
                return Err(anyhow!("the import failed; its message {message_id} is among the dead letters"));
            }
            MessageState::Waiting => {
                if worker.step().await? == 0 {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
        }
    }
}

/// What S3 writes of objects that were put.
fn notification(uploads: &[Upload]) -> String {
    let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let record = |upload: &Upload| {
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventTime": time,
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": INPUT_BUCKET},
                   "object": {"key": encoded(&upload.key), "size": upload.text.len()}},
        })
    };
    json!({"Records": uploads.iter().map(record).collect::<Vec<_>>()}).to_string()
}

/// A key as S3 writes it.
fn encoded(key: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'*' | b'/' => {
            char::from(byte).to_string()
        }
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    key.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded() {
        assert_eq!(encoded("a/b c+é.csv"), "a/b+c%2B%C3%A9.csv");
    }
}
