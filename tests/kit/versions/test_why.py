"""`mlops-kit why`: was it code, data, parameters or environment?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version
from mlops_kit.versions import why as why_command
from mlops_kit.versions.why import Why

from tests.conftest import Once, must
from tests.kit.conftest import copied
from tests.kit.tips import change, clone_of, commit_all, kit, new_bills, publish, registered, start

CAUSES = ["code", "data", "params", "env"]
WHAT = {  # what each version changed since the one before
    "v0.2.0": ["params"],
    "v0.3.0": ["data"],
    "v0.4.0": ["code"],
    "v0.5.0": ["env"],
    "v0.6.0": ["code"],
    "v0.7.0": ["data", "params"],
}


@pytest.fixture
def week(dvc: str, once: Once, tmp_path: Path) -> Repository:
    """Five versions with one cause each, and one with two; notes that no stage reads come in between."""

    def make(folder: Path) -> None:
        start(folder / "tips", dvc)
        tips = Repository(folder / "tips")
        (tips.root / "tools.txt").write_text("awk 1\n")
        (tips.root / "notes.md").write_text("One.\n")
        must(["git", "add", "tools.txt", "notes.md"], tips.root)
        change(tips, "mlops.yaml", "environment: [train.sh]", "environment: [tools.txt]")
        publish(tips.root, dvc)
        registered(tips)
        change(tips, "params.yaml", "digits: 3", "digits: 2")  # which stands in the command of dvc.yaml too
        registered(tips)
        change(tips, "notes.md", "One", "Two")
        new_bills(tips, dvc, 500)
        registered(tips)
        change(tips, "train.sh", "tip += $3", "tip += $3 * 1.01")
        registered(tips)
        (tips.root / "tools.txt").write_text("awk 2\n")
        commit_all(tips, "Newer awk")
        registered(tips)
        change(tips, "dvc.yaml", "cmd: sh train.sh", "cmd: LC_ALL=C sh train.sh")
        registered(tips)
        change(tips, "params.yaml", "digits: 2", "digits: 4")
        new_bills(tips, dvc, 450)
        registered(tips)
        must(["git", "push", "--quiet", "origin", "main"], tips.root)

    return copied(once("week", make), tmp_path)


def why(repository: Repository, before: str, after: str) -> Why:
    return why_command.why(repository, *(version.find(repository, "tips", name) for name in (before, after)))


def changed(found: dict[str, Any]) -> list[str]:
    return [name for name in CAUSES if found["changed"][name]]


def asked(repository: Repository, *words: str) -> dict[str, Any]:
    done = kit(repository, "why", *words, "--json")
    assert done.code == 0, done.said
    content: dict[str, Any] = json.loads(done.stdout)
    assert set(content["changed"]) == set(CAUSES)
    return content


def test_each_cause_is_told_apart(week: Repository) -> None:
    found = {name: changed(asked(week, name)) for name in WHAT}
    assert found == WHAT


def test_what_changed_is_said(week: Repository) -> None:
    said = {name: why_command.in_words(why(week, before, name)) for before, name in _pairs()}
    assert said["v0.2.0"].startswith("From v0.1.0 to v0.2.0 the parameters changed.")
    assert "- `digits`: 3 → 2" in said["v0.2.0"]
    assert "The same: code, data, environment." in said["v0.2.0"]
    assert "400 → 500 rows (+100)" in said["v0.3.0"]
    assert why(week, "v0.2.0", "v0.3.0").beside == ["bills.csv.dvc", "notes.md"]
    assert "Code: train.sh" in said["v0.4.0"]
    assert "`tools.txt`" in said["v0.5.0"]
    assert "Code: dvc.yaml: train" in said["v0.6.0"]
    assert said["v0.7.0"].startswith("From v0.6.0 to v0.7.0 the data and parameters changed.")


def _pairs() -> list[tuple[str, str]]:
    return [(f"v0.{number}.0", f"v0.{number + 1}.0") for number in range(1, 7)]


def test_columns_that_moved_are_named(week: Repository) -> None:
    """By the summaries in the records: no data is fetched."""
    (table,) = why(week, "v0.2.0", "v0.3.0").differences.tables
    assert (table.before.rows, table.after.rows) == (320, 400)
    assert table.moved.compared == 2  # the key is not looked at


def test_across_several_versions_and_backwards(week: Repository) -> None:
    assert changed(asked(week, "v0.1.0", "v0.7.0")) == CAUSES
    assert changed(asked(week, "v0.3.0", "v0.2.0")) == ["data"]
    same = asked(week, "v0.3.0", "v0.3.0")
    assert changed(same) == []
    assert asked(week)["after"] == "v0.7.0"


def test_from_a_fresh_clone_without_history_and_data(week: Repository) -> None:
    clone = clone_of(week, "runner", "--depth=1", "--no-tags")
    assert {name: changed(asked(clone, name)) for name in WHAT} == WHAT
    assert not (clone.root / "bills.csv").exists()


def test_with_a_remote_that_is_gone_it_still_answers(week: Repository) -> None:
    must(["git", "remote", "set-url", "origin", "../nowhere.git"], week.root)
    done = kit(week, "why", "v0.3.0", "--json")
    assert changed(json.loads(done.stdout)) == ["data"]
    assert "origin cannot be reached" in done.stderr


def test_a_dirty_tree_is_said(week: Repository) -> None:
    (week.root / "train.sh").write_text("exit 1\n")
    found = asked(week, "v0.4.0")
    assert "train.sh" in found["dirty"]
    assert changed(found) == ["code"]
    assert "Not committed here, so in neither version: train.sh." in kit(week, "why", "v0.4.0").stdout


Fault = Callable[[Repository], object]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["v9.0.0"], "tips has no version 'v9.0.0'"),
        (["v0.1.0"], "v0.1.0 is the first version: there is nothing before it."),
        (["v0.1.0", "main"], "tips has no version 'main'"),
    ],
)
def test_what_cannot_be_compared(week: Repository, words: list[str], says: str) -> None:
    done = kit(week, "why", *words)
    assert (done.code, says in done.stderr) == (1, True), done.said


def test_a_version_of_another_tool_has_nothing_to_say(week: Repository) -> None:
    must(["git", "tag", "-a", "-m", "x", "tips@v1.0.0", "main"], week.root)
    must(["git", "push", "--quiet", "origin", "tips@v1.0.0"], week.root)
    done = kit(week, "why", "v0.7.0", "v1.0.0")
    assert (done.code, "tips@v1.0.0 has no record" in done.stderr) == (1, True), done.said
