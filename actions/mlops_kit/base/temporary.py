"""Temporary folders that name their process, so that those of killed processes can be found and removed."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "mlops-kit-"
NAMED = re.compile(rf"{PREFIX}(\d+)-[^/\\]*")


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def is_abandoned(path: Path) -> bool:
    """True for a folder of ours whose process is gone. Always False on Windows, where asking could end the process."""
    match = NAMED.fullmatch(path.name)
    return match is not None and os.name == "posix" and not lives(int(match[1]))


def lives(pid: int) -> bool:
    """True if there is such a process; on Windows always."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sweep() -> None:
    """Remove the folders of killed processes."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
