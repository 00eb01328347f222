"""Folders that are gone afterwards, whatever happens."""

import atexit
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_there: set[Path] = set()


@contextmanager
def folder(prefix: str, where: Path | None = None) -> Iterator[Path]:
    """A new one, here or where the system has its own. Raises OSError when it cannot be made."""
    made = None
    try:
        with held_back():
            made = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
            _there.add(made)
        yield made
    finally:
        with held_back():
            if made:
                _remove(made)


@contextmanager
def held_back() -> Iterator[None]:
    """Lets Ctrl-C wait until the end of what it must not tear, or of what would swallow it."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)


@atexit.register
def _sweep() -> None:
    """What a Ctrl-C between the end of a folder's use and the beginning of its removal has left."""
    with held_back():
        for folder in tuple(_there):
            _remove(folder)


def _remove(folder: Path) -> None:
    def make_writable(function: Callable[[str], object], path: str, _: object) -> None:
        Path(path).chmod(stat.S_IWRITE)  # Windows refuses to delete Git's read-only objects
        function(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=make_writable)
    _there.discard(folder)
