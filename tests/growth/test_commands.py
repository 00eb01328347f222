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
    done = new(made, "add", "training")
    assert done.exit_code == 0
    assert done.output == (
        "Added training=sagemaker:\n"
        "  added    .github/workflows/sagemaker.yml\n"
        "  added    mlops.d/sagemaker.yaml\n"
        "  added    training/sagemaker/README.md\n"
        "  added    training/sagemaker/pyproject.toml\n"
        "  added    training/sagemaker/run.py\n"
        "  added    training/tool.yaml\n"
        "  changed  .copier-answers.yml\n"
        "\n"
        'Look at it (git diff), then: git add --all && git commit --message "Add training=sagemaker"\n'
        "Next, as in training/sagemaker/README.md:\n"
        "    uv run sagemaker\n"
    )
    assert "sagemaker" in (made / ".copier-answers.yml").read_text()


def test_add_lists_the_next_steps_of_every_tier(made: Path) -> None:
    said = new(made, "add", "serving=seldon", "registry=mlflow").output
    steps = said.partition("Next, as in registry/mlflow/README.md:\n")[2].splitlines()
    registry, serving = steps[:4], steps[steps.index("Next, as in serving/seldon/README.md:") + 1 :]
    assert registry[0].startswith("    uv add --project registry/mlflow ")
    assert [one.split()[1] for one in serving] == ["gate", "promote", "serve"]
    assert "register" in serving[0]


def test_add_for_programs_and_without_doing_it(made: Path) -> None:
    report = json.loads(new(made, "add", "training=vertex", "drift", "--json", "--dry-run").output)
    assert report["tiers"] == {"training": "vertex", "drift": "evidently"}
    assert report["changed"] == [".copier-answers.yml"]
    assert set(report["added"]) == files_of(made, report["tiers"])
    assert (report["removed"], report["conflicts"], report["broken"]) == ([], [], [])
    assert must(["git", "status", "--porcelain"], made) == ""


def test_tiers_lists_what_is_on_and_what_each_costs(made: Path) -> None:
    new(made, "add", "training")
    rows = [line.split() for line in new(made, "tiers").output.splitlines()]
    assert ["on", "training=sagemaker", "6", "Stands", "in.", "sagemaker>=1"] in rows
    assert ["training=vertex", "6", "Stands", "in.", "vertex>=1"] in rows
    listed = json.loads(new(made, "tiers", "--json").output)["tiers"]
    assert [tier["name"] for tier in listed if tier["on"]] == ["sagemaker"]


def test_tiers_outside_a_project_lists_those_of_the_newest_template(tmp_path: Path) -> None:
    done = new(tmp_path, "tiers")
    assert done.exit_code == 0
    said = done.output
    assert "This folder is in no project." in said
    assert "mlops-new NAME --with TIER=TOOL" in said
    assert ["on", "tier=tool", "files", "what", "it", "does", "dependencies"] in map(
        str.split, said.splitlines()
    )
    listed = json.loads(new(tmp_path, "tiers", "--json").output)
    assert listed["project"] is None
    assert not [tier for tier in listed["tiers"] if tier["on"]]
    for layer, purpose in listed["purposes"].items():
        assert f"{layer}: {purpose[0].upper()}{purpose[1:]}." in said
    for tier in listed["tiers"]:
        assert f"{tier['layer']}={tier['name']}" in said
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_answered_with_what_there_is(made: Path) -> None:
    assert "There are: " in refused(made, "add", "cooking").do
    assert "training=vertex" in refused(made, "add", "cooking").do
    assert refused(made, "add", "training=soup").do == "It has: sagemaker, vertex."
    assert refused(made, "remove", "training").what == "training is not on."
    assert refused(made, "switch", "training=sagemaker").do == "Try: mlops-new add training=sagemaker"
    assert refused(made, "add", "training=sagemaker", "training=vertex").do == "A tier has one tool."


def test_a_layer_has_one_tool(made: Path) -> None:
    new(made, "add", "training")
    commit(made, "Add training")
    assert refused(made, "add", "training").what == "training is sagemaker already."
    assert "mlops-new switch training=vertex" in refused(made, "add", "training=vertex").do
    assert refused(made, "switch", "training").do == "Try: mlops-new switch training=TOOL"
    assert new(made, "switch", "training=vertex").exit_code == 0
    assert (made / "training/vertex/run.py").is_file()
    assert not (made / "training/sagemaker").exists()


