"""Says when a process and what it started have done nothing for too long. Only Linux shows what a process does."""

import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
IDLE_TICKS = 2  # of the processor, 10 ms each, that a process uses while it only waits
LOOK = 5.0  # seconds between two looks, at most

Work = tuple[int, int]  # processor ticks, bytes


class Stall:
    """Watches a process. With `alone`, the time counts only while it has no process of its own."""

    def __init__(self, pid: int, seconds: float, *, alone: bool = False) -> None:
        self.pid, self.seconds, self.alone = pid, seconds, alone
        self.pause = min(seconds / 4, LOOK)
        self.says = f"it did nothing for {seconds:g} s: does the server answer?"
        self._moved = time.monotonic()
        self._work = _work([pid, *descendants(pid)])

    def is_over(self) -> bool:
        """Look again. To be called every `pause` seconds."""
        started, before = descendants(self.pid), self._work
        self._work = after = _work([self.pid, *started])
        is_idle = before and after and after[1] == before[1] and after[0] - before[0] <= IDLE_TICKS
        if not is_idle or (self.alone and started):
            self._moved = time.monotonic()
        return time.monotonic() - self._moved >= self.seconds


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started; empty where the system does not say it."""
    parents: dict[int, int] = {}
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(folder.name)] = int(_stat(folder)[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _work(pids: list[int]) -> Work | None:
    """What these processes have done so far; None where the system does not say it."""
    ticks = size = known = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            fields = _stat(PROC / str(pid))
            lines = (PROC / str(pid) / "io").read_text().splitlines()
            ticks += int(fields[11]) + int(fields[12])
            size += sum(int(line.partition(" ")[2]) for line in lines if line.startswith(("rchar", "wchar")))
            known += 1
    return (ticks, size) if known else None


def _stat(folder: Path) -> list[str]:
    """The fields of /proc/PID/stat from the third on: state, parent, ..."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
