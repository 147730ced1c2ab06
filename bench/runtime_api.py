"""A Lambda Runtime API on the loopback: starts a function's binary, hands it events one at a time, and times it."""

import json
import os
import select
import socket
import statistics
import subprocess
import time
from pathlib import Path

_EVENT_HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: {id}\r\n"
    "Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:000000000000:function:f\r\n"
    "Content-Length: {length}\r\n\r\n"
)
_TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_TIMEOUT_SECONDS = 30


class _Connection:
    """Requests on one kept-alive connection."""

    def __init__(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(_TIMEOUT_SECONDS)
        self.sock, self.rest = sock, b""

    def fileno(self):
        return self.sock.fileno()

    def request(self):
        """Request line and body of the next request; none where the connection has ended."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                return None
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            return head.split(b"\r\n")[0], self._chunks()
        length = int(fields.get(b"content-length", b"0"))
        while len(self.rest) < length and self._more():
            pass
        body, self.rest = self.rest[:length], self.rest[length:]
        return head.split(b"\r\n")[0], body

    def _more(self):
        part = self.sock.recv(1 << 20)
        self.rest += part
        return part

    def _chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.rest:
                self._more()
            size, _, self.rest = self.rest.partition(b"\r\n")
            length = int(size, 16)
            while len(self.rest) < length + 2:
                self._more()
            body, self.rest = body + self.rest[:length], self.rest[length + 2 :]
            if length == 0:
                return body


def run(binary, environment, event, events=1):
    """Starts the binary, gives it the event so many times, ends it; milliseconds, MiB, and the last answer."""
    payload = json.dumps(event).encode()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(_TIMEOUT_SECONDS)
        variables = {**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}"}
        started = time.perf_counter()
        process = subprocess.Popen([binary], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return _serve(server, process, payload, events, started)
        finally:
            process.kill()
            process.wait()


def _serve(server, process, payload, events, started):
    connections = []
    ready, answered, sent, latencies, answer = None, None, 0.0, [], b""
    while len(latencies) < events:
        connection, line, body = _next(server, connections)
        now = time.perf_counter()
        if line.startswith(b"GET"):
            ready = ready or now
            head = _EVENT_HEAD.format(
                id=f"r-{len(latencies)}", deadline_ms=int(time.time() * 1000) + 25_000, length=len(payload)
            )
            sent = time.perf_counter()
            connection.sock.sendall(head.encode() + payload)
        else:
            answered, answer = answered or now, body
            latencies.append((now - sent) * 1e3)
            connection.sock.sendall(_TAKEN)
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    times = [int(path.read_text().split()[0]) for path in Path(f"/proc/{process.pid}/task").glob("*/schedstat")]
    return {
        "init_ms": (ready - started) * 1e3,
        "response_ms": (answered - started) * 1e3,
        "cpu_ms": sum(times) / 1e6,
        "peak_mib": peak,
        "latencies_ms": latencies,
        "answer": answer,
    }


def _next(server, connections):
    """The next request, and the connection that it came on."""
    while True:
        waiting = next((connection for connection in connections if connection.rest), None)
        if waiting is None:
            readable, _, _ = select.select([server, *connections], [], [], _TIMEOUT_SECONDS)
            if not readable:
                raise TimeoutError("the function does not ask for its next event")
            waiting = readable[0]
        if waiting is server:
            connections.append(_Connection(server.accept()[0]))
            continue
        found = waiting.request()
        if found is not None:
            return waiting, *found
        connections.remove(waiting)


def medians(runs):
    """The median of each figure."""
    names = ("init_ms", "response_ms", "cpu_ms", "peak_mib")
    return {name: statistics.median(run[name] for run in runs) for name in names}


def variables(**own):
    """What Lambda and the template give a function."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH": "true",
        **own,
    }
