"""Two commands of `mlops-new` do not change one repository at the same time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlops_kit.project import workspace_lock
from mlops_new.base import lock
from mlops_new.base.errors import MlopsNewError

from tests.conftest import ROOT, must

HOLDS = """
import sys, time
sys.path.insert(0, {scaffold!r})
from pathlib import Path
from mlops_new.base import lock
with lock.hold(Path.cwd()):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    must(["git", "init", "--quiet"], tmp_path)
    holds = [sys.executable, "-c", HOLDS.format(scaffold=str(ROOT / "scaffold"))]
    first = subprocess.Popen(holds, cwd=tmp_path, stdout=subprocess.PIPE)
    assert first.stdout and first.stdout.readline() == b"held\n"
    told = f"Another mlops-new \\(process {first.pid}\\) is at work"
    with pytest.raises(MlopsNewError, match=told), lock.hold(tmp_path):
        pass
    first.kill()
    first.communicate()
    for _ in range(2):
        with lock.hold(tmp_path):
            pass
    assert must(["git", "status", "--porcelain"], tmp_path) == ""


@pytest.fixture
def with_kit(tmp_path: Path) -> Path:
    """A repository in which `mlops-kit` ran."""
    must(["git", "init", "--quiet"], tmp_path)
    (tmp_path / ".mlops").mkdir()
    return tmp_path


def test_a_command_of_the_kit_at_work_is_named(with_kit: Path) -> None:
    with workspace_lock.hold(with_kit, "train", print):
        with lock.hold(with_kit):  # a hook of the training calls it
            pass
        told = f"`mlops-kit train` \\(process {os.getpid()}\\) is at work"
        with pytest.MonkeyPatch.context() as outside:
            outside.delenv("MLOPS_LOCKS")
            with pytest.raises(MlopsNewError, match=told), lock.hold(with_kit):
                pass
    with lock.hold(with_kit):
        pass


def test_the_name_of_a_killed_command_of_the_kit_stays_for_the_kit(with_kit: Path) -> None:
    holder = with_kit / workspace_lock.HOLDER
    for left in ('{"command": "train", "pid": 1, "since": "2026-12-01T00:00:00Z", "token": "x"}', "{", "[]"):
        holder.write_text(left)
        with lock.hold(with_kit):
            assert f'"pid": {os.getpid()}' in holder.read_text()
        assert holder.read_text() == left
