"""Two commands of `mlops-new` do not change one repository at the same time."""

import subprocess
import sys
from pathlib import Path

import pytest
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
    command = [sys.executable, "-c", HOLDS.format(scaffold=str(ROOT / "scaffold"))]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE)
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
