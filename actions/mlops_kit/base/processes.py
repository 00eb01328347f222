"""The project's own commands, DVC and Git, as processes that know nothing of the kit."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops_kit.base import activity, credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import mask, masked

# An environment that is active around the kit, or the kit's own, must not become the project's.
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_NO_PROJECT")
STAGE = "DVC_STAGE"  # DVC sets it for what a stage runs, and only there
FOREIGN_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")

Heard = Callable[[str], None]

GRACE = 5.0  # seconds between asking a process to end and killing it
LOOK = 5.0  # seconds between two looks at a process that must not stall
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has none
inherited: set[int] = set()  # file descriptors that the processes keep, for instance of a lock


class ProcessError(KitError):
    """A process that failed: its command, code and last words, without secrets."""

    def __init__(self, command: Sequence[str], code: int, stderr: str, stdout: str = "") -> None:
        self.command = masked(shlex.join(command))
        self.code = code
        self.stderr = masked(stderr.strip())
        self.stdout = masked(stdout.strip())
        super().__init__(f"`{self.command}` failed ({code}):\n{self.last_words()}")

    def last_words(self, lines: int = 15) -> str:
        return "\n".join((self.stderr or self.stdout).splitlines()[-lines:])


class TimedOut(ProcessError):
    """A process that was killed because it took too long."""

    def __init__(self, command: Sequence[str], why: str) -> None:
        super().__init__(command, -9, why)


def environment(**more: str) -> dict[str, str]:
    """The environment of a project's command: without the kit's Python, its PATH entry and secrets.

    Credentials of clouds stay, because DVC needs them.
    """
    left_out = (*FOREIGN, *FOREIGN_GIT, STAGE, credentials.WEBHOOK)
    kept = {k: v for k, v in os.environ.items() if k not in left_out and not github_env.is_private(k)}
    own = str(Path(sys.executable).parent)
    if sys.prefix != sys.base_prefix:
        parts = kept.get("PATH", "").split(os.pathsep)
        kept["PATH"] = os.pathsep.join(part for part in parts if part != own)
    return kept | {"DVC_NO_ANALYTICS": "1"} | more


def words(command: str) -> list[str]:
    """A command of mlops.yaml as words; there is no shell, so that it means the same everywhere."""
    return shlex.split(command)


def run(command: Sequence[str], cwd: Path, *, stdin: str | None = None, **more: str) -> str:
    """What the command wrote to stdout. Raises ProcessError when it fails or is not there."""
    return run_within(command, cwd, stdin=stdin, more=more)


def run_within(
    command: Sequence[str],
    cwd: Path,
    *,
    seconds: float | None = None,
    stall: float | None = None,
    stdin: str | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """Like `run`. Raises TimedOut when it takes longer than `seconds`, or does nothing for `stall` seconds.

    The process and what it started is then ended. What a process does is only seen on Linux.
    """
    try:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=environment(**(more or {})),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            pass_fds=tuple(inherited),
        )
    except OSError as error:
        raise _not_there(command, cwd, error) from error
    try:
        stdout, stderr = _communicate(process, command, stdin, seconds, stall)
    except BaseException:
        _kill(process)
        raise
    if process.returncode:
        raise ProcessError(command, process.returncode, stderr, stdout)
    return stdout


def _communicate(
    process: "subprocess.Popen[str]",
    command: Sequence[str],
    stdin: str | None,
    seconds: float | None,
    stall: float | None,
) -> tuple[str, str]:
    if seconds is None and stall is None:
        return process.communicate(stdin)
    begin = time.monotonic()
    watch = Stall(process.pid, stall) if stall else None
    while True:
        waits = [begin + seconds - time.monotonic()] if seconds else []
        waits += [watch.pause] if watch else []
        try:
            return process.communicate(stdin, timeout=max(min(waits), 0.01))
        except subprocess.TimeoutExpired:
            stdin = None
        if seconds and time.monotonic() - begin >= seconds:
            raise TimedOut(command, f"not done within {seconds:g} s")
        if watch and watch.is_over():
            raise TimedOut(command, watch.says)


class Stall:
    """Watches a process and what it started, and says when they have done nothing for too long.

    While one of them has the variable `exempt` in its environment, nothing counts as too long.
    """

    def __init__(self, pid: int, seconds: float, exempt: str = "") -> None:
        self.pid, self.seconds, self.exempt = pid, seconds, exempt
        self.pause = min(seconds / 4, LOOK)
        self.says = f"it did nothing for {seconds:g} s"
        self._moved = time.monotonic()
        self._work = activity.of_tree(pid)

    def is_over(self) -> bool:
        """Look at the processes again. To be called every `pause` seconds."""
        before, self._work = self._work, activity.of_tree(self.pid)
        if activity.moved(before, self._work) or (self.exempt and activity.has(self.pid, self.exempt)):
            self._moved = time.monotonic()
        return time.monotonic() - self._moved >= self.seconds


def _kill(process: "subprocess.Popen[str]") -> None:
    """End a process and what it started, and close its pipes, which a process that it left could hold open."""
    _end(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with suppress(OSError):
                stream.close()


def _end(process: "subprocess.Popen[str]") -> None:
    """Ask a process and what it started to end, and kill what still runs after a grace."""
    pids = activity.descendants(process.pid)
    _signal(pids, signal.SIGTERM)
    process.terminate()
    try:
        process.wait(timeout=GRACE)
    except subprocess.TimeoutExpired:
        pids += activity.descendants(process.pid)
        process.kill()  # first, so that it starts nothing more
        _signal(pids, KILL)
        process.wait()


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, number)


def follow(command: Sequence[str], cwd: Path, heard: Heard, **more: str) -> None:
    """Run the command and pass on each line at once, without secrets. Raises ProcessError when it fails."""
    follow_within(command, cwd, heard, more=more)


def follow_within(
    command: Sequence[str],
    cwd: Path,
    heard: Heard,
    *,
    stall: float | None = None,
    exempt: str = "",
    more: Mapping[str, str] | None = None,
) -> None:
    """Like `follow`. Raises TimedOut when the command does nothing for `stall` seconds.

    That time starts anew while a process that it started has the variable `exempt` in its environment.
    """
    lines: list[str] = []
    hide = mask()
    with _start(command, cwd, more or {}) as process, _watched(process, stall, exempt) as stalled:
        assert process.stdout
        for line in process.stdout:
            lines.append(hide(line))
            heard(lines[-1].rstrip())
    if stalled:
        raise TimedOut(command, "".join([*lines, *stalled]))
    if process.returncode:
        raise ProcessError(command, process.returncode, "".join(lines))


@contextmanager
def _watched(process: "subprocess.Popen[str]", seconds: float | None, exempt: str) -> Iterator[list[str]]:
    """End the process if it does nothing for too long. Yields a list that then says so."""
    stalled: list[str] = []
    if seconds is None:
        yield stalled
        return
    watch, done = Stall(process.pid, seconds, exempt), threading.Event()

    def look() -> None:
        while not done.wait(watch.pause):
            if watch.is_over():
                stalled.append(watch.says)
                _end(process)
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield stalled
    finally:
        done.set()
        thread.join()


@contextmanager
def _start(command: Sequence[str], cwd: Path, more: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Start a process with stderr joined to stdout. It is terminated if the block fails or is interrupted."""
    try:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=tuple(inherited),
        )
    except OSError as error:
        raise _not_there(command, cwd, error) from error
    with process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def _not_there(command: Sequence[str], cwd: Path, error: OSError) -> KitError:
    return KitError(
        f"`{shlex.join(command)}` could not be started in {cwd}: {error.strerror}.",
        f"Is {command[0]!r} installed and on the PATH?",
    )
