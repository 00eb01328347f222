"""The commands that README and tutorial show are run as they stand."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_kit import HOME
from mlops_new.template.releases import publisher

from tests.conftest import ROOT, exported, must, run


def commands(page: Path) -> list[str]:
    """The indented lines of a page."""
    return re.findall(r"^    (\S.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return exported(tmp_path / "mlops-new")


@pytest.mark.environment
def test_the_first_command_of_the_readme_on_a_bare_system(checkout: Path) -> None:
    """No uv, the system's own Python, and no Git repository around."""
    first = commands(checkout / "README.md")[0]
    bare = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    if shutil.which("uv", path=bare["PATH"]):
        bare["PATH"] = str(_without_uv(checkout.parent / "bin", bare["PATH"]))
    done = run(["sh", "-c", first], checkout, **bare)
    assert done.code == 0, done.said
    assert "Trained, and judged on 2401 rows it has not seen" in done.stdout
    assert "roc_auc" in done.stdout
    assert f'export PATH="{checkout}/.uv/bin:$PATH"' in done.stderr
    assert must(["git", "status", "--porcelain"], checkout / "my-project") == ""


def _without_uv(folder: Path, path: str) -> Path:
    """The same commands but uv."""
    folder.mkdir()
    for place in path.split(":"):
        for command in Path(place).iterdir() if Path(place).is_dir() else []:
            if command.name not in ("uv", "uvx") and not (folder / command.name).exists():
                (folder / command.name).symlink_to(command)
    return folder


def test_the_second_command_of_the_readme_is_what_runs_this() -> None:
    assert commands(ROOT / "README.md")[1] == "sh tests/run"
    assert "sh tests/run" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_how_a_repository_grows(mlops_new: Path, tmp_path: Path) -> None:
    """The page's commands in a new repository; there is no newer template, and the page's checks say so."""
    must([mlops_new, "flights"], tmp_path)
    script = tmp_path / "grow.sh"
    lines = commands(ROOT / "docs/how-to/grow.md")
    assert len(lines) > 8
    script.write_text("set -eux\n" + "\n".join(lines) + "\n", encoding="utf-8")
    path = f"{mlops_new.parent}{os.pathsep}{os.environ['PATH']}"
    said = must(["sh", script], tmp_path / "flights", PATH=path)
    assert "Switched orchestration=prefect to orchestration=airflow:" in said
    assert "nothing newer." in said
    log = must(["git", "log", "--format=%s"], tmp_path / "flights").splitlines()
    assert log[:3] == ["Remove orchestration", "Switch to Airflow", "Add orchestration=prefect"]
    assert must(["git", "diff", "--stat", "HEAD~3"], tmp_path / "flights") == ""


@pytest.fixture
def reach(tmp_path: Path) -> dict[str, str]:
    """An environment in which `mlops-kit` is a command."""
    kit = tmp_path / "bin/mlops-kit"
    kit.parent.mkdir()
    kit.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT / "actions"} exec {sys.executable} -m mlops_kit "$@"\n')
    kit.chmod(0o755)
    return {"PATH": f"{kit.parent}{os.pathsep}{os.environ['PATH']}"}


def test_the_page_about_monitoring(flights: Path, tmp_path: Path, reach: dict[str, str]) -> None:
    """In a project that was trained and has no version yet."""
    script = tmp_path / "monitor.sh"
    lines = commands(ROOT / "docs/how-to/monitor.md")
    assert len(lines) == 7
    script.write_text("set -eux\n" + "\n".join(lines) + "\n", encoding="utf-8")
    said = must(["sh", script], flights, **reach)
    assert "Training: no run on main yet" in said
    assert "Concept: unknown since" in said
    assert "one false alarm in 100 checks at most" in said
    assert "Trains nothing: mlops.yaml has no `retrain`" in said
    assert (flights / ".mlops/review/review.html").is_file()
    assert must(["git", "status", "--porcelain"], flights) == ""


def test_the_page_about_versions(
    versioned: Path, copy_of: Callable[[Path], Path], tmp_path: Path, reach: dict[str, str]
) -> None:
    """In a project that has trained twice."""
    flights = copy_of(versioned)
    params = flights / "params.yaml"
    params.write_text(params.read_text().replace("learning_rate: 0.05", "learning_rate: 0.1"))
    must(["git", "commit", "--quiet", "--all", "--no-verify", "--message=Rate"], flights)
    must(["sh", "-c", "mlops-kit train && mlops-kit gate && mlops-kit register"], flights, **reach)
    script = tmp_path / "versions.sh"
    lines = commands(ROOT / "docs/how-to/versions.md")
    assert len(lines) > 10
    script.write_text("set -eux\n" + "\n".join(lines) + "\n", encoding="utf-8")
    said = must(["sh", script], flights, **reach)
    assert "From v0.1.0 to v0.2.0 the parameters changed." in said
    assert "production: v0.2.0 -> v0.1.0 (flights#production#3)." in said
    assert "v0.1.0 is reproduced" in said


def test_this_project_is_named_in_one_place() -> None:
    """An organisation that forks it changes copier.yml and the address in the kit, and runs docs/generate.py."""
    found = must(
        ["git", "grep", "-l", "mlops-new/mlops-new", "--", "scaffold", "template", "actions", "copier.yml"],
        ROOT,
    )
    assert [name for name in found.split() if not name.endswith("README.md")] == [
        "actions/mlops_kit/__init__.py",
        "copier.yml",
    ]
    assert HOME.endswith(publisher((ROOT / "copier.yml").read_text("utf-8")))
