"""A repository with three versions, the first in production, and its environment: made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_kit.serving.environment import environment

from tests.conftest import Once
from tests.kit.serving.running import Running, running
from tests.kit.serving.served_repository import copied, made, promote, register
from tests.kit.small_repository import Small

REFUSES = "The model is not the one that dvc.lock names."


@pytest.fixture(scope="session")
def shared_served(once: Once) -> Path:
    def fill(folder: Path) -> None:
        one = made(folder / "repository")
        register(one, "v0.1.0", "delay 0.02")
        register(one, "v0.2.0", "delay 0.02")
        register(one, "v0.3.0", f"refuse {REFUSES}")
        promote(one, "v0.1.0", 1)
        wanted = environment.wanted(one.root / "serving/engine", one.root, ["uv.lock"])
        environment.make(one.root, wanted, one.root, lambda _: None)

    return once("served", fill)


@pytest.fixture
def served(shared_served: Path, tmp_path: Path) -> Small:
    return copied(shared_served, tmp_path / "served")


@pytest.fixture(scope="module")
def server(shared_served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for the tests of a module, which leave it as it is."""
    with running(copied(shared_served, tmp_path_factory.mktemp("server") / "served")) as one:
        yield one
