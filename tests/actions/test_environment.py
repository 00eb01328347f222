"""The action `environment`: which uv a job uses, and how the first lock is made."""

from pathlib import Path

import pytest

from tests.act import workflows
from tests.actions.scripts import Runner
from tests.conftest import ROOT

UV = """\
if [ "$1" = --version ]; then echo "uv {version}"; exit 0; fi
echo "$*" >> '{calls}'
if [ "$1" = add ]; then touch uv.lock; fi
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    runner = Runner(tmp_path)
    (tmp_path / "work").mkdir()
    runner.program("uv", UV.format(version="0.13.9", calls=tmp_path / "uv.calls"))
    return runner


def test_a_committed_lock_is_installed_as_it_is(runner: Runner) -> None:
    for name in ("uv.lock", "constraints.txt"):
        (runner.folder / "work" / name).touch()
    done = runner.step("environment/install")
    assert (done.code, done.said) == (0, "")
    assert runner.calls("uv") == ["sync --locked"]
    assert runner.outputs() == {"lock": "committed"}


def test_the_first_lock_has_the_tested_versions(runner: Runner) -> None:
    (runner.folder / "work/constraints.txt").touch()
    done = runner.step("environment/install")
    assert done.code == 0
    assert runner.calls("uv") == ["add --no-sync --constraints constraints.txt pyyaml", "sync --locked"]
    assert runner.outputs() == {"lock": "made"}
    assert "::notice title=No uv.lock::" in done.stdout and "commit uv.lock" in done.stdout


def test_without_tested_versions_a_missing_lock_is_an_error_of_uv(runner: Runner) -> None:
    runner.step("environment/install")
    assert runner.calls("uv") == ["sync --locked"]


@pytest.mark.parametrize(
    ("runner_environment", "version", "found"),
    [
        ("github-hosted", "0.13.9", True),  # `setup` has installed it
        ("github-hosted", "0.13.9 (abc 2026-11-01)", True),
        ("github-hosted", "0.13.90", False),
        ("github-hosted", "0.12.0", False),
        ("self-hosted", "0.12.0", True),
        ("", "0.12.0", True),
    ],
)
def test_a_hosted_runner_gets_the_pinned_uv(
    runner: Runner, runner_environment: str, version: str, found: bool
) -> None:
    runner.program("uv", UV.format(version=version, calls=runner.folder / "uv.calls"))
    look = workflows.read(ROOT / "actions/environment/action.yml")["runs"]["steps"][0]
    done = runner.run(["bash", "-eo", "pipefail", "-c", look["run"]], RUNNER_ENVIRONMENT=runner_environment)
    assert done.code == 0, done.said
    assert runner.outputs() == ({"found": "true"} if found else {})


def test_the_uv_that_is_looked_for_is_the_one_that_is_installed() -> None:
    look, install, _ = workflows.read(ROOT / "actions/environment/action.yml")["runs"]["steps"]
    assert look["run"].count(f"uv {install['with']['version']}") == 2
