"""Files of the workspace as they were, with a journal on disk, so that the next command can put back what a killed one changed."""

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mlops_kit.base import files
from mlops_kit.base.errors import KitError

KEPT = Path(".mlops/undo")
JOURNAL = "journal.json"


class Undo:
    """Keeps files of a workspace in `.mlops/undo/NAME`. The journal is written before anything is changed.

    `restore` and `forget` can be called again at any time, also by another process.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.folder = root, root / KEPT / name
        self.texts: dict[str, str | None] = {}  # content of a small file; None if it did not exist
        self.kept: dict[str, str] = {}  # path -> name in the folder
        self.new: list[str] = []  # paths that did not exist, or whose content was moved into the folder

    def keep_text(self, path: str) -> None:
        self.texts[path] = _decoded(_bytes(self.root / path))

    def keep_links(self, paths: Iterable[str]) -> None:
        """Keep what exists as hard links, so that a deleted file can be restored. No file is read."""
        for path in paths:
            if os.path.lexists(self.root / path):
                self._link(path)
            else:
                self.new.append(path)

    def move(self, path: str) -> None:
        """Move a file or folder aside, or remove it if an earlier one is aside already."""
        if path in self.kept:
            remove(self.root / path)
            return
        name = self._name_for(path)
        self.write()
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.root / path, self.folder / name)

    def place(self, file: Path, path: str) -> None:
        """Move a file into the workspace. A file of the same name is kept."""
        if os.path.lexists(self.root / path):
            self.move(path)
        self.new.append(path)
        self.write()
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, self.root / path)

    def write(self) -> None:
        """Write the journal in one step. Before it is written, nothing is restored by another process."""
        content = {"texts": self.texts, "kept": self.kept, "new": self.new}
        files.write(self.folder / JOURNAL, json.dumps(content))

    def restore(self) -> None:
        for path in self.new:
            if path not in self.kept or os.path.lexists(self.folder / self.kept[path]):
                remove(self.root / path)
        for path, name in self.kept.items():
            if os.path.lexists(self.folder / name):  # else it was restored, or never moved
                remove(self.root / path)
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(self.folder / name, self.root / path)
        for path, text in self.texts.items():
            put(self.root / path, None if text is None else text.encode("utf-8", "surrogateescape"))

    def forget(self) -> None:
        """Remove what is kept, the journal first."""
        (self.folder / JOURNAL).unlink(missing_ok=True)
        remove(self.folder)
        with suppress(OSError):  # something else is kept
            self.folder.parent.rmdir()

    def _name_for(self, path: str) -> str:
        self.kept[path] = str(len(self.kept))
        return self.kept[path]

    def _link(self, path: str) -> None:
        source, target = self.root / path, self.folder / self._name_for(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        link(source, target)


def left(root: Path) -> list[Undo]:
    """What killed commands left to undo, by name. A folder without a journal is removed: nothing was changed."""
    found = []
    for folder in sorted((root / KEPT).glob("*")):
        if (folder / JOURNAL).is_file():
            found.append(_read(root, folder))
        else:
            remove(folder)
    return found


def recover(root: Path) -> list[str]:
    """Put back what killed commands changed. Returns the paths, sorted."""
    paths: set[str] = set()
    for undo in left(root):
        undo.restore()
        undo.forget()
        paths |= {*undo.texts, *undo.kept, *undo.new}
    return sorted(paths)


def _read(root: Path, folder: Path) -> Undo:
    undo = Undo(root, folder.name)
    try:
        content = json.loads((folder / JOURNAL).read_text(encoding="utf-8"))
        undo.texts, undo.kept, undo.new = content["texts"], content["kept"], content["new"]
    except (ValueError, KeyError, TypeError) as error:
        raise KitError(
            f"{folder / JOURNAL} is damaged, so what a killed command changed cannot be put back: {error}.",
            f"Look at {folder} for files that you miss; then `rm -r {folder}`.",
        ) from error
    return undo


def put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif _bytes(path) != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def link(source: Path, target: Path) -> None:
    """Hard links of a file, or of every file of a folder; copies where the file system has no links."""
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, copy_function=_hard_link)
    else:
        _hard_link(source, target)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _decoded(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _hard_link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(source, target, follow_symlinks=False)
