"""`make stack` and `make destroy`: the deployed template on this machine, for a person.

    up.py start    deploys, prints how to call it, and leaves it running
    up.py stop     ends what `start` has left
"""

import json
import os
import pathlib
import shlex
import signal
import sys
import time

from support import portfolios
from support.ministack import Ministack
from support.stack import ROOT, Stack, built_binaries

FOLDER = ROOT / "target" / "stack"
STATE = FOLDER / "running.json"


def is_ours(pid):
    """Whether the process is the one that `start` has left: an id may have been given again."""
    try:
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"ministack" in command


def stop():
    """Ends the local AWS, and everything in it."""
    if not STATE.exists():
        print("nothing is running")
        return
    pid = json.loads(STATE.read_text())["pid"]
    if is_ours(pid):
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            if not is_ours(pid):
                break
            time.sleep(0.1)
        else:
            os.kill(pid, signal.SIGKILL)
    STATE.unlink()
    print("stopped; nothing of it is kept")


def start():
    """Deploys into a new local AWS, in place of one that runs."""
    built = built_binaries()
    if STATE.exists():
        stop()
    FOLDER.mkdir(parents=True, exist_ok=True)
    aws = Ministack(FOLDER, outlives_us=True)
    try:
        stack = Stack(aws.endpoint).deploy(built)
        health = stack.ask("GET", "/health")
        if health.status != 200:
            raise RuntimeError(f"GET /health: {health}")
    except BaseException:
        aws.stop()
        raise
    STATE.write_text(json.dumps({"pid": aws.pid, "endpoint": aws.endpoint}))
    aws.leave()
    tell(stack)


def tell(stack):
    """How to call it."""
    body = json.dumps(portfolios.request("port-12345"))
    print(f"The stack is deployed. Its API is\n\n  {stack.api_url}\n\nand this calculates, for an hour from now:\n")
    print(f"  curl -sS {stack.api_url}/calculate \\")
    print(f"    -H 'Authorization: Bearer {stack.token()}' \\")
    print(f"    -H 'Content-Type: application/json' -d {shlex.quote(body)}\n")
    print("Its tables, queues, buckets and logs answer every AWS tool:\n")
    print("  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=eu-west-1")
    print(f"  export AWS_ENDPOINT_URL={stack.endpoint}")
    print(f"  aws dynamodb scan --table-name {stack.outputs['ResultsTableName']}\n")
    print(f"Log: {FOLDER / 'ministack.log'}. To stop it: make destroy")


if __name__ == "__main__":
    commands = {"start": start, "stop": stop}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]]()
