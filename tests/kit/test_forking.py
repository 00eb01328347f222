"""A command that is forked ends as one that is started: with the same code and the same words."""

import os
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, run
from tests.kit import forking
from tests.kit.small_repository import kit, small

ACTIONS = str(ROOT / "actions")


@pytest.mark.parametrize(
    ("words", "code"), [(["--version"], 0), (["versions"], 0), (["show", "v9.9.9"], 1), (["nothing"], 2)]
)
def test_a_forked_command_is_like_a_new_process(words: list[str], code: int, tmp_path: Path) -> None:
    made = small(tmp_path / "made")
    new = run([sys.executable, "-m", "mlops_kit", *words], made.root, PYTHONPATH=ACTIONS)
    assert kit(made.root, *words) == new
    assert new.code == code, new.said


def test_what_a_command_sets_is_gone_in_the_next(tmp_path: Path) -> None:
    """Its folder and its environment; this process keeps its own."""
    made, here = small(tmp_path / "made"), Path.cwd()
    assert "is for kit" not in kit(made.root, "versions").stderr
    assert kit(tmp_path, "versions").code == 1
    assert kit(made.root, "versions").code == 0
    assert Path.cwd() == here


def test_what_python_reads_at_its_start_needs_a_new_process() -> None:
    assert forking.can_run({"GITHUB_ACTIONS": "true"}) == hasattr(os, "fork")
    assert not forking.can_run({"PYTHONHASHSEED": "1"})
