"""The proxy against a real client and a service that counts."""

import http.server
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from support.faults import FaultyService


class Counting(http.server.BaseHTTPRequestHandler):
    calls = 0

    def do_POST(self):
        type(self).calls += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"TableNames": ["one"]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Counted above."""


@pytest.fixture
def service():
    Counting.calls = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    proxy = FaultyService("dynamodb", seed=7)
    proxy.lead_to(f"http://127.0.0.1:{server.server_address[1]}")
    yield proxy
    proxy.stop()
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(service):
    return boto3.client(
        "dynamodb",
        endpoint_url=service.endpoint,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_calls_pass(service, client):
    assert client.list_tables()["TableNames"] == ["one"]
    assert (service.passed, service.failed, Counting.calls) == (1, 0, 1)


@pytest.mark.parametrize(
    ("kind", "code"), [("throttled", "ProvisionedThroughputExceededException"), ("failing", "InternalServerError")]
)
def test_errors_are_those_of_the_service_and_nothing_is_done(service, client, kind, code):
    service.fail(kind)
    with pytest.raises(ClientError) as refusal:
        client.list_tables()
    assert refusal.value.response["Error"]["Code"] == code
    assert Counting.calls == 0
    service.recover()
    assert client.list_tables()["TableNames"] == ["one"]


@pytest.mark.parametrize(("kind", "done"), [("lost", 0), ("done_but_lost", 1)])
def test_answers_are_lost_before_or_after_the_deed(service, client, kind, done):
    service.fail(kind)
    with pytest.raises(BotoCoreError):
        client.list_tables()
    assert Counting.calls == done


def test_a_share_of_calls_fails_and_only_of_the_named_operations(service, client):
    service.fail("failing", 0.5, ["ListTables"])
    outcomes = []
    for _ in range(200):
        try:
            outcomes.append(bool(client.list_tables()))
        except ClientError:
            outcomes.append(False)
    assert 60 < sum(outcomes) < 140
    service.fail("failing", 1.0, ["PutItem"])
    assert client.list_tables()
