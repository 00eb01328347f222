"""Processes, timed in turns: on a shared machine only what ran side by side can be compared."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# What this process was started with and a person's shell would not hand on.
OURS = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "UV_COMPILE_BYTECODE")
THEIRS = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{who}_NAME": "bench" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "bench@localhost" for who in ("AUTHOR", "COMMITTER")},
}
Command = Sequence[str | Path]


class BenchError(Exception):
    """A command that was to be measured failed: which, and its last words."""


@dataclass(frozen=True)
class Spent:
    seconds: float
    cpu: float = 0.0  # seconds of processors, its children's too: less noisy than the clock
    peak: int = 0  # resident bytes of the largest process

    def __add__(self, other: "Spent") -> "Spent":
        seconds, cpu = self.seconds + other.seconds, self.cpu + other.cpu
        return Spent(seconds, cpu, max(self.peak, other.peak))


Job = Callable[[Path], Spent]  # gets an empty folder of its own


def spend(command: Command, cwd: Path) -> Spent:
    """Runs to the end. Raises BenchError with the last lines when it fails."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            last = said.read().decode(errors="replace").splitlines()[-15:]
            raise BenchError("\n".join([f"`{' '.join(map(str, command))}` failed:", *last]))
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Spent(seconds, usage.ru_utime + usage.ru_stime, peak)


def spend_all(commands: Sequence[Command], cwd: Path) -> Spent:
    return sum((spend(command, cwd) for command in commands), Spent(0.0))


def output(command: Command, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"`{' '.join(map(str, command))}` failed:\n{done.stderr[-2000:]}")
    return done.stdout


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OURS} | THEIRS


def in_turns(runs: int, jobs: Mapping[str, Job], work: Path) -> dict[str, list[Spent]]:
    """Each job `runs` times, every round in another order, after one round that does not count."""
    spent: dict[str, list[Spent]] = {name: [] for name in jobs}
    names = list(jobs)
    for turn in range(runs + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            folder = Path(tempfile.mkdtemp(dir=work))
            took = jobs[name](folder)
            shutil.rmtree(folder)
            print(f"  {name}: {took.seconds:.2f} s", file=sys.stderr)
            if turn:
                spent[name].append(took)
    return spent


def seconds(spent: Sequence[Spent]) -> float:
    return median(one.seconds for one in spent)


def ratio(spent: Sequence[Spent], to: Sequence[Spent]) -> float:
    """Median of the ratios of runs that were neighbours in time."""
    return median(one.seconds / other.seconds for one, other in zip(spent, to, strict=True))
