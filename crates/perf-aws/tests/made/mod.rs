//! Tables and buckets on the local AWS, made for one test.

#![allow(dead_code, reason = "each test program uses a part")]

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use perf_aws::{Bucket, Clients, Lazy, LedgerTable, ResultsTable, StateTable};

/// Clients of the local AWS. Each test has a runtime, and so clients, of its own.
pub async fn clients() -> Clients {
    let endpoint = std::env::var("MINISTACK_ENDPOINT").expect("MINISTACK_ENDPOINT: run .ci/run aws");
    super::local::clients(&endpoint).await
}

pub fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4())
}

fn attribute(name: &str) -> AttributeDefinition {
    let attribute =
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
    attribute.build().expect("complete")
}

fn part(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("complete")
}

fn index(name: &str, hash: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(part(hash, KeyType::Hash))
        .key_schema(part("entity_type", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .expect("complete")
}

pub async fn table(range: &str, indexes: &[(&str, &str)]) -> (Lazy<aws_sdk_dynamodb::Client>, String) {
    let (client, name) = (clients().await.dynamodb(), unique("table"));
    let mut create = client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("id"))
        .attribute_definitions(attribute(range))
        .key_schema(part("id", KeyType::Hash))
        .key_schema(part(range, KeyType::Range));
    if !indexes.is_empty() {
        create = create.attribute_definitions(attribute("entity_type"));
    }
    for (name, hash) in indexes {
        create = create.attribute_definitions(attribute(hash)).global_secondary_indexes(index(name, hash));
    }
    create.send().await.expect("a table");
    (client, name)
}

pub async fn ledger() -> LedgerTable {
    let (client, name) = table("month", &[]).await;
    LedgerTable::new(client, name)
}

pub async fn results_table() -> (Lazy<aws_sdk_dynamodb::Client>, String) {
    table("calculation_date", &[("ClientIndex", "client_id"), ("AccountIndex", "account_id")]).await
}

pub async fn results() -> ResultsTable {
    let (client, name) = results_table().await;
    ResultsTable::new(client, name)
}

pub async fn state() -> StateTable {
    let (client, name) = table("item", &[]).await;
    StateTable::new(client, name)
}

pub async fn bucket() -> Bucket {
    let (client, name) = (clients().await.s3(), unique("bucket"));
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest1)
        .build();
    client.create_bucket().bucket(&name).create_bucket_configuration(place).send().await.expect("a bucket");
    Bucket::new(client, name)
}
