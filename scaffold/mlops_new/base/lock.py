"""One `mlops-new` at a time changes a repository. The lock is the operating system's: a killed process holds none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import run

LOCK, HOLDER = "mlops-new.lock", "mlops-new.pid"


@contextmanager
def hold(top: Path) -> Iterator[None]:
    """Hold the lock of a Git repository. Raises MlopsNewError with the process that has it."""
    from filelock import FileLock, Timeout  # only what changes a repository waits for the import

    folder = Path(run(["git", "rev-parse", "--absolute-git-dir"], top).strip())
    lock, holder = FileLock(folder / LOCK, timeout=0), folder / HOLDER
    try:
        lock.acquire()
    except Timeout:
        process = holder.read_text(encoding="utf-8").strip() if holder.is_file() else "unknown"
        raise MlopsNewError(
            f"Another mlops-new (process {process}) is at work in {top}.", "Run this again when it is done."
        ) from None
    try:
        holder.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
