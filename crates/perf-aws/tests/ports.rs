//! The port suite on a local AWS, which `.ci/run aws` starts: `MINISTACK_ENDPOINT` names it.

#![allow(clippy::expect_used, reason = "helpers of tests, which clippy does not take for tests")]

mod local;
mod made;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use made::{bucket, clients, ledger, results, state, unique};
use perf_aws::{Cached, Lazy, Queue, SecretSource, TokenSecrets};
use perf_core::ports::{DeadLetter, DeadLetters, Delivery, PortError, QueueReceiver, QueueSender};
use port_suite::queue::{MAX_RECEIVES, TestQueue, VISIBILITY};

macro_rules! suite {
    ($($store:ident $module:ident: $($test:ident),+;)+) => {
        $($(
            #[tokio::test]
            #[ignore = "needs a local AWS: .ci/run aws"]
            async fn $test() {
                port_suite::$module::$test(&$store().await).await;
            }
        )+)+
    };
}

suite! {
    ledger ledger: a_commit_on_an_old_revision_changes_nothing, months_are_replaced_and_removed, one_of_two_commits_wins,
        tenants_have_their_own_ledgers, entries_are_read_as_written, large_months_are_stored_together;
    results results: a_row_is_read_as_written, every_figure_is_read_as_written, an_older_revision_changes_nothing, a_withdrawn_result_stays_away,
        pages_are_stable_under_writes, filters_are_inclusive, tenants_have_their_own_results,
        current_results_are_listed;
    state requests: items_count_once, a_request_is_created_once, requests_are_forgotten, tenants_have_their_own_requests;
    state idempotency: one_attempt_wins, an_answer_is_given_again, an_attempt_makes_way, tenants_have_their_own_keys;
    bucket blobs: an_object_is_read_as_written, a_large_object_is_not_read;
    queue queue: a_message_is_hidden_for_a_while, a_receiver_gets_no_more_than_it_asks_for,
        a_message_can_be_postponed, a_message_becomes_a_dead_letter;
}

/// A queue and its dead letters. Lambda receives for the event processor, so that only
/// the sender is ours; the rest is what the processor relies on.
struct SqsQueue {
    sender: Queue,
    client: Lazy<aws_sdk_sqs::Client>,
    url: String,
    dead_url: String,
}

async fn queue() -> SqsQueue {
    let client = clients().await.sqs();
    let dead = client.create_queue().queue_name(unique("dead")).send().await.expect("a queue");
    let dead_url = dead.queue_url.expect("a URL");
    let arn =
        client.get_queue_attributes().queue_url(&dead_url).attribute_names(QueueAttributeName::QueueArn);
    let arn = arn.send().await.expect("attributes").attributes.expect("attributes");
    let arn = arn.get(&QueueAttributeName::QueueArn).expect("a name").clone();
    let redrive = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{MAX_RECEIVES}}}"#);
    let create = client
        .create_queue()
        .queue_name(unique("queue"))
        .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY.as_secs().to_string())
        .attributes(QueueAttributeName::RedrivePolicy, redrive);
    let url = create.send().await.expect("a queue").queue_url.expect("a URL");
    SqsQueue { sender: Queue::new(client.clone(), url.clone()), client, url, dead_url }
}

impl SqsQueue {
    async fn take(&self, url: &str, limit: u32) -> Vec<Delivery> {
        let receive = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(i32::try_from(limit).expect("a limit"))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let messages = receive.send().await.expect("an answer").messages.unwrap_or_default();
        let delivery = |message: aws_sdk_sqs::types::Message| Delivery {
            receive_count: message
                .attributes
                .as_ref()
                .and_then(|attributes| attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount))
                .and_then(|count| count.parse().ok())
                .expect("a count"),
            message_id: message.message_id.expect("a name"),
            receipt: message.receipt_handle.expect("a receipt"),
            body: message.body.expect("a body"),
        };
        messages.into_iter().map(delivery).collect()
    }
}

