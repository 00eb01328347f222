"""A repository with each tool, made once for all workers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.act.api import Api
from tests.act.server import serving
from tests.conftest import Once
from tests.tiers.project import Project, copied, make


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(Api()) as api:
        yield api


@pytest.fixture
def with_tool(trained: Path, mlops_new: Path, once: Once, tmp_path: Path) -> Callable[..., Project]:
    def project(tool: str, layer: str = "orchestration") -> Project:
        made = once(f"with-{tool}", lambda into: make(into, layer, tool, trained, mlops_new))
        return copied(made / "flights", layer, tool, tmp_path)

    return project
