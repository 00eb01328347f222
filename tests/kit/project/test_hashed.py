"""What DVC brings is hashed before it is used, whatever the bucket says its objects are."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project import dvc_config, hashed, snapshot
from mlops_kit.project.hashed import AlteredError, refuse_altered
from mlops_kit.project.lock import Entry, file_md5, object_path
from mlops_kit.project.repository import Repository
from mlops_kit.training import train as training
from mlops_kit.versions import pull
from mlops_kit.versions import version as versions

from tests.conftest import must
from tests.kit.tips import change, clone_of, kit, means
from tests.kit.training.test_train import silent, train


def stored(cache: Path, content: bytes, name: str = "") -> str:
    """The md5 of an object in a cache; with `name`, of an object that has another one's name."""
    source = cache.parent / "object"
    source.write_bytes(content)
    md5 = name or file_md5(source)
    path = object_path(cache, md5)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, path)
    path.chmod(0o444)
    return md5


def folder(cache: Path, *files: tuple[str, str]) -> str:
    """The md5 of a folder whose list holds these paths and md5s."""
    listed = [{"md5": md5, "relpath": path} for path, md5 in files]
    text = json.dumps(listed, sort_keys=True).encode()
    md5 = stored(cache, text)
    object_path(cache, md5).rename(object_path(cache, f"{md5}.dir"))
    return f"{md5}.dir"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def here(tmp_path: Path) -> Repository:
    (tmp_path / "here").mkdir()
    return Repository(tmp_path / "here")


def refused(here: Repository, cache: Path, *entries: Entry) -> str:
    with pytest.raises(AlteredError) as error:
        refuse_altered(here, here, entries, cache, "the bucket")
    return error.value.what


def test_what_is_as_its_name_says_is_accepted(here: Repository, cache: Path) -> None:
    model = folder(cache, ("a/model.bin", stored(cache, b"model")), ("b", stored(cache, b"")))
    refuse_altered(here, here, [Entry("model", model), Entry("rows", stored(cache, b"rows"))], cache, "")
    refuse_altered(here, here, [Entry("not here", "0" * 32), Entry("odd", "../../etc/passwd")], cache, "")


def test_an_altered_file_is_named_and_removed_so_that_it_is_pulled_again(
    here: Repository, cache: Path
) -> None:
    wanted = "0" * 32
    stored(cache, b"evil", wanted)
    (here.root / "rows").write_bytes(b"evil")
    said = refused(here, cache, Entry("rows", wanted))
    found = "4034a346ccee15292d823416f7510a2f"
    assert (
        said
        == f"the bucket holds other bytes than the lock names: rows (found md5 {found}, wanted {wanted})."
    )
    assert not object_path(cache, wanted).exists()
    assert not (here.root / "rows").exists()


def test_an_altered_file_of_a_folder_is_named_by_its_path(here: Repository, cache: Path) -> None:
    stored(cache, b"evil", "1" * 32)
    good = stored(cache, b"good")
    (here.root / "model").mkdir()
    (here.root / "model/bad.pkl").write_bytes(b"evil")
    (here.root / "model/good").write_bytes(b"good")
    model = folder(cache, ("bad.pkl", "1" * 32), ("good", good))
    assert "model/bad.pkl (found md5 4034a346" in refused(here, cache, Entry("model", model))
    assert [path.name for path in (here.root / "model").iterdir()] == ["good"]
    assert object_path(cache, good).exists()


@pytest.mark.parametrize("text", [None, b"[[[[", b"[1, {}]", b"{}", b"\xff"])
def test_an_altered_list_of_a_folder_is_refused_whatever_it_holds(
    text: bytes | None, here: Repository, cache: Path
) -> None:
    evil = stored(cache, b"evil")
    (here.root / "model").mkdir()
    (here.root / "model/model.pkl").write_bytes(b"evil")
    listed = json.dumps([{"relpath": "model.pkl", "md5": evil}]).encode() if text is None else text
    stored(cache, listed, "2" * 32 + ".dir")
    assert refused(here, cache, Entry("model", "2" * 32 + ".dir")).count("found md5") == 1
    assert not object_path(cache, "2" * 32 + ".dir").exists()
    # What the altered list brought is gone; what it does not explain is somebody's own.
    assert (here.root / "model").exists() is (text is not None)


