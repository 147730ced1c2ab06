//! `perfcalc dead-letters`.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use perf_core::ports::DeadLetters;
use perf_core::services::{MessageSummary, describe};
use perf_local::store::{QueueSettings, SqliteStore};
use perf_local::system::SystemClock;
use serde::Serialize;

use crate::arguments::{DeadLettersAction, DeadLettersArguments};
use crate::report::{Outcome, print};

/// Most messages that are listed.
const LISTED_MAX: u32 = 10_000;

#[derive(Serialize)]
struct Line {
    message_id: String,
    #[serde(flatten)]
    summary: MessageSummary,
}

pub(crate) fn run(arguments: &DeadLettersArguments) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        match &arguments.action {
            DeadLettersAction::List(place) => list(&open(&place.data)?).await,
            DeadLettersAction::Redrive(place) => redrive(&open(&place.data)?).await,
        }
    })
}

/// The store of a file that is there: none is made to look into it.
fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    if !path.exists() {
        return Err(anyhow!("there is no data file {}", path.display()));
    }
    Ok(SqliteStore::open(path, Arc::new(SystemClock), QueueSettings::default())?)
}

async fn list(store: &SqliteStore) -> Outcome {
    let mut text = String::new();
    for letter in store.dead_letters(LISTED_MAX).await.map_err(anyhow::Error::from)? {
        let line = Line { message_id: letter.message_id, summary: describe(&letter.body) };
        text.push_str(&serde_json::to_string(&line).map_err(anyhow::Error::from)?);
        text.push('\n');
    }
    print(&text)
}

async fn redrive(store: &SqliteStore) -> Outcome {
    let count = store.redrive().await.map_err(anyhow::Error::from)?;
    let noun = if count == 1 { "message" } else { "messages" };
    print(&format!("{count} {noun} back on the queue\n"))
}
