"""`train_with`: a command that trains in the place of `dvc repro`, for instance on managed machines."""

from collections.abc import Callable

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError, follow, words
from mlops_kit.project.lock import LOCK
from mlops_kit.project.repository import Repository
from mlops_kit.runs.events import GIVEN, Journal

FORCE = "MLOPS_FORCE"  # set where every stage must run: the environment changed, and DVC does not see it


def run(
    repository: Repository, command: str, journal: Journal, say: Callable[[str], None], *, force: bool
) -> dict[str, str]:
    """Run the command. Returns `ran` or `unchanged` for each stage of the lock that it leaves.

    Raises KitError when it fails, or leaves no lock.
    """
    before = repository.lock()
    variables = {GIVEN: journal.run} | ({FORCE: "1"} if force else {})
    try:
        follow(words(command), repository.root, lambda line: say(f"  {line}"), **variables)
    except ProcessError as error:
        raise KitError(
            f"The training with `{command}` failed:\n{error.last_words(25)}",
            "Lock, parameters and results are as they were before.",
        ) from error
    after = repository.lock()
    if after is None:
        raise KitError(
            f"`{command}` left no {LOCK}, so nobody knows what the model is made of.",
            "It must end as `dvc repro` or `dvc commit` does.",
        )
    known = before.stages if before else {}
    return {name: "unchanged" if known.get(name) == stage else "ran" for name, stage in after.stages.items()}
