"""The template with a tier for every layer, and a project made from it, in this process."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_new import create, releases

from tests.conftest import Once
from tests.growth import stand_ins
from tests.growth.growing import say


@pytest.fixture(scope="session")
def tree(once: Once) -> Path:
    """A source tree with a tier for every layer and tool, and the bundle of its template."""

    def fill(into: Path) -> None:
        source = stand_ins.source(into / "source")
        releases.write_bundle(source, into / "template.bundle", releases.current())

    return once("stand-ins", fill)


@pytest.fixture(autouse=True)
def _carried(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process carries that template, as an installed command would."""
    tag = releases.current()
    monkeypatch.setattr(releases, "SOURCE", tree / "source")
    monkeypatch.setattr(releases, "PACKAGED", tree / "template.bundle")
    monkeypatch.setattr(releases, "current", lambda: tag)
    yield


@pytest.fixture
def made(_carried: None, once: Once, tmp_path: Path) -> Path:
    """A new project, to change."""
    seed = once("grown-seed", lambda into: create.create(create.Wishes(into / "flights"), say))
    shutil.copytree(seed / "flights", tmp_path / "flights", symlinks=True)
    return tmp_path / "flights"
