"""One alarm is one issue on GitHub; where there is no token it is said here only."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mlops_kit.errors import KitError
from mlops_kit.repository import Repository


@dataclass(frozen=True)
class Alarm:
    """The name finds the issue again: one name, one open issue."""

    name: str
    title: str
    text: str


def ring(repository: Repository, alarm: Alarm) -> str:
    """Raises or updates the issue. Says where it stands, or why it could not be raised."""
    return _ask(
        repository,
        lambda hub, mark: hub.raise_alarm(mark(alarm.name), alarm.title, alarm.text).url,
    )


def clear(repository: Repository, name: str, text: str) -> str:
    """Closes the issue where it is open. Says where it stood; empty when there was none."""

    def closed(hub: Any, mark: Callable[[str], str]) -> str:
        was = hub.clear_alarm(mark(name), text)
        return str(was.url) if was else ""

    return _ask(repository, closed)


def _ask(repository: Repository, act: Callable[[Any, Callable[[str], str]], str]) -> str:
    """An alarm that cannot be raised must not hide what it is about: the reason is the answer."""
    github = import_module("mlops_kit.github")  # with its library only when it is needed
    try:
        return act(github.connect(repository), lambda name: str(github.marker("alarm", name)))
    except KitError as error:
        return f"not on GitHub: {error.what}"
