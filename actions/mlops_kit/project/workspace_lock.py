"""Locks of a workspace: one command at a time changes it, and one at a time uses the folder of monitoring.

They are locks of the operating system, so a killed process holds none.
"""

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from mlops_kit.base import clock, files, processes, temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say

LOCK = Path(".mlops/lock")
HOLDER = Path(".mlops/lock.json")  # who holds it; left behind by a killed process
MONITORING = Path(
    ".mlops/monitoring.lock"
)  # of what lies in .mlops/monitoring; a training is no reason to wait
INSIDE = "MLOPS_LOCKS"  # tokens of the locks that parents of this process hold
SECONDS_TO_NAME = 0.5  # a command that got the lock writes its name within this time


@dataclass(frozen=True)
class Holder:
    command: str
    pid: int
    since: str  # ISO 8601
    token: str

    @property
    def says(self) -> str:
        command = self.command if self.command.startswith("mlops-new") else f"mlops-kit {self.command}"
        return f"`{command}` (process {self.pid}, since {_minute(self.since)})"


@contextmanager
def hold(root: Path, command: str, say: Say, path: Path = LOCK) -> Iterator[bool]:
    """Hold the lock of the workspace, or the one at `path`. Yields True if the last command was killed while it held the lock.

    A command that another one started, for instance from a hook, shares the lock of that one. Raises
    KitError with the process that has the lock.
    """
    file = root / path
    if (holder := _holder(file)) and holder.token in os.environ.get(INSIDE, "").split():
        yield False
        return
    from filelock import FileLock, Timeout  # takes some milliseconds, and most commands only read

    file.parent.mkdir(exist_ok=True)
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise _held(root, file) from None
    except NotImplementedError:  # a file system without locks
        say(f"{root} is on a file system without locks: run one command at a time there.")
        yield False
        return
    try:
        killed = _holder(file)
        if killed:
            say(f"{killed.says} was killed; its lock is taken over.")
        with _named(file, command), _kept_by_children(lock):
            yield killed is not None
    finally:
        lock.release()


@contextmanager
def _named(lock: Path, command: str) -> Iterator[None]:
    """Write who holds the lock, beside it, and tell it to the processes that this one starts."""
    holder = Holder(command, os.getpid(), clock.timestamp(), secrets.token_hex(8))
    files.write(_beside(lock), json.dumps(asdict(holder)) + "\n")
    before = os.environ.get(INSIDE, "")
    os.environ[INSIDE] = f"{before} {holder.token}".strip()
    try:
        yield
    finally:
        os.environ[INSIDE] = before
        with suppress(OSError):
            _beside(lock).unlink()


@contextmanager
def _kept_by_children(lock: object) -> Iterator[None]:
    """Let the processes that this one starts hold the lock too: DVC goes on when the kit is killed."""
    descriptor = getattr(getattr(lock, "_context", None), "lock_file_fd", None)
    if os.name != "posix" or not isinstance(descriptor, int):
        yield
        return
    processes.inherited.add(descriptor)
    try:
        yield
    finally:
        processes.inherited.discard(descriptor)


def _held(root: Path, lock: Path) -> KitError:
    until = time.monotonic() + SECONDS_TO_NAME
    while (holder := _holder(lock)) is None and time.monotonic() < until:
        time.sleep(0.05)
    if holder is None:
        return KitError(
            f"Another command of mlops-kit is at work in {root}.", "Run this again when it is done."
        )
    if not temporary.lives(holder.pid):
        return KitError(
            f"{holder.says} was killed, and a process that it started is still at work in {root}.",
            "Wait until that one ends, or stop it (`ps -ef`); the next command then puts back what was begun.",
        )
    return KitError(
        f"{holder.says} is at work in {root}.",
        f"Run this again when it is done, or stop it with `kill {holder.pid}`. "
        "A worktree of its own (`git worktree add`) does not wait.",
    )


def _holder(lock: Path) -> Holder | None:
    """None if nobody holds the lock, or if its file was only half written."""
    try:
        return Holder(**json.loads(_beside(lock).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _beside(lock: Path) -> Path:
    """The file that says who holds the lock."""
    return lock.with_name(f"{lock.name}.json")


def _minute(since: str) -> str:
    return f"{datetime.fromisoformat(since):%Y-%m-%d %H:%M:%S} UTC"
