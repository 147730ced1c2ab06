"""Tables, queues, buckets: kept, encrypted, and open to those who are named."""

import json
import re

import pytest


def of_type(resources, kind):
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


TABLES = ["DynamoDBTable", "LedgerTable", "StateTable"]
KEPT_BUCKETS = ["InputBucket", "ClaimBucket", "TimestreamRejectedBucket"]


def test_tables_and_buckets_are_the_known_ones(resources):
    assert sorted(of_type(resources, "AWS::DynamoDB::Table")) == sorted(TABLES)
    assert sorted(of_type(resources, "AWS::S3::Bucket")) == sorted(KEPT_BUCKETS)


@pytest.mark.parametrize("name", TABLES + KEPT_BUCKETS)
def test_data_stays_when_the_stack_goes(resources, name):
    # RetainExceptOnCreate is Retain, but for a stack that never came to be.
    assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_encrypted_recoverable_and_not_named(resources, name):
    table = resources[name]["Properties"]
    assert "TableName" not in table
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def keys(schema):
    return [(key["AttributeName"], key["KeyType"]) for key in schema]


def test_results_have_the_keys_of_the_contract(resources):
    table = resources["DynamoDBTable"]["Properties"]
    assert keys(table["KeySchema"]) == [("id", "HASH"), ("calculation_date", "RANGE")]
    indexes = {index["IndexName"]: keys(index["KeySchema"]) for index in table["GlobalSecondaryIndexes"]}
    assert indexes == {
        "ClientIndex": [("client_id", "HASH"), ("entity_type", "RANGE")],
        "AccountIndex": [("account_id", "HASH"), ("entity_type", "RANGE")],
    }
    assert keys(resources["LedgerTable"]["Properties"]["KeySchema"]) == [("id", "HASH"), ("month", "RANGE")]


def test_state_is_forgotten(resources):
    ttl = resources["StateTable"]["Properties"]["TimeToLiveSpecification"]
    assert ttl == {"AttributeName": "expires_at", "Enabled": True}


@pytest.mark.parametrize("name", KEPT_BUCKETS)
def test_buckets_are_private_and_encrypted(resources, name):
    bucket = resources[name]["Properties"]
    block = bucket["PublicAccessBlockConfiguration"]
    assert len(block) == 4 and all(value is True for value in block.values())
    rule, = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_a_bucket_is_named_after_its_stack_or_not_at_all(resources):
    for name in KEPT_BUCKETS:
        given = resources[name]["Properties"].get("BucketName")
        assert given is None or {"Ref": "AWS::StackId"} in given["Fn::Join"][1][1]["Fn::Select"][1]["Fn::Split"], name


@pytest.mark.parametrize(
    ("kind", "field", "targets"),
    [
        ("AWS::S3::BucketPolicy", "Bucket", KEPT_BUCKETS),
        ("AWS::SQS::QueuePolicy", "Queues", ["EventQueue", "EventDeadLetterQueue"]),
    ],
)
def test_connections_without_tls_are_refused(resources, kind, field, targets):
    refused = []
    for policy in of_type(resources, kind).values():
        target = policy["Properties"][field]
        target = target[0] if isinstance(target, list) else target
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}:
                assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
                assert statement["Action"] in ("s3:*", "sqs:*")
                refused.append(target["Ref"])
    assert sorted(refused) == sorted(targets)


def test_queue_names_its_senders(resources):
    statements = resources["EventQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = [s for s in (s.get("Fn::If", [None, s])[1] for s in statements) if s["Effect"] == "Allow"]
    assert {s["Sid"] for s in allowed} == {"OurFunctions", "InputBucketNotifications", "UpstreamSystems"}
    for statement in allowed:
        assert statement["Action"] == "sqs:SendMessage"
        assert statement["Principal"] != "*" and statement["Principal"].get("AWS") != "*"
    bucket, = [s for s in allowed if s["Sid"] == "InputBucketNotifications"]
    assert bucket["Principal"] == {"Service": "s3.amazonaws.com"}
    assert bucket["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = bucket["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Join"][1]
    name = resources["InputBucket"]["Properties"]["BucketName"]["Fn::Join"][1]
    assert source[0]["Fn::Sub"] == "arn:${AWS::Partition}:s3:::" + name[0]
    assert source[1:] == name[1:]


def test_queues_are_encrypted_and_dead_letters_wait_as_long_as_messages(resources):
    queue = resources["EventQueue"]["Properties"]
    dead = resources["EventDeadLetterQueue"]["Properties"]
    assert queue["SqsManagedSseEnabled"] is dead["SqsManagedSseEnabled"] is True
    assert dead["MessageRetentionPeriod"] >= queue["MessageRetentionPeriod"]
    assert dead["MaximumMessageSize"] >= queue["MaximumMessageSize"]
    redrive = queue["RedrivePolicy"]
    assert redrive["maxReceiveCount"] >= 5
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["EventDeadLetterQueue", "Arn"]}


def test_a_message_is_hidden_for_as_long_as_it_may_be_worked_on(resources, functions):
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        properties = mapping["Properties"]
        assert properties["EventSourceArn"] == {"Fn::GetAtt": ["EventQueue", "Arn"]}
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert properties["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}
        window = properties.get("MaximumBatchingWindowInSeconds", 0)
        needed = 6 * functions["EventProcessorFunction"]["Timeout"] + window
        assert resources["EventQueue"]["Properties"]["VisibilityTimeout"] >= needed
    assert len(of_type(resources, "AWS::Lambda::EventSourceMapping")) == 1


def test_claims_outlive_dead_letters(resources):
    rule, = resources["ClaimBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = resources["EventDeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] / 86_400
    # A message may wait in the queue that long, and then as a dead letter.
    assert rule["Status"] == "Enabled" and rule["ExpirationInDays"] > 2 * days


def test_imports_alone_are_announced(resources):
    notification, = resources["InputBucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "imports/"}]
    assert "EventQueuePolicy" in resources["InputBucket"]["DependsOn"]


def test_timestream_and_what_names_it_is_made_on_request_only(resources):
    made = {name for name, resource in resources.items() if resource.get("Condition") == "MakesTimestream"}
    needing = {"TimestreamDatabase", "TimestreamTable", "TimestreamRejectedBucket", "TimestreamRejectedBucketPolicy"}
    assert made == needing
    for name, resource in resources.items():
        if name not in made:
            text = json.dumps(resource)
            for needed in needing:
                assert not re.search(rf'"{needed}"|\$\{{{needed}[.}}]', text), f"{name} names {needed}"


def test_timestream_takes_corrections_of_old_periods(resources):
    table = resources["TimestreamTable"]["Properties"]
    assert table["MagneticStoreWriteProperties"]["EnableMagneticStoreWrites"] is True
    assert table["MagneticStoreWriteProperties"]["MagneticStoreRejectedDataLocation"]
    retention = table["RetentionProperties"]["MagneticStoreRetentionPeriodInDays"]
    assert retention == {"Ref": "TimestreamRetentionDays"}


def test_secret_is_long_enough_for_hs256(resources):
    generated = resources["JwtSecret"]["Properties"]["GenerateSecretString"]
    assert generated["PasswordLength"] >= 32
    # The whole text is the key: what is piped into `perfcalc token --secret-stdin`.
    assert "SecretStringTemplate" not in generated
