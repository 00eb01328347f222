"""From a new repository to a trained, evaluated model: lock, install, run, commit."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_new import environment
from mlops_new.create import Say
from mlops_new.errors import MlopsNewError
from mlops_new.processes import ProcessError, follow

BY_HAND = "uv add --no-sync -c constraints.txt pyyaml && uv run dvc repro"  # what `train` does, typed
STAGE = re.compile(r"Running stage '(\w+)'")  # what DVC says when it starts one


@dataclass(frozen=True)
class Trained:
    metrics: dict[str, Any]  # as in metrics.json
    pushed: bool


def train(repository: Path, say: Say) -> Trained:
    """Runs the repository's own pipeline and commits `uv.lock` and `dvc.lock`.

    Raises MlopsNewError saying what is missing, or that it was stopped; the repository stays as good as
    it was.
    """
    try:
        return _train(repository, say)
    except KeyboardInterrupt as error:
        raise MlopsNewError(
            f"Stopped while it trained. {repository} is made and committed, with nothing trained in it.",
            f"Go on: cd {repository} && {BY_HAND}",
        ) from error


def _train(repository: Path, say: Say) -> Trained:
    say("Locking and installing the environment")
    environment.install(repository)
    say("Starting DVC")
    _step(["uv", "run", "--frozen", "dvc", "repro"], repository, say)
    _step(["git", "add", "uv.lock", "dvc.lock"], repository)
    _step(["git", "commit", "--quiet", "--no-verify", "--message=Train the first model"], repository)
    _step(["uv", "run", "--frozen", "pre-commit", "install"], repository)
    has_remote = "remote =" in (repository / ".dvc" / "config").read_text(encoding="utf-8")
    if has_remote:
        say("Pushing data and model to the remote: dvc push")
        _step(["uv", "run", "--frozen", "dvc", "push"], repository)
    metrics = json.loads((repository / "metrics.json").read_text(encoding="utf-8"))
    return Trained(metrics, has_remote)


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
