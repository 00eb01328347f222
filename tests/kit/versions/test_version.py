"""`mlops-kit versions` and `show`, and the tags that they are read from."""

import json
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.project.repository import Repository
from mlops_kit.registry import integrity
from mlops_kit.registry.provenance.attestation import Attestation
from mlops_kit.versions import records, stages, tags
from mlops_kit.versions import version as versions

from tests.conftest import must
from tests.kit.builders import CONTRACT, a_record, a_repository, tag
from tests.kit.tips import kit
from tests.kit.versions.test_lineage import march

__all__ = ["march"]  # a fixture


@pytest.fixture
def two(tmp_path: Path) -> Repository:
    """v0.1.0 and v0.2.0."""
    repository = a_repository(tmp_path / "flights")
    for name in ("v0.1.0", "v0.2.0"):
        tag(repository, a_record(repository.commit(), name))
    return repository


def tagged(repository: Repository, name: str, at: str, *how: str, hour: int = 1) -> None:
    when = f"2040-01-01T{hour:02d}:00:00+00:00"  # after what the fixture made
    repository.git("tag", *(how or ("-a", "-m", "x")), name, repository.commit(at), GIT_COMMITTER_DATE=when)


def known(repository: Repository) -> list[str]:
    return [version.name for version in versions.versions(repository, "flights")]


def holds(repository: Repository, stage: str = "production") -> str:
    found = versions.in_stage(repository, "flights", stage)
    return found.name if found else ""


# ---- tags as GTO has them ----


def test_a_version_that_was_taken_back_is_none_and_its_number_is_not_given_again(two: Repository) -> None:
    tagged(two, "flights@v0.2.0!#1", "flights@v0.2.0")
    assert known(two) == ["v0.1.0"]
    assert versions.highest(two, "flights") == (0, 2, 0)
    tagged(two, "flights@v0.2.0#2", "flights@v0.2.0", hour=2)
    assert known(two) == ["v0.1.0", "v0.2.0"]


def test_what_looks_like_a_tag_of_ours_and_is_none(two: Repository) -> None:
    for name in (
        "flights@deprecated#1",
        "flights@latest",
        "flights@v1",
        "flights@v1.0.0-rc1",
        "flights2@v9.0.0",
    ):
        tagged(two, name, "flights@v0.1.0")
    assert known(two) == ["v0.1.0", "v0.2.0"]


def test_a_lightweight_tag_assigns_nothing(two: Repository) -> None:
    tagged(two, "flights#production#1", "flights@v0.1.0", "--no-sign")
    assert holds(two) == ""


def test_a_tag_without_a_count_assigns(two: Repository) -> None:
    tagged(two, "flights#production", "flights@v0.1.0")
    assert holds(two) == "v0.1.0"
    tagged(two, "flights#production#1", "flights@v0.2.0", hour=2)
    assert holds(two) == "v0.2.0"


def test_in_one_second_the_count_settles(two: Repository) -> None:
    tagged(two, "flights#production#10", "flights@v0.2.0")
    tagged(two, "flights#production#9", "flights@v0.1.0")
    assert holds(two) == "v0.2.0"


def test_a_version_that_was_taken_back_is_in_no_stage(two: Repository) -> None:
    for count, stage in enumerate(("production", "team/eu_1"), 1):
        tagged(two, f"flights#{stage}#{count}", "flights@v0.1.0")
        tagged(two, f"flights#{stage}#{count + 2}", "flights@v0.2.0", hour=2)
    tagged(two, "flights@v0.2.0!#5", "flights@v0.2.0", hour=3)
    assert (holds(two), holds(two, "team/eu_1")) == ("v0.1.0", "v0.1.0")


