"""Git commands that ask origin: with a login, and within a time."""

import os
import time
from pathlib import Path

from mlops_kit.base.credentials import access
from mlops_kit.base.processes import ProcessError, TimedOut, run_within

SECONDS = 45.0  # for references and small commits
SILENCE = 25  # seconds without a byte, after which Git gives an HTTP server up
SLOW = 10.0  # seconds: an origin that took longer to fail is not asked again
SSH = "ssh -o ConnectTimeout=15 -o ServerAliveInterval=10 -o ServerAliveCountMax=2"
REMEMBERED = 45.0  # seconds for which that holds: a server looks every minute
_silent: dict[
    Path, tuple[float, str]
] = {}  # repositories whose origin did not answer: when, and what was said


def git(root: Path, *words: str, seconds: float | None = None) -> str:
    """Run Git. Raises ProcessError, TimedOut if origin does not answer in time, and at once if it did not before."""
    command = ["git", *words]
    begin = time.monotonic()
    when, said = _silent.get(root, (0.0, ""))
    if said and begin - when < REMEMBERED:
        raise TimedOut(command, said)
    try:
        return run_within(command, root, seconds=seconds or SECONDS, more=environment())
    except ProcessError as error:
        if time.monotonic() - begin > SLOW:
            _silent[root] = time.monotonic(), error.stderr or str(error.code)
        raise


def environment() -> dict[str, str]:
    """Login, limits and language for Git. What a person set for SSH stays as it is."""
    variables = {
        "GIT_HTTP_LOW_SPEED_LIMIT": "1",
        "GIT_HTTP_LOW_SPEED_TIME": str(SILENCE),
        "LC_ALL": "C",
    }
    if "GIT_SSH_COMMAND" not in os.environ and "GIT_SSH" not in os.environ:
        variables["GIT_SSH_COMMAND"] = SSH
    return variables | access()
