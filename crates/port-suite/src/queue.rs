//! The queue.

use std::time::Duration;

use async_trait::async_trait;
use perf_core::ports::{DeadLetters, Delivery, QueueReceiver, QueueSender};

/// A queue whose messages are hidden for [`VISIBILITY`] and given up after
/// [`MAX_RECEIVES`] deliveries, and its time.
#[async_trait]
pub trait TestQueue: QueueSender + QueueReceiver + DeadLetters {
    /// Lets time pass.
    async fn pass(&self, time: Duration);
}

/// Visibility timeout of the queue under test.
pub const VISIBILITY: Duration = Duration::from_secs(2);
/// Deliveries after which the queue under test gives a message up.
pub const MAX_RECEIVES: u32 = 3;

async fn send(queue: &impl TestQueue, bodies: &[&str]) {
    let bodies: Vec<String> = bodies.iter().map(|body| (*body).to_owned()).collect();
    queue.send(&bodies).await.expect("sent");
}

async fn receive(queue: &impl TestQueue, limit: u32) -> Vec<Delivery> {
    queue.receive(limit).await.expect("received")
}

fn bodies(deliveries: &[Delivery]) -> Vec<&str> {
    let mut bodies: Vec<&str> = deliveries.iter().map(|delivery| delivery.body.as_str()).collect();
    bodies.sort_unstable();
    bodies
}

/// A message that is being worked on is hidden, and comes back if it is not removed.
pub async fn a_message_is_hidden_for_a_while(queue: &impl TestQueue) {
    send(queue, &["a", "b"]).await;
    let first = receive(queue, 10).await;
    assert_eq!(bodies(&first), ["a", "b"]);
    assert!(receive(queue, 10).await.is_empty());
    for delivery in first.iter().filter(|delivery| delivery.body == "a") {
        queue.delete(std::slice::from_ref(&delivery.receipt)).await.expect("removed");
    }
    queue.pass(VISIBILITY).await;
    let again = receive(queue, 10).await;
    assert_eq!(bodies(&again), ["b"]);
    let same = first.iter().find(|delivery| delivery.body == "b").map(|delivery| &delivery.message_id);
    assert_eq!(
        again.first().map(|delivery| (&delivery.message_id, delivery.receive_count)),
        same.map(|id| (id, 2))
    );
}

/// No more messages come than were asked for.
pub async fn a_receiver_gets_no_more_than_it_asks_for(queue: &impl TestQueue) {
    send(queue, &["a", "b", "c"]).await;
    assert_eq!(receive(queue, 2).await.len(), 2);
    assert_eq!(receive(queue, 2).await.len(), 1);
}

/// A postponed message comes when it was told to.
pub async fn a_message_can_be_postponed(queue: &impl TestQueue) {
    send(queue, &["a"]).await;
    for delivery in receive(queue, 1).await {
        queue.postpone(&delivery.receipt, Duration::ZERO).await.expect("postponed");
    }
    for delivery in receive(queue, 1).await {
        queue.postpone(&delivery.receipt, 2 * VISIBILITY).await.expect("postponed");
    }
    queue.pass(VISIBILITY).await;
    assert!(receive(queue, 1).await.is_empty());
    queue.pass(VISIBILITY).await;
    assert_eq!(receive(queue, 1).await.len(), 1);
}

/// A message that nobody removes becomes a dead letter, and can be driven again.
pub async fn a_message_becomes_a_dead_letter(queue: &impl TestQueue) {
    send(queue, &["a"]).await;
    for count in 1..=MAX_RECEIVES {
        let counts: Vec<u32> =
            receive(queue, 1).await.iter().map(|delivery| delivery.receive_count).collect();
        assert_eq!(counts, [count]);
        queue.pass(VISIBILITY).await;
    }
    assert!(receive(queue, 1).await.is_empty());
    let dead = queue.dead_letters(10).await.expect("a list");
    assert_eq!(dead.iter().map(|letter| letter.body.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(queue.redrive().await.expect("driven again"), 1);
    assert!(queue.dead_letters(10).await.expect("a list").is_empty());
    assert_eq!(
        receive(queue, 1).await.iter().map(|delivery| delivery.receive_count).collect::<Vec<_>>(),
        [1]
    );
}