def test_words_of_others_are_read_as_words(two: Repository) -> None:
    """A reason that looks like our own lines changes nothing."""
    evil = "x\n\nWas: v9.0.0\nBy: the boss\nClock: never"
    text = stages.message("title", evil, Was="nothing", Kind="promotion")
    two.git("tag", "-a", "-F", "-", "flights#production#1", two.commit("flights@v0.1.0"), stdin=text)
    tagged(two, "flights#production#2", "flights@v0.2.0", "-a", "-m", "x\n\nWas: y\nClock: never")
    one, _ = stages.assignments(two, "flights")
    assert (one.why, one.was, one.who) == (evil, "nothing", "Test")


def test_ten_thousand_tags_are_read_in_time(two: Repository) -> None:
    commit = two.commit("flights@v0.1.0")
    lines = "".join(f"create refs/tags/flights@v1.{number}.0 {commit}\n" for number in range(10_000))
    two.git("update-ref", "--stdin", stdin=lines)
    assert len(tags.read(two, "flights", "@")) == 10_002


# ---- a version that is not as it was ----


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, []),
        ({"parameters": {"rate": 0.2}}, ["record: the parameters are not those of its commit"]),
        ({"data": [{"path": "data.csv", "md5": "c" * 32}]}, ["record: the data are not those of its commit"]),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, changed: dict[str, Any], says: list[str]) -> None:
    from mlops_kit.project import contract
    from mlops_kit.versions import draft

    repository = a_repository(tmp_path / "flights")
    (tmp_path / "flights/mlops.yaml").write_text(CONTRACT)
    means, lock = contract.load(repository.root), repository.lock()
    assert lock
    fits = {
        "identity": draft.identity(means, lock, {}),
        "artifacts": draft.artifacts(means, lock),
        "parameters": lock.params,
    }
    tag(repository, a_record(repository.commit(), "v0.1.0", **(fits | changed)))
    version = versions.find(repository, "flights", "v0.1.0")
    made = records.read(repository, version)
    assert made
    assert integrity.problems(repository, means, version, made, Attestation("none")) == says


def test_show_says_that_a_record_was_edited(march: Repository) -> None:
    must(["git", "tag", "--force", "-a", "-m", "x", "tips@v0.3.0", "tips@v0.1.0^{}"], march.root)
    must(["git", "push", "--quiet", "--force", "origin", "tips@v0.3.0"], march.root)
    done = kit(march, "show", "v0.3.0")
    assert "NOT AS IT WAS REGISTERED: its tag stands on the commit of tips v0.1.0" in done.stdout


# ---- the commands ----


def test_the_table_of_versions_and_the_history(march: Repository) -> None:
    rows = json.loads(kit(march, "versions", "--json").stdout)
    assert [(row["version"], row["stages"]) for row in rows] == [
        ("v0.3.0", ["staging"]),
        ("v0.2.0", []),
        ("v0.1.0", ["production"]),
    ]
    limited = json.loads(kit(march, "versions", "--limit", "1", "--json").stdout)
    assert [row["version"] for row in limited] == ["v0.3.0", "v0.1.0"]  # what is in use is never left out
    assert "production" in kit(march, "versions").stdout
    held = json.loads(kit(march, "versions", "--history", "--json").stdout)
    assert [(one["version"], one["stage"]) for one in held] == [
        ("v0.3.0", "staging"),
        ("v0.1.0", "production"),
        ("v0.2.0", "production"),
        ("v0.1.0", "production"),
    ]
    assert "Reason 3." in kit(march, "versions", "--history").stdout


def test_show_has_record_and_card(march: Repository) -> None:
    shown = json.loads(kit(march, "show", "v0.1.0", "--json").stdout)
    assert shown["record"]["version"] == "v0.1.0"
    assert shown["problems"] == []
    text = kit(march, "show", "v0.1.0").stdout
    assert "model.mae = " in text
    assert "close-enough: pass" in text
    assert kit(march, "show", "v0.1.0", "--card").stdout.startswith("#")
    done = kit(march, "show", "v7.0.0")
    assert (done.code, "tips has no version 'v7.0.0'" in done.stderr) == (1, True)
