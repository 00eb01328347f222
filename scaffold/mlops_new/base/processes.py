"""Run Git, uv and DVC."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mlops_new.base import activity
from mlops_new.base.errors import MlopsNewError

# Variables of an active environment; the project has an environment of its own.
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT")
# Set while a Git hook runs; they would point our Git at somebody else's repository.
FOREIGN_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")

STALL = 60.0  # seconds in which a command that asks servers reads, writes and computes nothing


def environment(**more: str) -> dict[str, str]:
    """The variables for a command: ours without those of an active environment or a Git hook, and `more`."""
    kept = {k: v for k, v in os.environ.items() if k not in (*FOREIGN, *FOREIGN_GIT)}
    return kept | {"DVC_NO_ANALYTICS": "1"} | more


def require(*programs: str) -> None:
    """Raise MlopsNewError if one of these programs is not on the PATH."""
    tips = {
        "git": "Install it from your system's packages (apt-get install git).",
        "uv": "Install it (pipx install uv, or see docs.astral.sh/uv); --train and --data need it.",
    }
    for program in programs:
        if shutil.which(program) is None:
            raise MlopsNewError(f"{program} is not on the PATH.", tips[program])


def run(command: Sequence[str | Path], cwd: Path, *, stdin: str | None = None, **more: str) -> str:
    """Run the command and return its stdout. Raises ProcessError if it fails."""
    completed = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**more),
        input=stdin or "",
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if completed.returncode:
        raise ProcessError(command, completed.returncode, completed.stderr, completed.stdout)
    return completed.stdout


def run_online(command: Sequence[str | Path], cwd: Path, **environment: str) -> str:
    """Like `run`, for a command that asks servers. Raises ProcessError also if it does nothing for `STALL` seconds."""
    lines: list[str] = []
    errors: list[str] = []
    with _start(command, cwd, environment, stderr=subprocess.PIPE) as process:
        reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        try:
            with _watched(process) as stalled:
                reader.start()
                lines.extend(process.stdout or ())
                reader.join()
        except BaseException:
            process.kill()
            raise
    if process.returncode or stalled:
        raise ProcessError(command, process.returncode, "".join([*errors, *stalled]), "".join(lines))
    return "".join(lines)


def follow(
    command: Sequence[str | Path],
    cwd: Path,
    on_line: Callable[[str], None],
    *,
    online: bool = False,
    own_session: bool = False,
    **more: str,
) -> None:
    """Run the command and call `on_line` with each line of its output. Raises ProcessError if it fails.

    With `online` also if it does nothing for `STALL` seconds. With `own_session` an exception ends what it started,
    too, and that limit is only for the command itself: what it starts may take as long as it wants.
    """
    lines = []
    with _start(command, cwd, more, own_session=own_session) as process:
        try:
            with _watched(process, online, alone=own_session) as stalled:
                for line in process.stdout or ():
                    lines.append(line)
                    on_line(line.rstrip())
        except BaseException:
            _end(process, own_session)
            raise
    if process.returncode or stalled:
        raise ProcessError(command, process.returncode, "".join([*lines, *stalled]))


def _start(
    command: Sequence[str | Path],
    cwd: Path,
    more: Mapping[str, str],
    *,
    stderr: int = subprocess.STDOUT,
    own_session: bool = False,
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
        start_new_session=own_session and os.name != "nt",
    )


@contextmanager
def _watched(
    process: "subprocess.Popen[str]", on: bool = True, *, alone: bool = False
) -> Iterator[list[str]]:
    """End the process if it does nothing for too long. Yields a list that then says so."""
    stalled: list[str] = []
    if not on:
        yield stalled
        return
    watch, done = activity.Stall(process.pid, STALL, alone=alone), threading.Event()

    def look() -> None:
        while not done.wait(watch.pause):
            if watch.is_over():
                stalled.append(watch.says)
                for pid in [*activity.descendants(process.pid), process.pid]:
                    with suppress(OSError):
                        os.kill(pid, signal.SIGTERM)
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield stalled
    finally:
        done.set()
        thread.join()


def _end(process: "subprocess.Popen[str]", own_session: bool) -> None:
    if own_session and sys.platform != "win32":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.terminate()


class ProcessError(Exception):
    """A command failed: its exit code and output."""

    def __init__(self, command: Sequence[str | Path], code: int, stderr: str, stdout: str = "") -> None:
        self.command = " ".join(str(word) for word in command).partition("\n")[0]
        self.code = code
        self.stderr = stderr.strip()
        self.stdout = stdout.strip()
        super().__init__(f"`{self.command}` failed ({code}): {self.last_words()}")

    def last_words(self, lines: int = 12) -> str:
        return "\n".join((self.stderr or self.stdout).splitlines()[-lines:])
