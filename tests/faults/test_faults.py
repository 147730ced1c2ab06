"""After every fault there is exactly one right result for each message that was accepted."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest

from support import portfolios, tokens
from support.load import Load, rounded
from support.waiting import wait_until

_SLOW_BATCH_SECONDS = 60


def report(load, faulty, sent, driven):
    count = load.verify(faulty.stack)
    load.verify_series(faulty.timestream)
    print(
        f"{sent} messages, {count} results, all right and once; {driven} driven again; "
        f"failed calls: dynamodb {faulty.dynamodb.failed}, sqs {faulty.sqs.failed}"
    )


def undisturbed(load, faulty, sent):
    """Nothing fails, so nothing may become a dead letter."""
    # A batch that is slow on a busy machine is not to be shown to another processor.
    with faulty.stack.hurried_redelivery(_SLOW_BATCH_SECONDS):
        load.send(faulty.stack, sent)
        driven = faulty.recover()
    assert driven == 0, "nothing had failed"
    report(load, faulty, len(sent), driven)


@pytest.mark.parametrize("kind", ["throttled", "failing", "done_but_lost"])
def test_tables_fail_for_a_while(faulty, messages, seed, kind):
    load = Load(f"ddb-{kind}", messages // 3, seed)
    faulty.dynamodb.fail(kind, 0.5)
    load.send(faulty.stack)
    wait_until(lambda: faulty.dynamodb.failed > 20, "no call has failed")
    # And then none gets through at all.
    faulty.dynamodb.fail(kind)
    time.sleep(3)
    driven = faulty.recover()
    report(load, faulty, len(load.messages), driven)


def test_time_series_are_refused_for_a_while(faulty, messages, seed):
    load = Load("series", messages, seed)
    faulty.timestream.fail_next(1_000_000)
    load.send(faulty.stack)
    wait_until(lambda: len(faulty.timestream.calls) > 5, "nothing was written to Timestream")
    assert faulty.timestream.records() == []
    driven = faulty.recover()
    report(load, faulty, len(load.messages), driven)


def test_processors_are_killed_in_the_middle_of_their_batches(faulty, messages, seed):
    load = Load("killed", messages, seed)
    killed, done = 0, threading.Event()

    def kill():
        nonlocal killed
        while not done.wait(load.random.uniform(0.2, 1.0)):
            for process in faulty.aws.environments("EventProcessor"):
                os.kill(process, signal.SIGKILL)
                killed += 1

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        load.send(faulty.stack)
        wait_until(lambda: killed >= 5, "no processor was there to be killed")
    finally:
        done.set()
        killer.join()
    driven = faulty.recover()
    print(f"{killed} processors killed")
    report(load, faulty, len(load.messages), driven)


def test_messages_come_again_and_in_any_order(faulty, messages, seed):
    load = Load("again", messages // 2, seed)
    undisturbed(load, faulty, load.doubled_and_shuffled())


def test_two_clients_hammer_the_same_names(faulty, messages, seed):
    load = Load("tenants", messages, seed, clients=("acme", "beta"))
    undisturbed(load, faulty, load.doubled_and_shuffled())


def until_accepted(stack, path, token, body, key, refusals):
    """Sends as a client does: again, with the same key, while it is asked to wait."""
    gives_up_at = time.monotonic() + 120
    while True:
        answer = stack.ask("POST", path, token, body, {"Idempotency-Key": key})
        if answer.status in (200, 202):
            return
        assert answer.status == 503, answer
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"
        refusals.append(key)
        assert time.monotonic() < gives_up_at, answer
        time.sleep(0.5)


@pytest.mark.parametrize("kind", ["lost", "failing", "done_but_lost"])
def test_the_queue_cannot_be_reached_when_requests_come(faulty, messages, seed, kind):
    stack, token = faulty.stack, faulty.stack.token()
    names = [f"{portfolios.MARK}-post-{kind}-{number}" for number in range(max(6, messages // 30))]
    refusals = []
    faulty.sqs.fail(kind, operations=["SendMessage", "SendMessageBatch"])

    def post(name):
        path = "/calculate" if names.index(name) % 2 else "/calculations"
        until_accepted(stack, path, token, portfolios.request(name), name, refusals)

    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(post, name) for name in names]
        try:
            wait_until(lambda: len(set(refusals)) > 3, "nobody was asked to wait")
            assert not any(future.done() for future in pending), "accepted, and the queue has not answered"
        finally:
            faulty.sqs.recover()
        for future in pending:
            future.result()
    faulty.recover()
    for name in names:
        row, = stack.results_of("acme", name).values()
        assert str(row["twr"]) == portfolios.DESIGN_TWR, name
    print(f"{len(names)} requests accepted after {len(refusals)} refusals")


def test_the_secret_is_rotated_under_load(faulty, messages, seed):
    stack, name = faulty.stack, "performance:read performance:write"
    old_secret = stack.secret()
    before = tokens.sign(tokens.claims(scope=name), old_secret)
    new_secret = "n" * 64
    after = tokens.sign(tokens.claims(scope=name, sub="after"), new_secret)
    done, statuses, names = threading.Event(), [], []

    def post():
        while not done.is_set():
            entity = portfolios.entity()
            answer = stack.ask("POST", "/calculate", before, portfolios.request(entity))
            statuses.append(answer.status)
            if answer.status == 200:
                names.append(entity)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(statuses) > 5, "nothing is answered")
        stack.client("secretsmanager").put_secret_value(
            SecretId=stack.outputs["JwtSecretArn"], SecretString=new_secret
        )
        wait_until(lambda: stack.ask("GET", "/openapi.json", after).status == 200, "the new secret is not known")
        wait_until(lambda: len(statuses) > messages // 10, "nothing is answered any more")
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}, "a caller with the previous secret was refused"
    faulty.recover()
    for entity in names:
        assert len(stack.results_of("acme", entity)) == 1, entity
    print(f"{len(names)} requests answered and stored while the secret was rotated")


def test_expected_returns_are_those_of_the_design():
    assert str(rounded(Fraction(102, 100) * Fraction(11_330, 11_200) - 1)) == portfolios.DESIGN_TWR
