"""A version's data and model can be had by anybody, and no garbage collection takes them away."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project import contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions import gc, stored_objects
from mlops_kit.versions import pull as pull_version
from mlops_kit.versions.gc import HELD, Collected

from tests.conftest import Once, must
from tests.kit.small_repository import Small, clone, dvc, small, with_origin

MLOPS = "model: flights\ncommands: {{dvc: {dvc}}}\nmetrics: metrics.json\n"
CONFIG = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n"
PIPELINE = (
    "stages:\n  train:\n    cmd: cp data/raw.csv model.txt\n    deps: [data/raw.csv]\n    outs: [model.txt]\n"
)


@pytest.fixture
def flights(once: Once, tmp_path: Path, copied: Callable[[Path], Path]) -> Small:
    """v0.1.0 was trained on `first` and v0.2.0 on `second`; main has no lock, the cache is empty."""
    command = dvc(once)

    def build(into: Path) -> None:
        one = small(into / "flights", **{"mlops.yaml": MLOPS.format(dvc=command), "dvc.yaml": PIPELINE})
        one.write(".dvc/config", CONFIG)
        one.write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
        for version, text in (("v0.1.0", "first\n"), ("v0.2.0", "second\n")):
            (one.root / "data/raw.csv").unlink(missing_ok=True)
            one.write("data/raw.csv", text)
            must([command, "add", "--quiet", "data/raw.csv"], one.root)
            one.commit(f"Data of {version}")
            must([command, "repro", "--quiet"], one.root)
            must([command, "push", "--quiet"], one.root)
            one.tag(version, **{"dvc.lock": (one.root / "dvc.lock").read_text()})
            (one.root / "dvc.lock").unlink()
        with_origin(one)
        one.git("push", "--quiet", "origin", "--tags")
        one.git("remote", "set-url", "origin", "../flights.git")

    copied(once("two-versions", build))
    return clone(tmp_path / "flights.git", tmp_path / "colleague", "--no-tags")


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    import shutil

    return lambda seed: Path(shutil.copytree(seed, tmp_path, symlinks=True, dirs_exist_ok=True))


def pull(one: Small, name: str = "", into: Path | None = None) -> pull_version.Pulled:
    return pull_version.pull(one.repository, contract.load(one.root), name, into, lambda _: None)


def collect(one: Small, agree: bool = True, **how: bool) -> Collected:
    wish = {"cloud": True, "dry": False, **how}
    return gc.collect(one.repository, contract.load(one.root), agree=lambda _: agree, **wish)


def model(root: Path) -> str:
    return (root / "model.txt").read_text()


def test_the_newest_version_comes_into_the_workspace_and_goes_again(flights: Small) -> None:
    done = pull(flights)
    assert (done.version, model(flights.root)) == ("v0.2.0", "second\n")
    assert done.back.startswith("rm dvc.lock && ")
    assert pull(flights, "v0.1.0").version == "v0.1.0"  # over the lock that the first pull wrote
    assert model(flights.root) == "first\n"
    assert (flights.root / "data/raw.csv").read_text() == "second\n"  # as the tree's pointer says


def test_a_lock_of_ones_own_is_not_overwritten(flights: Small) -> None:
    flights.write("dvc.lock", "schema: '2.0'\nstages: {}\n")
    done = flights.kit("pull")
    assert done.code == 1
    assert "dvc.lock has changes that are not committed" in done.stderr
    assert "stages: {}" in (flights.root / "dvc.lock").read_text()


def test_a_version_in_a_folder_of_its_own_leaves_the_workspace(flights: Small, tmp_path: Path) -> None:
    into = tmp_path / "old"
    done = pull(flights, "v0.1.0", into)
    assert (model(into), (into / "data/raw.csv").read_text()) == ("first\n", "first\n")
    assert flights.git("status", "--porcelain") == ""
    assert Repository(into).git("status", "--porcelain") == ""
    assert (flights.root / ".dvc/cache").is_dir()
    with pytest.raises(KitError, match="is not empty"):
        pull(flights, "v0.2.0", into)
    must(done.back.split(), flights.root)
    assert not into.exists()


def test_what_cannot_be_had_leaves_no_folder_and_no_lock(flights: Small, tmp_path: Path) -> None:
    (tmp_path / "storage").rename(tmp_path / "away")
    for into in (tmp_path / "old", None):
        with pytest.raises(KitError):
            pull(flights, "v0.1.0", into)
    assert not (tmp_path / "old").exists()
    assert not (flights.root / "dvc.lock").exists()
    assert "old" not in flights.git("worktree", "list")


def test_before_the_first_version_the_data_of_the_tree_comes(flights: Small, tmp_path: Path) -> None:
    """Though it has stages, whose results nobody has made yet."""
    flights.edit("mlops.yaml", "model: flights", "model: other")
    assert pull(flights).version == ""
    assert (flights.root / "data/raw.csv").read_text() == "second\n"


def stored(tmp_path: Path) -> int:
    return sum(1 for file in (tmp_path / "storage").rglob("*") if file.is_file())


def test_bare_dvc_gc_would_delete_a_version_and_ours_does_not(
    flights: Small, tmp_path: Path, once: Once
) -> None:
    """v0.1.0 is on no branch, and this clone did not even have its tag."""
    before = stored(tmp_path)
    would = must([dvc(once), "gc", "--workspace", "--cloud", "--force", "--dry"], flights.root)
    assert "1" in would
    done = collect(flights)
    assert (done.removed, done.tags) == (True, 2)
    assert stored(tmp_path) == before
    pull(flights, "v0.1.0")
    assert model(flights.root) == "first\n"


def test_what_nothing_needs_goes_and_a_colleagues_branch_stays(
    flights: Small, tmp_path: Path, once: Once
) -> None:
    command = dvc(once)
    other = clone(tmp_path / "flights.git", tmp_path / "other")
    other.git("checkout", "--quiet", "-b", "experiment")
    other.write("data/raw.csv", "of a branch\n")
    must([command, "add", "--quiet", "data/raw.csv"], other.root)
    must([command, "push", "--quiet", "data/raw.csv.dvc"], other.root)
    other.commit("Try other data")
    other.git("push", "--quiet", "origin", "experiment")
    kept = stored(tmp_path)
    other.write("data/raw.csv", "never committed\n")
    must([command, "add", "--quiet", "data/raw.csv"], other.root)
    must([command, "push", "--quiet", "data/raw.csv.dvc"], other.root)
    assert stored(tmp_path) == kept + 1
    with pytest.raises(KitError, match="No commit of this repository ever named these"):
        collect(flights)
    assert not collect(flights, dry=True, unnamed=True).removed
    assert not collect(flights, agree=False, unnamed=True).removed
    assert stored(tmp_path) == kept + 1
    assert collect(flights, unnamed=True).removed
    assert stored(tmp_path) == kept
    assert flights.git("for-each-ref", HELD) == ""


def test_data_that_no_branch_has_any_more_is_listed_with_its_size_and_goes(
    flights: Small, tmp_path: Path, once: Once
) -> None:
    command = dvc(once)
    flights.git("checkout", "--quiet", "-b", "experiment")
    for text in ("first try\n", "second\n"):  # the second is that of v0.2.0
        (flights.root / "data/raw.csv").unlink(missing_ok=True)
        flights.write("data/raw.csv", text)
        must([command, "add", "--quiet", "data/raw.csv"], flights.root)
        must([command, "push", "--quiet", "data/raw.csv.dvc"], flights.root)
        flights.git("commit", "--quiet", "--all", "--allow-empty", "--message", text)
    kept = stored(tmp_path)
    said = flights.kit("gc", "--cloud", "--dry-run").stdout
    assert said.count("1 object, 10 bytes") == 2  # in the cache and in the remote
    assert "removed" not in said.lower()
    assert stored(tmp_path) == kept
    assert collect(flights).removed
    assert stored(tmp_path) == kept - 1


def test_what_another_repository_stores_in_the_same_remote_stays(flights: Small, tmp_path: Path) -> None:
    other = tmp_path / "storage/files/md5/ab/cdefabcdefabcdefabcdefabcdefab"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_text("of another repository\n")
    for how in ("--dry-run", "--yes"):
        done = flights.kit("gc", "--cloud", how)
        assert done.code == 1, done.said
        assert "abcdefabcdefabcdefabcdefabcdefab  22 bytes" in done.stderr
        assert "Does another repository use the same place?" in done.stderr
        assert other.exists()
    assert flights.kit("gc", "--yes").code == 0  # the cache is this clone's own
    assert flights.kit("gc", "--cloud", "--yes", "--unnamed").code == 0
    assert not other.exists()


def test_a_cache_that_clones_share_is_looked_at_like_a_remote(flights: Small, tmp_path: Path) -> None:
    flights.write(".dvc/config.local", f"[cache]\n    dir = {tmp_path / 'shared'}\n")
    other = tmp_path / "shared/files/md5/ab/cdefabcdefabcdefabcdefabcdefab"
    other.parent.mkdir(parents=True)
    other.write_text("of another repository\n")
    with pytest.raises(KitError, match="the cache: 1 object, 22 bytes"):
        collect(flights, cloud=False)
    assert other.exists()


def test_a_remote_that_is_no_folder_is_listed_by_dvc(
    flights: Small, once: Once, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stored_objects.in_remote(flights.repository, str(dvc(once)))
    monkeypatch.setattr(stored_objects, "_remote_folder", lambda _: None)
    listed = stored_objects.in_remote(flights.repository, str(dvc(once)))
    assert set(listed.objects) == set(folder.objects)
    assert len(folder.objects) == 2


def test_tags_that_a_killed_collection_left_go(flights: Small) -> None:
    flights.git("update-ref", f"{HELD}main", "HEAD")
    collect(flights, dry=True)
    assert flights.git("for-each-ref", HELD) == ""


def test_nothing_is_deleted_when_origin_cannot_be_asked(flights: Small, tmp_path: Path) -> None:
    (tmp_path / "flights.git").rename(tmp_path / "away.git")
    with pytest.raises(KitError, match="cannot be asked which versions there are"):
        collect(flights)
    assert flights.kit("gc", "--cloud").code == 1


def test_without_a_terminal_it_wants_a_word(flights: Small) -> None:
    done = flights.kit("gc")
    assert done.code == 2
    assert "Add --yes or --dry-run" in done.stderr
