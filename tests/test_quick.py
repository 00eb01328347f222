"""The quick run: tests that need an environment mark themselves by their fixtures, and most tests are left."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT, SLOW, must, run

QUICK = "not environment and not slow"
SHARED = """
import pytest

@pytest.fixture
def repository(trained): ...

def test_of_a_repository(repository): ...
def test_of_text(tmp_path): ...
@pytest.mark.parametrize("n", [1])
def test_slow(n): ...
"""


def collected(*words: object, cwd: Path = ROOT) -> list[str]:
    said = must([sys.executable, "-m", "pytest", "-n0", "--collect-only", "-q", *words], cwd)
    return re.findall(r"^(\S+::.+)$", said, re.MULTILINE)


def test_a_fixture_that_needs_an_environment_marks_its_tests(tmp_path: Path) -> None:
    """Also through another fixture; a slow test is marked by its name in tests/slow.txt."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/__init__.py").touch()
    (tmp_path / "tests/conftest.py").write_bytes((ROOT / "tests/conftest.py").read_bytes())
    (tmp_path / "tests/slow.txt").write_text("test_slow\n")
    (tmp_path / "tests/test_shared.py").write_text(SHARED)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    by_kind = {kind: collected("-m", kind, cwd=tmp_path) for kind in ("environment", "slow", QUICK)}
    assert {kind: [name.rpartition("::")[2] for name in names] for kind, names in by_kind.items()} == {
        "environment": ["test_of_a_repository"],
        "slow": ["test_slow[1]"],
        QUICK: ["test_of_text"],
    }


@pytest.mark.slow
def test_the_quick_run_is_most_of_the_tests() -> None:
    everything, quick = collected(), collected("-m", QUICK)
    assert len(everything) * 0.5 < len(quick) < len(everything) * 0.8
    assert {name.split("/")[1] for name in quick} >= {"act", "actions", "kit", "scaffold"}
    alone = ("tests/tiers/", "tests/template/", "tests/act/test_merge_trains.py", "tests/act/test_harness.py")
    assert [name for name in quick if name.startswith(alone)] == []
    assert {name.rpartition("::")[2].partition("[")[0] for name in everything} >= SLOW, "tests/slow.txt"


def test_a_marker_that_nobody_registered_is_refused() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    assert "--strict-markers" in settings["addopts"].split()
    said = run([sys.executable, "-m", "pytest", "-n0", "--markers"], ROOT).stdout
    assert re.findall(r"^@pytest\.mark\.(environment|slow):", said, re.MULTILINE) == ["environment", "slow"]
