"""Times the Lambda functions on a loopback Runtime API and writes docs/performance-lambda.md.

usage: functions.py FOLDER READ   (see `make bench-functions`)
       functions.py body [DAYS]   prints a request of 1,260 days, with a flow every so many days

FOLDER holds the built binaries and `examples/hello`; READ is what `examples/workloads read` prints of the same body.
Cold runs are interleaved; medians are reported.
"""

import copy
import datetime
import http.server
import json
import math
import os
import platform
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import runtime_api

ROOT = Path(__file__).resolve().parent.parent
COLD_RUNS = 31
WARM_EVENTS = 2_000
ROWS = 1_260
# What Lambda takes for a function on arm64, by list price of us-east-1.
MEMORY_MB = (256, 512, 1_024, 1_769, 3_008)
MB_OF_A_PROCESSOR = 1_769
DOLLARS_PER_MILLION = 0.20
DOLLARS_PER_GB_SECOND = 0.0000133334


def event(name):
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def body(rows, store, days_between_flows=21):
    """A request of so many days, a flow a month unless said."""
    chance, value, day = random.Random(1), 100_000.0, datetime.date(2015, 1, 1)
    valuations, flows = [], []
    for index in range(rows):
        valuations.append({"date": day.isoformat(), "value": f"{value:.2f}"})
        if index % days_between_flows == days_between_flows - 1 and index < rows - 1:
            flows.append({"date": day.isoformat(), "amount": f"{chance.uniform(-500, 1500):.2f}"})
        value *= 1 + chance.gauss(0.0004, 0.01)
        day += datetime.timedelta(days=1)
    request = {"entity_type": "portfolio", "entity_id": "p", "valuations": valuations, "cash_flows": flows}
    return json.dumps({**request, "risk_free_rate": "0.02", "store": store}, separators=(",", ":"))


def calculation(rows, store=False):
    made = copy.deepcopy(event("calculator-calculate"))
    made["body"] = body(rows, store)
    return made


