"""Train the first model of a new repository: lock, install, run the pipeline, commit."""

import json
import re
from pathlib import Path
from typing import Any

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.processes import ProcessError, follow
from mlops_new.base.progress import Progress
from mlops_new.create import environment

PUSH = ("uv", "run", "--frozen", "dvc", "push")
STAGE = re.compile(r"Running stage '(\w+)'")  # what DVC says when it starts one


def by_hand(repository: Path) -> str:
    """What `train` does, as commands to type in the repository."""
    if (repository / "uv.lock").exists():
        return "uv run dvc repro  # then commit dvc.lock"
    return "mlops-new lock && uv run dvc repro  # then commit uv.lock and dvc.lock"


def train(repository: Path, progress: Progress) -> dict[str, Any]:
    """Run the pipeline, commit `uv.lock` and `dvc.lock`, and return the content of metrics.json.

    Raises MlopsNewError if a step fails or is stopped; the first commit stays as it is.
    """
    created = f"{repository} is made and committed"
    try:
        progress("Locking and installing the environment")
        environment.install(repository)
        return _train(repository, progress)
    except environment.InstallError as error:
        next_step = f"Go on: cd {repository} && {by_hand(repository)}"
        raise MlopsNewError(error.what, f"{error.do} {created}.\n{next_step}") from error
    except KeyboardInterrupt as error:
        raise MlopsNewError(
            f"Stopped while it trained. {created}, with nothing trained in it.",
            f"Go on: cd {repository} && {by_hand(repository)}",
        ) from error


def _train(repository: Path, progress: Progress) -> dict[str, Any]:
    progress("Starting DVC")
    _step(["uv", "run", "--frozen", "dvc", "repro"], repository, progress)
    _step(["git", "add", "uv.lock", "dvc.lock"], repository)
    _step(["git", "commit", "--quiet", "--no-verify", "--message=Train the first model"], repository)
    _step(["uv", "run", "--frozen", "pre-commit", "install"], repository)
    metrics: dict[str, Any] = json.loads((repository / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def push(repository: Path, remote: str, progress: Progress) -> None:
    """Push data and model to the DVC remote. Raises MlopsNewError, which names the remote; the training stays."""
    progress(f"Pushing data and model to {remote}")
    try:
        follow(PUSH, repository, lambda _: None, online=True)
    except ProcessError as error:
        words = [line for line in error.last_words().splitlines() if line and "dvc.org/support" not in line]
        raise MlopsNewError(
            f"The model is trained and committed; {remote} did not take it and the data. DVC says:\n"
            + "\n".join(words),
            f"When this is mended: cd {repository} && {' '.join(PUSH)}",
        ) from error


def _step(command: list[str], repository: Path, progress: Progress | None = None) -> None:
    def show_stage(line: str) -> None:
        if progress and (stage := STAGE.match(line)):
            progress(f"Stage {stage[1]}")

    try:
        follow(command, repository, show_stage)
    except ProcessError as error:
        raise MlopsNewError(
            f"`{error.command}` failed in {repository.name}:\n{error.last_words()}",
            f"The repository is made and committed. When this is mended: cd {repository} and "
            f"`{error.command}`.",
        ) from error
