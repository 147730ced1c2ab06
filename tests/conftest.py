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
def stack(tmp_path_factory, timestream):
    """The real template, deployed with the real binaries; Timestream is written to as well."""
    built = built_binaries()
    folder = pathlib.Path(tmp_path_factory.mktemp("aws"))
    aws = Ministack(folder, {"AWS_ENDPOINT_URL_TIMESTREAM_WRITE": timestream.endpoint})
    try:
        yield Stack(aws.endpoint, {"TimeSeriesStore": "timestream", "LogLevel": "debug"}).deploy(built)
    finally:
        aws.stop()
