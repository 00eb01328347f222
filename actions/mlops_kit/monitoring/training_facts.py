"""Facts about trainings for `monitor check`: the runs on main, the version in production, and the newest version's training data."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch

from mlops_kit.base import temporary
from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log import masks
from mlops_kit.predictions_log import window as windows
from mlops_kit.predictions_log.window import Window
from mlops_kit.project import commits, snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import log as runs
from mlops_kit.runs.log import Event, Log, Run
from mlops_kit.versions import version as versions
from mlops_kit.versions.version import Version

STAGES = ("train", "register", "validate")  # a training on main has an event of one of these
PATIENCE = timedelta(hours=24)  # a merge waits behind others, and a runner may be busy
UNTRAINED = ("*.md", "docs/*", ".github/*")  # changes that start no training
COMPARED = "training-data"  # stage of the event that keeps a comparison of two versions' data


@dataclass(frozen=True)
class TrainingFacts:
    newest: Run | None  # the newest training on main that has ended
    used: Version | None  # in production
    untrained: str = ""  # the newest commit of main, if no run trained it or a later one
    committed: datetime | None = None  # when `untrained` was committed


@dataclass(frozen=True)
class NewTrainingData:
    """The training data of the newest version and of the one before it, which differ and of which nobody was told."""

    version: str
    before: str
    earlier: Event | None = None  # an earlier check compared them: its event
    reference: Reference | None = None  # of `before`; None if compared already
    window: Window | None = None  # the training rows of `version`


def of_main(log: Log) -> list[Run]:
    """Return the trainings on main, newest first, without unpublished runs of this machine."""
    return [
        run for run in runs.newest_first(log) if run.published and any(name in run.stages for name in STAGES)
    ]


def by_hand(log: Log) -> list[Run]:
    """Return the trainings that no workflow started, newest first: the published ones, and those of this machine."""
    return [run for run in runs.newest_first(log) if run.trigger == runs.MANUAL and "train" in run.stages]


def newest_of(trainings: list[Run]) -> Run | None:
    """Return the newest training that has ended."""
    return next((run for run in trainings if run.status != "running"), None)


def read(repository: Repository, contract: Contract, log: Log, now: datetime) -> TrainingFacts:
    trainings = of_main(log)
    used = versions.champion(repository, contract.model, "production")
    commit, committed = _untrained_commit(repository, trainings, now)
    return TrainingFacts(newest_of(trainings), used, commit, committed)


def _untrained_commit(
    repository: Repository, trainings: list[Run], now: datetime
) -> tuple[str, datetime | None]:
    """The newest commit of main, if it waits for its training for longer than PATIENCE."""
    trained = [run.commit for run in trainings if run.commit]
    if not trained:
        return "", None
    head, last = repository.commit(), trained[0]
    committed = datetime.fromisoformat(repository.git("show", "--no-patch", "--format=%cI", head).strip())
    if head in trained or now - committed < PATIENCE:
        return "", None
    commits.deepen_to(repository, last)
    try:
        changed = repository.git("diff", "--name-only", f"{last}...{head}").splitlines()
    except KitError:  # the commit of the last training is of another history, or cannot be fetched
        return "", None
    if all(any(fnmatch(path, pattern) for pattern in UNTRAINED) for path in changed):
        return "", None
    return head, committed


def new_data(repository: Repository, contract: Contract, log: Log, say: Say) -> NewTrainingData | None:
    """None if the newest version has the data of the one before it, or somebody was told of the difference.

    Two versions are compared once: the events keep the result.
    """
    registered = versions.versions(repository, contract.model)
    if len(registered) < 2 or contract.rows is None or contract.rows.train is None:
        return None
    before, newest = registered[-2:]
    if len({_md5(repository, one.tag, contract.rows.train) for one in (before, newest)}) == 1:
        return None
    if earlier_comparison := _earlier_comparison(log, newest.name):
        if _was_told(log, str(earlier_comparison["at"])):
            return None
        return NewTrainingData(
            newest.name, str(earlier_comparison.get("before", "the version before")), earlier_comparison
        )
    say(f"compare the training data of {newest.name} with that of {before.name}")
    reference = references.load(repository, contract, say, version=before)
    with temporary.folder() as folder:
        later = snapshot.take(repository, newest.tag, folder, contract.commands.dvc)
        rows = later.contract.rows
        file = later.file(rows.train if rows and rows.train else "")
        window = windows.read_files(newest.name, [file], reference.largest)
    windows.hide(window, masks.masked(repository))
    return NewTrainingData(newest.name, before.name, None, reference, window)


def _md5(repository: Repository, tag: str, path: str) -> str:
    lock = repository.lock(tag)
    out = lock.out(path) if lock else None
    return out.md5 if out else ""


def _earlier_comparison(log: Log, version: str) -> Event | None:
    events = (one for one in log.every() if one["stage"] == COMPARED and one.get("version") == version)
    return next(events, None)


def _was_told(log: Log, since: str) -> bool:
    """Did the alarm reach everybody, or was there none to raise?"""
    alarms = (one for one in log.every() if one["stage"] == f"alarm:{COMPARED}" and str(one["at"]) >= since)
    return any(one["status"] != "not told" and not one.get("error") for one in alarms)
