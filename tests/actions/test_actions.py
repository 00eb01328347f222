"""Each action: thin, pinned, explained, and linted; run for real in tests/act."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from mlops_kit import VERSION
from mlops_kit.alerts import webhook
from mlops_kit.base import github_env
from mlops_kit.cli import main

from tests.act import workflows
from tests.conftest import ROOT, must, run

ACTIONS = ROOT / "actions"
NAMES = sorted(path.parent.name for path in ACTIONS.glob("*/action.yml"))
WITHOUT_A_COMMAND = {"setup", "environment", "login"}  # what they run is no command of the kit
BESIDE = Path(sys.executable).parent


def action(name: str) -> dict[str, Any]:
    return workflows.read(ACTIONS / name / "action.yml")


def steps(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = action(name)["runs"]["steps"]
    return found


def test_every_command_that_ci_needs_is_an_action() -> None:
    of_people = {"versions", "show", "why", "lineage", "pull", "runs", "alarm", "gc", "doctor", "serve"}
    of_people |= {"registry"}  # the kit mirrors by itself
    assert set(NAMES) - WITHOUT_A_COMMAND == set(main.GROUPS) - of_people


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_the_environment_reaches_a_script(name: str) -> None:
    for step in steps(name):
        assert "${{" not in step.get("run", "")
        assert step["name"]
        assert ("run" in step) == ("shell" in step)


@pytest.mark.parametrize("name", NAMES)
def test_every_input_and_output_is_used_and_explained(name: str) -> None:
    content = action(name)
    used = re.findall(r"inputs\.([a-z-]+)", (ACTIONS / name / "action.yml").read_text("utf-8"))
    assert set(used) == set(content["inputs"])
    for one in (*content["inputs"].values(), *content["outputs"].values()):
        assert one["description"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_A_COMMAND])
def test_every_variable_is_one_that_the_command_reads(name: str) -> None:
    command = main.group.get_command(click.Context(main.group), name)
    assert command
    known = set(variables(command, f"MLOPS_KIT_{name}_".upper().replace("-", "_")))
    (step,) = steps(name)
    assert set(step["env"]) - {"GITHUB_TOKEN", webhook.VARIABLE, github_env.SIGNING_KEY} <= known


def variables(command: click.Command, prefix: str) -> Iterator[str]:
    yield from (prefix + str(parameter.name).upper() for parameter in command.params)
    for name, inner in getattr(command, "commands", {}).items():
        yield from variables(inner, f"{prefix}{name.upper()}_")


def test_what_an_action_runs_with_is_pinned_by_hash_without_an_address() -> None:
    text = (ACTIONS / "requirements.txt").read_text("utf-8")
    assert "://" not in text
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"][
        "kit"
    ]
    pinned = {re.split("==", line)[0].lower() for line in text.splitlines() if "==" in line}
    assert {re.split("[>=]", line)[0].lower().replace(".", "-") for line in wanted} | {"click"} <= pinned
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z])", text) if "==" in block)


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    settings = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    assert VERSION == project["version"] == settings["kit_version"]["default"]


def test_the_linters_find_nothing() -> None:
    strict = ["--quiet", "--offline", "--strict-collection", "--persona=auditor"]
    must([BESIDE / "zizmor", *strict, "actions", ".github"], ROOT)
    files = [ACTIONS / name / "action.yml" for name in NAMES]
    ours = sorted((ROOT / ".github/workflows").iterdir())
    must([BESIDE / "check-jsonschema", "--builtin-schema", "vendor.github-actions", *files], ROOT)
    must([BESIDE / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *ours], ROOT)
    must([BESIDE / "jactionlint", f"--shellcheck={BESIDE / 'shellcheck'}", *files, *ours], ROOT)
    scripts = ["actions/mlops-kit", "actions/pins", "scaffold/pins-of-release", "scaffold/publish"]
    scripts += ["actions/environment/install", "actions/login/azure", "actions/login/roles"]
    must([BESIDE / "shellcheck", *scripts, "scaffold/with-uv", "tests/run"], ROOT)


def test_a_hostile_input_is_a_value_and_not_a_command(tmp_path: Path) -> None:
    """What a caller passes for `file` reaches the command whole."""
    evil = f"$(touch {tmp_path}/touched); `touch {tmp_path}/touched`"
    (step,) = steps("validate")
    script = step["run"].replace("$GITHUB_ACTION_PATH/..", str(tmp_path))
    (tmp_path / "mlops-kit").write_text('printf "%s" "$MLOPS_KIT_VALIDATE_FILE"\n')
    said = subprocess.run(
        ["bash", "-c", script], env={"PATH": "/usr/bin:/bin", "MLOPS_KIT_VALIDATE_FILE": evil}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert said.stdout == evil
    assert not (tmp_path / "touched").exists()


def test_fewer_pins_are_the_same_pins() -> None:
    all_of_them = (ACTIONS / "requirements.txt").read_text("utf-8")
    few = (ACTIONS / "requirements-without-tables.txt").read_text("utf-8")
    blocks = {text: re.split(r"\n(?=[a-z])", text.rstrip("\n")) for text in (all_of_them, few)}
    assert blocks[few] == [one for one in blocks[all_of_them] if not one.startswith(("numpy==", "pyarrow=="))]


def test_the_reference_pages_are_what_the_code_says() -> None:
    done = run([sys.executable, "docs/generate.py", "--check"], ROOT)
    assert done.code == 0, f"run `python docs/generate.py`:\n{done.said}"
