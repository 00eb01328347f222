"""`mlops-kit lineage`: from a file, a version, a stage or a moment back to what made it, and forward."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.project.repository import Repository
from mlops_kit.versions import lineage, lineage_text, stages
from mlops_kit.versions.lineage import Book

from tests.conftest import must
from tests.kit.builders import a_record, a_repository, tag
from tests.kit.tips import clone_of, kit, new_bills, registered

DAY = "2026-03-{:02d}T{:02d}:00:00+00:00"


def asked(repository: Repository, *words: str, code: int = 0) -> dict[str, Any]:
    done = kit(repository, "lineage", *words, "--json")
    assert done.code == code, done.said
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def names(answer: dict[str, Any]) -> list[str]:
    return [one["version"] for one in answer["found"]]


def put(repository: Repository, version: str, count: int, at: str, stage: str = "production") -> None:
    """As a promotion of that moment."""
    text = stages.message(f"tips {version} -> {stage}", f"Reason {count}.", Was="nothing", Kind="promotion")
    commit = repository.commit(f"tips@{version}")
    words = ["git", "tag", "-a", "-F", "-", f"tips#{stage}#{count}", commit]
    repository.git(*words[1:], stdin=text, GIT_COMMITTER_DATE=at)
    must(["git", "push", "--quiet", "origin", f"tips#{stage}#{count}"], repository.root)


@pytest.fixture
def march(three: Repository) -> Repository:
    """v0.1.0 from the 2nd, v0.2.0 from the 5th at noon, v0.1.0 again from the 5th at 18:00."""
    put(three, "v0.1.0", 1, DAY.format(2, 8))
    put(three, "v0.2.0", 2, DAY.format(5, 12))
    put(three, "v0.1.0", 3, DAY.format(5, 18))
    put(three, "v0.3.0", 4, DAY.format(6, 9), "staging")
    return three


def test_a_version_back_to_everything_that_made_it(three: Repository) -> None:
    clone = clone_of(three, "colleague", "--no-tags")
    (one,) = asked(clone, "v0.2.0")["found"]
    assert one["code"]["subject"] == "Change params.yaml"
    assert one["code"]["author"] == "Test"
    assert [(file["path"], file["rows"]) for file in one["data"]] == [("bills.csv", 400)]
    assert one["parameters"] == {"digits": 2}
    assert one["environment"]["files"].keys() == {"train.sh"}
    assert one["run"]["event"] == "manual"
    assert one["run"]["by"]
    assert [file["path"] for file in one["artifacts"]] == ["model.txt"]
    text = kit(clone, "lineage", "v0.2.0").stdout
    for word in ("bills.csv, 400 rows", "digits = 2", "Change params.yaml (Test", "why v0.1.0 v0.2.0"):
        assert word in text
    runs = json.loads(kit(three, "runs", "--run", one["run"]["id"], "--json").stdout)
    assert runs[0]["stage"] == "run"


def test_a_model_file_back_to_its_version(three: Repository, dvc: str) -> None:
    folder = three.root.parent / "found-on-a-server"
    assert kit(three, "pull", "v0.2.0", "--into", str(folder)).code == 0
    copy = three.root.parent / "some.bin"
    copy.write_bytes((folder / "model.txt").read_bytes())
    answer = asked(three, "--file", str(copy))
    assert names(answer) == ["v0.2.0"]
    assert names(asked(three, "--file", answer["found"][0]["artifacts"][0]["md5"])) == ["v0.2.0"]
    copy.write_text("altered\n")
    answer = asked(three, "--file", str(copy), code=10)
    assert "no version has a model with md5" in answer["note"]
    assert names(asked(three, "--file", str(three.root / "bills.csv"), code=10)) == []  # data is no model


def test_forward_from_data_to_the_versions(three: Repository, dvc: str) -> None:
    new_bills(three, dvc, 500)
    fourth = registered(three)
    put(three, fourth, 1, DAY.format(7, 7))
    old = three.lock("tips@v0.1.0")
    assert old
    assert names(asked(three, "--data", old.inputs["bills.csv"].md5)) == ["v0.1.0", "v0.2.0", "v0.3.0"]
    answer = asked(three, "--data", "bills.csv")
    assert names(answer) == [fourth]
    assert [held["until"] for held in answer["found"][0]["stages"]] == [None]  # it is in use: act
    assert names(asked(three, "--data", "model.txt", code=10)) == []


def test_forward_from_a_file_of_a_folder(tmp_path: Path) -> None:
    """Where the data is a folder, by its list in the cache."""
    repository = a_repository(tmp_path / "flights")
    md5, folder = "c" * 32, f"{'d' * 32}.dir"
    one = a_record(repository.commit(), "v0.1.0", data=[{"path": "data", "md5": folder}])
    tag(repository, one)
    book = lineage.book(repository, "flights")
    assert "1 folders could not be looked into" in lineage.trained_on(book, Path(md5)).note
    path = repository.root / ".dvc/cache/files/md5/dd" / folder[2:]
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"md5": md5, "relpath": "a.csv"}]))
    answer = lineage.trained_on(book, Path(md5))
    assert ([one.version for one in answer.found], answer.note) == (["v0.1.0"], "")


def test_a_file_of_a_model_folder_back_to_its_version(tmp_path: Path) -> None:
    """As the predictions log names it: `md5:` and the hash of the model's file."""
    repository = a_repository(tmp_path / "flights")
    md5, folder = "c" * 32, f"{'d' * 32}.dir"
    one = a_record(repository.commit(), "v0.1.0", artifacts=[{"path": "model", "md5": folder}])
    tag(repository, one)
    book = lineage.book(repository, "flights")
    assert lineage.of_file(book, Path(folder)).note == ""
    assert "1 folders could not be looked into" in lineage.of_file(book, Path(f"md5:{md5}")).note
    path = repository.root / ".dvc/cache/files/md5/dd" / folder[2:]
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"md5": md5, "relpath": "model.joblib"}]))
    answer = lineage.of_file(book, Path(f"md5:{md5}"))
    assert ([one.version for one in answer.found], answer.note) == (["v0.1.0"], "")
    assert [one.version for one in lineage.trained_on(book, Path(md5)).found] == []


