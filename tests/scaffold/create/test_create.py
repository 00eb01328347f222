"""`mlops-new NAME`: what is made."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from mlops_new.template.releases import SOURCE, current, publisher, write_bundle

from tests.conftest import ROOT, must, run


def test_one_commit_and_a_clean_tree(mlops_new: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1"  # made without the network
    said = must([mlops_new, "my-project"], tmp_path, https_proxy=nowhere, http_proxy=nowhere)
    project = tmp_path / "my-project"
    assert "one commit" in said
    assert "Next: cd my-project && uv run dvc repro" in said
    assert must(["git", "ls-files", "uv.lock"], project) == "uv.lock\n"
    assert must(["git", "log", "--format=%an %s"], project) == "Test Start my-project\n"
    assert must(["git", "status", "--porcelain"], project) == ""
    assert must(["git", "branch", "--show-current"], project) == "main\n"
    assert [path.name for path in tmp_path.iterdir()] == ["my-project"]


def test_git_is_started_a_few_times_and_not_for_every_file(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin/git"
    command = (
        f'for word; do case "$word" in -c|*=*) ;; *) echo "$word" >> {tmp_path}/started; break;; esac; done'
    )
    git.write_text(f'#!/bin/sh\n{command}\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    must([mlops_new, "my-project"], tmp_path, PATH=f"{git.parent}:{os.environ['PATH']}")
    started = (tmp_path / "started").read_text().split()
    assert started == ["var", "var", "clone", "cat-file", "checkout", "init", "symbolic-ref", "add", "commit"]


def test_it_says_how_many_files_there_are(mlops_new: Path, tmp_path: Path) -> None:
    said = must([mlops_new, "my-project"], tmp_path)
    files = must(["git", "ls-files"], tmp_path / "my-project").splitlines()
    assert f"my-project: {len(files)} files in one commit" in said


def test_the_data_is_in_dvc_with_no_dvc_process(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "my-project"], tmp_path)
    project = tmp_path / "my-project"
    tracked = must(["git", "ls-files", "data"], project).split()
    assert "data/flights.parquet" not in tracked
    assert "data/flights.parquet.dvc" in tracked
    md5 = yaml.safe_load((project / "data/flights.parquet.dvc").read_text())["outs"][0]["md5"]
    cached = project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    assert cached.read_bytes() == (project / "data/flights.parquet").read_bytes()


def test_dvc_reads_what_we_wrote_for_it(flights: Path) -> None:
    status = must(["uv", "run", "--frozen", "dvc", "status", "--json"], flights)
    assert json.loads(status) == {}
    (flights / "data/flights.parquet").unlink()
    must(["uv", "run", "--frozen", "dvc", "checkout", "data/flights.parquet.dvc"], flights)
    assert (flights / "data/flights.parquet").stat().st_size > 100_000


def test_another_machine_can_update_it(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "my-project"], tmp_path)
    answers = yaml.safe_load((tmp_path / "my-project/.copier-answers.yml").read_text())
    assert answers["_src_path"] == "gh:" + publisher((SOURCE / "copier.yml").read_text())
    assert answers["_commit"] == current()
    assert str(tmp_path) not in json.dumps(answers)


def test_from_a_source_tree_without_git_or_tags(tmp_path: Path, mlops_new: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    files = must(["git", "ls-files", "--cached", "--others", "--exclude-standard"], ROOT).splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    for folder, how in (("zz-one", ["--editable"]), ("zz-two", [])):
        venv = tmp_path / f"venv-{folder}"
        must(["uv", "venv", "--quiet", venv], tmp_path)
        must(["uv", "pip", "install", "--quiet", "--python", venv, *how, source], tmp_path)
        must([venv / "bin" / "mlops-new", folder], tmp_path)
    must([mlops_new, "zz-three"], tmp_path)
    for name in ("zz-two", "zz-three"):
        for path in must(["git", "ls-files"], tmp_path / "zz-one").split():
            first, other = ((tmp_path / folder / path).read_bytes() for folder in ("zz-one", name))
            assert first.replace(b"zz-one", b"") == other.replace(name.encode(), b""), path


def test_the_same_template_gives_the_same_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "somebody else")
    for name in ("a", "b"):
        write_bundle(ROOT, tmp_path / name, current())
    heads = {must(["git", "bundle", "list-heads", tmp_path / name], tmp_path) for name in ("a", "b")}
    assert len(heads) == 1


def test_a_code_owner_is_asked_for_reviews(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "my-project", "--code-owner", "@acme/models"], tmp_path)
    assert (tmp_path / "my-project/.github/CODEOWNERS").read_text().endswith("\n* @acme/models\n")


@pytest.mark.parametrize("name", ["null", "true", "on"])
def test_a_name_that_yaml_reads_as_something_else(name: str, mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, name], tmp_path)
    assert yaml.safe_load((tmp_path / name / "mlops.yaml").read_text())["model"] == name


def test_an_empty_folder_is_filled(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "flights").mkdir()
    must([mlops_new, "."], tmp_path / "flights")
    assert must(["git", "status", "--porcelain"], tmp_path / "flights") == ""


def test_a_path_whose_parents_are_missing(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "a/b/flights"], tmp_path)
    assert must(["git", "status", "--porcelain"], tmp_path / "a/b/flights") == ""


def test_no_colour_without_a_terminal(mlops_new: Path, tmp_path: Path) -> None:
    assert "\x1b" not in run([mlops_new, "flights"], tmp_path).said


def test_json_for_programs(mlops_new: Path, tmp_path: Path) -> None:
    report = json.loads(must([mlops_new, "flights", "--json"], tmp_path))
    assert report["path"] == str(tmp_path / "flights")
    assert report["metrics"] is None


def test_the_tool_that_a_layer_got_is_named(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "flights", "--with", "orchestration"], tmp_path)
    assert "the data under DVC, orchestration=prefect, in" in done.said
    report = json.loads(must([mlops_new, "trips", "--with", "drift=whylogs", "--json"], tmp_path))
    assert report["tiers"] == {"drift": "whylogs"}


def test_every_option_has_help_and_shell_words_complete(mlops_new: Path, tmp_path: Path) -> None:
    text = must([mlops_new, "--help"], tmp_path)
    for option in ("--data", "--target", "--time", "--slice", "--with", "--remote", "--kit", "--train"):
        assert option in text
    assert "Exit codes" in text
    complete = must(
        [mlops_new],
        tmp_path,
        _MLOPS_NEW_COMPLETE="bash_complete",
        COMP_WORDS="mlops-new --ki",
        COMP_CWORD="1",
    )
    assert "--kit" in complete


def test_a_remote_gets_data_and_model(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "flights", "--remote", "storage", "--train"], tmp_path)
    assert done.code == 0, done.said
    assert f"Pushing data and model to {tmp_path / 'storage'} ..." in done.stderr
    stored = [path for path in (tmp_path / "storage").rglob("*") if path.is_file()]
    assert len(stored) >= 4
    must(["git", "clone", "--quiet", "flights", "clone"], tmp_path)
    clone = tmp_path / "clone"
    (clone / ".venv").symlink_to(tmp_path / "flights/.venv")
    commands = first_steps(clone / "README.md")
    assert commands == [
        "uv sync && uv run pre-commit install",
        "uv run dvc pull",
        "uv run dvc repro",
        "uv run pytest",
    ]
    for command in commands:
        must(["sh", "-c", command], clone)
    for name in ("data/flights.parquet", "model/model.joblib", "metrics.json"):
        assert (clone / name).read_bytes() == (tmp_path / "flights" / name).read_bytes()
    assert must(["git", "status", "--porcelain"], clone) == ""


def first_steps(readme: Path) -> list[str]:
    """The commands of the README's first section, without the comments beside them."""
    section = readme.read_text("utf-8").partition("## First steps\n")[2].partition("\n## ")[0]
    return [line.partition(" # ")[0].strip() for line in section.splitlines() if line.startswith("    ")]


def test_without_a_remote_the_readme_promises_no_data_to_a_clone(trained: Path) -> None:
    """What runs there runs in CI too, in the job `test`."""
    assert first_steps(trained / "README.md") == [
        "uv sync && uv run pre-commit install",
        "uv run dvc repro",
        "uv run pytest",
    ]
    assert "A clone has no data until there is a DVC remote" in (trained / "README.md").read_text("utf-8")


def test_train_prints_the_figures_it_made(mlops_new: Path, trained: Path, tmp_path: Path) -> None:
    found = json.loads((trained / "metrics.json").read_text())
    assert 0.65 < found["model"]["roc_auc"]["value"] < 0.8
    assert found["baseline"]["roc_auc"]["value"] == 0.5
    assert found["model"]["n"] > 2000
    assert set(found["slices"]) == {"carrier", "origin"}
    log = must(["git", "log", "--format=%s", "--name-only"], trained).split("\n")
    assert log[:4] == ["Train the first model", "", "dvc.lock", "Start flights"]
    assert must(["git", "status", "--porcelain"], trained) == ""
