"""Temporary folders, and Ctrl-C that comes at a bad moment."""

import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from mlops_new.base import temporary

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
