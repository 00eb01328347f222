"""Did the data that the newest version was trained on move, against the data of the version before it?"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops_kit.alerts.kinds import Finding
from mlops_kit.base.progress import Say
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.checks import data_drift
from mlops_kit.predictions_log import masks
from mlops_kit.predictions_log import window as windows
from mlops_kit.project import snapshot
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.runs.events import Journal
from mlops_kit.runs.log import Event, Log
from mlops_kit.versions import version as versions

STAGE = "training-data"


def check(
    repository: Repository, contract: Contract, log: Log, journal: Journal, say: Say
) -> list[Finding] | None:
    """Of the newest version, whose data is other data, until somebody was told; None where there is nothing to say.

    Two versions are compared once: what was found is kept with the events, and found again there.
    """
    known = versions.versions(repository, contract.model)
    if len(known) < 2 or contract.rows is None or contract.rows.train is None:
        return None
    before, newest = known[-2:]
    rows = [_md5(repository, one.tag, contract.rows.train) for one in (before, newest)]
    if rows[0] == rows[1]:
        return None
    if compared := _compared(log, newest.name):
        return None if _was_told(log, str(compared["at"])) else _findings(compared)
    say(f"compare the training data of {newest.name} with that of {before.name}")
    reference = references.load(repository, contract, say, version=before)
    with TemporaryDirectory(prefix="mlops-kit-") as folder:
        later = snapshot.take(repository, newest.tag, Path(folder), contract.commands.dvc)
        file = later.file(
            later.contract.rows.train if later.contract.rows and later.contract.rows.train else ""
        )
        window = windows.read_files(newest.name, [file], reference.largest)
    windows.hide(window, masks.masked(repository))
    found = data_drift.check(reference, window, time=None, ignored=references.left_out(contract))
    found = replace(found, drifts=found.drifts[:10])
    moved = [f"{one.column}: {one.what}" for one in found.drifts]
    moved += [f"{one.column} {one.what}" for one in found.changes]
    facts = {"version": newest.name, "before": before.name, "moved": moved}
    journal.emit(STAGE, found.state, **facts)
    return _findings(facts)


def _findings(facts: Event) -> list[Finding]:
    between = f"{facts['version']} against {facts.get('before', 'the version before')}"
    return [Finding("training-data", f"{between}: {one}") for one in facts.get("moved", [])]


def _md5(repository: Repository, tag: str, path: str) -> str:
    lock = repository.lock(tag)
    out = lock.out(path) if lock else None
    return out.md5 if out else ""


def _compared(log: Log, version: str) -> Event | None:
    found = (one for one in log.every() if one["stage"] == STAGE and one.get("version") == version)
    return next(found, None)


def _was_told(log: Log, since: str) -> bool:
    """Did the alarm reach everybody, or was there none to raise?"""
    alarms = (one for one in log.every() if one["stage"] == f"alarm:{STAGE}" and str(one["at"]) >= since)
    return any(one["status"] != "not told" and not one.get("error") for one in alarms)