class Queue(http.server.BaseHTTPRequestHandler):
    """Takes every message."""

    protocol_version = "HTTP/1.1"
    # Head and body are written apart: the second would wait for the first one's acknowledgement.
    disable_nagle_algorithm = True

    def do_POST(self):
        entries = json.loads(self.rfile.read(int(self.headers["content-length"])))["Entries"]
        taken = [{"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""} for entry in entries]
        answer = json.dumps({"Successful": taken, "Failed": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def certificate(folder):
    """A key and a certificate for this machine, and that of the authority which signed it."""
    key = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made = lambda name: ["-keyout", f"{folder}/{name}-key.pem", "-out", f"{folder}/{name}.pem"]
    signed = ["-CA", f"{folder}/authority.pem", "-CAkey", f"{folder}/authority-key.pem"]
    # A certificate that may sign others is not taken for a server's.
    server = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    run = lambda *options: subprocess.run([*key, *options], check=True, capture_output=True)
    run("-subj", "/CN=authority", *made("authority"))
    run("-subj", "/CN=localhost", *server, *signed, *made("server"))
    return [f"{folder}/{name}.pem" for name in ("server-key", "server", "authority")]


def queue(folder):
    """A queue behind TLS, and the variables that lead a function to it."""
    key, own, trusted = certificate(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Queue)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_address[1]}"
    return server, {"AWS_ENDPOINT_URL": url, "SSL_CERT_FILE": trusted, "SQS_QUEUE_URL": f"{url}/000000000000/events"}


def functions(folder, trusted):
    """Name, binary, variables and event of each."""
    tables = {"DYNAMODB_TABLE": "results", "LEDGER_TABLE": "ledger", "STATE_TABLE": "state"}
    queues = {"SQS_QUEUE_URL": "http://localhost/q", "CLAIM_BUCKET": "claims", "INPUT_BUCKET": "input"}
    tokens = {"JWT_SECRET": "0123456789abcdef0123456789abcdef", "JWT_ISSUER": "i", "JWT_AUDIENCE": "a"}
    roots = {"SSL_CERT_FILE": str(ROOT / "certificates" / "amazon-roots.pem")}
    of = runtime_api.variables
    calculator = {**tables, **queues, **roots, "CACHE_TTL_SECONDS": "0"}
    named = lambda name: f"{folder}/{name}"
    return {
        "hello (the runtime alone)": (named("examples/hello"), of(), event("api-health")),
        "jwt-authorizer": (named("jwt-authorizer"), of(**tokens, **roots), event("authorizer-token")),
        "api-handler": (named("api-handler"), of(**tables, **queues, **roots), event("api-health")),
        "performance-calculator": (named("performance-calculator"), of(**calculator), calculation(3)),
        "performance-calculator, 1,260 days": (named("performance-calculator"), of(**calculator), calculation(ROWS)),
        "performance-calculator, stored over TLS": (
            named("performance-calculator"),
            of(**{**calculator, **trusted}),
            calculation(3, store=True),
        ),
        "event-processor": (named("event-processor"), of(**tables, **queues, **roots), event("sqs-s3-test-event")),
    }


def check(name, answer):
    """What is timed must be the work itself, not a refusal."""
    if name.startswith("performance-calculator") and json.loads(answer)["statusCode"] != 200:
        raise SystemExit(f"{name}: {answer.decode()}")


def cold(measured):
    runs = {name: [] for name in measured}
    for turn in range(COLD_RUNS):
        print(f"cold starts, turn {turn + 1} of {COLD_RUNS}", file=sys.stderr)
        for name, (binary, variables, sent) in measured.items():
            run = runtime_api.run(binary, variables, sent)
            check(name, run["answer"])
            runs[name].append(run)
    return {name: runtime_api.medians(found) for name, found in runs.items()}


def warm(measured):
    """p50 and p99 of one event after the other, milliseconds, and the processor's share."""
    found = {}
    for name, (binary, variables, sent) in measured.items():
        print(f"warm: {name}", file=sys.stderr)
        run = runtime_api.run(binary, variables, sent, WARM_EVENTS)
        check(name, run["answer"])
        latencies = sorted(run["latencies_ms"][50:])
        found[name] = (statistics.median(latencies), latencies[int(0.99 * len(latencies))], run["cpu_ms"] / WARM_EVENTS)
    return found


def by_memory(cold_run, warm_run):
    """What a calculation of 1,260 days takes and costs by memory: processor time grows as the share of a processor
    falls, waiting does not."""
    cold_cpu, cold_wait = cold_run["cpu_ms"], max(0.0, cold_run["response_ms"] - cold_run["cpu_ms"])
    warm_ms, _, warm_cpu = warm_run
    warm_wait = max(0.0, warm_ms - warm_cpu)
    rows = []
    for memory in MEMORY_MB:
        share = min(1.0, memory / MB_OF_A_PROCESSOR)
        cold, warm = cold_wait + cold_cpu / share, warm_wait + warm_cpu / share
        billed = math.ceil(warm)
        dollars = DOLLARS_PER_MILLION + memory / 1024 * billed * 1e3 * DOLLARS_PER_GB_SECOND
        rows.append(f"| {memory:,} | {share:.2f} | {cold:.0f} | {warm:.1f} | {billed} | {dollars:.2f} |")
    return "\n".join(rows)


def page(cold_runs, warm_runs, read_us):
    hello = cold_runs["hello (the runtime alone)"]["response_ms"]
    rows = [
        f"| {name} | {run['init_ms']:.2f} | {run['response_ms']:.2f} | {run['response_ms'] / hello:.2f} "
        f"| {run['cpu_ms']:.2f} | {run['peak_mib']:.1f} |"
        for name, run in cold_runs.items()
    ]
    warm_rows = [f"| {name} | {p50:.3f} | {p99:.3f} | {cpu:.3f} |" for name, (p50, p99, cpu) in warm_runs.items()]
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    whole = warm_runs["performance-calculator, 1,260 days"][0] * 1e3
    floor = warm_runs["hello, the same body"][0] * 1e3
    peak = max(run["peak_mib"] for run in cold_runs.values())
    return f"""# Performance of the functions

Written by `make bench-functions` (`bench/functions.py`) on {datetime.date.today()}: {cpu}, {os.cpu_count()} cores,
{platform.system()} {platform.machine()}, load {os.getloadavg()[0]:.1f}. Binaries of the release profile against a Runtime API on the loopback, page
cache warm. On AWS a start also loads the binary and makes the environment, which nothing here measures.

## Cold

From the start of the process to its first request for an event, and to its first answer. Medians of {COLD_RUNS} interleaved runs.

| function | init, ms | answer, ms | against hello | processor, ms | peak, MiB |
|---|---|---|---|---|---|
{chr(10).join(rows)}

`stored over TLS` sends its result to a queue behind TLS before it answers: handshake and first connection included. The
authorizer's event is refused.

## Memory

Lambda gives a function a share of a processor by its memory, a whole one at {MB_OF_A_PROCESSOR:,} MB. From the processor times measured
here, what a calculation of {ROWS:,} days would take by memory, and what a million of them cost at list price on arm64 (us-east-1,
${DOLLARS_PER_GB_SECOND} per GB-second, billed in whole milliseconds, warm). No more than {peak:.0f} MiB are in use.

| memory, MB | processor | cold answer, ms | warm, ms | billed, ms | dollars a million |
|---|---|---|---|---|---|
{by_memory(cold_runs["performance-calculator, 1,260 days"], warm_runs["performance-calculator, 1,260 days"])}

## Warm

One event after the other, {WARM_EVENTS:,} of them, nothing cached by the calculator.

| event | p50, ms | p99, ms | processor, ms |
|---|---|---|---|
{chr(10).join(warm_rows)}

`POST /calculate` of {ROWS:,} days ({len(body(ROWS, False)) / 1e3:.0f} KB) takes {whole:.0f} µs, of which an event of that size that nobody reads takes {floor:.0f} µs on the
way there and back. Reading that body alone takes {read_us:.0f} µs: the whole is {whole / read_us:.1f} times that, and {(whole - floor) / read_us:.1f} times without the way.
"""


def main(folder, read):
    with tempfile.TemporaryDirectory() as scratch:
        server, trusted = queue(scratch)
        measured = functions(folder, trusted)
        cold_runs = cold(measured)
        hello, variables, _ = measured["hello (the runtime alone)"]
        events = {"hello (the runtime alone)": measured["hello (the runtime alone)"]}
        events["hello, the same body"] = (hello, variables, calculation(ROWS))
        for rows in (10, ROWS, 10_000):
            binary, own, _ = measured["performance-calculator"]
            events[f"performance-calculator, {rows:,} days"] = (binary, own, calculation(rows))
        text = page(cold_runs, warm(events), json.loads(read)["nanoseconds"] / 1e3)
        server.shutdown()
    (ROOT / "docs" / "performance-lambda.md").write_text(text)


if __name__ == "__main__":
    if sys.argv[1] == "body":
        print(body(ROWS, False, *map(int, sys.argv[2:3])))
    else:
        main(*sys.argv[1:3])
