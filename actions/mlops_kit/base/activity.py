"""What processes do: which they started, their processor time, and the bytes that they read and write. Linux only."""

from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
IDLE_TICKS = 2  # of the processor, 10 ms each, that a process uses while it only waits

Work = tuple[int, int]  # processor ticks, bytes


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and their descendants. Empty on systems without /proc."""
    parents: dict[int, int] = {}
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(folder.name)] = int(_stat(folder)[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def of_tree(pid: int) -> Work | None:
    """What a process and its descendants have done so far. None on systems without /proc."""
    works = [work for one in (pid, *descendants(pid)) if (work := _of(PROC / str(one)))]
    return (sum(ticks for ticks, _ in works), sum(size for _, size in works)) if works else None


def moved(before: Work | None, after: Work | None) -> bool:
    """True if the processes did something in between, or if that is unknown."""
    if before is None or after is None:
        return True
    return after[1] != before[1] or after[0] - before[0] > IDLE_TICKS


def has(pid: int, variable: str) -> bool:
    """True if a process that this one started has the variable in its environment."""
    name = f"{variable}=".encode()
    for one in descendants(pid):
        with suppress(OSError):
            variables = (PROC / str(one) / "environ").read_bytes().split(b"\0")
            if any(each.startswith(name) for each in variables):
                return True
    return False


def _of(folder: Path) -> Work | None:
    with suppress(OSError, ValueError, IndexError):
        fields = _stat(folder)
        lines = (folder / "io").read_text().splitlines()
        size = sum(int(line.partition(" ")[2]) for line in lines if line.startswith(("rchar", "wchar")))
        return int(fields[11]) + int(fields[12]), size
    return None


def _stat(folder: Path) -> list[str]:
    """The fields of /proc/PID/stat from the third on: state, parent, ..."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
