"""What would train again is known from Git alone. Only the last test has DVC and data, to compare."""

import json
import re
from pathlib import Path

import pytest
from mlops_kit.project import contract as contracts
from mlops_kit.project.repository import Repository
from mlops_kit.training import freshness

from tests.conftest import must
from tests.kit.small_repository import FILES, Small, clone, small, with_origin


def lines(one: Small, against: str = "") -> list[str]:
    return freshness.compared(one.repository, contracts.load(one.root), against).lines


@pytest.fixture
def version(tmp_path: Path) -> Small:
    """With a version v0.1.0 of exactly this tree."""
    made = small(tmp_path / "flights")
    made.tag("v0.1.0")
    return made


def test_nothing_changed(version: Small) -> None:
    assert lines(version) == ["fresh: nothing changed since v0.1.0"]
    done = version.kit("fresh")
    assert (done.code, done.stdout) == (0, "fresh: nothing changed since v0.1.0\n")


# Line 1: of the changed stage. The stages behind it follow by themselves.
CHANGES: dict[str, tuple[tuple[str, str, str], str]] = {
    "a parameter": (
        ("params.yaml", "0.1", "0.2"),
        "train, because train.learning_rate 0.1 -> 0.2 (params.yaml)",
    ),
    "a new key of a parameter": (
        ("params.yaml", "  depth: 3\n", "  depth: 3\n  leaves: 7\n"),
        "train, because train.leaves absent -> 7 (params.yaml)",
    ),
    "code": (("prepare.sh", "sort", "sort -n"), "prepare, because prepare.sh changed"),
    "code in a folder": (("lib/train.sh", "wc", "wc -c"), "train, because lib changed"),
    "data": (
        ("data/raw.csv.dvc", "5d41402abc4b2a76b9719d911017c592\n  size: 5", f"{'ab' * 16}\n  size: 6"),
        "prepare, because data/raw.csv changed (data): 5d41402 (5 bytes) -> abababa (6 bytes)",
    ),
    "a command": (
        ("dvc.yaml", "sh lib/train.sh", "sh -e lib/train.sh"),
        "train, because its command changed (dvc.yaml)",
    ),
    "a dependency": (
        ("dvc.yaml", "[prepared.csv, lib]", "[prepared.csv, lib, params.yaml]"),
        "train, because dependency params.yaml was added (dvc.yaml)",
    ),
    "the environment": (("uv.lock", "1.0", "1.1"), "every stage, because uv.lock changed"),
    "a new stage": (
        ("dvc.yaml", "  report:", "  plot:\n    cmd: true\n  report:"),
        "plot, because it is new in dvc.yaml",
    ),
    "a stage that went": (
        ("dvc.yaml", "  report:\n    cmd: cat model.txt\n    deps: [model.txt]\n", ""),
        "report, because dvc.yaml does not have it any more",
    ),
}
BEHIND = {
    "prepare": [
        "train, because prepare runs again (prepared.csv)",
        "report, because train runs again (model.txt)",
    ],
    "train": ["report, because train runs again (model.txt)"],
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_change_names_stage_and_cause(version: Small, what: str) -> None:
    edit, first = CHANGES[what]
    version.edit(*edit)
    behind = BEHIND.get(first.partition(",")[0], [])
    assert lines(version) == [f"will retrain: {says}" for says in (first, *behind)]


@pytest.mark.parametrize(
    "edit",
    [
        ("dvc.yaml", "    cmd: cat", "    desc: shows the model\n    cmd: cat"),
        ("params.yaml", "learning_rate: 0.1\n  depth: 3", "depth: 3\n  learning_rate: 0.10"),
    ],
)
def test_what_dvc_would_not_run_again_is_fresh(version: Small, edit: tuple[str, str, str]) -> None:
    version.edit(*edit)
    assert lines(version) == ["fresh: nothing changed since v0.1.0"]


def test_interpolation_is_followed(version: Small) -> None:
    version.write(
        "data/other.csv.dvc", (version.root / "data/raw.csv.dvc").read_text().replace("raw", "other")
    )
    version.edit("params.yaml", "data/raw.csv", "data/other.csv")
    first = lines(version)[0]
    assert first == "will retrain: prepare, because ${data} in dvc.yaml data/raw.csv -> data/other.csv"


def test_a_file_that_is_gone_is_named(version: Small) -> None:
    (version.root / "prepare.sh").unlink()
    assert "prepare, because prepare.sh is gone" in lines(version)[0]


def test_never_trained(tmp_path: Path) -> None:
    made = small(tmp_path / "flights")
    assert lines(made) == [freshness.NEVER]
    assert made.kit("fresh").code == 10


def test_before_the_first_version_the_committed_lock_counts(tmp_path: Path) -> None:
    made = small(tmp_path / "flights")
    made.write("dvc.lock", made.lock())
    made.commit()
    assert lines(made) == ["fresh: nothing changed since the committed dvc.lock"]
    made.edit("dvc.yaml", "cat model.txt", "cat -n model.txt")
    made.commit("Another command, the lock left behind")
    assert lines(made) == ["will retrain: report, because its command changed (dvc.yaml)"]


def test_informs_on_a_pull_request_and_is_red_where_the_lock_is_committed(version: Small) -> None:
    version.edit("params.yaml", "0.1", "0.2")
    assert version.kit("fresh").code == 10
    assert version.kit("fresh", "--inform").code == 0
    version.write("mlops.yaml", FILES["mlops.yaml"] + "lock: committed\n")
    version.write("dvc.lock", version.lock())
    done = version.kit("fresh", "--inform", "--json")
    assert done.code == 10
    assert json.loads(done.stdout)["stages"]["train"] == ["train.learning_rate 0.1 -> 0.2 (params.yaml)"]


def test_an_older_version_and_main_can_be_asked(version: Small) -> None:
    version.edit("params.yaml", "0.1", "0.2")
    version.commit()
    version.tag("v0.2.0", **{"dvc.lock": version.lock().replace("0.1,", "0.2,")})
    assert lines(version) == ["fresh: nothing changed since v0.2.0"]
    assert "0.1 -> 0.2" in lines(version, "v0.1.0")[0]
    with_origin(version)
    assert lines(version, "main") == [freshness.NEVER]


def test_a_shallow_clone_fetches_the_version_and_nothing_else(version: Small, tmp_path: Path) -> None:
    bare = with_origin(version)
    version.git("push", "--quiet", "origin", "flights@v0.1.0")
    other = clone(bare, tmp_path / "clone", "--depth=1", "--no-tags")
    assert lines(other) == ["fresh: nothing changed since v0.1.0"]
    bare.rename(bare.with_name("gone.git"))
    found = freshness.compared(other.repository, contracts.load(other.root))
    assert found.is_fresh
    assert found.note.startswith("origin does not answer")


def test_an_unknown_version_lists_what_there_is(version: Small) -> None:
    done = version.kit("fresh", "--against", "v9")
    assert (done.code, done.stderr) == (1, "mlops-kit: flights has no version 'v9'.\nThe newest: v0.1.0.\n")


EDITS = {
    "nothing": ("params.yaml", "digits: 3", "digits: 3"),
    "a parameter": ("params.yaml", "digits: 3", "digits: 4"),
    "code of the first stage": ("prepare.sh", "awk", "LC_ALL=C awk"),
    "code of two stages": ("predict.sh", "echo key", "echo  key"),
    "a command": ("dvc.yaml", "sh evaluate.sh", "sh -e evaluate.sh"),
    "a dependency": ("dvc.yaml", "[train.sh, train.csv]", "[train.sh, train.csv, check.sh]"),
    "a comment": ("params.yaml", "# the raw rows", "# the rows"),
    "the data": ("bills.csv", "b1,17", "b1,18"),
}


def test_it_says_what_dvc_itself_would_run(gated: Repository, dvc: str) -> None:
    """Stages behind a changed one are left out: a dry run of DVC does not know yet what they will get."""
    one = Small(gated.root)
    one.git("add", "--force", "dvc.lock")
    one.git("commit", "--quiet", "--message", "Commit the lock")
    for what, (path, old, new) in EDITS.items():
        one.edit(path, old, new)
        if path == "bills.csv":
            must([dvc, "add", "--quiet", path], one.root)
        dry = must([dvc, "repro", "--dry"], one.root)
        theirs = set(re.findall(r"Running stage '([^']+)'", dry))
        found = freshness.compared(one.repository, contracts.load(one.root))
        ours = {name for name, why in found.stages.items() if not all("runs again" in one for one in why)}
        assert ours == theirs, what
        one.git("checkout", "--quiet", ".")
        if path == "bills.csv":
            must([dvc, "checkout", "--quiet", "--force"], one.root)
