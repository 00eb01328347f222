"""What the project's DVC pushes to its remote, and brings from it: hashed before anything reads it."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import masked
from mlops_kit.base.processes import ProcessError, run_within, words
from mlops_kit.project import dvc_config, hashed
from mlops_kit.project.lock import Entry, parse_pointer
from mlops_kit.project.repository import Repository

CHATTER = re.compile(r"^(WARNING: .*|Having any troubles\?.*)?$")
STALL = 60.0  # seconds in which DVC reads, writes and computes nothing: its remote is silent
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

    Raises KitError naming the remote and DVC's reason, or the files that were pulled and are not what the lock says.

    DVC writes the files of a folder wherever its list says, also outside of the repository. So folders are fetched
    into the cache, and their lists are checked, before anything is written.
    """
    if what == "pull" and any(one.md5.endswith(".dir") for one in _named_by(at, repository, of)):
        transfer(repository, dvc, "fetch", *of, at=at)
    worktree = ["--cd", str(at)] if at else []
    failed = None
    try:
        run_within([*words(dvc), *worktree, what, *of], repository.root, stall=STALL)
    except ProcessError as error:
        failed = error
    if what != "push":  # even if DVC failed: a part was brought
        check(repository, _named_by(at, repository, of), Repository(at) if at else repository)
    if failed:
        says = f"`dvc {what}` failed with {named(repository)}:\n{_reason(repository, failed)}"
        raise KitError(says, DO) from failed


def check(repository: Repository, entries: Iterable[Entry], tree: Repository | None = None) -> None:
    """Raise AlteredError if the cache of `tree`, by default the repository, holds altered objects of these entries."""
    tree = tree or repository
    cache, own = (str(dvc_config.settings(one).get("cache", "dir")) for one in (tree, repository))
    if "://" not in cache:
        source = named(repository) if repository.remote else ""
        hashed.refuse_altered(repository, tree, entries, Path(cache), source, remember=cache == own)


def _named_by(at: Path | None, repository: Repository, of: Iterable[str]) -> list[Entry]:
    return _meant(Repository(at) if at else repository, [one for one in of if not one.startswith("-")])


def _meant(tree: Repository, targets: list[str]) -> list[Entry]:
    """The entries of lock and pointers that these targets name: stages, pointers or outputs. Without targets, all."""
    named: list[tuple[Entry, str]] = []  # with the stage or the pointer
    if lock := tree.lock():
        named += [(out, name) for name, stage in lock.stages.items() for out in stage.outs.values()]
    for pointer in sorted(path for path in tree.tracked() if path.endswith(".dvc")):
        named += [(entry, pointer) for entry in parse_pointer(tree.text(pointer) or "", pointer)]
    chosen = [entry for entry, name in named if not targets or _names(targets, entry.path, name)]
    return chosen or [entry for entry, _ in named]


def _names(targets: list[str], path: str, name: str) -> bool:
    around = {name, path, *(parent.as_posix() for parent in Path(path).parents)}
    return any(target in around or target.startswith(f"{path}/") for target in targets)


def named(repository: Repository) -> str:
    """The default remote in a sentence, without credentials."""
    remote = repository.remote
    return f"the remote {remote.name} ({remote.shown})" if remote else "no default remote"


def _reason(repository: Repository, error: ProcessError) -> str:
    text, remote = said_by_dvc(error), repository.remote
    return text.replace(masked(remote.url), remote.shown) if remote else text


def said_by_dvc(error: ProcessError) -> str:
    """DVC's message without warnings and offers of help, which come last and would hide the reason."""
    lines = [line for line in (error.stderr or error.stdout).splitlines() if not CHATTER.match(line)]
    return "\n".join(lines[:LINES]) or f"it ended with {error.code} and said nothing"
