"""The commands that README and tutorial show are run as they stand."""

import re
import shutil
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
    assert "Trained. Metrics on 2401 test rows, which the training did not see" in done.stdout
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
