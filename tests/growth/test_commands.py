"""add, remove, switch, tiers, update and diff, as a person meets them; with a tier for every layer."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from mlops_new.base.errors import MlopsNewError
from mlops_new.cli import main

from tests.conftest import must
from tests.growth.projects import commit, files_of, new, refused


def test_add_says_what_came_and_what_to_do_next(made: Path) -> None:
    done = new(made, "add", "serving")
    assert done.exit_code == 0
    assert done.output == (
        "Added serving=seldon:\n"
        "  added    .github/workflows/seldon.yml\n"
        "  added    mlops.d/seldon.yaml\n"
        "  added    serving/seldon/README.md\n"
        "  added    serving/seldon/pyproject.toml\n"
        "  added    serving/seldon/run.py\n"
        "  added    serving/tool.yaml\n"
        "  changed  .copier-answers.yml\n"
        "\n"
        'Look at it (git diff), then: git add --all && git commit --message "Add serving=seldon"\n'
        "Next: uv run seldon    # see serving/seldon/README.md\n"
    )
    assert "seldon" in (made / ".copier-answers.yml").read_text()


def test_add_for_programs_and_without_doing_it(made: Path) -> None:
    report = json.loads(new(made, "add", "serving=tf-serving", "drift", "--json", "--dry-run").output)
    assert report["tiers"] == {"serving": "tf-serving", "drift": "evidently"}
    assert report["changed"] == [".copier-answers.yml"]
    assert set(report["added"]) == files_of(made, report["tiers"])
    assert (report["removed"], report["conflicts"], report["broken"]) == ([], [], [])
    assert must(["git", "status", "--porcelain"], made) == ""


def test_tiers_lists_what_is_on_and_what_each_costs(made: Path) -> None:
    new(made, "add", "serving")
    rows = [line.split() for line in new(made, "tiers").output.splitlines()]
    assert ["on", "serving=seldon", "6", "seldon>=1", "stands", "in"] in rows
    assert ["serving=tf-serving", "6", "tf-serving>=1", "stands", "in"] in rows
    listed = json.loads(new(made, "tiers", "--json").output)["tiers"]
    assert [tier["name"] for tier in listed if tier["on"]] == ["seldon"]


def test_what_is_not_there_is_answered_with_what_there_is(made: Path) -> None:
    assert "There are: " in refused(made, "add", "cooking").do
    assert "serving=tf-serving" in refused(made, "add", "cooking").do
    assert refused(made, "add", "serving=soup").do == "It has: seldon, tf-serving."
    assert refused(made, "remove", "serving").what == "serving is not on."
    assert refused(made, "switch", "serving=seldon").do == "Try: mlops-new add serving=seldon"
    assert refused(made, "add", "serving=seldon", "serving=tf-serving").do == "A layer has one tool."


def test_a_layer_has_one_tool(made: Path) -> None:
    new(made, "add", "serving")
    commit(made, "Add serving")
    assert refused(made, "add", "serving").what == "serving is seldon already."
    assert "mlops-new switch serving=tf-serving" in refused(made, "add", "serving=tf-serving").do
    assert refused(made, "switch", "serving").do == "Try: mlops-new switch serving=TOOL"
    assert new(made, "switch", "serving=tf-serving").exit_code == 0
    assert (made / "serving/tf-serving/run.py").is_file()
    assert not (made / "serving/seldon").exists()


def test_a_dirty_tree_is_refused_with_the_files(made: Path) -> None:
    (made / "notes.txt").write_text("x")
    (made / "params.yaml").write_text("seed: 3\n")
    error = refused(made, "add", "serving")
    assert error.what.splitlines()[1:] == ["  params.yaml", "  notes.txt"]
    assert "git stash --include-untracked" in error.do


def test_remove_asks_for_what_was_edited_and_leaves_what_is_yours(made: Path) -> None:
    new(made, "add", "serving")
    (made / "serving/seldon/run.py").write_text("print('ours')\n")
    (made / "serving/seldon/ours.py").write_text("print('ours too')\n")
    commit(made, "Add serving and change it")
    done = new(made, "remove", "serving")
    assert isinstance(done.exception, MlopsNewError)
    assert "  serving/seldon/run.py\n" in done.output
    assert "pyproject" not in done.output
    assert (made / "serving/seldon/run.py").is_file()
    assert new(made, "remove", "serving", "--force").exit_code == 0
    assert [path.name for path in (made / "serving/seldon").iterdir()] == ["ours.py"]


def test_a_file_of_yours_at_the_place_of_a_tiers_is_shown_with_both_sides(made: Path) -> None:
    run = made / "serving/seldon/run.py"
    run.parent.mkdir(parents=True)
    run.write_text("print('ours')\n")
    (made / "mlops.d").mkdir()
    (made / "mlops.d/seldon.yaml").symlink_to("../mlops.yaml")
    commit(made, "Serve by hand")
    must(["git", "config", "merge.conflictStyle", "diff3"], made)
    contract = (made / "mlops.yaml").read_bytes()
    done = new(made, "add", "serving")
    assert done.exit_code == 1
    assert (
        "\nserving/seldon/run.py, line 1: yours and the template's differ.\n"
        "  Yours:\n"
        "    print('ours')\n"
        "  The template's:\n"
        '    """Runs seldon."""\n'
    ) in done.output
    assert "mlops.d/seldon.yaml: yours stays, and the template's differs" in done.output
    assert "Mend mlops.d/seldon.yaml, serving/seldon/run.py first." in done.output
    assert (made / "mlops.yaml").read_bytes() == contract
    unmerged = must(["git", "ls-files", "--unmerged", "--format=%(stage) %(path)"], made)
    assert unmerged.splitlines() == [
        "2 mlops.d/seldon.yaml",
        "3 mlops.d/seldon.yaml",
        "2 serving/seldon/run.py",
        "3 serving/seldon/run.py",
    ]


def test_a_folder_and_a_file_of_one_name(made: Path) -> None:
    (made / "serving").write_text("how we serve\n")
    commit(made, "Note")
    error = refused(made, "add", "serving")
    assert error.what.endswith("cannot be written: serving, which is yours, is in the way.")
    assert error.do.endswith("git mv serving NAME")
    assert (made / "serving").read_text() == "how we serve\n"


def test_a_repository_that_is_damaged(made: Path) -> None:
    blob = must(["git", "rev-parse", "HEAD:README.md"], made).strip()
    (made / ".git/objects" / blob[:2] / blob[2:]).unlink()
    error = refused(made, "add", "serving")
    assert blob in error.what
    assert "git fsck" in error.do


def test_a_file_that_git_ignores_is_not_overwritten(made: Path) -> None:
    (made / ".gitignore").write_text((made / ".gitignore").read_text() + "mlops.d/\n")
    commit(made, "Ignore")
    (made / "mlops.d").mkdir()
    (made / "mlops.d/seldon.yaml").write_text("mine\n")
    assert "already exists in working directory" in refused(made, "add", "serving").what
    assert (made / "mlops.d/seldon.yaml").read_text() == "mine\n"


def test_answers_that_cannot_be_used(made: Path, tmp_path: Path) -> None:
    answers = made / ".copier-answers.yml"
    text = answers.read_text()
    for old, new_text, says in (
        ("_commit: v", "_commit: v9", "this mlops-new knows up to"),
        ("_commit: v", "#", "has no _commit"),
        ("gh:", "gh:fork/", "was made from gh:fork/"),
        ("kit:", "kit: [", "cannot be read"),
    ):
        answers.write_text(text.replace(old, new_text, 1))
        commit(made, "Break")
        assert says in refused(made, "add", "serving").what
    (tmp_path / "empty").mkdir()
    nowhere = new(tmp_path / "empty", "tiers").exception
    assert isinstance(nowhere, MlopsNewError)
    assert "mlops-new adopt" in nowhere.do


@pytest.mark.parametrize("word", ["tiers", "add", "remove", "switch", "update", "diff"])
def test_every_command_and_option_has_help(word: str) -> None:
    text = CliRunner().invoke(main.command, [word, "--help"]).output
    assert f"Usage: command {word}" in text.replace("mlops-new", "command")
    options = [line for line in text.splitlines() if line.startswith("  -")]
    assert len(options) >= 3
    assert word in CliRunner().invoke(main.command, ["--help"]).output
