"""Alarms that `mlops-kit alarm` raises and clears for a person or a workflow step."""

from functools import partial

from mlops_kit.base.errors import KitError
from mlops_kit.forge.alarms import NOT, Alarm, clear, raise_issue
from mlops_kit.project.repository import Repository
from mlops_kit.runs.events import Journal


def ring_for(repository: Repository, alarm: Alarm, journal: Journal) -> str:
    """Raises the alarm and returns its address. Raises KitError if it reaches nobody."""
    emit = partial(journal.emit, f"alarm:{alarm.name}", "raised", title=alarm.title)
    try:
        where = raise_issue(repository, alarm)
    except KitError as error:
        emit(where=f"{NOT}: {error.what}")
        raise KitError(
            f"The alarm {alarm.name!r} ({alarm.title}) reached nobody: {error.what}", error.do
        ) from error
    emit(where=where)
    return where


def clear_for(repository: Repository, name: str, text: str, journal: Journal) -> str:
    where = clear(repository, name, text)
    if where and not where.startswith(NOT):
        journal.emit(f"alarm:{name}", "cleared", where=where)
    return where
