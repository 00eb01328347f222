"""The project's own commands, DVC and Git, as processes that know nothing of the kit."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops_kit.base import credentials, github_env
from mlops_kit.base.errors import KitError
from mlops_kit.base.masking import mask, masked

# An environment that is active around the kit, or the kit's own, must not become the project's.
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_NO_PROJECT")
FOREIGN_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")

Heard = Callable[[str], None]


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
    try:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env=environment(**more),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise _not_there(command, cwd, error) from error
    if done.returncode:
        raise ProcessError(command, done.returncode, done.stderr, done.stdout)
    return done.stdout


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