def test_a_dirty_tree_is_refused_with_the_files(made: Path) -> None:
    (made / "notes.txt").write_text("x")
    (made / "params.yaml").write_text("seed: 3\n")
    error = refused(made, "add", "training")
    assert error.what.splitlines()[1:] == ["  params.yaml", "  notes.txt"]
    assert "git stash --include-untracked" in error.do


def test_remove_asks_for_what_was_edited_and_leaves_what_is_yours(made: Path) -> None:
    new(made, "add", "training")
    (made / "training/sagemaker/run.py").write_text("print('ours')\n")
    (made / "training/sagemaker/ours.py").write_text("print('ours too')\n")
    commit(made, "Add training and change it")
    done = new(made, "remove", "training")
    assert isinstance(done.exception, MlopsNewError)
    assert "  training/sagemaker/run.py\n" in done.output
    assert "pyproject" not in done.output
    assert (made / "training/sagemaker/run.py").is_file()
    assert new(made, "remove", "training", "--force").exit_code == 0
    assert [path.name for path in (made / "training/sagemaker").iterdir()] == ["ours.py"]


def test_a_file_of_yours_at_the_place_of_a_tiers_is_shown_with_both_sides(made: Path) -> None:
    run = made / "training/sagemaker/run.py"
    run.parent.mkdir(parents=True)
    run.write_text("print('ours')\n")
    (made / "mlops.d").mkdir()
    (made / "mlops.d/sagemaker.yaml").symlink_to("../mlops.yaml")
    commit(made, "Serve by hand")
    must(["git", "config", "merge.conflictStyle", "diff3"], made)
    contract = (made / "mlops.yaml").read_bytes()
    done = new(made, "add", "training")
    assert done.exit_code == 1
    assert (
        "\ntraining/sagemaker/run.py, line 1: yours and the template's differ.\n"
        "  Yours:\n"
        "    print('ours')\n"
        "  The template's:\n"
        '    """Runs sagemaker."""\n'
    ) in done.output
    assert "mlops.d/sagemaker.yaml: yours stays, and the template's differs" in done.output
    assert "Mend mlops.d/sagemaker.yaml, training/sagemaker/run.py first." in done.output
    assert (made / "mlops.yaml").read_bytes() == contract
    unmerged = must(["git", "ls-files", "--unmerged", "--format=%(stage) %(path)"], made)
    assert unmerged.splitlines() == [
        "2 mlops.d/sagemaker.yaml",
        "3 mlops.d/sagemaker.yaml",
        "2 training/sagemaker/run.py",
        "3 training/sagemaker/run.py",
    ]


def test_a_folder_and_a_file_of_one_name(made: Path) -> None:
    (made / "training").write_text("how we train\n")
    commit(made, "Note")
    error = refused(made, "add", "training")
    assert error.what.endswith("cannot be written: training, which is yours, is in the way.")
    assert error.do.endswith("git mv training NAME")
    assert (made / "training").read_text() == "how we train\n"


def test_a_repository_that_is_damaged(made: Path) -> None:
    blob = must(["git", "rev-parse", "HEAD:README.md"], made).strip()
    (made / ".git/objects" / blob[:2] / blob[2:]).unlink()
    error = refused(made, "add", "training")
    assert blob in error.what
    assert "git fsck" in error.do


def test_a_file_that_git_ignores_is_not_overwritten(made: Path) -> None:
    (made / ".gitignore").write_text((made / ".gitignore").read_text() + "mlops.d/\n")
    commit(made, "Ignore")
    (made / "mlops.d").mkdir()
    (made / "mlops.d/sagemaker.yaml").write_text("mine\n")
    assert "already exists in working directory" in refused(made, "add", "training").what
    assert (made / "mlops.d/sagemaker.yaml").read_text() == "mine\n"


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
        assert says in refused(made, "add", "training").what
    (tmp_path / "empty").mkdir()
    nowhere = new(tmp_path / "empty", "update").exception
    assert isinstance(nowhere, MlopsNewError)
    assert "mlops-new adopt" in nowhere.do


@pytest.mark.parametrize("word", ["tiers", "add", "remove", "switch", "update", "diff"])
def test_every_command_and_option_has_help(word: str) -> None:
    text = CliRunner().invoke(main.command, [word, "--help"]).output
    assert f"Usage: command {word}" in text.replace("mlops-new", "command")
    options = [line for line in text.splitlines() if line.startswith("  -")]
    assert len(options) >= 3
    assert word in CliRunner().invoke(main.command, ["--help"]).output
