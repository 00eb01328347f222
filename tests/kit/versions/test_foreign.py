"""Tags that `register` did not make are named once and left out, whatever they hold."""

from pathlib import Path

import pytest
from mlops_kit.base import notices
from mlops_kit.base.errors import KitError
from mlops_kit.versions import foreign, lineage, records
from mlops_kit.versions import version as versions
from mlops_kit.versions.version import Version

from tests.kit.builders import a_record
from tests.kit.small_repository import Small, small


@pytest.fixture
def one(tmp_path: Path) -> Small:
    made = small(tmp_path / "flights")
    made.tag("v0.1.0")
    notices.take()
    return made


def names(one: Small) -> list[str]:
    return [version.name for version in versions.versions(one.repository, "flights")]


def test_a_tag_without_record_is_named_once(one: Small) -> None:
    one.git("tag", "flights@v9.9.9")
    assert names(one) == names(one) == ["v0.1.0"]
    newest = versions.newest(one.repository, "flights")
    assert newest and newest.name == "v0.1.0"
    (said,) = notices.take()
    assert said.startswith("flights@v9.9.9 is left out: its commit holds no record.json and dvc.lock")
    with pytest.raises(KitError, match=r"flights@v9\.9\.9 has no record that"):
        versions.find(one.repository, "flights", "v9.9.9")
    assert versions.highest(one.repository, "flights") == (9, 9, 9)  # so that register does not give it again


def test_a_tag_with_a_number_near_the_end_leaves_numbers_for_the_next_versions(one: Small) -> None:
    for name in ("v0.999999999.0", "v999999999.999999999.999999999", "v0.2.0"):
        one.git("tag", f"flights@{name}")
    assert versions.highest(one.repository, "flights") == (0, 2, 0)
    assert versions.next_free(one.repository, "flights", "minor") == (0, 3, 0)
    one.git("tag", "flights@v0.99999999.0")
    one.git("tag", "flights@v0.100000000.0")
    assert versions.next_free(one.repository, "flights", "minor") == (0, 100000001, 0)


@pytest.mark.parametrize(
    "record", ["", "{", "[]", "{}", "[" * 50_000, '{"model": "flights", "version": "v0.2.0"}', "\0"]
)
def test_a_record_that_cannot_be_read_is_left_out(record: str, one: Small) -> None:
    one.tag("v0.2.0", **{"record.json": record})
    newest = versions.newest(one.repository, "flights")
    assert newest and newest.name == "v0.1.0"
    assert records.newest(one.repository, "flights")
    assert any(
        said.startswith("flights@v0.2.0 is left out: record.json is not a record") for said in notices.take()
    )
    with pytest.raises(KitError, match=r"flights@v0\.2\.0 has no record that"):
        versions.find(one.repository, "flights", "v0.2.0")
    listed = lineage.of_versions(lineage.book(one.repository, "flights"), _all(one))
    assert [(entry.version, bool(entry.run)) for entry in listed] == [("v0.1.0", True), ("v0.2.0", False)]


def _all(one: Small) -> list[Version]:
    return versions.versions(one.repository, "flights")


def test_a_record_whose_commit_is_an_option_of_git_is_left_out(one: Small) -> None:
    record = a_record("--output=/tmp/x", "v0.2.0").text()
    one.tag("v0.2.0", **{"record.json": record})
    assert foreign.parsed(record) == "record.json names no commit"
    newest = versions.newest(one.repository, "flights")
    assert newest and newest.name == "v0.1.0"


@pytest.mark.parametrize(
    "name", ["v0.01.0", "v00.1.0", f"v0.1.{'9' * 12}", "v0.1.\N{ARABIC-INDIC DIGIT ONE}", "v1", "x"]
)
def test_a_name_that_is_no_version_is_no_version(name: str, one: Small) -> None:
    one.git("tag", f"flights@{name}", "flights@v0.1.0^{}")
    assert names(one) == ["v0.1.0"]
    assert versions.highest(one.repository, "flights") == (0, 1, 0)


def test_a_tag_of_no_time_is_left_out(one: Small) -> None:
    head = one.git("rev-parse", "HEAD").strip()
    text = f"object {head}\ntype commit\ntag flights#production#1\ntagger x <x> 99999999999999 +0000\n\nx\n"
    (one.root / "tag.txt").write_text(text)
    made = one.git("hash-object", "-t", "tag", "-w", "--literally", "tag.txt").strip()
    one.git("update-ref", "refs/tags/flights#production#1", made)
    assert versions.in_stage(one.repository, "flights", "production") is None
    assert any("flights#production#1 is left out" in said for said in notices.take())


def test_the_command_says_it_once_and_goes_on(one: Small) -> None:
    one.git("tag", "flights@v9.9.9")
    done = one.kit("versions")
    assert done.code == 0, done.said
    assert done.stderr.count("flights@v9.9.9 is left out") == 1
    assert "v0.1.0" in done.stdout and "v9.9.9" not in done.stdout
