"""A queue full of work: every result is there in the end. Rate and processor time are printed, and only that."""

import time

from support.load import Load

MESSAGES = 1_000


def test_a_full_queue_is_drained(aws, stack):
    load = Load("drain", MESSAGES, seed=7)
    used, started = aws.processor_seconds("EventProcessor"), time.perf_counter()
    load.send(stack)
    stack.drain()
    seconds = time.perf_counter() - started
    used = aws.processor_seconds("EventProcessor") - used
    count = load.verify(stack)
    print(f"\n{MESSAGES} messages sent and worked on in {seconds:.1f} s, {MESSAGES / seconds:.0f} a second; {count} results")
    print(f"{used / MESSAGES * 1e3:.2f} ms of a processor for each message")
