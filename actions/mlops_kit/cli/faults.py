"""Faults of the machine and of files, in words: a full disk, a file that cannot be read, text that is no text."""

import errno
import io
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from mlops_kit.base.errors import KitError

FULL = (errno.ENOSPC, errno.EDQUOT)
PARSERS = ("json", "ruamel", "copy.py", "tomllib")  # whose recursion is that of the document


def explained(error: BaseException) -> KitError | None:
    """What happened and what to do; None if the error is not a fault of the machine or of a file."""
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, UnicodeError):
        return KitError(
            f"{_path(error)} is not text in UTF-8: {error}.", "Convert it, or run again what writes it."
        )
    if isinstance(error, RecursionError) and _in_a_parser(error):
        return KitError(
            f"{_path(error)} is nested too deeply to be read.", "Look at it, or run again what writes it."
        )
    if isinstance(error, MemoryError):
        return KitError("There is not enough memory.", "Close other programs, or use a larger machine.")
    return None


def _of_the_system(error: OSError) -> KitError:
    path = _path(error)
    if error.errno in FULL:
        folder = path if path.is_dir() else path.parent
        return KitError(
            f"{path} could not be written: {error.strerror}.",
            f"Make room (`df -h {folder}`), then run the command again; it puts back what was begun.",
        )
    says = error.strerror or str(error) or type(error).__name__
    return KitError(f"{path}: {says}.", "Is it yours to read and write, and is its disk all right?")


def _path(error: BaseException) -> Path:
    """The file that the error is about: as it says, or the one that was open; else the current folder."""
    named = getattr(error, "filename", None)
    if isinstance(named, str | bytes) and named:
        return Path(named if isinstance(named, str) else named.decode(errors="replace"))
    return next((path for frame in _frames(error) if (path := _open_in(frame))), Path.cwd())


def _open_in(frame: FrameType) -> Path | None:
    values = list(frame.f_locals.values())
    for value in values:
        if isinstance(value, io.IOBase) and isinstance(name := getattr(value, "name", None), str):
            return Path(name)
    if Path(frame.f_code.co_filename).name == "pathlib.py":
        return next((value for value in values if isinstance(value, Path)), None)
    return None


def _in_a_parser(error: BaseException) -> bool:
    innermost = next(_frames(error), None)
    return innermost is not None and any(name in innermost.f_code.co_filename for name in PARSERS)


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames of the traceback, the innermost first."""
    frames = []
    traceback = error.__traceback__
    while traceback:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    yield from reversed(frames)
