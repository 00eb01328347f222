"""The template with a tier for every layer, and a project made from it, in this process."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_new.create import create
from mlops_new.create.request import CreateRequest
from mlops_new.template import releases

from tests.conftest import Once
from tests.growth import stand_ins
from tests.growth.projects import say

NOW = releases.current()
NEXT = f"v{releases.numbers(NOW)[0]}.{releases.numbers(NOW)[1] + 1}.0"


@pytest.fixture(scope="session")
def tree(once: Once) -> Path:
    """A source tree with a tier for every layer and tool, and the bundle of its template."""

    def fill(into: Path) -> None:
        source = stand_ins.source(into / "source")
        releases.write_bundle(source, into / "template.bundle", NOW)

    return once("stand-ins", fill)


@pytest.fixture(autouse=True)
def _carried(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process carries that template, as an installed command would."""
    monkeypatch.setattr(releases, "SOURCE", tree / "source")
    monkeypatch.setattr(releases, "PACKAGED", tree / "template.bundle")
    monkeypatch.setattr(releases, "current", lambda: NOW)
    yield


@pytest.fixture
def seed(_carried: None, once: Once) -> Path:
    """A new project. Do not change it."""
    return once("grown-seed", lambda into: create.create(CreateRequest(into / "flights"), say)) / "flights"


@pytest.fixture
def made(seed: Path, tmp_path: Path) -> Path:
    """A new project, to change."""
    shutil.copytree(seed, tmp_path / "flights", symlinks=True)
    return tmp_path / "flights"


@pytest.fixture(scope="session")
def after_release(tree: Path, once: Once) -> Path:
    """The same source tree after its version was released and the template changed: with the next version."""

    def fill(into: Path) -> None:
        source = into / "source"
        shutil.copytree(tree / "source", source, symlinks=True)
        stand_ins.release_and_change(source)
        releases.write_bundle(source, into / "template.bundle", NEXT)

    return once("after-release", fill)


@pytest.fixture
def next_version(after_release: Path, seed: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """From here on this process carries the next version too. Its tag."""
    monkeypatch.setattr(releases, "PACKAGED", after_release / "template.bundle")
    monkeypatch.setattr(releases, "current", lambda: NEXT)
    return NEXT
