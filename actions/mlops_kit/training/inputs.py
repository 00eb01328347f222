"""What a training reads from DVC's cache and remote: fetched and hashed before a stage runs."""

from collections.abc import Mapping

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import TimedOut
from mlops_kit.base.progress import Say
from mlops_kit.project.hashed import AlteredError
from mlops_kit.project.lock import Entry
from mlops_kit.project.repository import Repository
from mlops_kit.project.transfer import check, transfer
from mlops_kit.training.freshness import Freshness


def missing_data(repository: Repository) -> list[str]:
    """Paths that .dvc files name and that are not here."""
    return [path for path in repository.pointers() if not (repository.root / path).exists()]


def bring(repository: Repository, dvc: str, behind: Freshness | None, say: Say) -> None:
    """Fetch what the stages that will run read, and hash it. Raises AlteredError if it is not what the lock names.

    `behind` says how the lock in the workspace is behind the tree; None if there is no lock.
    """
    entries = _read(repository, behind)
    missing = [entry.path for entry in entries if not (repository.root / entry.path).exists()]
    if missing and repository.remote:
        say(f"Bringing {', '.join(missing)}")
        try:
            transfer(repository, dvc, "pull", *missing)
        except AlteredError:
            raise
        except KitError as error:  # what is nowhere may not be needed: DVC decides, and says what it misses
            if isinstance(error.__cause__, TimedOut):
                raise
            say(error.what.splitlines()[-1])
    check(repository, entries)


def check_reused(repository: Repository, stages: Mapping[str, str]) -> None:
    """Hash the outputs of stages that DVC did not run: they are the cache's. Raises AlteredError."""
    lock = repository.lock()
    reused = [stage for name, stage in lock.stages.items() if stages.get(name) != "ran"] if lock else []
    here = [out for stage in reused for out in stage.outs.values() if (repository.root / out.path).exists()]
    check(repository, here)


def check_all(repository: Repository) -> None:
    """Hash all data and results that lock and pointers name and the cache holds. Raises AlteredError.

    For a training by the team's own command: nobody knows what it pulled, or what it trained on.
    """
    lock = repository.lock()
    check(repository, [*repository.pointers().values(), *(lock.outs.values() if lock else [])])


def _read(repository: Repository, behind: Freshness | None) -> list[Entry]:
    """The data and the outputs of other stages that the stages to run read."""
    lock, pointers = repository.lock(), repository.pointers()
    if lock is None or behind is None or behind.stages.keys() - lock.stages.keys():
        return list(pointers.values())  # nothing says what a new stage reads
    running = [stage for name, stage in lock.stages.items() if behind.environment or name in behind.stages]
    made = {path for stage in running for path in stage.outs}
    others = {path: out for path, out in lock.outs.items() if path not in made}
    read = {path for stage in running for path in stage.deps}
    return [entry for path, entry in {**others, **pointers}.items() if _touches(path, read)]


def _touches(path: str, read: set[str]) -> bool:
    return any(one == path or one.startswith(f"{path}/") or path.startswith(f"{one}/") for one in read)
