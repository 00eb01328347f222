"""The workspace as it was, kept until the new data is accepted and handed on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.project import undo
from mlops_kit.project.dvc_config import settings
from mlops_kit.project.lock import file_md5, object_path
from mlops_kit.project.repository import Repository
from mlops_kit.project.undo import Undo

NAME = "new-data-"


class Before:
    """Pointer, data and .gitignore of one watch, to be put back."""

    def __init__(self, repository: Repository, pointer: str, data: str) -> None:
        self.repository, self.data = repository, data
        self.undo = Undo(repository.root, f"{NAME}{len(_left(repository))}")
        self.undo.keep_text(pointer)
        self.undo.keep_text((Path(data).parent / ".gitignore").as_posix())
        self.undo.write()

    def set_aside(self) -> None:
        """Move the data aside, because DVC deletes it if it cannot fetch the new data."""
        path = self.repository.root / self.data
        if path.exists() or path.is_symlink():
            self.undo.move(self.data)
        else:
            self.undo.new.append(self.data)
            self.undo.write()

    def place(self, file: Path, to: Path) -> None:
        """Moves a file in; one of the same name is kept."""
        self.undo.place(file, to.relative_to(self.repository.root).as_posix())

    def restore(self) -> None:
        self.undo.restore()
        self.undo.forget()


def settle(repository: Repository) -> None:
    """Forget what is kept of new data: it was handed on."""
    for one in _left(repository):
        one.forget()


def recover(repository: Repository) -> list[str]:
    """Put back what killed commands changed. New data that this clone has committed by now stays."""
    for one in _left(repository):
        delivered = [path for path, text in one.texts.items() if _is_committed(repository, path, text)]
        if delivered:
            repository.git("reset", "--quiet", "--", *delivered)
            one.forget()
    return undo.recover(repository.root)


def _is_committed(repository: Repository, path: str, before: str | None) -> bool:
    """True if the pointer has changed in Git since the look began, which it does not do otherwise."""
    return path.endswith(".dvc") and repository.show("HEAD", path) != before


def _left(repository: Repository) -> list[Undo]:
    return [one for one in undo.left(repository.root) if one.folder.name.startswith(NAME)]


def _is_nowhere_else(repository: Repository, pointer: str, data: str) -> bool:
    entry, file = repository.pointers().get(data), repository.root / data
    plain = "hash: md5" in (repository.text(pointer) or "")  # of DVC 2 the md5 is of text without its \r
    if entry is None or not plain or not file.is_file():
        return False
    md5 = file_md5(file)
    return md5 != entry.md5 and not object_path(Path(settings(repository).get("cache", "dir")), md5).is_file()


@contextmanager
def kept(repository: Repository, pointer: str, data: str) -> Iterator[Before]:
    """Puts everything back when the block fails or is interrupted; `settle` ends it.

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