def test_a_persons_own_file_stays(here: Repository, cache: Path) -> None:
    stored(cache, b"evil", "3" * 32)
    (here.root / "rows").write_bytes(b"edited by hand")
    refused(here, cache, Entry("rows", "3" * 32))
    assert (here.root / "rows").read_bytes() == b"edited by hand"


def test_what_dvc_2_hashed_with_the_line_ends_of_unix_is_accepted(here: Repository, cache: Path) -> None:
    unix = stored(cache, b"a\nb\n")
    old = cache / unix[:2] / unix[2:]
    old.parent.mkdir()
    object_path(cache, unix).unlink()
    old.write_bytes(b"a\r\nb\r\n")
    refuse_altered(here, here, [Entry("rows", unix)], cache, "")
    old.write_bytes(b"a\r\nc\r\n")
    refused(here, cache, Entry("rows", unix))


def test_an_object_is_hashed_once_until_it_changes(
    here: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def counted(path: Path, wanted: str) -> str:
        read.append(path)
        return hash_object(path, wanted)

    hash_object = hashed.object_md5
    monkeypatch.setattr(hashed, "object_md5", counted)
    rows = Entry("rows", stored(cache, b"rows"))
    for _ in range(3):
        refuse_altered(here, here, [rows], cache, "")
    assert len(read) == 1
    object_path(cache, rows.md5).unlink()
    stored(cache, b"evil", rows.md5)
    refused(here, cache, rows)
    (here.root / hashed.KNOWN).write_text("damaged")
    stored(cache, b"rows")
    refuse_altered(here, here, [rows], cache, "")


# ---- each way in which bytes come from a remote ----


def alter(repository: Repository, md5: str, content: str = "0.999\n") -> None:
    """As somebody does who reaches the bucket: another file under the same name, as DVC leaves it."""
    path = object_path(repository.root.parent / "storage", md5)
    assert path.exists()
    path.chmod(0o644)
    path.write_text(content)
    path.chmod(0o444)


def restore(repository: Repository, md5: str, content: str) -> None:
    alter(repository, md5, content)


def version_md5(repository: Repository, path: str, version: str = "v0.3.0") -> str:
    lock = repository.lock(f"tips@{version}")
    assert lock
    return lock.outs[path].md5


def test_training_refuses_altered_data_and_goes_on_when_it_is_put_right(published: Repository) -> None:
    (entry,) = published.pointers().values()
    right = (published.root / "bills.csv").read_text()
    alter(published, entry.md5, right.replace("b1,", "b1,9"))
    clone = clone_of(published, "clone")
    with pytest.raises(AlteredError, match=r"bills\.csv \(found md5"):
        train(clone)
    assert training.load(clone) is None
    assert not (clone.root / "bills.csv").exists()
    restore(published, entry.md5, right)
    assert train(clone).on == "data"


def test_training_refuses_an_altered_result_that_a_later_stage_reads(three: Repository) -> None:
    """Only `evaluate` runs again: it reads the model of an unchanged stage from the remote."""
    alter(three, version_md5(three, "model.txt"))
    clone = clone_of(three, "clone")
    change(clone, "evaluate.sh", "rm predicted.tmp", "rm predicted.tmp; touch ran")
    with pytest.raises(AlteredError, match=r"model\.txt \(found md5"):
        train(clone)
    assert not (clone.root / "ran").exists()


def elsewhere(repository: Repository, dvc: str, *pulls: str) -> None:
    """Let a command of the team train: it pulls these files with DVC, which believes the names of objects."""
    fragment = repository.root / "mlops.d/elsewhere.yaml"
    fragment.parent.mkdir()
    fragment.write_text("train_with: sh elsewhere.sh\n")
    script = f"{dvc} pull --quiet {' '.join(pulls)} && touch pulled && exec {dvc} repro\n"
    (repository.root / "elsewhere.sh").write_text(script)


def test_training_elsewhere_refuses_altered_data_that_its_command_pulled(
    published: Repository, dvc: str
) -> None:
    (entry,) = published.pointers().values()
    right = (published.root / "bills.csv").read_text()
    alter(published, entry.md5, right.replace("b1,", "b1,9"))
    clone = clone_of(published, "clone")
    elsewhere(clone, dvc, "bills.csv.dvc")
    with pytest.raises(AlteredError, match=r"bills\.csv \(found md5"):
        train(clone)
    assert (clone.root / "pulled").exists()
    assert training.load(clone) is None
    assert not (clone.root / "bills.csv").exists()
    assert not (clone.root / "dvc.lock").exists()


def test_training_elsewhere_refuses_altered_data_that_is_here_before_its_command_runs(
    published: Repository, dvc: str
) -> None:
    (entry,) = published.pointers().values()
    alter(published, entry.md5, "key,bill,tip\n")
    clone = clone_of(published, "clone")
    must([dvc, "pull", "--quiet", "bills.csv.dvc"], clone.root)
    elsewhere(clone, dvc)
    with pytest.raises(AlteredError, match=r"bills\.csv \(found md5"):
        train(clone)
    assert not (clone.root / "pulled").exists()


def test_training_elsewhere_refuses_an_altered_result_that_its_command_pulled(
    three: Repository, dvc: str
) -> None:
    alter(three, version_md5(three, "model.txt"))
    clone = clone_of(three, "clone")
    elsewhere(clone, dvc, "model.txt", "bills.csv.dvc")
    with pytest.raises(AlteredError, match=r"model\.txt \(found md5"):
        train(clone)


def test_training_refuses_an_altered_result_that_it_reuses(three: Repository) -> None:
    alter(three, version_md5(three, "metrics.json"), '{"model": {"mae": 0}}')
    clone = clone_of(three, "clone")
    with pytest.raises(AlteredError, match=r"metrics\.json"):
        train(clone)


def test_training_reads_no_altered_result_of_the_run_cache(three: Repository) -> None:
    """Going back to three digits: the remote knows the result of then, and `train` runs again instead of taking it."""
    right = (three.root.parent / "storage", version_md5(three, "model.txt", "v0.1.0"))
    good = object_path(*right).read_text()
    alter(three, right[1])
    clone = clone_of(three, "clone")
    change(clone, "params.yaml", "digits: 1", "digits: 3")
    done = train(clone)
    assert done.stages["train"] == "ran"
    assert (clone.root / "model.txt").read_text() == good


def test_the_systems_settings_of_dvc_are_kept(
    published: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[core]\n    no_scm = false\n['remote \"other\"']\n    url = s3://x\n")
    monkeypatch.setenv(dvc_config.SYSTEM, str(tmp_path))
    with dvc_config.verified_downloads(published) as variables:
        text = (Path(variables[dvc_config.SYSTEM]) / "config").read_text()
    assert "no_scm = false" in text and "s3://x" in text
    assert "['remote \"storage\"']\nverify = true" in text
    assert not Path(variables[dvc_config.SYSTEM]).exists()
    for config in ("", "[core]\nremote = x\n['remote \"x\"']\nurl = hdfs://host/x\n"):
        (published.root / ".dvc/config").write_text(config)
        with dvc_config.verified_downloads(published) as variables:
            assert variables == {}


def test_the_check_of_the_data_reads_no_altered_data(published: Repository) -> None:
    (entry,) = published.pointers().values()
    alter(published, entry.md5, "key,bill,tip\n")
    done = kit(clone_of(published, "clone"), "validate")
    assert done.code == 1
    assert "holds other bytes than the lock names: bills.csv (found md5" in done.stderr
    assert "no rows" not in done.said


def test_pull_refuses_here_and_into_a_folder(three: Repository, tmp_path: Path) -> None:
    alter(three, version_md5(three, "model.txt"))
    clone = clone_of(three, "clone")
    for into in (None, tmp_path / "into"):
        with pytest.raises(AlteredError, match=r"model\.txt \(found md5"):
            pull.pull(clone, means(clone), "v0.3.0", into, silent)
    assert not (clone.root / "model.txt").exists()
    assert not (tmp_path / "into").exists()


Use = Callable[[snapshot.Snapshot], object]


@pytest.mark.parametrize("use", [lambda was: was.file("model.txt"), lambda was: _predict(was)])
@pytest.mark.parametrize("altered_in", ["the remote", "the cache"])
def test_a_versions_files_are_hashed(use: Use, altered_in: str, three: Repository, tmp_path: Path) -> None:
    """As the champion of the gates, the reference of the monitor and `verify` get them."""
    md5 = version_md5(three, "model.txt", "v0.1.0")
    alter(three, md5)
    clone = clone_of(three, "clone")
    if altered_in == "the cache":  # by a pull of DVC's own
        stored(clone.root / ".dvc/cache", b"0.999\n", md5)
    tag = versions.find(clone, "tips", "v0.1.0").tag
    with pytest.raises(KitError, match=r"model\.txt") as error:
        use(snapshot.take(clone, tag, tmp_path, means(clone).commands.dvc))
    assert "found md5" in error.value.what


def _predict(was: snapshot.Snapshot) -> None:
    with was.alive():
        pytest.fail("the altered model is there")


# ---- folders whose list leads elsewhere ----


def with_a_folder(repository: Repository, dvc: str) -> str:
    """Let DVC hold a folder, here and in the bucket. The name of its list."""
    (repository.root / "pages").mkdir()
    (repository.root / "pages/a.txt").write_text("a")
    must([dvc, "add", "--quiet", "pages"], repository.root)
    must([dvc, "push", "--quiet"], repository.root)
    must(["git", "add", "--all"], repository.root)
    must(["git", "commit", "--quiet", "--message=Pages"], repository.root)
    must(["git", "push", "--quiet", "origin", "HEAD"], repository.root)
    return next(one.md5 for one in repository.pointers().values() if one.path == "pages")


@pytest.mark.parametrize("listed_by", ["the bucket", "the training"])
def test_a_folder_writes_nothing_outside_of_itself(listed_by: str, published: Repository, dvc: str) -> None:
    """DVC believes the paths in the list of a folder, also with `verify: true`."""
    name = with_a_folder(published, dvc)
    storage = published.root.parent / "storage"
    evil = stored(storage, b"evil")
    list_file = object_path(storage, name)
    listed = json.loads(list_file.read_text())
    for path in ("../train.sh", "../.git/hooks/post-checkout", "../../outside.txt"):
        listed.append({"md5": evil, "relpath": path})
    alter(published, name, json.dumps(listed))
    if listed_by == "the training":  # which pushed such a list itself, so that its hash is right
        renamed = f"{file_md5(list_file)}.dir"
        object_path(storage, renamed).parent.mkdir(exist_ok=True)
        list_file.rename(object_path(storage, renamed))
        change(published, "pages.dvc", name, renamed)
        must(["git", "push", "--quiet", "origin", "HEAD"], published.root)
    clone = clone_of(published, "clone")
    code = (clone.root / "train.sh").read_text()
    for _ in range(2):  # the second time nothing is taken from the cache
        with pytest.raises(AlteredError, match=r"pages"):
            pull.pull(clone, means(clone), "", None, silent)
        assert (clone.root / "train.sh").read_text() == code
        assert not (clone.root / ".git/hooks/post-checkout").exists()
        assert not (clone.root.parent / "outside.txt").exists()


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/etc/x", "..\\x", "C:/x", "C:x", ".git/x", "", "a//b", "./a"]
)
def test_a_list_that_names_a_file_outside_is_refused(path: str, here: Repository, cache: Path) -> None:
    model = folder(cache, (path, stored(cache, b"evil")))
    assert refused(here, cache, Entry("model", model)).startswith("model has files outside of itself")
    assert not object_path(cache, model).exists()
