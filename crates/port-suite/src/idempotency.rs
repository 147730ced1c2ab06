//! Calls that are answered once.

use perf_core::ports::{Begun, Idempotency, IdempotencyKey, SavedResponse};

use crate::{at, name};

fn key(client: &str) -> IdempotencyKey {
    IdempotencyKey { client_id: name(client), key: "POST /calculate k-1".to_owned() }
}

async fn begin(store: &impl Idempotency, client: &str, hash: &str, seconds: i64) -> Begun {
    store.begin(&key(client), hash, at(seconds), at(seconds + 30)).await.expect("an answer")
}

async fn first(store: &impl Idempotency, seconds: i64) -> String {
    match begin(store, "acme", "hash", seconds).await {
        Begun::First { token } => token,
        other => unexpected(&other),
    }
}

fn unexpected(begun: &Begun) -> String {
    assert_eq!(*begun, Begun::First { token: String::new() });
    String::new()
}

fn response() -> SavedResponse {
    SavedResponse { status: 200, body: "{}".to_owned() }
}

/// Of several attempts at once exactly one is the first.
pub async fn one_attempt_wins(store: &impl Idempotency) {
    let attempts = tokio::join!(
        begin(store, "acme", "hash", 0),
        begin(store, "acme", "hash", 0),
        begin(store, "acme", "hash", 0),
        begin(store, "acme", "hash", 0)
    );
    let attempts = [attempts.0, attempts.1, attempts.2, attempts.3];
    assert_eq!(attempts.iter().filter(|begun| matches!(begun, Begun::First { .. })).count(), 1);
    assert_eq!(attempts.iter().filter(|begun| **begun == Begun::InProgress).count(), 3);
}

/// The answer is given again, to the same body only, until it is forgotten.
pub async fn an_answer_is_given_again(store: &impl Idempotency) {
    let token = first(store, 0).await;
    assert_eq!(begin(store, "acme", "other", 1).await, Begun::OtherBody);
    store.finish(&key("acme"), &token, &response(), at(100)).await.expect("finished");
    assert_eq!(begin(store, "acme", "hash", 50).await, Begun::Answered(response()));
    assert_eq!(begin(store, "acme", "other", 50).await, Begun::OtherBody);
    assert!(matches!(begin(store, "acme", "other", 100).await, Begun::First { .. }));
}

/// An attempt that was abandoned, or whose lease ran out, makes way; and cannot
/// disturb the one that came after it.
pub async fn an_attempt_makes_way(store: &impl Idempotency) {
    let abandoned = first(store, 0).await;
    store.abandon(&key("acme"), &abandoned).await.expect("abandoned");
    let lost = first(store, 1).await;
    assert_eq!(begin(store, "acme", "hash", 30).await, Begun::InProgress);
    let token = first(store, 31).await;
    store.finish(&key("acme"), &lost, &response(), at(100)).await.expect("too late");
    store.abandon(&key("acme"), &lost).await.expect("too late");
    assert_eq!(begin(store, "acme", "hash", 32).await, Begun::InProgress);
    store.finish(&key("acme"), &token, &response(), at(100)).await.expect("finished");
    store.abandon(&key("acme"), &token).await.expect("nothing to abandon");
    assert_eq!(begin(store, "acme", "hash", 33).await, Begun::Answered(response()));
}

/// A key belongs to its tenant.
pub async fn tenants_have_their_own_keys(store: &impl Idempotency) {
    first(store, 0).await;
    assert!(matches!(begin(store, "other", "another", 0).await, Begun::First { .. }));
}
