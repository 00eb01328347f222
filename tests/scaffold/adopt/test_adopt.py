"""`mlops-new adopt`: an existing repository trains, and none of its files is another."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests import pages
from tests.conftest import ROOT, Once, must
from tests.scaffold.adopt import adoptions, repositories
from tests.scaffold.adopt.adoptions import OFFLINE, Adopted, adopted, warm
from tests.template.rendered import copier_update
from tests.template.test_linters import OURS

pytestmark = pytest.mark.environment  # its fixtures are asked for by name


@pytest.fixture(scope="session")
def script(mlops_new: Path, once: Once) -> Adopted:
    return adoptions.script(mlops_new, once)


@pytest.fixture(scope="session")
def notebooks(mlops_new: Path, once: Once) -> Adopted:
    return adoptions.notebooks(mlops_new, once)


@pytest.fixture(scope="session")
def package(mlops_new: Path, once: Once) -> Adopted:
    return adopted(mlops_new, once, "adopted-package", repositories.package, "fraud", "--apply")


@pytest.fixture
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Adopted:
    """A copy of an adopted repository, committed."""
    made: Adopted = request.getfixturevalue(request.param)
    root = tmp_path / made.root.name
    shutil.copytree(made.root, root, symlinks=True)
    must(["git", "commit", "--quiet", "--message=Train by DVC"], root)
    return Adopted(root, made.before, made.said)


ALL = pytest.mark.parametrize("one", ["script", "notebooks", "package"], indirect=True)


@ALL
def test_no_file_of_theirs_is_another(one: Adopted) -> None:
    now = repositories.hashes(one.root)
    patched = {patch["path"] for patch in one.said["patches"]} if one.said["applied"] else set()
    assert {path for path, was in one.before.items() if now.get(path) != was} == patched
    assert bool(patched) == (one.root.name == "fraud")
    assert must(["git", "status", "--porcelain"], one.root) == ""


@ALL
def test_the_second_run_does_nothing_and_the_kit_makes_a_version(one: Adopted) -> None:
    assert "up to date" in one.dvc("repro")
    for words in (["validate"], ["train"], ["gate"], ["report"], ["register"]):
        done = one.kit(*words)
        assert done.code == 0, (words, done.said)
    name = one.said["name"]
    assert must(["git", "tag"], one.root) == f"{name}@v0.1.0\n"
    record = json.loads(must(["git", "show", f"{name}@v0.1.0:record.json"], one.root))
    assert record["metrics"] == json.loads((one.root / one.said["stage"]["metrics"]).read_text())
    assert len(record["artifacts"]) == 1
    assert must(["git", "status", "--porcelain"], one.root) == ""


def test_a_script_becomes_a_stage_with_what_it_really_reads_and_writes(script: Adopted) -> None:
    stage = yaml.safe_load((script.root / "dvc.yaml").read_text("utf-8"))["stages"]["train"]
    assert stage == {
        "cmd": "python mlops_run.py --metrics metrics.json -- python src/train.py",
        "deps": ["data/churn.csv", "mlops_run.py", "src/settings.py", "src/train.py"],
        "outs": ["churn model.pkl", "churn.png"],
        "metrics": ["metrics.json"],
    }
    assert script.said["name"] == "leavers-2"
    assert script.said["entry"]["path"] == "src/train.py"
    assert script.said["same"] is True
    assert script.said["data"] == ["data/churn.csv"]  # beside Git, as `data/` is ignored
    pointer = yaml.safe_load((script.root / "churn.csv.dvc").read_text("utf-8"))
    assert pointer["outs"][0]["path"] == "data/churn.csv"
    assert list(script.said["figures"]) == ["test_accuracy"]


def test_what_should_change_is_a_patch_that_git_applies(script: Adopted, tmp_path: Path) -> None:
    root = tmp_path / "churn"
    shutil.copytree(script.root, root, symlinks=True)
    (patch,) = script.said["patches"]
    assert patch["path"] == ".gitignore"
    assert "\\ No newline at end of file" in patch["diff"]
    must(["git", "apply", script.said["patch_file"]], root)
    lines = (root / ".gitignore").read_text().splitlines()
    assert lines[:4] == ["__pycache__/", ".venv/", "data/", "*.png"]
    assert lines[4:] == ["/churn model.pkl", "/metrics.json", "/.mlops/", "/mlops-run/"]


def test_a_notebook_runs_as_it_is_in_its_own_folder(notebooks: Adopted) -> None:
    stage = yaml.safe_load((notebooks.root / "dvc.yaml").read_text("utf-8"))["stages"]["train"]
    assert "--in notebooks -- papermill" in stage["cmd"]
    assert stage["deps"] == ["data/houses.csv", "mlops_run.py", "notebooks/House prices.ipynb"]
    assert stage["outs"] == ["notebooks/House prices.executed.ipynb", "notebooks/forest.pkl"]
    assert notebooks.said["same"] is True  # the executed notebook has no clock in it
    assert notebooks.said["figures"]["r2_score"] > 0.9
    found = [one["what"] for one in notebooks.said["obstacles"]]
    assert found == [
        "its cells were run out of order: [1, 5, 3, 4, 6], first at code cell 3",
        "code cell 5 was not run when the others were",
    ]
    assert (notebooks.root / "requirements.txt").read_text() == "matplotlib\npandas\nscikit-learn\n"
    train = yaml.safe_load((notebooks.root / ".github/workflows/mlops-train.yml").read_text("utf-8"))
    assert train[True]["push"]["branches"] == ["master"]


def test_a_pipeline_is_told_what_it_leaves_out(package: Adopted, tmp_path: Path) -> None:
    assert package.said["entry"]["why"] == ["it has 2 stages: features, train"]
    stages = yaml.safe_load((package.root / "dvc.yaml").read_text("utf-8"))["stages"]
    assert stages["train"]["deps"] == ["data/features.parquet", "src/fraud/train.py", "src/fraud/columns.py"]
    assert stages["train"]["metrics"] == ["metrics.json"]
    assert stages["features"] == yaml.safe_load(repositories.PACKAGE["dvc.yaml"])["stages"]["features"]


@pytest.mark.parametrize("one", ["script"], indirect=True)
def test_nothing_of_our_pipeline_comes_with_an_update_either(one: Adopted, mlops_new: Path) -> None:
    before = must(["git", "ls-files"], one.root).splitlines()
    assert not any(path.startswith(("pipeline/", "tests/", "data/")) for path in before)
    assert not {"params.yaml", "pyproject.toml", ".gitattributes", "constraints.txt"} & set(before)
    copier_update(mlops_new, one.root, code_owner="@ada")
    changed = must(["git", "status", "--porcelain", "--untracked-files=all"], one.root).splitlines()
    assert sorted(changed) == [" M .copier-answers.yml", "?? .github/CODEOWNERS"]


def test_our_linters_find_nothing_in_its_workflows(script: Adopted) -> None:
    beside = Path(sys.executable).parent
    must(
        [beside / "zizmor", "--quiet", "--offline", "--strict-collection", "--persona=auditor", ".github"],
        script.root,
    )
    files = sorted((script.root / ".github/workflows").iterdir())
    assert [file.name for file in files] == [
        f"mlops-{name}.yml" for name in ("ci", "promote", "schedule", "train")
    ]
    must(
        [beside / "jactionlint", f"--ignore={OURS.pattern}", f"--shellcheck={beside / 'shellcheck'}", *files],
        script.root,
    )
    must([beside / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files], script.root)


def test_what_is_there_already_stays(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    warm(once)
    files = {
        "docs/mlops.md": "Ours.\n",
        ".copier-answers.yml": "_commit: v1\n_src_path: gh:acme/another-template\n",
        "model.json": "{}\n",  # what the training makes, in Git
    }
    root = repositories.small(tmp_path / "mean", files=files)
    (root / "metrics.json").write_text("of another program\n")
    before = repositories.hashes(root)
    said = must([mlops_new, "adopt"], root, **OFFLINE)
    assert {path: now for path, now in repositories.hashes(root).items() if path in before} == before
    stage = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]["train"]
    assert stage["outs"] == [{"model.json": {"cache": False}}]
    assert stage["metrics"] == ["training-metrics.json"]
    assert (
        "Git tracks what the training makes: model.json. A version needs it in DVC: git rm --cached" in said
    )
    assert "adopted: true" in (root / ".copier-answers.mlops-new.yml").read_text()


def test_only_running_shows_it(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    """Data from outside, a file that is read and written again, and two runs that differ."""
    warm(once)
    (tmp_path / "elsewhere.csv").write_text("1\n")
    code = (
        "import os\nrows = open(os.sep.join(['..', 'elsewhere.csv'])).read()\n"
        "seen = open('seen.txt').read()\nopen('seen.txt', 'w').write(seen + 'x')\n"
        "def fit(rows):\n    return os.urandom(4)\n"
        "open('model.bin', 'wb').write(fit(rows))\n"
    )
    root = repositories.small(tmp_path / "mean", code, {"seen.txt": ""})
    said = json.loads(must([mlops_new, "adopt", "--json"], root, **OFFLINE))
    assert said["same"] is False
    assert {(Path(one["where"]).name, one["what"].split(",")[0]) for one in said["obstacles"]} == {
        ("elsewhere.csv", "it is read"),
        ("seen.txt", "the training reads it and writes it again"),
        ("model.bin", "two runs with the same inputs made two different files"),
    }
    assert (root / "seen.txt").read_text() == ""
    assert any("no gate can ask how good the model is" in note for note in said["notes"])


def test_without_running_the_code_alone_says(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    warm(once)
    root = repositories.script(tmp_path / "churn")
    must([mlops_new, "adopt", "--no-run"], root, **OFFLINE)
    stage = yaml.safe_load((root / "dvc.yaml").read_text("utf-8"))["stages"]["train"]
    assert stage["deps"] == ["data/churn.csv", "mlops_run.py", "src/settings.py", "src/train.py"]
    assert stage["outs"] == ["churn model.pkl", "churn.png"]
    assert not (root / "dvc.lock").exists()


def test_a_dry_run_writes_nothing(mlops_new: Path, tmp_path: Path) -> None:
    root = repositories.notebooks(tmp_path / "house prices")
    before = repositories.hashes(root)
    said = json.loads(must([mlops_new, "adopt", "--dry-run", "--json"], root, **OFFLINE))
    assert repositories.hashes(root) == before
    assert must(["git", "status", "--porcelain"], root) == "?? data/\n"
    assert said["stage"]["deps"] == ["data/houses.csv", "mlops_run.py", "notebooks/House prices.ipynb"]
    assert {"dvc.yaml", "mlops.yaml", "data/houses.csv.dvc", "requirements.txt"} <= set(said["adds"])


def test_the_page_is_what_happens(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    warm(once)
    kit = tmp_path / "bin/mlops-kit"
    kit.parent.mkdir()
    kit.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}/actions exec {sys.executable} -m mlops_kit "$@"\n')
    kit.chmod(0o755)
    script = pages.script(ROOT / "docs/how-to/adopt.md")
    (tmp_path / "page.sh").write_text(script)
    path = os.pathsep.join([str(kit.parent), str(mlops_new.parent), os.environ["PATH"]])
    said = must(["sh", "page.sh"], tmp_path, PATH=path, **OFFLINE)
    assert "Would add" in said
    assert "Added" in said
    assert said.endswith("houses@v0.1.0\n")
