"""The sample events: each one listed, whole, and one for everything that the contract names."""

import hashlib
import json
import re

import pytest
from expectations import ROUTES

from support import samples

TYPES = {"portfolio_performance", "batch_calculation", "transaction", "valuation", "calculation_completed"}


def messages():
    for name in samples.PROCESSOR:
        for record in samples.load(name)["Records"]:
            yield name, record


def test_every_file_is_described_and_exercised():
    files = {path.name for path in samples.FOLDER.glob("*.json")}
    table = re.findall(r"^\| `([a-z0-9-]+\.json)` \| (\w+) \|", (samples.FOLDER / "README.md").read_text(), re.MULTILINE)
    assert dict(table) == samples.FUNCTION_OF
    assert len(table) == len(samples.FUNCTION_OF)
    assert files == set(samples.FUNCTION_OF)


def test_every_route_has_a_sample_with_its_caller():
    found = set()
    for name in [*samples.API, *samples.CALCULATOR]:
        event = samples.load(name)
        route = (event["httpMethod"], event["resource"])
        assert ROUTES[route] == samples.FUNCTION_OF[name], name
        found.add(route)
        assert ("authorizer" in event["requestContext"]) == (event["resource"] != "/health"), name
        path = event["resource"]
        for parameter, value in (event["pathParameters"] or {}).items():
            path = path.replace("{" + parameter + "}", value)
        assert path == event["path"], name
    assert found == set(ROUTES)


def test_every_type_of_message_has_a_sample():
    bodies = [record["body"] for _, record in messages()]
    parsed = [json.loads(body) for body in bodies if body.startswith("{")]
    assert TYPES <= {body.get("type") for body in parsed}
    assert any("claim" in body for body in parsed)
    assert any(body.get("Event") == "s3:TestEvent" for body in parsed)
    assert any("Records" in body for body in parsed)


@pytest.mark.parametrize("name", samples.PROCESSOR)
def test_records_are_as_the_queue_delivers_them(name):
    records = samples.load(name)["Records"]
    assert len({record["messageId"] for record in records}) == len(records)
    for record in records:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()
        assert record["eventSource"] == "aws:sqs"


def test_claim_is_that_of_the_claimed_object():
    record, = samples.load("sqs-claim.json")["Records"]
    claim = json.loads(record["body"])["claim"]
    content = samples.text("claimed.json").encode()
    assert claim["length"] == len(content)
    assert claim["sha256"] == hashlib.sha256(content).hexdigest()
    assert claim["key"] == f"claims/{claim['sha256']}.json"
