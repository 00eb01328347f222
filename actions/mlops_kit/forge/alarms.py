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
    return _address_or_reason(lambda: raise_issue(repository, alarm))


def clear(repository: Repository, name: str, text: str) -> str:
    """Close the alarm's issue and return its address, or why that failed; empty if no issue was open."""

    def close() -> str:
        hub, mark = _issue(repository, name)
        issue = hub.clear_alarm(mark, text)
        return issue.url if issue else ""

    answer = _address_or_reason(close)
    # Without a token none was raised.
    return "" if answer.startswith(NOT) and not credentials.token() else answer


def raise_issue(repository: Repository, alarm: Alarm) -> str:
    """Open or update the alarm's issue and return its address. Raises KitError if GitHub cannot be reached."""
    hub, mark = _issue(repository, alarm.name)
    return hub.raise_alarm(mark, alarm.title, alarm.text).url


def _issue(repository: Repository, name: str) -> tuple["GitHub", str]:
    """Where the alarm's issue is, and what it begins with."""
    from mlops_kit.forge import github

    return github.connect(repository), github.marker("alarm", name)


def _address_or_reason(act: Callable[[], str]) -> str:
    """The address that `act` returns. If it fails, the reason, so that the caller's own message is not lost."""
    try:
        return act()
    except KitError as error:
        return f"{NOT}: {error.what}"
