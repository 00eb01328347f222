"""Temporary folders, removed even if Ctrl-C comes at a bad moment."""

import atexit
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_folders: set[Path] = set()


@contextmanager
def folder(prefix: str, where: Path | None = None) -> Iterator[Path]:
    """Make a temporary folder in `where`, or where the system has its own. Raises OSError."""
    path = None
    try:
        with delay_interrupt():
            path = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
            _folders.add(path)
        yield path
    finally:
        with delay_interrupt():
            if path:
                _remove(path)


@contextmanager
def delay_interrupt() -> Iterator[None]:
    """Delay Ctrl-C to the end of the block: the block must not be interrupted, or would swallow the exception."""
    received: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if received:
        signal.raise_signal(signal.SIGINT)


@atexit.register
def _sweep() -> None:
    """Remove the folders that a Ctrl-C just before their removal has left."""
    with delay_interrupt():
        for folder in tuple(_folders):
            _remove(folder)


def _remove(folder: Path) -> None:
    def make_writable(function: Callable[[str], object], path: str, _: object) -> None:
        Path(path).chmod(stat.S_IWRITE)  # Windows refuses to delete Git's read-only objects
        function(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=make_writable)
    _folders.discard(folder)
