"""`mlops-kit serve` as a process, and callers that ask it all the time."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import ROOT
from tests.kit.small_repository import Small

SECONDS = 30.0  # after which something hangs


def until(holds: Callable[[], object], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


class Running:
    def __init__(self, one: Small, *words: str) -> None:
        command = [sys.executable, "-m", "mlops_kit", "serve", "--port", "0", "--json", *words]
        self.said_file = one.root.parent / f"stderr-{time.monotonic_ns()}"
        with self.said_file.open("w") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=one.root,
                env={**os.environ, "PYTHONPATH": str(ROOT / "actions")},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self.one, self.facts = one, self._facts()
        self.host, self.port = "127.0.0.1", urlsplit(self.facts["address"]).port

    def _facts(self) -> dict[str, Any]:
        """What it prints when it answers."""
        text = ""
        assert self.process.stdout
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                facts: dict[str, Any] = json.loads(text)
                return facts
        raise AssertionError(self.said)

    @property
    def said(self) -> str:
        return self.said_file.read_text()

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> "Answer":
        connection = http.client.HTTPConnection(self.host, self.port or 0, timeout=SECONDS)
        try:
            named = {key.replace("_", "-"): value for key, value in headers.items()}
            connection.request(method, path, body, named)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def predict(self) -> dict[str, Any]:
        answer = self.ask("/predict", "POST", b"{}")
        assert answer.status == 200, answer.body
        return answer.json

    def children(self, program: str) -> list[int]:
        """Processes of this server whose command holds the word."""
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in listed if program in command_of(int(child))]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, dict(answer.getheaders()), answer.read()

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@contextmanager
def running(one: Small, *words: str) -> Iterator[Running]:
    server = Running(one, *words)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        if server.process.stdout:
            server.process.stdout.close()


class Load:
    """Callers that ask one thing after another. A refused connection is no lost request: nobody took it."""

    def __init__(self, server: Running, callers: int, keep: bool, again: bool, body: bytes) -> None:
        self.server, self.keep, self.again, self.body = server, keep, again, body
        self.answers: list[dict[str, Any]] = []
        self.lost: list[str] = []
        self.refused = 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._call) for _ in range(callers)]

    def _call(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self.stop.is_set():
            connection = self._once(connection, retries=1 if self.again else 0)
        if connection:
            connection.close()

    def _once(
        self, connection: http.client.HTTPConnection | None, retries: int
    ) -> http.client.HTTPConnection | None:
        fresh = connection is None
        connection = connection or http.client.HTTPConnection(
            self.server.host, self.server.port or 0, timeout=SECONDS
        )
        try:
            if fresh:
                connection.connect()
        except ConnectionRefusedError:
            self.refused += 1
            time.sleep(0.01)
            return None
        try:
            connection.request("POST", "/predict", self.body, {"content-type": "application/json"})
            answer = Answer(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if retries:
                time.sleep(0.1)  # a process that was killed holds its part of the port for some milliseconds
                return self._once(None, retries - 1)
            self.lost.append(repr(error))
            return None
        if answer.status == 200:
            self.answers.append(answer.json)
        else:
            self.lost.append(f"{answer.status} {answer.body!r}")
        if self.keep and answer.headers.get("connection") != "close":
            return connection
        connection.close()
        return None

    @property
    def versions(self) -> list[str]:
        return [answer["version"] for answer in self.answers]

    def by_process(self) -> Counter[int]:
        return Counter(answer["pid"] for answer in self.answers)


@contextmanager
def load(
    server: Running, callers: int = 4, *, keep: bool = False, again: bool = False, body: bytes = b"{}"
) -> Iterator[Load]:
    made = Load(server, callers, keep, again, body)
    for thread in made.threads:
        thread.start()
    try:
        until(lambda: len(made.answers) > 20)
        yield made
    finally:
        made.stop.set()
        for thread in made.threads:
            thread.join()