#[async_trait]
impl QueueSender for SqsQueue {
    async fn send(&self, bodies: &[String]) -> Result<(), PortError> {
        self.sender.send(bodies).await
    }
}

#[async_trait]
impl QueueReceiver for SqsQueue {
    async fn receive(&self, limit: u32) -> Result<Vec<Delivery>, PortError> {
        Ok(self.take(&self.url, limit).await)
    }

    async fn delete(&self, receipts: &[String]) -> Result<(), PortError> {
        for receipt in receipts {
            let delete = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt);
            delete.send().await.expect("removed");
        }
        Ok(())
    }

    async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), PortError> {
        let seconds = i32::try_from(delay.as_secs()).expect("a delay");
        let change = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        change.visibility_timeout(seconds).send().await.expect("postponed");
        Ok(())
    }
}

#[async_trait]
impl DeadLetters for SqsQueue {
    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, PortError> {
        let taken = self.take(&self.dead_url, limit).await;
        for delivery in &taken {
            let show = self.client.change_message_visibility().queue_url(&self.dead_url);
            show.receipt_handle(&delivery.receipt).visibility_timeout(0).send().await.expect("shown");
        }
        let letter = |delivery: Delivery| DeadLetter { message_id: delivery.message_id, body: delivery.body };
        Ok(taken.into_iter().map(letter).collect())
    }

    async fn redrive(&self) -> Result<u64, PortError> {
        let taken = self.take(&self.dead_url, 10).await;
        for delivery in &taken {
            self.sender.send(std::slice::from_ref(&delivery.body)).await?;
            let delete = self.client.delete_message().queue_url(&self.dead_url);
            delete.receipt_handle(&delivery.receipt).send().await.expect("removed");
        }
        Ok(u64::try_from(taken.len()).expect("a count"))
    }
}

#[async_trait]
impl TestQueue for SqsQueue {
    async fn pass(&self, time: Duration) {
        // A little more: the queue's clock is its own.
        tokio::time::sleep(time + Duration::from_millis(200)).await;
    }
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/run aws"]
async fn many_messages_are_sent_in_several_calls() {
    let queue = queue().await;
    let mut bodies: Vec<String> = (0..23).map(|index| format!("m{index}")).collect();
    bodies.push("x".repeat(200 << 10));
    bodies.push("y".repeat(200 << 10));
    queue.send(&bodies).await.expect("sent");
    let mut received = Vec::new();
    loop {
        let taken = queue.receive(10).await.expect("received");
        if taken.is_empty() {
            break;
        }
        for delivery in taken {
            queue.delete(std::slice::from_ref(&delivery.receipt)).await.expect("removed");
            received.push(delivery.body);
        }
    }
    received.sort_unstable();
    bodies.sort_unstable();
    assert_eq!(received, bodies);
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/run aws"]
async fn a_secret_has_a_version_before_its_rotation() {
    let client = clients().await.secrets_manager();
    let name = unique("secret");
    let created = client.create_secret().name(&name).secret_string("first").send().await.expect("a secret");
    let source = SecretSource::new(client.clone(), created.arn.expect("a name"));
    let cached = Cached::new(source.clone());
    let texts = |secrets: &TokenSecrets| {
        let previous = secrets.previous.as_ref().map(|secret| secret.expose().to_owned());
        (secrets.current.expose().to_owned(), previous)
    };
    assert_eq!(texts(&cached.get().await.expect("secrets")), ("first".to_owned(), None));
    client.put_secret_value().secret_id(&name).secret_string("second").send().await.expect("rotated");
    // The known one is kept, and asking again so soon changes nothing.
    assert_eq!(texts(&cached.refreshed().await.expect("secrets")).0, "first");
    let rotated = Cached::new(source).get().await.expect("secrets");
    assert_eq!(texts(&rotated), ("second".to_owned(), Some("first".to_owned())));
    let missing = SecretSource::new(client, unique("nothing"));
    let error = Cached::new(missing).get().await.expect_err("no secret");
    assert_eq!(error.to_string(), "there is no such secret");
}
