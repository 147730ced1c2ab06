"""A proxy between the functions and one service of the local AWS, which can be told to fail.

What it answers in the service's place is what the service itself would answer, so that the
functions' own clients decide what to make of it.
"""

import http.client
import json
import random
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# (status, error) by service and kind. DynamoDB and SQS speak the JSON protocol 1.0.
_ERRORS = {
    ("dynamodb", "throttled"): (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    ("dynamodb", "failing"): (500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
    ("sqs", "throttled"): (400, "com.amazonaws.sqs#RequestThrottled"),
    ("sqs", "failing"): (500, "com.amazonaws.sqs#InternalFailure"),
}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class FaultyService:
    """A service behind a proxy, on a free port of the loopback, until `stop`."""

    def __init__(self, service, seed):
        self.service = service
        self.failed = 0
        self.passed = 0
        self._random = random.Random(seed)
        self._fault = None
        self._target = None
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                try:
                    proxy.handle(self, data)
                except ConnectionError:
                    # A caller that was killed does not wait for its answer.
                    self.close_connection = True

            def log_message(self, *_):
                """Tests look at the counts."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def lead_to(self, endpoint):
        """Where calls are passed on to."""
        self._target = urllib.parse.urlsplit(endpoint).netloc

    def stop(self):
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()

    def fail(self, kind, share=1.0, operations=()):
        """From now on this share of calls fails: `throttled`, `failing`, `lost` or `done_but_lost`.

        `lost` breaks the connection before the call is made, `done_but_lost` after it was: the caller
        cannot know. With `operations` only those are met.
        """
        with self._lock:
            self._fault = (kind, share, frozenset(operations))

    def recover(self):
        """No call fails any more."""
        with self._lock:
            self._fault = None

    def _fate(self, operation):
        with self._lock:
            fault = self._fault
            if fault is None or (fault[2] and operation not in fault[2]) or self._random.random() >= fault[1]:
                self.passed += 1
                return None
            self.failed += 1
            return fault[0]

    def handle(self, handler, data):
        """Passes a call on, or does not."""
        operation = handler.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fate = self._fate(operation)
        if fate == "lost":
            handler.close_connection = True
            return
        if fate in ("throttled", "failing"):
            status, kind = _ERRORS[self.service, fate]
            body = json.dumps({"__type": kind, "message": "made to fail"}).encode()
            _reply(handler, status, {"Content-Type": "application/x-amz-json-1.0"}, body)
            return
        connection = http.client.HTTPConnection(self._target, timeout=60)
        try:
            headers = {k: v for k, v in handler.headers.items() if k.lower() not in _HOP_BY_HOP}
            connection.request("POST", handler.path, data, headers)
            answer = connection.getresponse()
            body = answer.read()
        except OSError:
            # The service itself is gone, at the end of a test.
            fate = "lost"
        finally:
            connection.close()
        if fate in ("lost", "done_but_lost"):
            handler.close_connection = True
            return
        _reply(handler, answer.status, dict(answer.getheaders()), body)


def _reply(handler, status, headers, body):
    handler.send_response(status)
    for name, value in headers.items():
        if name.lower() not in _HOP_BY_HOP:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