@pytest.mark.parametrize(
    ("at", "held"),
    [
        ("2026-03-01", []),
        ("2026-03-02", ["v0.1.0"]),
        ("2026-03-04", ["v0.1.0"]),
        ("2026-03-05", ["v0.1.0", "v0.2.0"]),  # all of a day, the last one first
        ("2026-03-05T11:59", ["v0.1.0"]),
        ("2026-03-05T12:00", ["v0.2.0"]),
        ("2026-03-05T18:00", ["v0.1.0"]),
        ("2026-03-06", ["v0.1.0"]),
        ("2026-03-05T13:30+01:00", ["v0.2.0"]),
        ("2h", ["v0.1.0"]),
    ],
)
def test_what_was_in_production_on_that_day(march: Repository, at: str, held: list[str]) -> None:
    found = lineage.of_moment(lineage.book(march, "tips"), at, "production")
    assert [one.version for one in found.found] == held
    assert held or "nothing was in production; the first came at 2026-03-02 08:00" in found.note


def test_at_from_a_fresh_clone(march: Repository) -> None:
    clone = clone_of(march, "colleague", "--depth=1", "--no-tags")
    answer = asked(clone, "--at", "2026-03-05T13:00")
    assert names(answer) == ["v0.2.0"]
    held = answer["found"][0]["stages"][0]
    assert (held["by"], held["why"], held["stage"]) == ("Test", "Reason 2.", "production")
    assert held["since"].startswith("2026-03-05 12:00")
    assert names(asked(clone, "--at", "2026-03-01", code=10)) == []
    assert names(asked(clone, "--at", "2026-03-06T10:00", "--stage", "staging")) == ["v0.3.0"]


def test_what_is_in_a_stage_now(march: Repository) -> None:
    assert names(asked(march)) == ["v0.1.0"]
    assert names(asked(march, "--stage", "staging")) == ["v0.3.0"]
    note = asked(march, "--stage", "canary", code=10)["note"]
    assert note == "nothing is in canary; stages with a history: production, staging"


def test_before_any_promotion_the_newest(three: Repository) -> None:
    assert names(asked(three)) == ["v0.3.0"]
    assert names(asked(three, "--stage", "production", code=10)) == []


