"""What the deployment is, apart from what the functions do."""


def test_notifications_reach_the_queue_and_its_policy_names_the_bucket(stack):
    storage, bucket = stack.client("s3"), stack.outputs["InputBucketName"]
    queues = storage.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert [queue["Events"] for queue in queues] == [["s3:ObjectCreated:*"]]
    stack_id = stack.client("cloudformation").describe_stacks()["Stacks"][0]["StackId"]
    assert bucket == f"performance-input-{stack_id.split('/')[2]}"


def test_outputs_name_what_is_there(stack):
    assert stack.outputs["JwtSecretArn"].startswith("arn:aws:secretsmanager:")
    assert len(stack.secret()) >= 32
    tables = set(stack.client("dynamodb").list_tables()["TableNames"])
    assert {stack.outputs[f"{name}TableName"] for name in ("Results", "Ledger", "State")} == tables
    for name in ("Input", "Claim"):
        stack.client("s3").head_bucket(Bucket=stack.outputs[f"{name}BucketName"])


def test_processor_reads_the_queue_and_reports_each_message(stack):
    mapping, = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["FunctionArn"].endswith(":live")
