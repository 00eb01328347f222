"""One alarm is one issue on GitHub; where there is no token it is said here only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_kit.base import credentials
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository

if TYPE_CHECKING:
    from mlops_kit.forge.github import GitHub

NOT = "not on GitHub"


@dataclass(frozen=True)
class Alarm:
    """The name finds the issue again: one name, one open issue."""

    name: str
    title: str
    text: str


def ring(repository: Repository, alarm: Alarm) -> str:
    """Raises or updates the issue. Says where it stands, or why it could not be raised."""
    return _said(lambda: _raise(repository, alarm))


def clear(repository: Repository, name: str, text: str) -> str:
    """Closes the issue where it is open. Says where it stood; empty when there was none."""

    def close() -> str:
        hub, mark = _issue(repository, name)
        was = hub.clear_alarm(mark, text)
        return was.url if was else ""

    said = _said(close)
    return "" if said.startswith(NOT) and not credentials.token() else said  # without a token none was raised


def _raise(repository: Repository, alarm: Alarm) -> str:
    hub, mark = _issue(repository, alarm.name)
    return hub.raise_alarm(mark, alarm.title, alarm.text).url


def _issue(repository: Repository, name: str) -> tuple["GitHub", str]:
    """Where the alarm's issue is, and what it begins with."""
    from mlops_kit.forge import github

    return github.connect(repository), github.marker("alarm", name)


def _said(act: Callable[[], str]) -> str:
    """An alarm that cannot be raised must not hide what it is about: the reason is the answer."""
    try:
        return act()
    except KitError as error:
        return f"{NOT}: {error.what}"
