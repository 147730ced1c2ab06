import os
import random

import pytest

from support.faults import FaultyService
from support.ministack import Ministack
from support.stack import Stack, built_binaries
from support.timestream import Timestream

# Messages of the whole suite. `make faults` asks for 50,000.
MESSAGES = int(os.environ.get("FAULT_MESSAGES", "600"))
_TESTS = 6
# Failed messages come back after this time; five times, then they are dead letters.
_REDELIVERY_SECONDS = 5


@pytest.fixture
def messages():
    """How many messages a test sends."""
    return max(20, MESSAGES // _TESTS)


@pytest.fixture
def seed(request):
    """Printed, and taken from `FAULT_SEED` where a run is to be repeated."""
    seed = int(os.environ.get("FAULT_SEED", random.SystemRandom().randrange(2**32)))
    print(f"\n{request.node.name}: FAULT_SEED={seed}")
    return seed


class Faulty:
    """A stack of which every service can be made to fail."""

    def __init__(self, folder, seed):
        self.timestream = Timestream()
        self.dynamodb = FaultyService("dynamodb", seed)
        self.sqs = FaultyService("sqs", seed)
        self.aws = Ministack(
            folder,
            {
                "AWS_ENDPOINT_URL_TIMESTREAM_WRITE": self.timestream.endpoint,
                "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb.endpoint,
                "AWS_ENDPOINT_URL_SQS": self.sqs.endpoint,
            },
        )
        for service in (self.dynamodb, self.sqs):
            service.lead_to(self.aws.endpoint)
        self.stack = Stack(self.aws.endpoint, {"TimeSeriesStore": "timestream"})

    def stop(self):
        self.aws.stop()
        for service in (self.timestream, self.dynamodb, self.sqs):
            service.stop()

    def recover(self):
        """Ends every fault, waits for the queue, drives dead letters again; says how many those were."""
        for service in (self.timestream, self.dynamodb, self.sqs):
            service.recover()
        # Patience, not a measure: a message a tenth of a second, after a minute for all that failed.
        seconds = 60 + MESSAGES / 10
        self.stack.drain(seconds)
        driven = 0
        while letters := self.stack.dead_letters():
            driven += len(letters)
            assert driven < 10 * MESSAGES, "dead letters come back for ever"
            for letter in letters:
                self.stack.send(letter)
            self.stack.drain(seconds)
        return driven


@pytest.fixture
def faulty(tmp_path, seed):
    """A stack of its own for each test."""
    built = built_binaries()
    running = Faulty(tmp_path, seed)
    try:
        running.stack.deploy(built)
        with running.stack.hurried_redelivery(_REDELIVERY_SECONDS):
            yield running
    finally:
        running.stop()
