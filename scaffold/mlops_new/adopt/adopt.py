"""Adopts a repository: looks, runs the training in a copy, and adds what was missing."""

from collections.abc import Callable

from mlops_new.adopt.deliver import bring
from mlops_new.adopt.fill import fill, rendered
from mlops_new.adopt.plan import Wishes, look, needed, of, of_code, planned
from mlops_new.adopt.read import obstacles, repository
from mlops_new.adopt.result import Adopted
from mlops_new.adopt.run import observation
from mlops_new.base import temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.names import suggest_name
from mlops_new.base.processes import ProcessError, require

Say = Callable[[str], None]


def adopt(wishes: Wishes, say: Say) -> Adopted:
    """Raises MlopsNewError when it cannot be adopted; then the repository is as it was."""
    here = repository.find(wishes.path)
    plan = look(here, wishes)
    made = Adopted(
        here.root,
        suggest_name(wishes.name or here.root.name) or "model",
        plan.entry,
        [],
        plan.packages.says,
        dvc=plan.dvc,
    )
    made.others = [one for one in plan.found.candidates if one.path != plan.entry.path]
    made.obstacles = [found for one in plan.sources for found in obstacles.found(one, of(one, here))]
    made.notes += plan.packages.notes
    if wishes.dry_run:
        made.stage = of_code(plan)
        with temporary.folder("mlops-new-") as folder:
            made.adds = sorted({*rendered(folder, wishes, made, here), *planned(plan, made.stage)})
        return made
    require("git", "uv")
    try:
        with observation.copied(here, say, None if wishes.run else needed(plan)) as copy:
            fill(copy, plan, wishes, made, say)
            bring(copy, here, made, wishes)
    except ProcessError as error:
        raise MlopsNewError(str(error), "The repository is as it was.") from error
    except OSError as error:
        raise MlopsNewError(
            f"{error.filename or here.root}: {error.strerror}.", "The repository is as it was."
        ) from error
    return made
