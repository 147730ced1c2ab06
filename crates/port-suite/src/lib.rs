//! What every adapter of perf-core's ports must do, whatever it is made of: one
//! function for each promise, given an adapter that holds nothing yet.
//!
//! An adapter's own crate names each function in a test:
//!
//! ```text
//! #[tokio::test]
//! async fn an_older_revision_changes_nothing() {
//!     port_suite::results::an_older_revision_changes_nothing(&store()).await;
//! }
//! ```

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "these functions are tests")]

pub mod blobs;
pub mod idempotency;
pub mod ledger;
pub mod queue;
pub mod requests;
pub mod results;

use perf_core::model::{EntityKey, EntityType, Identifier};

fn name(text: &str) -> Identifier {
    text.parse().expect("a name")
}

fn entity(client: &str, entity: &str) -> EntityKey {
    EntityKey { client_id: name(client), entity_type: EntityType::Portfolio, entity_id: name(entity) }
}

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().expect("a day")
}

fn at(seconds: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
}
