"""A queue full of work: every result is there in the end. The rate is printed, and only that."""

import time

from support.load import Load

MESSAGES = 1_000


def test_a_full_queue_is_drained(stack):
    load = Load("drain", MESSAGES, seed=7)
    load.send(stack)
    waiting, started = stack.queue_depth(), time.perf_counter()
    stack.drain()
    seconds = time.perf_counter() - started
    count = load.verify(stack)
    print(f"\n{waiting} messages of {len(load.messages)} drained in {seconds:.1f} s, {waiting / seconds:.0f} a second; {count} results")
