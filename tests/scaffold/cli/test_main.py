"""The command `mlops-new` itself."""

import sys
from pathlib import Path

from tests.conftest import run

AT_THE_END = """
import atexit, signal
from mlops_new.cli.main import main

atexit.register(signal.raise_signal, signal.SIGINT)
main()
"""


def test_ctrl_c_while_python_ends_changes_nothing(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", AT_THE_END, "--help"], tmp_path)
    assert (done.code, done.stderr) == (0, "")
