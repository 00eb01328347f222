"""Objects of DVC's cache, hashed before anything reads what was pulled.

DVC believes the names of objects in a remote (`verify: false`). So the kit hashes what it pulled, once: an object
with the same inode, size and time of change as when it was hashed is not read again.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.base.markdown import one_line
from mlops_kit.project.lock import Entry, file_md5, object_path
from mlops_kit.project.repository import Repository

KNOWN = Path(".mlops/hashed.json")  # by object: inode, size and time of change when it was hashed


class AlteredError(KitError):
    """What was pulled is not what the lock names. The message has each path with the found and the wanted md5."""


@dataclass(frozen=True)
class Altered:
    """An object whose bytes are not those that its name says."""

    entry: Entry  # the file or folder that a lock or pointer names
    inside: str  # path in the folder; empty for a file, and for the folder's list
    wanted: str
    found: str
    object: Path

    @property
    def path(self) -> str:
        return f"{self.entry.path}/{self.inside}" if self.inside else self.entry.path

    def __str__(self) -> str:
        return f"{self.path} (found md5 {self.found}, wanted {self.wanted})"


def refuse_altered(
    repository: Repository,
    tree: Repository,
    entries: Iterable[Entry],
    cache: Path,
    source: str,
    *,
    remember: bool = True,
) -> None:
    """Raise AlteredError if the cache holds an altered object of these entries.

    The object and its copy in `tree` are removed, so that nothing uses them and the next pull fetches them again.
    `repository` keeps what was hashed, unless the cache is a temporary one (`remember`). `source` names the
    remote that the bytes came from; empty if there is none.
    """
    entries = list(entries)
    known = _Known(repository.root / KNOWN if remember else None)
    altered = [one for entry in entries for one in altered_objects(cache, entry, known.md5)]
    known.save()
    if not altered:
        _refuse_outside(entries, cache)
        return
    for one in altered:
        _remove(one, tree)
    names = "; ".join(map(str, altered[:5])) + (f"; {len(altered) - 5} more" if altered[5:] else "")
    raise AlteredError(
        f"{source or 'The cache'} holds other bytes than the lock names: {names}.", _do(altered, source)
    )


def _refuse_outside(entries: Iterable[Entry], cache: Path) -> None:
    """Raise AlteredError for a folder whose list has the right hash, and names a file outside of the folder.

    Whoever made the folder wrote that list: DVC itself never does.
    """
    for entry in entries:
        path = _existing(cache, entry.md5) if entry.md5.endswith(".dir") else None
        outside = [name for name in map(_name, folder_list(path) if path else []) if not _is_inside(name)]
        if path and outside:
            path.chmod(0o644)
            path.unlink()
            raise AlteredError(
                f"{entry.path} has files outside of itself: {one_line(', '.join(outside[:5]))}.",
                "Its list was removed here, so that DVC writes none of them. Find out who made it; take another version.",
            )


def _name(item: dict[str, Any]) -> str:
    return str(item["relpath"])


def _is_inside(name: str) -> bool:
    """True for a path that DVC writes for a file in a folder, on each system."""
    parts = re.split(r"[/\\]", name)
    return ":" not in parts[0] and not {"", ".", ".."} & set(parts) and ".git" not in map(str.lower, parts)


def _do(altered: list[Altered], source: str) -> str:
    removed = "They were removed here, and nothing used them."
    if not source:
        return f"{removed} `mlops-kit train` makes results again; data comes from a clone that has it."
    objects = ", ".join(f"{one.object.parent.name}/{one.object.name}" for one in altered[:5])
    return (
        f"{removed} Delete the damaged objects in the remote (under files/md5: {objects}), run `dvc push` in a clone "
        "that has the right ones, then try again."
    )


def altered_objects(cache: Path, entry: Entry, md5: Callable[[Path, str], str]) -> Iterator[Altered]:
    """Each altered object of a file or folder. Objects that the cache does not hold are left out."""
    for inside, wanted in objects(cache, entry.md5):
        path = _existing(cache, wanted)
        if path and (found := md5(path, wanted)) != wanted.removesuffix(".dir"):
            yield Altered(entry, inside, wanted, found, path)
            if wanted.endswith(".dir"):  # the list itself is altered
                return


def objects(cache: Path, md5: str) -> Iterator[tuple[str, str]]:
    """The objects of an entry, as pairs of path inside the folder and md5. A folder yields its list first."""
    yield "", md5
    if md5.endswith(".dir"):
        path = _existing(cache, md5)
        for item in folder_list(path) if path else []:
            yield str(item["relpath"]), str(item["md5"])


def folder_list(path: Path) -> list[dict[str, Any]]:
    """The list of a folder's files; empty for a list that is damaged, which its own hash shows."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return [item for item in listed if isinstance(item, dict) and {"relpath", "md5"} <= item.keys()]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def object_md5(path: Path, wanted: str) -> str:
    """The md5 of an object. If `wanted` is the one that DVC 2 computed, with line ends of Unix, that one."""
    md5 = file_md5(path)
    if md5 != wanted.removesuffix(".dir") and "files" not in path.parts[-4:]:
        unix = path.read_bytes().replace(b"\r\n", b"\n")
        return hashlib.md5(unix, usedforsecurity=False).hexdigest()
    return md5


def _existing(cache: Path, md5: str) -> Path | None:
    """The path of an object, of DVC 3 or in the folders of DVC 2; None if the cache does not hold it."""
    if not md5.removesuffix(".dir").isalnum():  # not the name of an object
        return None
    paths = (object_path(cache, md5), cache / md5[:2] / md5[2:])
    return next((path for path in paths if path.is_file()), None)


def _remove(altered: Altered, tree: Repository) -> None:
    """Remove the object, and the file or folder in the tree that was copied from it."""
    copy = tree.root / altered.path
    with suppress(OSError):
        if copy.is_dir() and _is_copy(copy, folder_list(altered.object)):
            shutil.rmtree(copy)
        elif copy.is_file() and (copy.is_symlink() or file_md5(copy) == altered.found):
            copy.unlink()
    altered.object.chmod(0o644)  # Windows removes no read-only file
    altered.object.unlink(missing_ok=True)


def _is_copy(folder: Path, listed: list[dict[str, Any]]) -> bool:
    """True if every file in the folder is on the list: then nobody's own work is lost with it."""
    md5s = {str(item["relpath"]): item["md5"] for item in listed}
    files = [path for path in folder.rglob("*") if path.is_file()]
    return all(md5s.get(path.relative_to(folder).as_posix()) == file_md5(path) for path in files)


class _Known:
    """The md5 of objects that did not change since they were hashed."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.facts: dict[str, list[int]] = {}
        self.changed = False
        with suppress(OSError, ValueError):
            content = json.loads(file.read_text(encoding="utf-8")) if file else {}
            self.facts = content if isinstance(content, dict) else {}

    def md5(self, path: Path, wanted: str) -> str:
        status = path.stat()
        facts = [status.st_ino, status.st_size, status.st_mtime_ns]
        if self.facts.get(str(path)) == facts:
            return wanted.removesuffix(".dir")
        md5 = object_md5(path, wanted)
        if md5 == wanted.removesuffix(".dir"):
            self.facts[str(path)] = facts
            self.changed = True
        return md5

    def save(self) -> None:
        if self.changed and self.file:
            with suppress(OSError):  # it is only a cache
                self.file.parent.mkdir(exist_ok=True)
                part = self.file.with_suffix(f".{os.getpid()}")
                part.write_text(json.dumps(self.facts), encoding="utf-8")
                part.replace(self.file)
