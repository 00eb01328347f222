"""Tags of a version that `register` did not make, or whose record cannot be read: they are named once and left out."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops_kit.base import notices
from mlops_kit.base.errors import KitError
from mlops_kit.project import git_objects
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import HASH, Repository
from mlops_kit.versions import record
from mlops_kit.versions.record import Record

if TYPE_CHECKING:
    from mlops_kit.versions.version import Version

HELD = (record.FILE, LOCK)  # what the commit of each version holds
NO_FILES = f"its commit holds no {' and '.join(HELD)}"


def own(repository: Repository, versions: Sequence["Version"]) -> list["Version"]:
    """The versions whose commits hold a record and a lock, by one Git process however many there are."""
    unknown = [version.commit for version in versions if (repository, version.commit) not in _has_files]
    if unknown:
        names = [f"{commit}:{path}" for commit in unknown for path in HELD]
        there = iter(git_objects.exist(repository, names))
        for commit in unknown:
            _has_files[repository, commit] = sum(next(there) for _ in HELD) == len(HELD)
    for version in versions:
        if not _has_files[repository, version.commit]:
            _note(version, NO_FILES)
    return [version for version in versions if _has_files[repository, version.commit]]


_has_files: dict[tuple[Repository, str], bool] = {}  # by commit, which never changes


def fault(repository: Repository, version: "Version") -> str:
    """Why a version is left out; empty if it is not."""
    if not own(repository, [version]):
        return NO_FILES
    found = _read(repository, version.commit)
    return found if isinstance(found, str) else ""


def is_sound(repository: Repository, version: "Version") -> bool:
    """True if the record can be read."""
    return record_of(repository, version) is not None


def record_of(repository: Repository, version: "Version") -> Record | None:
    """The record of a version; None, and a note, if it cannot be read."""
    found = _read(repository, version.commit)
    if isinstance(found, str):
        _note(version, found)
        return None
    return found


@lru_cache(maxsize=1024)
def _read(repository: Repository, commit: str) -> Record | str:
    """The record that a commit holds, or why it cannot be read."""
    return parsed(repository.show(commit, record.FILE) or "")


def parsed(text: str) -> Record | str:
    """The record, or why it cannot be read."""
    try:
        found = record.parse(text, record.FILE)
    except KitError as error:
        return error.what.rstrip(".")
    return found if HASH.fullmatch(found.code.commit) else f"{record.FILE} names no commit"


def _note(version: "Version", why: str) -> None:
    notices.note(f"{version.tag} is left out: {why}; `mlops-kit register` did not make it.")
