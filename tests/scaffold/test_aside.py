"""Folders that are gone afterwards, and Ctrl-C that comes at a bad moment."""

import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from mlops_new.base import temporary
from mlops_new.template import render

from tests.conftest import run


def test_ctrl_c_waits_until_what_must_not_be_torn_is_done() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), temporary.delay_interrupt():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_folder_is_gone_when_its_removal_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove: Any = shutil.rmtree

    def interrupted(folder: Path, **how: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        remove(folder, **how)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), temporary.folder("x-", tmp_path) as folder:
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


BETWEEN = """
import sys
from pathlib import Path
from mlops_new.base import temporary

real = temporary.delay_interrupt

def interrupted():
    temporary.delay_interrupt = real
    raise KeyboardInterrupt

with temporary.folder("x-", Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    temporary.delay_interrupt = interrupted
"""


def test_a_folder_is_gone_at_the_end_when_ctrl_c_came_before_its_removal(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", BETWEEN, tmp_path], tmp_path)
    assert "KeyboardInterrupt" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_as_the_template_begins_to_be_unpacked_waits_for_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its folder is removed next, in which nobody may be writing then."""
    start: Any = threading.Thread.start
    ended = []

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        signal.raise_signal(signal.SIGINT)

    def unpack() -> None:
        time.sleep(0.2)
        ended.append(True)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render.import_copier(meanwhile=unpack)
    assert ended


AT_THE_END = """
import atexit, signal
from mlops_new.cli.main import main

atexit.register(signal.raise_signal, signal.SIGINT)
main()
"""


def test_ctrl_c_while_python_ends_changes_nothing(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", AT_THE_END, "--help"], tmp_path)
    assert (done.code, done.stderr) == (0, "")
