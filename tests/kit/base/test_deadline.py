"""Servers that are silent, drip, never end or redirect hold no command longer than its deadline."""

import gzip
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlops_kit.alerts import webhook
from mlops_kit.alerts.webhook import Message
from mlops_kit.base import deadline, processes
from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import STAGE, TimedOut, follow_within, run_within
from mlops_kit.forge import github, github_retry, github_size
from mlops_kit.project import online
from mlops_kit.project.repository import Repository

from tests.bad_servers import Serve, dripping, dripping_body, endless, server, silent

MESSAGE = Message("test", "test", "Title", "Text", "o/r", "", "2026-12-01")
LIMIT = 0.4  # seconds, in the place of a minute


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SECONDS", LIMIT)
    monkeypatch.setattr(webhook, "BACKOFF", 0)
    monkeypatch.setattr(github, "SECONDS", LIMIT)
    monkeypatch.setattr(online, "SECONDS", LIMIT)
    monkeypatch.setattr(online, "SLOW", LIMIT / 2)
    monkeypatch.setattr(online, "_silent", {})


@contextmanager
def soon() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("serve", [silent, dripping])
def test_a_webhook_that_does_not_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(serve) as (url, _), soon():
        monkeypatch.setenv("MLOPS_WEBHOOK", url)
        with pytest.raises(KitError, match=r"it has not answered within 0.4 s"):
            webhook.send("json", MESSAGE)


