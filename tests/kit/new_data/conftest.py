"""A file, a folder and an import in DVC, watched."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Once, must
from tests.kit.new_data.files import CHECK, ROWS
from tests.kit.small_repository import Hub, Small, dvc, github, small, with_origin


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return github(monkeypatch)


@pytest.fixture
def command(once: Once) -> Path:
    return dvc(once)


REPLACE = "{pointer: data/raw.csv.dvc, folder: ../landing, pattern: '*.csv', settle_seconds: 60}"
COLLECT = "{pointer: data/batches.dvc, folder: ../landing, mode: collect, settle_seconds: 60}"
IMPORT = "{pointer: data/url.csv.dvc, settle_seconds: 60}"


@pytest.fixture
def seed(once: Once) -> Path:
    """A file, a folder and an import in DVC, of two rows each, pushed to a remote, and an origin.

    Every path is relative, so that the whole can be copied.
    """
    command = dvc(once)

    def build(into: Path) -> None:
        data = {"data/raw.csv": ROWS, "data/batches/january.csv": ROWS}
        one = small(into / "flights", **data, **{"check.py": CHECK, "dvc.yaml": "stages: {}\n"})
        one.write(
            ".dvc/config", "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n"
        )
        one.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
        (one.root / "data/raw.csv.dvc").unlink()
        one.git("rm", "-r", "--quiet", "--cached", "data")
        (into / "source.csv").write_text(ROWS)
        must([command, "add", "--quiet", "data/raw.csv", "data/batches"], one.root)
        must([command, "import-url", "--quiet", "../../source.csv", "data/url.csv"], one.root)
        must([command, "push", "--quiet"], one.root)
        one.commit("Add the data")
        with_origin(one)
        one.git("remote", "set-url", "origin", "../flights.git")
        (into / "landing").mkdir()

    return once("landing", build)


def at(seed: Path, once: Once, tmp_path: Path, watch: str) -> Small:
    shutil.copytree(seed, tmp_path, symlinks=True, dirs_exist_ok=True)
    one = Small(tmp_path / "flights")
    commands = f"{{dvc: {dvc(once)}, validate: {sys.executable} check.py}}"
    text = f"model: flights\ncommands: {commands}\nmetrics: metrics.json\nnew_data:\n  watch:\n  - {watch}\n"
    one.write("mlops.yaml", text)
    one.commit("Watch")
    one.git("push", "--quiet", "origin", "main")
    return one


@pytest.fixture
def flights_at(seed: Path, once: Once, tmp_path: Path) -> Small:
    return at(seed, once, tmp_path, REPLACE)


@pytest.fixture
def batches(seed: Path, once: Once, tmp_path: Path) -> Small:
    return at(seed, once, tmp_path, COLLECT)


@pytest.fixture
def two(seed: Path, once: Once, tmp_path: Path) -> Small:
    """The file, and from elsewhere the folder; both by pull request."""
    (tmp_path / "batches").mkdir()
    beside = COLLECT.replace("../landing", "../batches")
    return at(seed, once, tmp_path, f"{REPLACE}\n  - {beside}\n  deliver: pull-request")


@pytest.fixture
def imported(seed: Path, once: Once, tmp_path: Path) -> Small:
    return at(seed, once, tmp_path, IMPORT)
