"""The local AWS that the tests of stack and faults share."""

import os
import pathlib

import pytest

from support.ministack import Ministack
from support.stack import ROOT, Stack, binaries_in
from support.timestream import Timestream


def binaries():
    """The folder of the built functions; `STACK_BINARIES` names another than `make package` fills."""
    return binaries_in(os.environ.get("STACK_BINARIES", ROOT / "target" / "lambda"))


@pytest.fixture(scope="session")
def timestream():
    """Timestream's stand-in."""
    fake = Timestream()
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory, timestream):
    """The real template, deployed with the real binaries; Timestream is written to as well."""
    built = binaries()
    folder = pathlib.Path(tmp_path_factory.mktemp("aws"))
    aws = Ministack(folder, {"AWS_ENDPOINT_URL_TIMESTREAM_WRITE": timestream.endpoint})
    try:
        yield Stack(aws.endpoint, {"TimeSeriesStore": "timestream", "LogLevel": "debug"}).deploy(built)
    finally:
        aws.stop()
