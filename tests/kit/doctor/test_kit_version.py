"""A kit that mlops.yaml was not written for says so, once, with the one thing to do."""

import re
from pathlib import Path

import pytest
from mlops_kit import VERSION
from mlops_kit.doctor import kit_version

from tests.kit.builders import a_repository
from tests.kit.small_repository import kit

WARNS = (
    f"mlops-kit: mlops.yaml is for kit 9.9.9, this is {VERSION}. "
    "Fix: uv tool install 'mlops-new[kit]==9.9.9'\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_repository(tmp_path / "flights").root


def asks_for(root: Path, version: str) -> None:
    path = root / "mlops.yaml"
    path.write_text(path.read_text() + f"kit: {version}  # that this file was written for\n")


def test_each_command_warns_once_on_stderr_and_does_its_work(root: Path) -> None:
    asks_for(root, "9.9.9")
    done = kit(root, "runs", "--json")
    assert (done.code, done.stdout, done.stderr) == (0, "[]\n", WARNS)
    (root / "inside").mkdir()
    assert kit(root / "inside", "runs").stderr == WARNS
    assert kit(root.parent, "-C", root, "runs").stderr == WARNS


def test_on_a_runner_it_is_the_actions_that_are_pinned(root: Path) -> None:
    asks_for(root, "'v9.9.9'")
    said = kit(root, "runs", GITHUB_ACTIONS="true").stderr
    assert f"pin the actions at @v9.9.9, or write `kit: {VERSION}` into mlops.yaml" in said


@pytest.mark.parametrize("version", [VERSION, f"v{VERSION}", f'"{VERSION}"'])
def test_its_own_version_is_nothing_to_say(root: Path, version: str) -> None:
    asks_for(root, version)
    assert kit(root, "runs").stderr == ""


def test_the_doctor_says_it_in_its_own_words_only(root: Path) -> None:
    asks_for(root, "9.9.9")
    done = kit(root, "doctor")
    assert WARNS not in done.stderr
    assert re.search(r"FAIL +kit version +mlops.yaml is for kit 9\.9\.9", done.stdout)


def test_no_contract_or_a_broken_one_is_for_the_command_to_say(tmp_path: Path) -> None:
    assert kit_version.asked_for(tmp_path) is None
    (tmp_path / "mlops.yaml").write_bytes(b"\xff\xfe not YAML: [")
    assert kit_version.asked_for(tmp_path) is None
