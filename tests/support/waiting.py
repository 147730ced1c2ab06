"""Waiting for what happens in its own time."""

import time

PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def wait_until(condition, what, seconds=PATIENCE_SECONDS):
    """Returns the first true value of `condition()`; fails when there is none in time."""
    gives_up_at = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > gives_up_at:
            raise AssertionError(f"gave up after {seconds:.0f} s: {what}")
        time.sleep(_PAUSE_SECONDS)
