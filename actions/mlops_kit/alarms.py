"""One alarm is one issue on GitHub; where there is no token it is said here only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_kit import commits
from mlops_kit.errors import KitError
from mlops_kit.events import Journal
from mlops_kit.repository import Repository

if TYPE_CHECKING:
    from mlops_kit.github import GitHub

NOT = "not on GitHub"


@dataclass(frozen=True)
class Alarm:
    """The name finds the issue again: one name, one open issue."""

    name: str
    title: str
    text: str


def ring(repository: Repository, alarm: Alarm) -> str:
    """Raises or updates the issue. Says where it stands, or why it could not be raised."""
    return _ask(repository, alarm.name, lambda hub, mark: hub.raise_alarm(mark, alarm.title, alarm.text).url)


def ring_for(repository: Repository, alarm: Alarm, journal: Journal) -> str:
    """For somebody who sees nothing else of us. Raises KitError where the alarm reaches nobody."""
    where = ring(repository, alarm)
    journal.emit(f"alarm:{alarm.name}", "raised", title=alarm.title, where=where)
    if where.startswith(NOT):
        raise KitError(
            f"The alarm {alarm.name!r} ({alarm.title}) reached nobody. {where}",
            "Give GITHUB_TOKEN (issues: write) to whatever raises alarms.",
        )
    return where


def clear_for(repository: Repository, name: str, text: str, journal: Journal) -> str:
    where = clear(repository, name, text)
    if where and not where.startswith(NOT):
        journal.emit(f"alarm:{name}", "cleared", where=where)
    return where


def clear(repository: Repository, name: str, text: str) -> str:
    """Closes the issue where it is open. Says where it stood; empty when there was none."""

    def closed(hub: "GitHub", mark: str) -> str:
        was = hub.clear_alarm(mark, text)
        return was.url if was else ""

    said = _ask(repository, name, closed)
    return "" if said.startswith(NOT) and not commits.token() else said  # without a token none was raised


def _ask(repository: Repository, name: str, act: Callable[["GitHub", str], str]) -> str:
    """An alarm that cannot be raised must not hide what it is about: the reason is the answer."""
    from mlops_kit import github

    try:
        return act(github.connect(repository), github.marker("alarm", name))
    except KitError as error:
        return f"{NOT}: {error.what}"
