"""Commands that ask servers end when these say nothing; what they start may take its time."""

import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mlops_new.base import processes
from mlops_new.base.processes import ProcessError, follow, run_online
from mlops_new.create import environment

from tests.bad_servers import Serve, dripping, server, silent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process does is only seen on Linux")
LIMIT = 1.5  # seconds, in the place of a minute


def dripping_page(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(300):
        connection.sendall(b" ")
        time.sleep(0.05)


def redirecting(connection: socket.socket) -> None:
    """To itself, and there it is silent."""
    with suppress(IndexError):
        host, port = connection.getsockname()
        location = f"http://{host}:{port}/elsewhere".encode()
        connection.sendall(b"HTTP/1.1 307 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")
    silent(connection)


@pytest.mark.parametrize("serve", [silent, dripping, dripping_page, redirecting])
def test_a_package_index_that_does_not_answer_is_named_by_uv_or_ends_it(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STALL", LIMIT)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["a"]\n'
    )
    (tmp_path / "constraints.txt").write_text("")
    (tmp_path / ".venv").mkdir()
    monkeypatch.delenv("UV_OFFLINE", raising=False)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with server(serve) as (url, heard):
        monkeypatch.setenv("UV_DEFAULT_INDEX", url)
        begin = time.monotonic()
        with pytest.raises(
            environment.InstallError, match=r"it did nothing for 1.5 s: does the server answer\?"
        ):
            environment.install(tmp_path)
        assert time.monotonic() - begin < 15
        assert heard


def test_what_a_command_writes_is_kept_apart_and_its_failure_told(tmp_path: Path) -> None:
    both = "import sys; print('out'); print('error', file=sys.stderr)"
    assert run_online([sys.executable, "-c", both], tmp_path) == "out\n"
    with pytest.raises(ProcessError) as failed:
        run_online([sys.executable, "-c", f"{both}; sys.exit(3)"], tmp_path)
    assert (failed.value.code, failed.value.stderr, failed.value.stdout) == (3, "error", "out")


def test_a_run_that_the_command_started_may_wait_and_the_command_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STALL", 0.4)
    training = "import time; time.sleep(1.2); print('trained')"
    uv = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {training!r}]); time.sleep(30)"
    heard: list[str] = []
    with pytest.raises(ProcessError, match=r"it did nothing for 0.4 s"):
        follow([sys.executable, "-c", uv], tmp_path, heard.append, own_session=True, online=True)
    assert heard == ["trained"]
    with pytest.raises(ProcessError, match=r"it did nothing for 0.4 s"):
        follow([sys.executable, "-c", uv], tmp_path, heard.append, online=True)
    assert heard == ["trained"]
