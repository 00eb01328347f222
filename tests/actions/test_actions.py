"""Each action: thin, pinned, explained, and linted; run for real in tests/act."""

import re
import shutil
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
from mlops_kit.cli import main

from tests.act import workflows
from tests.conftest import ROOT, must, run

ACTIONS = ROOT / "actions"
NAMES = sorted(path.parent.name for path in ACTIONS.glob("*/action.yml"))
BESIDE = Path(sys.executable).parent


def action(name: str) -> dict[str, Any]:
    return workflows.read(ACTIONS / name / "action.yml")


def steps(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = action(name)["runs"]["steps"]
    return found


def test_every_command_that_ci_needs_is_an_action() -> None:
    of_people = {"versions", "show", "why", "lineage", "pull", "runs", "alarm", "gc", "doctor", "serve"}
    of_people |= {"registry"}  # the kit mirrors by itself
    assert set(NAMES) - {"setup"} == set(main.GROUPS) - of_people


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


@pytest.mark.parametrize("name", [name for name in NAMES if name != "setup"])
def test_every_variable_is_one_that_the_command_reads(name: str) -> None:
    command = main.group.get_command(click.Context(main.group), name)
    assert command
    known = set(variables(command, f"MLOPS_KIT_{name}_".upper().replace("-", "_")))
    (step,) = steps(name)
    assert set(step["env"]) - {"GITHUB_TOKEN", webhook.VARIABLE} <= known


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
    strict = ["--quiet", "--offline", "--strict-collection", "--persona=pedantic"]
    must([BESIDE / "zizmor", *strict, "actions", ".github"], ROOT)
    files = [ACTIONS / name / "action.yml" for name in NAMES]
    must([BESIDE / "check-jsonschema", "--builtin-schema", "vendor.github-actions", *files], ROOT)
    must([BESIDE / "jactionlint", f"--shellcheck={BESIDE / 'shellcheck'}", *files], ROOT)
    must([BESIDE / "shellcheck", "actions/mlops-kit", "actions/pins", "scaffold/with-uv", "tests/run"], ROOT)


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


@pytest.mark.environment
def test_the_launcher_makes_its_environment_once(tmp_path: Path) -> None:
    launcher = ["sh", ACTIONS / "mlops-kit", "--version"]
    first = run(launcher, tmp_path, RUNNER_TEMP=str(tmp_path))
    assert first.stdout == f"mlops-kit, version {VERSION}\n", first.said
    made = (tmp_path / ".venv-mlops-kit/requirements.txt").stat().st_mtime_ns
    assert run(launcher, tmp_path, RUNNER_TEMP=str(tmp_path)).code == 0
    assert (tmp_path / ".venv-mlops-kit/requirements.txt").stat().st_mtime_ns == made


@pytest.mark.environment
def test_a_job_may_go_without_what_reads_tables(tmp_path: Path) -> None:
    """What its steps then run is not made anew by those that say nothing, and says so where it lacks something."""
    launcher, of_a_job = ["sh", ACTIONS / "mlops-kit"], {"RUNNER_TEMP": str(tmp_path)}
    assert run([*launcher, "--version"], tmp_path, **of_a_job, MLOPS_KIT_TABLES="false").code == 0
    packages = next((tmp_path / ".venv-mlops-kit/lib").glob("python3*/site-packages"))
    assert not list(packages.glob("numpy*")) + list(packages.glob("pyarrow*"))
    said = run([*launcher, "monitor", "check"], tmp_path, **of_a_job)
    assert (said.code, "tables: false" in said.said) == (1, True), said.said
    assert run([*launcher, "--version"], tmp_path, **of_a_job, MLOPS_KIT_TABLES="true").code == 0
    assert (packages / "numpy").is_dir()


def test_fewer_pins_are_the_same_pins() -> None:
    all_of_them = (ACTIONS / "requirements.txt").read_text("utf-8")
    few = (ACTIONS / "requirements-without-tables.txt").read_text("utf-8")
    blocks = {text: re.split(r"\n(?=[a-z])", text.rstrip("\n")) for text in (all_of_them, few)}
    assert blocks[few] == [one for one in blocks[all_of_them] if not one.startswith(("numpy==", "pyarrow=="))]


def kit_of(tmp_path: Path, name: str) -> Path:
    """A checkout of our actions, as a job has it."""
    shutil.copytree(ACTIONS, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / name


def launched(sources: Path, job: Path) -> str:
    done = run(
        ["sh", sources / "mlops-kit", "--version"], job, RUNNER_TEMP=str(job), PYTHONDONTWRITEBYTECODE="1"
    )
    return done.said.strip()


@pytest.mark.environment
def test_a_job_compiles_the_kit_once_and_not_beside_its_sources(tmp_path: Path) -> None:
    """Sources that are in a repository, as with --kit vendored, would make its tree dirty."""
    sources = kit_of(tmp_path, "actions")
    assert launched(sources, tmp_path) == f"mlops-kit, version {VERSION}"
    assert list(sources.rglob("*.pyc")) == []
    assert list((tmp_path / ".venv-mlops-kit").rglob("mlops_kit/cli/__pycache__/main.*.pyc"))


@pytest.mark.environment
def test_the_same_kit_of_another_action_is_not_compiled_again(tmp_path: Path) -> None:
    """A runner may check out each action into a folder of its own, as act does."""
    one, other = kit_of(tmp_path, "setup"), kit_of(tmp_path, "gate")
    launched(one, tmp_path)
    (compiled,) = (tmp_path / ".venv-mlops-kit").rglob("mlops_kit/cli/__pycache__/main.*.pyc")
    before = compiled.stat().st_ino
    launched(other, tmp_path)
    assert compiled.stat().st_ino == before


@pytest.mark.environment
def test_the_ref_of_an_action_is_the_kit_that_runs_whatever_ran_before(tmp_path: Path) -> None:
    one, other = kit_of(tmp_path, "v1"), kit_of(tmp_path, "v2")
    version = other / "mlops_kit/__init__.py"
    version.write_text(version.read_text().replace(VERSION, "9.9.9"))
    said = [launched(sources, tmp_path) for sources in (one, other, one, other)]
    assert [words.split()[-1] for words in said] == [VERSION, "9.9.9", VERSION, "9.9.9"]


@pytest.mark.environment
def test_a_kit_that_was_updated_in_place_runs_as_it_is_now(tmp_path: Path) -> None:
    sources = kit_of(tmp_path, "actions")
    assert launched(sources, tmp_path).endswith(VERSION)
    (sources / "mlops_kit/__init__.py").write_text('"""Another."""\n\nVERSION = "9.9.9"\n')
    assert launched(sources, tmp_path).endswith("9.9.9")
    (sources / "mlops_kit/doctor/kit_version.py").unlink()
    assert (
        "kit_version" in run(["sh", sources / "mlops-kit", "train"], tmp_path, RUNNER_TEMP=str(tmp_path)).said
    )


@pytest.mark.environment
def test_no_module_of_the_repository_runs_in_the_place_of_the_kits(tmp_path: Path) -> None:
    """The job that may write runs no code of the repository, not even by its name."""
    for name in ("json", "click", "mlops_kit"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the repository ran')\n")
    assert launched(ACTIONS, tmp_path) == f"mlops-kit, version {VERSION}"


def test_without_uv_the_launcher_says_so(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    for name in ("dirname", "cmp"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = run(["sh", ACTIONS / "mlops-kit"], tmp_path, RUNNER_TEMP=str(tmp_path), PATH=str(tmp_path))
    assert done.code == 1
    assert "uv is not on the PATH" in done.stderr


def test_the_reference_pages_are_what_the_code_says() -> None:
    done = run([sys.executable, "docs/generate.py", "--check"], ROOT)
    assert done.code == 0, f"run `python docs/generate.py`:\n{done.said}"
