"""A repository, and GitHub as a stub."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_kit.repository import Repository

from tests.act.api import WRITE_TOKEN, Api
from tests.act.payloads import REPOSITORY
from tests.act.server import serving
from tests.kit.made import a_repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return a_repository(tmp_path / "flights")


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(Api()) as api:
        yield api


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on a runner nor logged in, and nothing reaches GitHub."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ACTIONS", "GITHUB_RUN_ID", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_REF", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")


@pytest.fixture
def on_github(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("GITHUB_API_URL", api.url)
    monkeypatch.setenv("GITHUB_TOKEN", WRITE_TOKEN)
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    return api


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds
