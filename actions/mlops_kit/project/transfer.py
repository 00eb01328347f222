"""What the project's DVC pushes to its remote, and brings from it."""

import re
from pathlib import Path
from typing import Literal

from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import masked
from mlops_kit.base.processes import ProcessError, run, words
from mlops_kit.project.repository import Repository

CHATTER = re.compile(r"^(WARNING: .*|Having any troubles\?.*)?$")
LINES = 5  # DVC begins with what failed, and lists it
DO = "Is it reachable from here, and are you logged in? `mlops-kit doctor` looks."


def transfer(
    repository: Repository,
    dvc: str,
    what: Literal["push", "pull", "fetch"],
    *of: str,
    at: Path | None = None,
) -> None:
    """`of`: targets and options; `at`: a worktree that is meant instead. Without --quiet, which hides reasons too.

    Raises KitError naming the remote and DVC's reason.
    """
    worktree = ["--cd", str(at)] if at else []
    try:
        run([*words(dvc), *worktree, what, *of], repository.root)
    except ProcessError as error:
        remote = repository.remote
        named = f"the remote {remote.name} ({remote.shown})" if remote else "no default remote"
        raise KitError(f"`dvc {what}` failed with {named}:\n{_reason(repository, error)}", DO) from error


def _reason(repository: Repository, error: ProcessError) -> str:
    text, remote = said_by_dvc(error), repository.remote
    return text.replace(masked(remote.url), remote.shown) if remote else text


def said_by_dvc(error: ProcessError) -> str:
    """DVC's message without warnings and offers of help, which come last and would hide the reason."""
    lines = [line for line in (error.stderr or error.stdout).splitlines() if not CHATTER.match(line)]
    return "\n".join(lines[:LINES]) or f"it ended with {error.code} and said nothing"
