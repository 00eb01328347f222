"""The trainings: what there is to watch from the first day, before anybody has predicted anything."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatch
from typing import Literal

from mlops_kit.alerts.kinds import Finding
from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs import log as runs
from mlops_kit.runs.log import Log, Run
from mlops_kit.versions import version as versions

STAGES = ("train", "register", "validate")  # of a run on main one of them has an event
PATIENCE = timedelta(hours=24)  # a merge waits behind others, and a runner may be busy
UNTRAINED = ("*.md", "docs/*", ".github/*")  # changes that start no training


@dataclass(frozen=True)
class Trained:
    state: Literal["not connected", "fine", "alarm"]
    run: str = ""  # the newest
    status: str = ""
    started: str = ""
    version: str = ""  # in use
    age_days: int | None = None
    alarms: list[Finding] = field(default_factory=list)


def of_main(log: Log) -> list[Run]:
    """Newest first. By the events that everybody sees: a run that only this machine knows of is its owner's business."""
    found = runs.summed(log)
    return [one for one in found if one.published and any(name in one.stages for name in STAGES)]


def newest_of(trained: list[Run]) -> Run | None:
    """That is over."""
    return next((one for one in trained if one.status != "running"), None)


def check(repository: Repository, contract: Contract, log: Log, now: datetime | None = None) -> Trained:
    now = now or clock.now()
    trained = of_main(log)
    used = versions.champion(repository, contract.model, "production")
    age = max((now - datetime.fromisoformat(used.created)).days, 0) if used else None
    newest = newest_of(trained)
    alarms = [*_badly(newest), *_missing(repository, trained, now), *_old(age, contract)]
    if newest is None:
        state: Literal["not connected", "fine", "alarm"] = "alarm" if alarms else "not connected"
        return Trained(state, version=used.name if used else "", age_days=age, alarms=alarms)
    return Trained(
        "alarm" if alarms else "fine",
        newest.run,
        newest.status,
        newest.start,
        used.name if used else "",
        age,
        alarms,
    )


def _badly(newest: Run | None) -> list[Finding]:
    """How the newest run ended; new data that was refused has an alarm of its own."""
    if newest is None:
        return []
    said = f"{newest.start[:16].replace('T', ' ')} UTC, run {newest.run}, commit {newest.commit[:7]}"
    why = f": {newest.error.splitlines()[0]}" if newest.error else ""
    if newest.status in ("closed", "rejected"):
        return [Finding("gate-closed", f"the model of main was rejected ({said}){why}")]
    if newest.status in ("failed", "crashed") or (newest.status == "refused" and newest.trigger == "push"):
        return [Finding("training-failed", f"the training of main {newest.status} ({said}){why}")]
    return []


def _missing(repository: Repository, trained: list[Run], now: datetime) -> list[Finding]:
    """A commit of main that should have been trained, and no run knows of it or of a later one."""
    known = [one.commit for one in trained if one.commit]
    if not known:
        return []
    head, last = repository.commit(), known[0]
    made = datetime.fromisoformat(repository.git("show", "--no-patch", "--format=%cI", head).strip())
    if head in known or now - made < PATIENCE:
        return []
    commits.deepen_to(repository, last)
    try:
        changed = repository.git("diff", "--name-only", f"{last}...{head}").splitlines()
    except KitError:  # of another history, or of one that cannot be had
        return []
    if not [path for path in changed if not any(fnmatch(path, one) for one in UNTRAINED)]:
        return []
    return [Finding("training-missing", f"commit {head[:7]} of {made:%Y-%m-%d} was not trained")]


def _old(age: int | None, contract: Contract) -> list[Finding]:
    most = contract.monitoring.model_days_at_most
    if age is None or most is None or age <= most:
        return []
    return [Finding("model-old", f"the version in use is {age} days old, at most {most:g}")]
