//! Status of requests.

use perf_core::ports::{ItemOutcome, Itemized, NewRequest, RequestLog, RequestReader, RequestStatus};

use crate::{at, name};

fn request(client: &str, total: u32) -> NewRequest {
    NewRequest {
        client_id: name(client),
        request_id: name("r-1"),
        total,
        created_at: at(0),
        expires_at: at(100),
    }
}

fn done(item: u32) -> Itemized {
    Itemized { item, outcome: ItemOutcome::Completed { result_url: Some(format!("/result/{item}")) } }
}

fn failed(item: u32) -> Itemized {
    Itemized { item, outcome: ItemOutcome::Failed { code: "code".to_owned(), detail: "detail".to_owned() } }
}

async fn record(store: &impl RequestLog, client: &str, items: &[Itemized]) {
    store.record_items(&name(client), &name("r-1"), items).await.expect("a record");
}

async fn read(store: &impl RequestReader, client: &str, seconds: i64) -> Option<RequestStatus> {
    store.read_request(&name(client), &name("r-1"), at(seconds), 2).await.expect("a status")
}

/// Items count once, however often they are noted, and what is done stays done.
pub async fn items_count_once(store: &(impl RequestLog + RequestReader)) {
    store.create_request(&request("acme", 4)).await.expect("a request");
    record(store, "acme", &[done(2), failed(0)]).await;
    record(store, "acme", &[done(2), failed(2), failed(0), failed(1), done(4)]).await;
    let status = read(store, "acme", 1).await.expect("a status");
    assert_eq!((status.completed, status.failed), (1, 2));
    assert_eq!(status.items, [failed(0), failed(1)]);
    // A message that was driven again may succeed after all.
    record(store, "acme", &[done(0)]).await;
    let status = read(store, "acme", 1).await.expect("a status");
    assert_eq!((status.completed, status.failed), (2, 1));
    assert_eq!(status.request, request("acme", 4));
}

/// The first creation of a request stands.
pub async fn a_request_is_created_once(store: &(impl RequestLog + RequestReader)) {
    store.create_request(&request("acme", 4)).await.expect("a request");
    record(store, "acme", &[done(0)]).await;
    store.create_request(&request("acme", 1)).await.expect("a request");
    let status = read(store, "acme", 1).await.expect("a status");
    assert_eq!((status.request.total, status.completed), (4, 1));
}

/// A request is forgotten when its time has come.
pub async fn requests_are_forgotten(store: &(impl RequestLog + RequestReader)) {
    store.create_request(&request("acme", 1)).await.expect("a request");
    assert!(read(store, "acme", 99).await.is_some());
    assert_eq!(read(store, "acme", 100).await, None);
}

/// A request belongs to its tenant.
pub async fn tenants_have_their_own_requests(store: &(impl RequestLog + RequestReader)) {
    store.create_request(&request("acme", 1)).await.expect("a request");
    record(store, "other", &[done(0)]).await;
    assert_eq!(read(store, "other", 1).await, None);
    assert_eq!(read(store, "acme", 1).await.expect("a status").completed, 0);
}
