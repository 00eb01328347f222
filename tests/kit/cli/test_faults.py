"""A fault of the machine or of a file is told with its path, and is not our bug."""

import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_kit.base.errors import FIXABLE, OUR_BUG, KitError
from mlops_kit.cli import faults, main
from mlops_kit.project import contract

from tests.kit.small_repository import Small, small


@pytest.fixture
def one(tmp_path: Path) -> Small:
    return small(tmp_path / "flights")


def raised(call: Callable[[], object]) -> KitError | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001  # what it is, is the question
        return faults.explained(error)
    raise AssertionError("nothing was raised")


def full(path: str | None = None) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_told_with_the_file_that_was_written() -> None:
    def write() -> None:
        with Path("/dev/full").open("w") as stream:
            stream.write("x")
            stream.flush()

    told = raised(write)
    assert told and told.what == "/dev/full could not be written: No space left on device."
    assert "df -h /dev" in told.do


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: full("model.bin"), "model.bin could not be written"),
        (lambda: Path("/no/such/file").read_text(), "/no/such/file: No such file"),
        (lambda: Path("/proc/self/mem").read_bytes(), "/proc/self/mem"),
        (lambda: json.loads("[" * 100_000), "nested too deeply"),
    ],
)
def test_each_kind(call: Callable[[], object], says: str) -> None:
    told = raised(call)
    assert told and says in told.what


def test_bytes_that_are_no_text_are_told_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"\xff")
    told = raised((tmp_path / "notes.txt").read_text)
    assert told and str(tmp_path / "notes.txt") in told.what and "UTF-8" in told.what


def test_an_endless_recursion_of_ours_is_our_bug() -> None:
    def again() -> None:
        again()

    assert raised(again) is None
    assert raised(lambda: {"a": 0}["b"]) is None


@pytest.mark.parametrize(
    ("error", "code"), [(OSError(errno.ENOSPC, "full", "x"), FIXABLE), (KeyError("x"), OUR_BUG)]
)
def test_the_exit_code(error: Exception, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(main, "group", fails)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == code


@pytest.mark.parametrize("name", ["dvc.lock", "mlops.yaml", "dvc.yaml", "params.yaml", "data/raw.csv.dvc"])
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 2_000, b"a: " + b"{b: " * 2_000])
def test_a_file_of_the_repository_that_is_no_text_or_too_deep(one: Small, name: str, content: bytes) -> None:
    (one.root / "dvc.lock").write_text(one.lock())
    (one.root / name).write_bytes(content)
    done = one.kit("fresh")
    assert done.code in (0, 1, 10), done.said
    if name in ("dvc.lock", "mlops.yaml"):
        assert done.code == 1
        assert name in done.stderr
    assert "our bug" not in done.said


@pytest.mark.parametrize("rest", [b'{"run": "r1", "at": "20', b"\xff\xfe", b"[" * 50_000])
def test_a_cut_off_line_of_events_is_left_out_and_spoils_no_other(one: Small, rest: bytes) -> None:
    assert one.kit("validate").code == 0
    (file,) = (one.root / ".mlops/events").glob("*.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole + rest)
    for words in ("validate", "runs"):
        done = one.kit(words)
        assert done.code == 0, done.said
    assert file.read_bytes().startswith(whole + rest + b"\n{")
    assert "validate" in done.stdout


def test_git_conflict_markers_are_called_so(one: Small) -> None:
    lock = one.lock()
    (one.root / "dvc.lock").write_text(f"<<<<<<< HEAD\n{lock}=======\n{lock}>>>>>>> a\n")
    done = one.kit("fresh")
    assert done.code == 1
    assert "dvc.lock has Git's conflict markers" in done.stderr
    assert "git checkout --ours -- dvc.lock" in done.stderr


def test_a_contract_below_the_root_is_named(one: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    one.write("models/churn/mlops.yaml", "model: churn\nmetrics: m.json\n")
    (one.root / "mlops.yaml").unlink()
    monkeypatch.chdir(one.root / "models/churn")
    with pytest.raises(KitError, match=r"models/churn/mlops.yaml is not at the root of its Git repository"):
        contract.load(one.root)
