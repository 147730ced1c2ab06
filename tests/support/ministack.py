"""A local AWS: one process on a free port of the loopback, stopped by its own id."""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

REGION = "eu-west-1"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
# What a child needs of our own environment. Nothing else may reach the functions, whose
# environment ministack builds from its own.
_INHERITED = ("HOME", "LANG", "PATH", "TMPDIR")


def free_port():
    """A port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Ministack:
    """Runs from construction to `stop`.

    `environment` is added to that of the process, and so to every function's:
    `AWS_ENDPOINT_URL_SQS` and its like lead their clients elsewhere.
    """

    def __init__(self, folder, environment=None, outlives_us=False):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log_path = pathlib.Path(folder) / "ministack.log"
        self._log = self.log_path.open("ab")
        command = pathlib.Path(sys.executable).with_name("ministack")
        self._process = subprocess.Popen(
            [command],
            cwd=folder,
            env=self._environment(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # What interrupts us is not for one that is to run on.
            start_new_session=outlives_us,
        )
        try:
            self._await_health()
        except BaseException:
            self.stop()
            raise

    def _environment(self, added):
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return inherited | {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "MINISTACK_REGION": REGION,
            "MINISTACK_HOST": "127.0.0.1",
        } | added

    def _await_health(self):
        gives_up_at = time.monotonic() + _START_SECONDS
        while time.monotonic() < gives_up_at:
            if self._process.poll() is not None:
                raise RuntimeError(f"ministack ended at its start:\n{self.log()}")
            try:
                with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.05)
        raise RuntimeError(f"ministack is not ready after {_START_SECONDS:.0f} s:\n{self.log()}")

    def log(self):
        """What the process has written, the functions' own output among it."""
        return self.log_path.read_text(errors="replace")

    @property
    def pid(self):
        """Id of the process."""
        return self._process.pid

    def environments(self, function):
        """Ids of the processes that run this function of the stack."""
        name, found = f"AWS_LAMBDA_FUNCTION_NAME=performance-{function}".encode(), []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                environment = (path / "environ").read_bytes()
            except (OSError, ValueError):
                continue
            if parent == self.pid and name in environment:
                found.append(int(path.name))
        return found

    def processor_seconds(self, function):
        """What those processes have used of a processor."""
        used = 0
        for process in self.environments(function):
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            # User and system time; what comes before is the state, at 0.
            used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")

    def leave(self):
        """Lets the process run on after our own end; its id is for the caller to keep."""
        self._log.close()

    def stop(self):
        """Ends the process, gently first. Twice is as good as once."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
