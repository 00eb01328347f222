"""Run Git, uv and DVC."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mlops_new.base.errors import MlopsNewError

# Variables of an active environment; the project has an environment of its own.
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT")
# Set while a Git hook runs; they would point our Git at somebody else's repository.
FOREIGN_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")


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


def follow(
    command: Sequence[str | Path],
    cwd: Path,
    on_line: Callable[[str], None],
    *,
    own_session: bool = False,
    **more: str,
) -> None:
    """Run the command and call `on_line` with each line of its output. Raises ProcessError if it fails.

    An exception, Ctrl-C too, ends the command; with `own_session` also the processes that it started.
    """
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=own_session and os.name != "nt",
    ) as process:
        assert process.stdout
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                on_line(line.rstrip())
        except BaseException:
            _end(process, own_session)
            raise
    if process.returncode:
        raise ProcessError(command, process.returncode, "".join(lines))


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
