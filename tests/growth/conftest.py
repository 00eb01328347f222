"""The template with a tier for every layer, and a project made from it, in this process."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from mlops_new.create import create
from mlops_new.create.request import CreateRequest
from mlops_new.template import releases

from tests.conftest import Once
from tests.growth import stand_ins
from tests.growth.projects import say

NOW = releases.current()
SYNTAX = (  # of an environment of Jinja: what decides the code of a text
    *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
    *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline"),
    *("sandboxed", "autoescape", "optimized", "is_async"),
)
NEXT = f"v{releases.numbers(NOW)[0]}.{releases.numbers(NOW)[1] + 1}.0"


@pytest.fixture(scope="session")
def tree(once: Once) -> Path:
    """A source tree with a tier for every layer and tool, and the bundle of its template."""

    def fill(into: Path) -> None:
        source = stand_ins.source(into / "source")
        releases.write_bundle(source, into / "template.bundle", NOW)

    return once("stand-ins", fill)


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Jinja compiles each text once in this process. Copier compiles every name and file again for each rendering."""
    real, compiled = jinja2.Environment.compile, {}

    def compile_once(environment: jinja2.Environment, source: Any, *more: Any, **named: Any) -> Any:
        if not isinstance(source, str):
            return real(environment, source, *more, **named)
        syntax = tuple(getattr(environment, name) for name in SYNTAX)
        key = (type(environment), syntax, tuple(environment.extensions), source, more, tuple(named.items()))
        if key not in compiled:
            compiled[key] = real(environment, source, *more, **named)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        yield


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
