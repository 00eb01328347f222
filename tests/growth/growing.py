"""Growing a project in this process, and what must hold afterwards."""

from collections.abc import Mapping
from pathlib import Path

from mlops_new import growth, tiers
from mlops_new.changes import Changes

from tests.conftest import must


def say(_: str) -> None:
    pass


def commit(at: Path, message: str) -> None:
    must(["git", "add", "--all"], at)
    must(["git", "commit", "--quiet", "--no-verify", f"--message={message}"], at)


def add(at: Path, answers: Mapping[str, str]) -> Changes:
    """Adds, and applies it."""
    with growth.standing(at) as here, growth.tried(here, answers, here.project.template) as trial:
        trial.apply()
    return trial.changes


def files_of(at: Path, answers: Mapping[str, str]) -> set[str]:
    """Names of the files of these tiers, by layer and tool."""
    with growth.standing(at) as here:
        return {
            name for layer, tool in answers.items() for name in tiers.tool(layer, tool, here.layers).files
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
