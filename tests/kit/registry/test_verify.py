"""`mlops-kit verify`: a version made again from its code and data alone, and what is not as it was."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Predictions
from mlops_kit.registry import file_differences, verifications
from mlops_kit.registry import verify as verification
from mlops_kit.registry.verifications import Proof
from mlops_kit.versions import version as versions

from tests.conftest import must
from tests.kit.tips import clone_of, commit_all, kit, means, registered
from tests.kit.training.test_train import silent

AWK = "awk -F, -v digits"
UNSEEDED = (
    "train.sh",
    'printf "%.*f\\n", digits, tip / bill',
    "printf \"%.6f\\n\", tip / bill * (1 + '$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')' / 655360)",
)
# So many trees more or less, as where a training stops early.
TREES = ("train.sh", "> model.txt", "> model.txt\nseq $(od -An -N2 -tu2 /dev/urandom) >> model.txt")
FIRST = ("predict.sh", "cat model.txt", "head -1 model.txt")
# A model whose bytes say nothing.
PACKED = ("train.sh", "> model.txt", "| gzip -n > model.txt")
UNPACKED = ("predict.sh", "cat model.txt", "gunzip -c model.txt")
# The sum of the same numbers in another order each time, as threads make it.
THREADS = ("train.sh", "train.csv > model.txt", "- > model.txt")
SORTED = ("train.sh", AWK, f"{{ head -1 train.csv; tail -n +2 train.csv | sort -R; }} | {AWK}")
# Where a row stands counts a little: by rounding alone one order in ten would give the same sum.
PLACED = ("train.sh", "tip += $3", "tip += $3 * (1 + NR * 1e-12)")
DIGITS = ("train.sh", 'printf "%.*f\\n", digits,', 'printf "%.17g\\n",')
GUESSED = ("predict.sh", 'print $1 "," $2 * share', 'printf "%s,%.17g\\n", $1, $2 * share')
CLOCK = ("evaluate.sh", "rm predicted.tmp", "rm predicted.tmp; date +%FT%T.%N > made.txt")
A_SET = (
    "evaluate.sh",
    "rm predicted.tmp",
    "rm predicted.tmp; python3 -c 'print({w: 1 for w in {*\"a b c d e f g h\".split()}})' > made.txt",
)
MADE = ("dvc.yaml", "outs: [predictions.csv]", "outs: [predictions.csv, made.txt]")


def edit(repository: Repository, *changes: tuple[str, str, str]) -> None:
    for path, old, new in changes:
        file = repository.root / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))
    ignore(repository, "/made.txt")
    commit_all(repository, "Change the pipeline")


def ignore(repository: Repository, line: str) -> None:
    file = repository.root / ".gitignore"
    file.write_text(f"{file.read_text()}{line}\n")


def verify(repository: Repository, version: str) -> Proof:
    chosen = versions.find(repository, "tips", version)
    return verification.verify(repository, means(repository), chosen, silent)


def test_a_version_is_reproduced_and_show_says_so(three: Repository) -> None:
    status = must(["git", "status", "--porcelain"], three.root)
    cache = sorted((three.root / ".dvc/cache").rglob("*"))
    done = kit(three, "verify", "v0.2.0", "--json")  # neither the newest nor what is here
    assert done.code == 0, done.said
    said = json.loads(done.stdout)
    assert (said["result"], said["stages"]) == ("same", [])
    assert must(["git", "status", "--porcelain"], three.root) == status
    assert sorted((three.root / ".dvc/cache").rglob("*")) == cache
    assert must(["git", "worktree", "list"], three.root).count("\n") == 1
    assert "v0.2.0 is reproduced, byte for byte." in kit(three, "show", "v0.2.0").stdout
    assert "never (`mlops-kit verify`)" in kit(three, "show", "v0.1.0").stdout


def test_the_result_reaches_everybody(three: Repository) -> None:
    done = kit(three, "verify", "--publish")
    assert done.code == 0, done.said
    clone = clone_of(three, "colleague")
    kit(clone, "runs")  # brings the branch
    shown = json.loads(kit(clone, "show", "v0.3.0", "--json").stdout)
    ((result, version),) = ((one["result"], one["version"]) for one in shown["verified"])
    assert (result, version) == ("same", "v0.3.0")
    (ran,) = json.loads(kit(clone, "runs", "--stage", "verify", "--json").stdout)
    assert ran["status"] == "done"


@pytest.mark.parametrize(
    ("changes", "stage", "result", "says"),
    [
        ([UNSEEDED], "train", "differs", "numbers differ, by up to"),
        ([UNSEEDED, TREES, FIRST], "train", "differs", "the same words with other numbers"),
        (
            [UNSEEDED, PACKED, UNPACKED],
            "train",
            "differs",
            "seen in predictions.csv: 80 numbers differ, by up to",
        ),
        ([CLOCK, MADE], "evaluate", "warning", "made.txt: the same but for a moment"),
        ([A_SET, MADE], "evaluate", "warning", "made.txt: the same words in another order"),
        ([SORTED, THREADS, PLACED, DIGITS], "train", "warning", "another order of summing"),
        (
            [SORTED, THREADS, PLACED, DIGITS, PACKED, UNPACKED, GUESSED],
            "train",
            "warning",
            "of themselves: another order of summing",
        ),
    ],
    ids=["unseeded", "stops early", "unseeded, packed", "clock", "set", "threads", "threads, packed"],
)
def test_what_is_not_reproducible_is_named(
    published: Repository, changes: list[tuple[str, str, str]], stage: str, result: str, says: str
) -> None:
    edit(published, *changes)
    version = registered(published)
    done = kit(published, "verify", version, "--json")
    assert done.code == (10 if result == "differs" else 0), done.said
    said = json.loads(done.stdout)
    assert said["result"] == result
    by_itself = [one for one in said["stages"] if not one["because"]]
    assert [(one["stage"], one["result"]) for one in by_itself] == [(stage, result)]
    assert says in "; ".join(by_itself[0]["how"])
    behind = [one for one in said["stages"] if one["because"]]
    assert all(one["because"] == ["train"] for one in behind)
    if result == "differs":
        assert "the predictions differ: prediction of 80 of 80 rows" in json.dumps(behind)
    shown = kit(published, "show", version).stdout
    assert said["says"] in shown


def test_data_that_cannot_be_had_is_said(three: Repository) -> None:
    lock = three.lock("tips@v0.2.0")
    assert lock
    md5 = lock.inputs["bills.csv"].md5
    for folder in (three.root / ".dvc/cache", three.root.parent / "storage"):
        (folder / "files/md5" / md5[:2] / md5[2:]).unlink()
    with pytest.raises(KitError, match=r"bills\.csv of tips@v0\.2\.0 cannot be had"):
        verify(three, "v0.2.0")


def test_what_cannot_run_any_more_is_said_with_the_reason(published: Repository) -> None:
    """It reads what neither Git nor DVC knows."""
    (published.root / "secret.txt").write_text("1\n")
    ignore(published, "/secret.txt")
    edit(published, ("train.sh", "train.csv > model.txt", "train.csv > model.txt\ncat secret.txt"))
    version = registered(published)
    done = kit(published, "verify", version)
    assert done.code == 1
    assert f"tips@{version} cannot be made again" in done.stderr
    assert "secret.txt" in done.stderr
    assert must(["git", "worktree", "list"], published.root).count("\n") == 1


def test_no_version_yet(published: Repository) -> None:
    done = kit(published, "verify")
    assert (done.code, "tips has no version yet" in done.stderr) == (1, True)
    done = kit(published, "verify", "v7.0.0")
    assert (done.code, "tips has no version 'v7.0.0'" in done.stderr) == (1, True)


# ---- how two files differ ----


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("a\nb\n", "b\na\n", "the same lines in another order"),
        ('{"x": ["a", "b"]}', '{"x": ["b", "a"]}', "the same words in another order"),
        ('{"at": 1764000000.25}', '{"at": 1764000100.75}', "the same but for a moment (1764000000.25"),
        ("at 2026-01-02 03:04:05\n", "at 2026-01-02 03:04:06\n", "the same but for a moment"),
        ("0.30000000000000004\n", "0.3\n", "1 numbers differ by at most"),
        ("0.25 x\n", "0.5 x\n", "1 numbers differ, by up to 0.5 of themselves"),
        (
            "seconds 2",
            "seconds 4",
            "1 numbers differ, by up to 0.5 of themselves, for instance 'seconds 2' -> 'seconds 4': a clock",
        ),
        ("tree 0.5\n", "tree 0.25\ntree 1\n", "the same words with other numbers, 1 -> 2 of them"),
        ("yes\nno\n", "yes\nmaybe\n", "1 of 2 lines differ, for instance 'no' -> 'maybe'"),
        (gzip.compress(b"x", mtime=1), gzip.compress(b"x", mtime=2), "the same content, packed at another"),
        (b"\xff\x00\x01", b"\xff\x01\x00", "the same bytes in another order: a set"),
        (b"\xff\x00\x01", b"\xff\x00\x02", "1 of 3 bytes differ"),
        (b"\xff\x00", b"\xff\x00\x02", "other bytes, 2 -> 3 of them"),
        ("same", "same", ""),
    ],
)
def test_how_two_files_differ(old: Any, new: Any, says: str, tmp_path: Path) -> None:
    paths = tmp_path / "old", tmp_path / "new"
    for path, content in zip(paths, (old, new), strict=True):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = file_differences.how(*paths)
    assert said.startswith(says) and bool(said) == bool(says)


@pytest.mark.parametrize(
    ("column", "again", "kind"),
    [
        ([0.1, 0.3], [0.1, 0.30000000000000004], file_differences.SUMMING),
        ([0.1, 0.3], [0.1, 0.4], file_differences.SEED),
        ([0.1, 0.3], [0.1], file_differences.SEED),
        ([datetime(2026, 1, 2)], [datetime(2026, 1, 3)], file_differences.CLOCK),
    ],
)
def test_the_kind_in_a_table(column: list[Any], again: list[Any], kind: str, tmp_path: Path) -> None:
    import pyarrow as pa
    from mlops_kit.data import tables

    for name, values in (("old", column), ("new", again)):
        tables.write(pa.table({"x": values}), tmp_path / f"{name}.parquet")
    assert file_differences.how(tmp_path / "old.parquet", tmp_path / "new.parquet").endswith(f": {kind}")


def test_folders_and_tables(tmp_path: Path) -> None:
    import pyarrow as pa
    from mlops_kit.data import tables

    for name, values in (("old", [1, 2, 3]), ("new", [3, 1, 2])):
        (tmp_path / name).mkdir()
        tables.write(pa.table({"x": values}), tmp_path / name / "t.parquet")
        (tmp_path / name / f"{name}.txt").write_text("x")
    said = file_differences.how(tmp_path / "old", tmp_path / "new")
    assert "t.parquet: the same rows in another order" in said
    assert "old.txt: is in one of the two only" in said


def test_predictions_are_compared_by_their_keys(tmp_path: Path) -> None:
    form = Predictions(file="p.csv", task="binary", positive="yes")
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    head = "key,actual,prediction,probability\n"
    old.write_text(head + "1,yes,yes,0.75\n2,no,no,0.25\n")
    new.write_text(head + "2,no,no,0.25\n1,yes,yes,0.7500000000001\n")
    assert file_differences.predictions_apart(old, new, form) == ""
    new.write_text(head + "2,no,yes,0.55\n1,yes,yes,0.75\n")
    said = file_differences.predictions_apart(old, new, form)
    assert (
        said == "the predictions differ: prediction of 1 of 2 rows, probability of 1 of 2 rows (by up to 0.3)"
    )
    new.write_text(head + "2,no,yes,0.55\n")
    assert "other rows are predicted" in file_differences.predictions_apart(old, new, form)


def test_a_proof_of_a_tag_that_was_moved_is_not_shown(three: Repository) -> None:
    verify(three, "v0.2.0")
    assert len(verifications.of(three, versions.find(three, "tips", "v0.2.0"))) == 1
    must(["git", "tag", "--force", "-a", "-m", "x", "tips@v0.2.0", "tips@v0.1.0^{}"], three.root)
    assert verifications.of(three, versions.find(three, "tips", "v0.2.0")) == []
