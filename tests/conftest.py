"""The local AWS that the tests of stack and faults share."""

import pathlib

import pytest

from support.ministack import Ministack
from support.stack import Stack, built_binaries
from support.timestream import Timestream


@pytest.fixture(scope="session")
def timestream():
    """Timestream's stand-in."""
    fake = Timestream()
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def aws(tmp_path_factory, timestream):
    """The local AWS."""
    folder = pathlib.Path(tmp_path_factory.mktemp("aws"))
    running = Ministack(folder, {"AWS_ENDPOINT_URL_TIMESTREAM_WRITE": timestream.endpoint})
    yield running
    running.stop()


@pytest.fixture(scope="session")
def stack(aws):
    """The real template, deployed with the real binaries; Timestream is written to as well."""
    return Stack(aws.endpoint, {"TimeSeriesStore": "timestream", "LogLevel": "debug"}).deploy(built_binaries())
