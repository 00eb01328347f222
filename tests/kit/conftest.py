"""Repositories that the kit works in, and GitHub as a stub."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlops_kit.alerts import webhook
from mlops_kit.project.repository import Repository

from tests.act.api import WRITE_TOKEN, Api
from tests.act.payloads import REPOSITORY
from tests.act.server import serving
from tests.conftest import must, python_of
from tests.kit.alerts.chat import Chat, chatting
from tests.kit.builders import a_record, a_repository, metrics, tag
from tests.kit.monitoring import log_repository
from tests.kit.script_repository import Scripted
from tests.kit.small_repository import Small
from tests.kit.small_repository import small as small_repository
from tests.kit.tips import change, kit, publish, registered, start


@pytest.fixture(scope="session")
def dvc(trained: Path) -> str:
    """A DVC of its own environment, as a command."""
    return str(python_of(trained).with_name("dvc"))


def copied(made: Path, tmp_path: Path) -> Repository:
    shutil.copytree(made, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Repository(tmp_path / "tips")


@pytest.fixture
def tips(dvc: str, once: Callable[..., Path], tmp_path: Path) -> Repository:
    """Not trained yet, without origin and DVC remote."""
    return copied(once("tips", lambda folder: start(folder / "tips", dvc)), tmp_path)


@pytest.fixture
def published(dvc: str, once: Callable[..., Path], tmp_path: Path) -> Repository:
    """Not trained yet, with a DVC remote and an origin, both up to date."""

    def make(folder: Path) -> None:
        start(folder / "tips", dvc)
        publish(folder / "tips", dvc)

    return copied(once("published-tips", make), tmp_path)


@pytest.fixture
def gated(dvc: str, once: Callable[..., Path], tmp_path: Path) -> Repository:
    """Published, trained and judged: what is left is to register it."""

    def make(folder: Path) -> None:
        start(folder / "tips", dvc)
        publish(folder / "tips", dvc)
        for words in ("train", "gate"):
            done = kit(Repository(folder / "tips"), words)
            assert done.code == 0, done.said

    return copied(once("gated-tips", make), tmp_path)


@pytest.fixture
def three(dvc: str, once: Callable[..., Path], tmp_path: Path) -> Repository:
    """Published, with the versions v0.1.0 to v0.3.0, which round their share to 3, 2 and 1 digits."""

    def make(folder: Path) -> None:
        start(folder / "tips", dvc)
        publish(folder / "tips", dvc)
        made = Repository(folder / "tips")
        for before, digits in ((3, 3), (3, 2), (2, 1)):
            if before != digits:
                change(made, "params.yaml", f"digits: {before}", f"digits: {digits}")
            registered(made)
        must(["git", "push", "--quiet", "origin", "main"], made.root)

    return copied(once("three-tips", make), tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Scripted:
    root = tmp_path / "small"
    root.mkdir()
    return Scripted(root)


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
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with chatting() as chat:
        monkeypatch.setenv("MLOPS_WEBHOOK", chat.url)
        yield chat


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setattr(webhook, "BACKOFF", 0)
    return small_repository(tmp_path / "flights", **{"docs/runbook.md": "# Runbook\n"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A repository whose model is watched; its tests look at windows and leave it as it is."""
    return log_repository.repository(tmp_path_factory.mktemp("monitored") / "flights")


@pytest.fixture
def check(made: Small) -> log_repository.Check:
    return lambda *words: log_repository.checked(made, *words)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


@pytest.fixture
def with_version(repository: Repository) -> Repository:
    tag(repository, a_record(repository.commit(), "v0.1.0", metrics=metrics(0.7)))
    return repository