def test_a_version_that_is_gone_is_said(march: Repository) -> None:
    must(["git", "push", "--quiet", "origin", ":refs/tags/tips@v0.2.0"], march.root)
    clone = clone_of(march, "colleague")
    answer = asked(clone, "--at", "2026-03-05T13:00", code=10)
    assert re.search(r"production held commit [0-9a-f]{7}, no version any more", answer["note"])


def test_a_tag_dated_into_the_future_is_said(march: Repository) -> None:
    put(march, "v0.2.0", 5, "2040-01-01T00:00:00+00:00")
    answer = asked(march, "--stage", "production")
    assert names(answer) == ["v0.2.0"]
    assert "its tag is dated 2040-01-01 00:00: a wrong clock" in answer["note"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["v9.9.9"], 1, "tips has no version 'v9.9.9'"),
        (["--at", "yesterday"], 1, "'yesterday' is no moment."),
        (["--file", "nowhere.bin"], 1, "nowhere.bin is not there."),
        (["v0.1.0", "--stage", "production"], 2, "VERSION and --stage exclude each other"),
    ],
)
def test_bad_questions(three: Repository, words: list[str], code: int, says: str) -> None:
    done = kit(three, "lineage", *words)
    assert (done.code, says in done.stderr) == (code, True), done.said
    assert "Traceback" not in done.said


def test_before_the_first_version(tips: Repository) -> None:
    assert asked(tips, code=10)["found"] == []
    assert "tips has no version yet" in kit(tips, "versions").stdout
    done = kit(tips, "lineage")
    assert (done.code, done.stderr) == (10, "tips has no version yet\n")


# ---- what holds, by the tags ----


def an(assignment: str, at: int) -> stages.Assignment:
    """`a` puts commit a into production, `-a` takes it out."""
    moment = datetime.fromisoformat(DAY.format(1, 0)) + timedelta(hours=at)
    name = assignment.lstrip("-<")
    kind = "rollback" if assignment.startswith("<") else "promotion"
    back = assignment.startswith("-")
    about: dict[str, Any] = {"count": at, "who": "ada", "why": "", "kind": kind, "tag": "t"}
    return stages.Assignment("production", name, moment, moment, **about, takes_back=back)


@pytest.mark.parametrize(
    ("happened", "holds", "before"),
    [
        ("", None, None),
        ("a", "a", None),
        ("a b", "b", "a"),
        ("a b <a", "a", None),
        ("a b <a c", "c", "a"),
        ("a b c <b <a", "a", None),
        ("a b a", "a", "b"),
        ("a b -b", "a", None),
        ("a b -a", "b", None),
        ("a -a", None, None),
        ("a b -b -a", None, None),
        ("a b a -a", "b", None),
        ("a b b", "b", "a"),
    ],
)
def test_what_holds_and_what_was_before(happened: str, holds: str | None, before: str | None) -> None:
    ordered = [an(one, place) for place, one in enumerate(happened.split())]
    stay = stages.current_stay(ordered, "production")
    assert (stay.commit if stay else None) == holds
    assert stages.rollback_target(ordered, "production") == before
    assert stages.current_stay(ordered, "staging") is None


def test_a_long_history_is_read_in_time() -> None:
    ordered = [an("abc"[place % 3], place) for place in range(20_000)]
    assert len(stages.stays(ordered, "production")) == 20_000


# ---- the picture ----


def test_the_picture_names_everything_once_and_hostile_words_do_nothing(tmp_path: Path) -> None:
    repository = a_repository(tmp_path / "flights")
    evil = '"]; click a "javascript:x" <img src=x onerror=alert(1)> #quot; `x`'
    one = a_record(repository.commit(), "v0.1.0", parameters={evil: evil})
    tag(repository, one)
    book: Book = lineage.book(repository, "flights")
    drawn = lineage_text.mermaid(lineage.of_version(book, "v0.1.0").found)
    assert drawn.splitlines()[0] == "flowchart LR"
    assert drawn.count("--> v0run") == 4  # data, code, parameters, environment
    assert drawn.count("v0run[[") == 1
    inside = re.findall(r'"([^"]*)"', drawn)
    assert drawn.count('"') == 2 * len(inside)
    assert "<img" not in drawn
    assert not re.search(r"`|onerror=alert\(1\)>", drawn)
