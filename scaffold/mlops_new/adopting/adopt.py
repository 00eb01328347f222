"""Adopts a repository: looks, runs the training in a copy, and adds what was missing."""

from collections.abc import Callable

from mlops_new import aside
from mlops_new.adopting import observing, obstacles, place
from mlops_new.adopting.adopted import Adopted
from mlops_new.adopting.bringing import bring
from mlops_new.adopting.filling import fill, rendered
from mlops_new.adopting.planning import Wishes, look, needed, of, of_code, planned
from mlops_new.errors import MlopsNewError
from mlops_new.names import proper
from mlops_new.processes import ProcessError, require

Say = Callable[[str], None]


def adopt(wishes: Wishes, say: Say) -> Adopted:
    """Raises MlopsNewError when it cannot be adopted; then the repository is as it was."""
    here = place.find(wishes.path)
    plan = look(here, wishes)
    made = Adopted(
        here.root,
        proper(wishes.name or here.root.name) or "model",
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
        with aside.folder("mlops-new-") as folder:
            made.adds = sorted({*rendered(folder, wishes, made, here), *planned(plan, made.stage)})
        return made
    require("git", "uv")
    try:
        with observing.copied(here, say, None if wishes.run else needed(plan)) as copy:
            fill(copy, plan, wishes, made, say)
            bring(copy, here, made, wishes)
    except ProcessError as error:
        raise MlopsNewError(str(error), "The repository is as it was.") from error
    except OSError as error:
        raise MlopsNewError(
            f"{error.filename or here.root}: {error.strerror}.", "The repository is as it was."
        ) from error
    return made