def test_a_webhook_that_took_the_message_may_go_on_talking(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(dripping_body) as (url, _), soon():
        monkeypatch.setenv("MLOPS_WEBHOOK", url)
        webhook.send("json", MESSAGE)


def test_of_an_endless_answer_only_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 5)
    with server(endless) as (url, heard), soon():
        monkeypatch.setenv("MLOPS_WEBHOOK", url)
        with pytest.raises(KitError, match=r"it answers 500"):
            webhook.send("json", MESSAGE)
    assert len(heard) == webhook.TRIES + 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_does_not_carry_the_message_to_another_host(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(silent) as (other, heard_there):
        location = other.replace("127.0.0.1", "localhost") + "/other"
        answer = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
        with server(lambda connection: connection.sendall(answer)) as (url, _):
            monkeypatch.setenv("MLOPS_WEBHOOK", url)
            with pytest.raises(KitError, match=f"answers {status}, a redirect to localhost"):
                webhook.send("json", MESSAGE)
    assert heard_there == []


def test_a_redirect_on_the_same_host_keeps_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = b"HTTP/1.1 308 Moved\r\nLocation: /new\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    done = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    monkeypatch.setattr(webhook, "SECONDS", 5)
    with server(lambda c: c.sendall(moved if len(heard) == 1 else done)) as (url, heard):
        monkeypatch.setenv("MLOPS_WEBHOOK", url)
        webhook.send("json", MESSAGE)
    assert heard[1].startswith(b"POST /new ")


@pytest.mark.parametrize("serve", [silent, dripping, dripping_body])
def test_github_that_does_not_answer_is_asked_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with server(serve) as (url, _), soon():
        monkeypatch.setenv("GITHUB_API_URL", url)
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
        hub = github.connect(Repository(tmp_path))
        for _ in range(2):
            with pytest.raises(KitError, match=r"could not be reached at .* \(not done within 0.4 s\)"):
                hub.permissions()


@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_of_an_endless_answer_of_github_only_the_beginning_is_read(
    status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(github, "SECONDS", 20)
    monkeypatch.setattr(github_retry, "BACKOFF", 0)
    monkeypatch.setattr(github_size, "MOST", 1 << 20)
    sent = [0]

    def endless_answer(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {status} Answer\r\nConnection: close\r\n\r\n".encode())
        while True:
            sent[0] += connection.send(b"x" * 65536)

    with server(endless_answer) as (url, heard), soon():
        monkeypatch.setenv("GITHUB_API_URL", url)
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
        hub = github.connect(Repository(tmp_path))
        said = (
            r"GitHub answered 403" if status == 403 else r"\(TooLongError: the answer is longer than 1 MB\)"
        )
        with pytest.raises(KitError, match=said):
            hub.permissions()
        asked = len(heard)
        assert sent[0] < asked * 12 << 20  # what the system's buffers hold, and 1 MB
        if status != 403:
            with pytest.raises(
                KitError, match=r"could not be reached at .* \(the answer is longer than 1 MB\)"
            ):
                hub.permissions()
            assert len(heard) == asked


def test_a_compressed_answer_of_github_counts_as_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(github, "SECONDS", 20)
    body = gzip.compress(b"{" + b" " * (github_size.MOST + 1) + b"}")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert len(body) < 100_000
    with server(lambda connection: connection.sendall(head + body)) as (url, _), soon():
        monkeypatch.setenv("GITHUB_API_URL", url)
        monkeypatch.setenv("GITHUB_TOKEN", "token")
        monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
        with pytest.raises(KitError, match=r"the answer is longer than 32 MB"):
            github.connect(Repository(tmp_path)).permissions()


def test_an_origin_that_does_not_answer_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(silent) as (url, heard), soon():
        for _ in range(3):
            with pytest.raises(TimedOut, match=r"not done within 0.4 s"):
                online.git(tmp_path, "ls-remote", f"{url}/o/r.git")
        assert len(heard) == 1
        monkeypatch.setattr(online, "REMEMBERED", 0.0)  # a server asks again at its next look
        with pytest.raises(TimedOut):
            online.git(tmp_path, "ls-remote", f"{url}/o/r.git")
        assert len(heard) == 2


def test_a_process_that_waits_for_its_child_is_ended_with_it(tmp_path: Path) -> None:
    with soon(), pytest.raises(TimedOut):
        run_within(["sh", "-c", "sleep 47.11 & wait"], tmp_path, seconds=LIMIT)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process does is only seen on Linux")
def test_a_process_that_does_nothing_is_ended_and_one_that_works_is_not(tmp_path: Path) -> None:
    with soon(), pytest.raises(TimedOut, match=r"it did nothing for 0.4 s"):
        run_within(["sleep", "30"], tmp_path, stall=LIMIT)
    works = "import time\nfor _ in range(20): open('file', 'a').write('x'); time.sleep(0.05)"
    assert run_within([sys.executable, "-c", works], tmp_path, stall=LIMIT) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="what a process does is only seen on Linux")
def test_a_followed_process_that_does_nothing_is_ended_but_not_while_a_stage_runs(tmp_path: Path) -> None:
    heard: list[str] = []
    stage = f"import time; time.sleep({3 * LIMIT}); print('trained', flush=True)"
    dvc = (
        "import os, subprocess, sys, time\n"
        f"subprocess.run([sys.executable, '-c', {stage!r}], env=os.environ | {{{STAGE!r}: 'train'}})\n"
        "time.sleep(30)"
    )
    with soon(), pytest.raises(TimedOut, match=r"trained\nit did nothing for 0.4 s"):
        follow_within([sys.executable, "-c", dvc], tmp_path, heard.append, stall=LIMIT, exempt=STAGE)
    assert heard == ["trained"]


@pytest.mark.skipif(sys.platform != "linux", reason="what a process does is only seen on Linux")
def test_a_child_that_does_not_end_when_asked_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    with soon(), pytest.raises(TimedOut):
        follow_within(["sh", "-c", "trap '' TERM; sleep 30 & wait; sleep 30"], tmp_path, print, stall=LIMIT)


def test_a_stage_around_the_kit_is_not_taken_for_one_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STAGE, "outer")
    assert STAGE not in processes.environment()


def test_a_call_that_no_signal_reaches_is_left() -> None:
    with soon(), pytest.raises(TimeoutError, match=r"no answer within 0.1 s"):
        deadline.call(0.1, threading.Event().wait)
    assert deadline.call(1, sorted, [2, 1], reverse=True) == [2, 1]
    with pytest.raises(ZeroDivisionError):
        deadline.call(1, lambda: 1 // 0)


def test_a_deadline_that_was_kept_leaves_no_timer() -> None:
    with deadline.within(0.05):
        pass
    time.sleep(0.1)
