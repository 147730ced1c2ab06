"""The local server against its own description: no 5xx, and nothing that the description does not say.

Requests are generated from the description that the server hands out, valid ones and wrong ones.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

import pytest

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
]
EXAMPLES_PER_ROUTE = 40
PATIENCE_SECONDS = 600
ROOT = pathlib.Path(__file__).parents[2]
# The command that was built; `PERFCALC` names another.
PERFCALC = pathlib.Path(os.environ.get("PERFCALC", ROOT / "target" / "debug" / "perfcalc"))


@pytest.fixture
def server(tmp_path):
    """A server on a free port: its address, and a token of it."""
    assert PERFCALC.exists(), f"there is no {PERFCALC}: run cargo build -p perf-local"
    data = tmp_path / "perfcalc.db"
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [PERFCALC, "serve", "--addr", "127.0.0.1:0", "--data", data],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        )
    try:
        # The announcement is printed when the port is open.
        url = next(found[0] for line in process.stdout if (found := re.search(r"http://[0-9.:]+", line)))
        with urllib.request.urlopen(f"{url}/health", timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200
        token = subprocess.run(
            [PERFCALC, "token", "--client", "acme", "--ttl", "2h", "--data", data],
            check=True, capture_output=True, text=True,
        ).stdout.strip()
        yield url, token
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def test_every_answer_is_as_described(server, tmp_path):
    url, token = server
    request = urllib.request.Request(f"{url}/openapi.json", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        description = answer.read()
    assert len(json.loads(description)["paths"]) >= 11
    path = tmp_path / "openapi.json"
    path.write_bytes(description)
    command = [
        pathlib.Path(sys.executable).parent / "schemathesis", "run", path, "--url", url,
        "--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS),
        "--max-examples", str(EXAMPLES_PER_ROUTE), "--generation-deterministic",
    ]
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert run.returncode == 0, run.stdout[-20_000:]
    generated = re.search(r"(\d+) generated, (\d+) passed", run.stdout)
    assert generated and int(generated[1]) > 1_000, run.stdout
