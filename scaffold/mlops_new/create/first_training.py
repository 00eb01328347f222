"""From a new repository to a trained, evaluated model: lock, install, run, commit."""

import json
import re
from pathlib import Path
from typing import Any

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, follow
from mlops_new.create import environment
from mlops_new.create.create import Say

# What `train` does, typed.
BY_HAND = "uv add --no-sync -c constraints.txt pyyaml && uv run dvc repro  # then commit uv.lock and dvc.lock"
PUSH = ("uv", "run", "--frozen", "dvc", "push")
STAGE = re.compile(r"Running stage '(\w+)'")  # what DVC says when it starts one


def train(repository: Path, say: Say) -> dict[str, Any]:
    """Runs the repository's own pipeline, commits `uv.lock` and `dvc.lock`, and gives what metrics.json has.

    Raises MlopsNewError saying what is missing, or that it was stopped; the repository stays as good as
    it was.
    """
    made, go_on = f"{repository} is made and committed", f"Go on: cd {repository} && {BY_HAND}"
    try:
        say("Locking and installing the environment")
        environment.install(repository)
        return _train(repository, say)
    except environment.NotInstalled as error:
        raise MlopsNewError(error.what, f"{error.do} {made}.\n{go_on}") from error
    except KeyboardInterrupt as error:
        raise MlopsNewError(
            f"Stopped while it trained. {made}, with nothing trained in it.", go_on
        ) from error


def _train(repository: Path, say: Say) -> dict[str, Any]:
    say("Starting DVC")
    _step(["uv", "run", "--frozen", "dvc", "repro"], repository, say)
    _step(["git", "add", "uv.lock", "dvc.lock"], repository)
    _step(["git", "commit", "--quiet", "--no-verify", "--message=Train the first model"], repository)
    _step(["uv", "run", "--frozen", "pre-commit", "install"], repository)
    metrics: dict[str, Any] = json.loads((repository / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def push(repository: Path, remote: str, say: Say) -> None:
    """Data and model to the DVC remote. Raises MlopsNewError naming it; what is trained stays."""
    say(f"Pushing data and model to {remote}")
    try:
        follow(PUSH, repository, lambda _: None)
    except ProcessError as error:
        words = [line for line in error.last_words().splitlines() if line and "dvc.org/support" not in line]
        raise MlopsNewError(
            f"The model is trained and committed; {remote} did not take it and the data. DVC says:\n"
            + "\n".join(words),
            f"When this is mended: cd {repository} && {' '.join(PUSH)}",
        ) from error


def _step(command: list[str], repository: Path, say: Say | None = None) -> None:
    def heard(line: str) -> None:
        if say and (stage := STAGE.match(line)):
            say(f"Stage {stage[1]}")

    try:
        follow(command, repository, heard)
    except ProcessError as error:
        raise MlopsNewError(
            f"`{error.command}` failed in {repository.name}:\n{error.last_words()}",
            f"The repository is made and committed. When this is mended: cd {repository} and "
            f"`{error.command}`.",
        ) from error
