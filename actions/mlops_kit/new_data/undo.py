"""The workspace as it was, kept until the new data is accepted."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.project.dvc_config import settings
from mlops_kit.project.lock import file_md5, object_path
from mlops_kit.project.repository import Repository
from mlops_kit.project.restore import put, remove

ASIDE = Path(".mlops/before")


class Before:
    """Pointer, data and .gitignore of one watch, to be put back."""

    def __init__(self, repository: Repository, pointer: str, data: str) -> None:
        self.data = repository.root / data
        self.aside = repository.root / ASIDE / self.data.name
        written = (repository.root / pointer, self.data.parent / ".gitignore")
        self.texts = {file: file.read_bytes() if file.is_file() else None for file in written}
        self.moved: dict[Path, Path] = {}  # where it was -> where it is kept
        self.placed: list[Path] = []

    def set_aside(self) -> None:
        """Move the data aside, because DVC deletes it if it cannot fetch the new data."""
        if self.data.exists() or self.data.is_symlink():
            self._move(self.data, self.aside)

    def place(self, file: Path, to: Path) -> None:
        """Moves a file in; one of the same name is kept."""
        if to.exists() or to.is_symlink():
            self._move(to, self.aside.parent / f"{len(self.moved)}-{to.name}")
        to.parent.mkdir(parents=True, exist_ok=True)
        self.placed.append(to)
        shutil.move(file, to)

    def _move(self, file: Path, to: Path) -> None:
        remove(to)
        to.parent.mkdir(parents=True, exist_ok=True)
        self.moved[file] = to
        shutil.move(file, to)

    def restore(self) -> None:
        for file in self.placed:
            remove(file)
        for file, kept in self.moved.items():
            if kept.exists() or kept.is_symlink():
                remove(file)
                shutil.move(kept, file)
        for file, content in self.texts.items():
            put(file, content)

    def forget(self) -> None:
        for kept in self.moved.values():
            remove(kept)


def _is_nowhere_else(repository: Repository, pointer: str, data: str) -> bool:
    entry, file = repository.pointers().get(data), repository.root / data
    plain = "hash: md5" in (repository.text(pointer) or "")  # of DVC 2 the md5 is of text without its \r
    if entry is None or not plain or not file.is_file():
        return False
    md5 = file_md5(file)
    return md5 != entry.md5 and not object_path(Path(settings(repository).get("cache", "dir")), md5).is_file()


@contextmanager
def kept(repository: Repository, pointer: str, data: str) -> Iterator[Before]:
    """Puts everything back when the block fails or is interrupted.

    Raises KitError where the data was changed here and DVC does not have it: it would be lost.
    """
    if _is_nowhere_else(repository, pointer, data):
        raise KitError(
            f"{data} was changed here and is not what {pointer} says: new data would take its place.",
            f"Keep it with `dvc commit {pointer}`, or give it up with `dvc checkout --force {pointer}`.",
        )
    before = Before(repository, pointer, data)
    try:
        yield before
    except BaseException:
        before.restore()
        raise
    before.forget()
