"""The project's own commands, DVC and Git, as processes that know nothing of the kit."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops_kit.base import activity, credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import mask, masked

# An environment that is active around the kit, or the kit's own, must not become the project's.
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_NO_PROJECT")
FOREIGN_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")

Heard = Callable[[str], None]

GRACE = 5.0  # seconds between asking a process to end and killing it
LOOK = 5.0  # seconds between two looks at a process that must not stall
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
    left_out = (*FOREIGN, *FOREIGN_GIT, credentials.WEBHOOK)
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
    begin = moved = time.monotonic()
    work = activity.of_tree(process.pid) if stall else None
    while True:
        waits = [begin + seconds - time.monotonic()] if seconds else []
        waits += [min(stall / 4, LOOK)] if stall else []
        try:
            return process.communicate(stdin, timeout=max(min(waits), 0.01))
        except subprocess.TimeoutExpired:
            now, stdin = time.monotonic(), None
        if seconds and now - begin >= seconds:
            raise TimedOut(command, f"not done within {seconds:g} s")
        if stall:
            before, work = work, activity.of_tree(process.pid)
            moved = now if activity.moved(before, work) else moved
            if now - moved >= stall:
                raise TimedOut(command, f"it did nothing for {stall:g} s")


def _kill(process: "subprocess.Popen[str]") -> None:
    """End a process and what it started, and close its pipes, which a process that it left could hold open."""
    for pid in activity.descendants(process.pid):
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    process.terminate()
    try:
        process.wait(timeout=GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with suppress(OSError):
                stream.close()


def follow(command: Sequence[str], cwd: Path, heard: Heard, **more: str) -> None:
    """Runs the command and hands on each line it writes at once, without secrets. Raises ProcessError when it fails."""
    lines: list[str] = []
    hide = mask()
    with _start(command, cwd, more) as process:
        assert process.stdout
        for line in process.stdout:
            lines.append(hide(line))
            heard(lines[-1].rstrip())
    if process.returncode:
        raise ProcessError(command, process.returncode, "".join(lines))


@contextmanager
def _start(command: Sequence[str], cwd: Path, more: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
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
