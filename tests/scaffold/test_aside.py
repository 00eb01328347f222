"""Folders that are gone afterwards, and Ctrl-C that comes at a bad moment."""

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from mlops_new import aside


def test_ctrl_c_waits_until_what_must_not_be_torn_is_done() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), aside.held_back():
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
    with pytest.raises(KeyboardInterrupt), aside.folder("x-", tmp_path) as folder:
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []
