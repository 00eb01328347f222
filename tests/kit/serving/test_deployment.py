"""The folder of a version: its commit, its lock, its artifacts, and nothing else's."""

from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project import contract as contracts
from mlops_kit.serving import deployment
from mlops_kit.serving.deployment import Deployment
from mlops_kit.serving.version_folders import VersionFolders
from mlops_kit.versions import version as versions

from tests.kit.serving.served_repository import MLOPS, made, register
from tests.kit.small_repository import Small


@pytest.fixture
def one(tmp_path: Path) -> Small:
    repository = made(tmp_path / "repository")
    register(repository, "v0.1.0", "first")
    register(repository, "v0.2.0", "second")
    return repository


def deploy(one: Small, name: str, folders: VersionFolders | None = None) -> tuple[Deployment, list[str]]:
    said: list[str] = []
    contract = contracts.load(one.root)
    version = versions.find(one.repository, "flights", name)
    folders = folders or VersionFolders(one.repository)
    return deployment.of_version(folders, contract, version, said.append), said


def test_a_folder_that_is_whole_is_used_again(one: Small) -> None:
    made, said = deploy(one, "v0.1.0")
    assert said == ["check flights@v0.1.0 out", "pull the artifacts of v0.1.0"]
    assert (made.version, made.predict) == ("v0.1.0", "pipeline.predict:answers")
    assert (made.folder / "model.txt").read_text() == "first"
    assert (made.folder / "dvc.lock").read_text() == one.git("show", "flights@v0.1.0:dvc.lock")
    assert deploy(one, "v0.1.0") == (made, [])
    assert one.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    "change", ["altered artifact", "lost artifact", "other lock", "other commit", "not a worktree"]
)
def test_a_folder_that_is_not_whole_is_made_again(one: Small, change: str) -> None:
    folder = deploy(one, "v0.1.0")[0].folder
    if change == "altered artifact":
        (folder / "model.txt").write_text("another")
    elif change == "lost artifact":
        (folder / "model.txt").unlink()
    elif change == "other lock":
        (folder / "dvc.lock").write_text("{}")
    elif change == "other commit":
        one.git("-C", str(folder), "checkout", "--quiet", "--force", "flights@v0.2.0")
    else:
        (folder / ".git").unlink()
    made, said = deploy(one, "v0.1.0")
    assert len(said) == 2
    assert (made.folder / "model.txt").read_text() == "first"


def test_an_artifact_that_was_tampered_with_is_not_served(one: Small) -> None:
    for cached in one.root.glob(".dvc/cache/files/md5/*/*"):
        cached.write_text("another")
    with pytest.raises(KitError, match=r"The cache holds other bytes than the lock names: model"):
        deploy(one, "v0.1.0")


def test_a_folder_that_another_server_uses_stays(one: Small) -> None:
    mine, others = VersionFolders(one.repository), VersionFolders(one.repository)
    first, second = deploy(one, "v0.1.0", others)[0].folder, deploy(one, "v0.2.0", mine)[0].folder
    assert mine.keep_only(second) == []
    assert first.exists()
    deploy(one, "v0.2.0", others)
    assert others.keep_only(second) == ["v0.1.0"]
    assert not first.exists()
    assert str(first) not in one.git("worktree", "list")


def test_a_version_that_is_older_than_the_tier_is_served_by_todays_function(one: Small) -> None:
    before = MLOPS.partition("serving:")[0].format(python="python")
    register(one, "v0.3.0", "third", **{"mlops.yaml": before})
    assert deploy(one, "v0.3.0")[0].predict == "pipeline.predict:answers"
