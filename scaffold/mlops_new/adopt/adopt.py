"""Adopt a repository: find what trains, run it in a copy, and add the missing files."""

from mlops_new.adopt.deliver import deliver
from mlops_new.adopt.fill import fill, render_files
from mlops_new.adopt.plan import file_uses, files_to_add, files_to_copy, make_plan, stage_from_code
from mlops_new.adopt.read.obstacles import find_obstacles
from mlops_new.adopt.read.repository import open_repository
from mlops_new.adopt.request import AdoptRequest
from mlops_new.adopt.result import Adoption
from mlops_new.adopt.run.working_copy import copy_of
from mlops_new.base import lock, temporary
from mlops_new.base.errors import MlopsNewError
from mlops_new.base.names import suggest_name
from mlops_new.base.processes import ProcessError, require
from mlops_new.base.progress import Progress


def adopt(request: AdoptRequest, progress: Progress) -> Adoption:
    """Adopt the repository. Raises MlopsNewError if that fails, and leaves the repository as it was."""
    repo = open_repository(request.path)
    plan = make_plan(repo, request)
    adoption = Adoption(
        repo.root,
        suggest_name(request.name or repo.root.name) or "model",
        plan.entry,
        [],
        plan.packages.description,
        dvc=plan.dvc,
    )
    adoption.others = [entry for entry in plan.codebase.candidates if entry.path != plan.entry.path]
    adoption.obstacles = [
        obstacle for source in plan.sources for obstacle in find_obstacles(source, file_uses(source, repo))
    ]
    adoption.notes += plan.packages.notes
    if request.dry_run:
        adoption.stage = stage_from_code(plan)
        with temporary.folder("mlops-new-") as folder:
            adoption.adds = sorted(
                {*render_files(folder, request, adoption, repo), *files_to_add(plan, adoption.stage)}
            )
        return adoption
    require("git", "uv")
    try:
        with (
            lock.hold(repo.root),
            copy_of(repo, progress, None if request.run else files_to_copy(plan)) as copy,
        ):
            fill(copy, plan, request, adoption, progress)
            deliver(copy, repo, adoption, request)
    except ProcessError as error:
        raise MlopsNewError(str(error), "The repository is as it was.") from error
    except OSError as error:
        raise MlopsNewError(
            f"{error.filename or repo.root}: {error.strerror}.", "The repository is as it was."
        ) from error
    return adoption
