"""A forge, its API and remotes for each test; what takes long is made once for all workers."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import uv_with_cache
from tests.act.api import Api
from tests.act.forge import Forge
from tests.act.remotes import S3, Folder, Remote, S3Server, stock
from tests.act.server import serving
from tests.conftest import Once, copied, exported, must

Repository = Callable[..., Forge]


@pytest.fixture(scope="session")
def export(once: Once) -> Path:
    """The actions as their download has them: what is in Git or about to be, no more.

    act copies this folder for every step that uses an action. So the kit, two thirds of the files, is a link, and the
    other folders of this project, which no action reads, are left out.
    """

    def fill(into: Path) -> None:
        exported(into / "tree", "actions")
        kit = into / "tree/actions/mlops_kit"
        kit.rename(into / "mlops_kit")
        kit.symlink_to(into / "mlops_kit")

    return once("export", fill) / "tree"


@pytest.fixture(scope="session")
def kit(once: Once, export: Path) -> Path:
    """The environments that the launcher makes, for jobs of which only what they run is tested."""
    return once("kit", lambda into: uv_with_cache.make_ready(export / "actions", into, must))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture(scope="session")
def trained_for_s3(mlops_new: Path, once: Once, s3_server: S3Server) -> Path:
    """As `trained`, with what DVC needs for S3. Do not change it."""

    def make(into: Path) -> None:
        remote = S3(s3_server, "seed")
        reach = remote.environment | {"AWS_ENDPOINT_URL": s3_server.url}
        must([mlops_new, "flights", "--train", "--remote", remote.url], into, **reach)

    return once("trained-for-s3", make) / "flights"


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(Api()) as api:
        yield api


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "storage")


@pytest.fixture
def s3(s3_server: S3Server) -> S3:
    return S3(s3_server, f"bucket-{next(_BUCKETS)}")


@pytest.fixture
def empty_forge(tmp_path: Path, api: Api, export: Path) -> Forge:
    """Of a repository without a commit."""
    (tmp_path / "flights").mkdir()
    return Forge(tmp_path / "forge", tmp_path / "flights", api, export)


@pytest.fixture
def forge(trained: Path, tmp_path: Path, api: Api, export: Path, kit: Path) -> Forge:
    """Of the trained repository, without a DVC remote."""
    return Forge(tmp_path / "forge", copied(trained, tmp_path), api, export, kit=kit)


@pytest.fixture
def forge_with_folder(forge: Forge, folder: Folder) -> Forge:
    """Data and model are in the remote, as after `dvc push`."""
    return _connected(forge, folder)


@pytest.fixture
def forge_with_s3(trained_for_s3: Path, tmp_path: Path, api: Api, export: Path, s3: S3) -> Forge:
    """Data and model are in the remote, as after `dvc push`. Its runs install everything, as a new runner does."""
    return _connected(Forge(tmp_path / "forge", copied(trained_for_s3, tmp_path), api, export), s3)


@pytest.fixture
def first(versioned: Path, tmp_path: Path, api: Api, export: Path, kit: Path, folder: Folder) -> Forge:
    """Of a repository whose first model is v0.1.0, with data and model in the remote."""
    forge = Forge(tmp_path / "forge", copied(versioned, tmp_path), api, export, kit=kit)
    forge.push("refs/tags/flights@v0.1.0")
    return _connected(forge, folder)


def _connected(forge: Forge, remote: Remote) -> Forge:
    stock(remote, forge.work)
    forge.environment |= remote.environment
    forge.merge("Add a DVC remote", {".dvc/config": remote.config()})
    return forge


_BUCKETS = itertools.count(1)
