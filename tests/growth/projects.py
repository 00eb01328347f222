"""Growing a project in this process, and what must hold afterwards."""

from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result
from mlops_new.base.errors import MlopsNewError
from mlops_new.cli import main
from mlops_new.grow import grow
from mlops_new.grow.changes import Changes
from mlops_new.template import tiers

from tests.conftest import must


def say(_: str) -> None:
    pass


def commit(at: Path, message: str) -> None:
    must(["git", "add", "--all"], at)
    must(["git", "commit", "--quiet", "--no-verify", f"--message={message}"], at)


def update(at: Path, tools: Mapping[str, str], version: str | None = None) -> Changes:
    """Update the project in place."""
    with grow.open_project(at) as project, grow.try_update(project, tools, version) as trial:
        trial.apply()
    return trial.changes


def files_of(at: Path, answers: Mapping[str, str]) -> set[str]:
    """Names of the files of these tiers, by layer and tool."""
    with grow.open_project(at) as project:
        return {
            name
            for layer, tool in answers.items()
            for name in tiers.find_tool(layer, tool, project.layers).files
        }


def loss(changes: Changes, expected: set[str]) -> str:
    """What an added tier did beside adding its files, in words; empty when nothing."""
    if changes.conflicts or changes.broken:
        return f"{len(changes.conflicts)} conflicts, {len(changes.broken)} broken"
    if changes.removed:
        return f"removed {', '.join(changes.removed)}"
    if changes.changed != (".copier-answers.yml",):
        return f"changed {', '.join(changes.changed)}"
    if set(changes.added) != expected:
        return f"added {set(changes.added) ^ expected}"
    return ""


def new(at: Path, *words: str) -> Result:
    """`mlops-new` in this process, at this project."""
    return CliRunner().invoke(main.command, [*words, "-C", str(at)])


def refused(at: Path, *words: str) -> MlopsNewError:
    before = must(["git", "status", "--porcelain"], at)
    error = new(at, *words).exception
    assert isinstance(error, MlopsNewError), error
    assert must(["git", "status", "--porcelain"], at) == before
    return error
