"""A project moves to the next version of the template, with its owner's edits and with conflicts."""

import json
from pathlib import Path

from tests.conftest import must
from tests.growth.conftest import NEXT, NOW
from tests.growth.owners import EDITS, six_at_once
from tests.growth.projects import commit, files_of, new, refused
from tests.growth.stand_ins import CHOICES


def test_check_says_whether_there_is_a_newer_one(made: Path) -> None:
    done = new(made, "update", "--check")
    assert (done.exit_code, done.output) == (0, f"{NOW}, nothing newer.\n")
    done = new(made, "update")
    assert (done.exit_code, done.output) == (0, f"{NOW}, nothing newer.\n")


def test_check_says_that_there_is_one(made: Path, next_version: str) -> None:
    done = new(made, "update", "--check", "--json")
    assert (done.exit_code, json.loads(done.output)) == (10, {"at": NOW, "newer": next_version})


def test_diff_shows_what_update_does_and_update_does_it(made: Path, next_version: str) -> None:
    patch = new(made, "diff").output
    assert "-    mb_at_most: 50\n+    mb_at_most: 60\n" in patch
    assert must(["git", "status", "--porcelain"], made) == ""
    assert new(made, "update", "--dry-run").output.startswith(
        f"Would move the template from {NOW} to {next_version}:"
    )
    done = new(made, "update")
    assert done.exit_code == 0
    must(["git", "add", "--all"], made)
    assert must(["git", "diff", "--cached", "--binary", "--no-renames"], made) == patch
    assert f"_commit: {NEXT}" in (made / ".copier-answers.yml").read_text()
    assert f"kit: {NEXT[1:]}" in (made / "mlops.yaml").read_text()
    assert not (made / "README.md").read_text().startswith("# The ")  # the owner's


def test_add_does_not_move_the_version_and_update_does_not_change_tiers(
    made: Path, next_version: str
) -> None:
    assert new(made, "add", "drift=evidently").exit_code == 0
    assert f"_commit: {NOW}" in (made / ".copier-answers.yml").read_text()
    assert "mb_at_most: 50" in (made / "mlops.yaml").read_text()
    commit(made, "Add drift")
    names = files_of(made, {"drift": "evidently"})
    assert new(made, "update").exit_code == 0
    assert all((made / name).is_file() for name in names)
    assert (made / "drift/evidently/README.md").read_text().startswith("# The ")
    assert "drift: evidently" in (made / ".copier-answers.yml").read_text()


def test_versions_that_cannot_be_moved_to(made: Path, next_version: str) -> None:
    assert refused(made, "update", "--to", "3").do.endswith(f"{NOW}, {NEXT}.")
    assert new(made, "update", "--to", NEXT[1:]).exit_code == 0
    commit(made, "Update")
    assert "cannot be taken back" in refused(made, "update", "--to", NOW).do


def test_a_conflict_shows_both_sides_and_git_refuses_to_commit_it(made: Path, next_version: str) -> None:
    gates = made / "mlops.yaml"
    gates.write_text(gates.read_text().replace("mb_at_most: 50", "mb_at_most: 20"))
    commit(made, "Tighten a gate")
    done = new(made, "update")
    assert done.exit_code == 1
    assert "mlops.yaml, line " in done.output
    assert "  Yours:\n    " in done.output
    assert "mb_at_most: 20\n  The template's:\n    " in done.output
    assert "mlops.yaml no longer parses" in done.output
    assert "Mend mlops.yaml first." in done.output
    assert must(["git", "ls-files", "--unmerged", "--format=%(stage)"], made).split() == ["1", "2", "3"]
    base = must(["git", "show", ":1:mlops.yaml"], made)
    assert "mb_at_most: 50" in base
    report = json.loads(new(_again(made), "update", "--json").output)
    assert [(at["file"], "20" in at["yours"], "60" in at["template"]) for at in report["conflicts"]] == [
        ("mlops.yaml", True, True)
    ]


def _again(at: Path) -> Path:
    must(["git", "reset", "--quiet", "--hard"], at)
    must(["git", "clean", "--quiet", "-fd"], at)
    return at


def test_a_file_that_no_longer_parses_is_named_where_git_saw_no_conflict(
    made: Path, next_version: str
) -> None:
    """The owner wrapped the module in a block; the template's line comes in at the old indentation."""
    file = made / "mlops.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("environment: [", "environment:\n  - [", 1).replace("artifacts: [", "? artifacts: [", 1)
    )
    commit(made, "Break YAML")
    done = new(made, "update")
    assert (done.exit_code, "mlops.yaml no longer parses: " in done.output) == (1, True)
    assert "line " in done.output
    assert must(["git", "ls-files", "--unmerged"], made) == ""


def test_no_line_of_an_owner_is_lost_by_an_update(made: Path, next_version: str) -> None:
    """With all that owners do at once, but for what moves the files of others."""
    before = _lines(made)
    six_at_once(made)
    for name in (
        "the runbook extended",
        "a gate added",
        "hooks added",
        "more ignored",
        "odd names and bytes",
    ):
        EDITS[name](made)
    commit(made, "Much")
    ours = {name: lines - before.get(name, set()) for name, lines in _lines(made).items()}
    new(made, "update")
    after = _lines(made)
    assert {
        name: lines - after.get(name, set()) for name, lines in ours.items() if lines - after.get(name, set())
    } == {}


def _lines(at: Path) -> dict[str, set[bytes]]:
    names = must(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], at).split("\0")
    return {
        name: set((at / name).read_bytes().splitlines()) for name in names if name and (at / name).is_file()
    }


def test_a_released_version_with_each_tier_updates(made: Path, next_version: str) -> None:
    for choice in CHOICES:
        assert new(made, "add", "=".join(choice)).exit_code == 0
        commit(made, "Add")
        done = new(made, "update")
        assert (choice, done.exit_code) == (choice, 0), done.output
        _again(made)
        must(["git", "reset", "--quiet", "--hard", "HEAD~1"], made)


def test_a_year_of_a_project(flights: Path, next_version: str) -> None:
    """Made by one version, edited by hand, gets two tiers, loses one, moves on, and passes its own tests."""
    for name in ("the readme rewritten", "a module added", "a tool configured"):
        EDITS[name](flights)
    commit(flights, "Ours")
    edited = {
        name: (flights / name).read_bytes() for name in ("README.md", "pipeline/explain.py", "pyproject.toml")
    }
    assert new(flights, "add", "serving=seldon", "drift=whylogs").exit_code == 0
    commit(flights, "Add two tiers")
    assert new(flights, "remove", "serving").exit_code == 0
    commit(flights, "Remove one")
    assert new(flights, "update").exit_code == 0
    commit(flights, "Update")
    assert {name: (flights / name).read_bytes() for name in edited} == edited
    assert (flights / "drift/whylogs/view.py").is_file()
    assert not (flights / "serving").exists()
    assert "1 failed" not in must(
        ["uv", "run", "--frozen", "pytest", "-q", "-p", "no:cacheprovider"], flights
    )
