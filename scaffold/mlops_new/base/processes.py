"""Git and uv as processes."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mlops_new.base.errors import MlopsNewError

# An environment that is active around us must not leak into the project's own.
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT")
# Set while a Git hook runs; they would point our Git at somebody else's repository.
FOREIGN_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in (*FOREIGN, *FOREIGN_GIT)}
    return kept | {"DVC_NO_ANALYTICS": "1"} | more


def require(*programs: str) -> None:
    """Raises MlopsNewError naming the programs that are not on the PATH."""
    tips = {
        "git": "Install it from your system's packages (apt-get install git).",
        "uv": "Install it (pipx install uv, or see docs.astral.sh/uv); --train and --data need it.",
    }
    for program in programs:
        if shutil.which(program) is None:
            raise MlopsNewError(f"{program} is not on the PATH.", tips[program])


def run(command: Sequence[str | Path], cwd: Path, *, stdin: str | None = None, **more: str) -> str:
    """What the command wrote to stdout. Raises ProcessError when it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**more),
        input=stdin or "",
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise ProcessError(command, done.returncode, done.stderr, done.stdout)
    return done.stdout


def follow(
    command: Sequence[str | Path],
    cwd: Path,
    heard: Callable[[str], None],
    *,
    alone: bool = False,
    **more: str,
) -> None:
    """Runs the command and hands each line it writes on at once. Raises ProcessError when it fails.

    It ends when we are stopped; `alone`, in a session of its own, with all that it started.
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
        start_new_session=alone and os.name != "nt",
    ) as process:
        assert process.stdout
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                heard(line.rstrip())
        except BaseException:
            _end(process, alone)
            raise
    if process.returncode:
        raise ProcessError(command, process.returncode, "".join(lines))


def _end(process: "subprocess.Popen[str]", alone: bool) -> None:
    if alone and sys.platform != "win32":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.terminate()


class ProcessError(Exception):
    """A process that failed: its command, code and last words."""

    def __init__(self, command: Sequence[str | Path], code: int, stderr: str, stdout: str = "") -> None:
        self.command = " ".join(str(word) for word in command).partition("\n")[0]
        self.code = code
        self.stderr = stderr.strip()
        self.stdout = stdout.strip()
        super().__init__(f"`{self.command}` failed ({code}): {self.last_words()}")

    def last_words(self, lines: int = 12) -> str:
        return "\n".join((self.stderr or self.stdout).splitlines()[-lines:])
