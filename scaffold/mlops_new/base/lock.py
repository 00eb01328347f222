"""One command at a time changes a repository: of `mlops-new`, and of `mlops-kit`.

The locks are the operating system's: a killed process holds none. That of `mlops-kit` is its file `.mlops/lock`, with
the holder as JSON beside it; where no command of it ever ran, there is none to wait for.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import run

LOCK, HOLDER = "mlops-new.lock", "mlops-new.pid"
OF_KIT, HOLDER_OF_KIT = "lock", "lock.json"
INSIDE = "MLOPS_LOCKS"  # tokens of the locks that parents of this process hold
LATER = "Run this again when it is done."


@contextmanager
def hold(top: Path) -> Iterator[None]:
    """Hold the locks of a Git repository. Raises MlopsNewError with the process that has one."""
    with ExitStack() as stack:
        stack.enter_context(_own(top))
        if (top / ".mlops").is_dir():
            stack.enter_context(_of_kit(top))
        yield


@contextmanager
def _own(top: Path) -> Iterator[None]:
    folder = Path(run(["git", "rev-parse", "--absolute-git-dir"], top).strip())
    holder = folder / HOLDER
    with _locked(folder / LOCK) as is_free:
        if not is_free:
            process = holder.read_text(encoding="utf-8").strip() if holder.is_file() else "unknown"
            raise MlopsNewError(f"Another mlops-new (process {process}) is at work in {top}.", LATER)
        try:
            holder.write_text(f"{os.getpid()}\n", encoding="utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)


@contextmanager
def _of_kit(top: Path) -> Iterator[None]:
    holder = top / ".mlops" / HOLDER_OF_KIT
    if (
        str(_read(holder).get("token")) in os.environ.get(INSIDE, "").split()
    ):  # a hook of the kit started this
        yield
        return
    with _locked(top / ".mlops" / OF_KIT) as is_free:
        if not is_free:
            found = _read(holder)
            who = f"mlops-kit {found.get('command', '')}".strip()
            raise MlopsNewError(
                f"`{who}` (process {found.get('pid', 'unknown')}) is at work in {top}.", LATER
            )
        left = (
            holder.read_bytes() if holder.is_file() else None
        )  # by a killed command: the kit tidies up after it
        since = datetime.now(UTC).isoformat(timespec="milliseconds")
        own = {"command": "mlops-new", "pid": os.getpid(), "since": since, "token": secrets.token_hex(8)}
        try:
            holder.write_text(json.dumps(own) + "\n", encoding="utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)
            if left is not None:
                holder.write_bytes(left)


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    """Yield True with the lock, and False if another process has it. A file system without locks is no obstacle."""
    from filelock import FileLock, Timeout  # only what changes a repository waits for the import

    lock = FileLock(file, timeout=0)
    try:
        with suppress(NotImplementedError):  # a file system without locks: the command runs without one
            lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _read(holder: Path) -> dict[str, Any]:
    """Who holds the lock of the kit; empty if nobody says."""
    with suppress(OSError, ValueError):
        content = json.loads(holder.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    return {}
