"""Servers of a test on loopback: started, waited for, ended."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError

from tests.conftest import LEFT_OUT

Found = TypeVar("Found")
PATIENCE = 600  # seconds, for a machine that does a lot besides


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def started(command: Sequence[object], cwd: Path, log: Path, environment: dict[str, str]) -> Iterator[Path]:
    """The process and all that it starts are gone afterwards."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LEFT_OUT)}
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=kept | environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield log
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asked twice, because Prefect's worker takes the first SIGTERM as advice."""
    for _ in range(2):
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(what: str, found: Callable[[], Found | None], *logs: Path) -> Found:
    """Asks until there is something, and shows the logs when there never is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(URLError, ConnectionError):  # not up yet
            if (answer := found()) is not None:
                return answer
        time.sleep(0.5)
    said = "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-5000:]}" for log in logs)
    raise AssertionError(f"{what}: not within {PATIENCE} s\n{said}")


def ask(method: str, url: str, body: Any = None, **headers: str) -> Any:
    """JSON for JSON; once more where a busy server says 503, as Prefect's does when SQLite is locked."""
    content = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json", **headers}
    end = time.monotonic() + PATIENCE
    while True:
        try:
            request = urllib.request.Request(url, content, kind, method=method)
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
            return json.loads(text) if text else None
        except HTTPError as error:
            if error.code != 503 or time.monotonic() > end:
                raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()}") from error
            time.sleep(1)
