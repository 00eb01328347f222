"""The jobs that may write are set up without NumPy and Arrow, so what they import needs neither."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "alerts.heartbeat",
        "gates.judge",
        "gates.kinds",
        "registry.candidate",
        "registry.mirror",
        "registry.promote",
        "registry.register",
        "reports.publish",
        "runs.publish",
        "versions.differences",
    ],
)
def test_it_is_imported_without_numpy_and_arrow(module: str) -> None:
    blocked = "import sys; sys.modules['numpy'] = sys.modules['pyarrow'] = None"
    code = f"{blocked}; import mlops_kit.{module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
