//! The port suite on SQLite.

#![allow(clippy::expect_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use perf_core::ports::{
    BlobWriter, Clock, DeadLetter, DeadLetters, Delivery, PortError, QueueReceiver, QueueSender,
};
use perf_local::store::{QueueSettings, SqliteStore};
use port_suite::queue::{MAX_RECEIVES, TestQueue, VISIBILITY};

/// A clock that goes when it is told to.
struct HandClock(Mutex<DateTime<Utc>>);

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no panic")
    }
}

struct Store {
    store: SqliteStore,
    clock: Arc<HandClock>,
    _directory: tempfile::TempDir,
}

fn open() -> Store {
    let directory = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(HandClock(Mutex::new(DateTime::UNIX_EPOCH)));
    let settings = QueueSettings { visibility_timeout: VISIBILITY, max_receives: MAX_RECEIVES };
    let path = directory.path().join("perf.db");
    let store = SqliteStore::open(&path, Arc::<HandClock>::clone(&clock), settings).expect("a store");
    Store { store, clock, _directory: directory }
}

#[async_trait]
impl QueueSender for Store {
    async fn send(&self, bodies: &[String]) -> Result<(), PortError> {
        self.store.send(bodies).await
    }
}

#[async_trait]
impl QueueReceiver for Store {
    async fn receive(&self, limit: u32) -> Result<Vec<Delivery>, PortError> {
        self.store.receive(limit).await
    }

    async fn delete(&self, receipts: &[String]) -> Result<(), PortError> {
        self.store.delete(receipts).await
    }

    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), PortError> {
        self.store.postpone(receipt, delay).await
    }
}

#[async_trait]
impl DeadLetters for Store {
    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, PortError> {
        self.store.dead_letters(limit).await
    }

    async fn redrive(&self) -> Result<u64, PortError> {
        self.store.redrive().await
    }
}

#[async_trait]
impl TestQueue for Store {
    async fn pass(&self, time: Duration) {
        *self.clock.0.lock().expect("no panic") += time;
    }
}

macro_rules! suite {
    ($($module:ident: $($test:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $test() {
                port_suite::$module::$test(&open().store).await;
            }
        )+)+
    };
}

suite! {
    ledger: a_commit_on_an_old_revision_changes_nothing, months_are_replaced_and_removed, one_of_two_commits_wins,
        tenants_have_their_own_ledgers, entries_are_read_as_written, large_months_are_stored_together;
    results: a_row_is_read_as_written, every_figure_is_read_as_written, an_older_revision_changes_nothing, a_withdrawn_result_stays_away,
        pages_are_stable_under_writes, filters_are_inclusive, tenants_have_their_own_results,
        current_results_are_listed;
    requests: items_count_once, a_request_is_created_once, requests_are_forgotten, tenants_have_their_own_requests;
    idempotency: one_attempt_wins, an_answer_is_given_again, an_attempt_makes_way, tenants_have_their_own_keys;
}

macro_rules! bucket_suite {
    ($($test:ident),+) => {
        $(
            #[tokio::test]
            async fn $test() {
                let store = open();
                store.store.bucket("other").put_blob("imports/acme/portfolio/p/flows", b"x").await.expect("put");
                port_suite::blobs::$test(&store.store.bucket("input")).await;
            }
        )+
    };
}

bucket_suite!(an_object_is_read_as_written, a_large_object_is_not_read);

macro_rules! queue_suite {
    ($($test:ident),+) => {
        $(
            #[tokio::test]
            async fn $test() {
                port_suite::queue::$test(&open()).await;
            }
        )+
    };
}

queue_suite!(
    a_message_is_hidden_for_a_while,
    a_receiver_gets_no_more_than_it_asks_for,
    a_message_can_be_postponed,
    a_message_becomes_a_dead_letter
);

#[tokio::test]
async fn what_is_acknowledged_is_in_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("perf.db");
    let open = || {
        let clock = Arc::new(HandClock(Mutex::new(DateTime::UNIX_EPOCH)));
        SqliteStore::open(&path, clock, QueueSettings::default()).expect("a store")
    };
    open().send(&["a".to_owned()]).await.expect("sent");
    let (one, other) = (open(), open());
    assert_eq!(one.receive(1).await.expect("received").len(), 1);
    assert!(other.receive(1).await.expect("received").is_empty());
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("perf.db");
    let newer = rusqlite::Connection::open(&path).expect("a file");
    newer.pragma_update(None, "user_version", 99).expect("a version");
    let clock = Arc::new(HandClock(Mutex::new(DateTime::UNIX_EPOCH)));
    let refused = SqliteStore::open(&path, clock, QueueSettings::default()).err().expect("refused");
    assert_eq!(refused.to_string(), "the file was made by a newer version");
}
