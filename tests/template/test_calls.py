"""The calls in the adapters' source against the table of actions: neither has one that the other lacks."""

import re

from expectations import ACTIONS
from support.template import ROOT

# What the event source mapping does, and what a missing object needs: no call of ours.
WITHOUT_CALL = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "s3:ListBucket",
    # Made by the client itself, to find its endpoint.
    "timestream:DescribeEndpoints",
}
CALLS = {
    "dynamodb": {
        "batch_get_item": ["BatchGetItem"],
        "batch_write_item": ["BatchWriteItem"],
        "delete_item": ["DeleteItem"],
        "get_item": ["GetItem"],
        "put_item": ["PutItem"],
        "query": ["Query"],
        "scan": ["Scan"],
        "update_item": ["UpdateItem"],
        # A transaction's parts, which its action is made of.
        "Put::builder": ["PutItem"],
        "Delete::builder": ["DeleteItem"],
        "Update::builder": ["UpdateItem"],
        "ConditionCheck::builder": ["ConditionCheckItem"],
    },
    "sqs": {"send_message": ["SendMessage"], "send_message_batch": ["SendMessage"]},
    "s3": {
        "get_object": ["GetObject"],
        "put_object": ["PutObject"],
        "delete_object": ["DeleteObject"],
        "list_objects_v2": ["ListBucket"],
    },
    "secretsmanager": {"get_secret_value": ["GetSecretValue"], "put_secret_value": ["PutSecretValue"]},
    "timestream": {"write_records": ["WriteRecords"], "create_table": ["CreateTable"]},
}
FILES = {"dynamodb": "dynamodb/*.rs", "sqs": "sqs.rs", "s3": "s3.rs", "secretsmanager": "keys.rs", "timestream": "timestream.rs"}


def called():
    """Actions that the source of perf-aws calls."""
    actions = set()
    for service, pattern in FILES.items():
        paths = list((ROOT / "crates" / "perf-aws" / "src").glob(pattern))
        assert paths, pattern
        source = "".join(path.read_text().split("#[cfg(test)]")[0] for path in paths)
        for call, names in CALLS[service].items():
            text = rf"\b{call}\(\)" if "::" in call else rf"\.{call}\(\)"
            if re.search(text, source):
                actions |= {f"{service}:{name}" for name in names}
    return actions


def test_what_the_adapters_call_is_granted_and_nothing_else():
    granted = {action for actions in ACTIONS.values() for action, _ in actions}
    assert granted - WITHOUT_CALL == called()
