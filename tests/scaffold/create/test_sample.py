"""What of the owner's data gets into Git: nothing, unless it was asked for."""

import json
import re
from pathlib import Path

import pytest
import yaml
from mlops_new.base.errors import UsageError
from mlops_new.create.request import CreateRequest, check_request
from mlops_new.template import render

from tests.conftest import must, python_of, run
from tests.scaffold.create.tables import rows, written

CITIES = 80  # more than data/schema.yaml lists
LOOK = "Look for rows to train on"
REMOTE = "[core]\n    remote = storage\n"


def people(folder: Path) -> list[str]:
    """Write a table with columns that nobody should read in Git. Returns what must not be there."""
    table = [
        {"email": f"person{at}@example.org", "city": f"Cityname{at % CITIES}", **row}
        for at, row in enumerate(rows(800))
    ]
    (folder / "churn.csv").write_bytes(written(table))
    return [str(row["email"]) for row in table] + [str(row["city"]) for row in table]


def create(mlops_new: Path, folder: Path, *words: str) -> tuple[Path, str]:
    done = run([mlops_new, "churn", "--data", "churn.csv", "--target", "y", *words], folder)
    assert done.code == 0, done.said
    return folder / "churn", done.stderr


@pytest.mark.environment
def test_no_value_of_a_row_is_committed_unasked(mlops_new: Path, tmp_path: Path) -> None:
    secret = people(tmp_path)
    project, said = create(mlops_new, tmp_path)
    tracked = must(["git", "ls-files"], project).split()
    text = "".join((project / name).read_text(errors="replace") for name in tracked)
    assert [value for value in secret if re.search(rf"{re.escape(value)}\b", text)] == []
    sample = (project / "data/sample.csv").read_text().splitlines()
    assert not set(sample[1:]) & set((tmp_path / "churn.csv").read_text().splitlines())
    assert sample[0] == "email,city,x,colour,count,y"
    assert len(sample) == 1001
    assert (
        "Making the first commit: no row of your data gets into Git; data/sample.csv has 1000 synthetic rows"
        in said
    )
    assert "synthetic rows, made from `data/schema.yaml`" in (project / "README.md").read_text()
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["sample"] == "synthetic"
    done = run([python_of(project), "-m", "pytest", "-q"], project)
    assert done.code == 0, done.said


@pytest.mark.environment
def test_rows_of_the_data_are_committed_on_demand_and_it_is_said_before(
    mlops_new: Path, tmp_path: Path
) -> None:
    people(tmp_path)
    project, said = create(mlops_new, tmp_path, "--sample", "rows")
    assert "Making the first commit: 800 rows of your data get into Git, in data/sample.csv" in said
    assert (project / "data/sample.csv").read_text() == (tmp_path / "churn.csv").read_text()


@pytest.mark.environment
def test_without_a_sample_the_tests_are_green_and_say_so(mlops_new: Path, tmp_path: Path) -> None:
    people(tmp_path)
    project, said = create(mlops_new, tmp_path, "--sample", "none")
    assert "no row of your data gets into Git, and there is no data/sample.csv" in said
    assert not (project / "data/sample.csv").exists()
    assert "sample" not in yaml.safe_load((project / "mlops.yaml").read_text())
    assert "run linters and the tests that need no rows" in (project / "README.md").read_text()
    done = run([python_of(project), "-m", "pytest", "-rs"], project)
    assert done.code == 0, done.said
    assert "data/sample.csv is not committed: tests that need rows are skipped" in done.stdout
    assert re.search(r"[1-9]\d* passed", done.stdout)
    (project / "mlops.yaml").write_text(
        (project / "mlops.yaml").read_text() + "sample: {file: data/sample.csv, parameter: data}\n"
    )
    named = run([python_of(project), "-m", "pytest", "-q"], project)
    assert named.code == 1, "a sample that is named and missing is an error, not a skip"


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered template without a sample."""
    into = tmp_path_factory.mktemp("without") / "churn"
    answers = {"project_name": "churn", "own_data": True, "data_file": "data/churn.csv", "sample": "none"}
    render.render(into, answers)
    return into


@pytest.mark.parametrize("workflow", ["ci", "train"])
@pytest.mark.parametrize(
    ("remote", "fork", "named", "says"),
    [
        (False, "false", False, "Nothing trained: no DVC remote, and no sample is committed."),
        (True, "true", False, "Nothing trained: a fork has no access to the data"),
        (True, "false", False, ""),
        (True, "", False, ""),
        (False, "true", True, ""),
    ],
)
def test_a_job_without_rows_trains_nothing_and_says_why(
    workflow: str, remote: bool, fork: str, named: bool, says: str, without: Path, tmp_path: Path
) -> None:
    jobs = yaml.safe_load((without / f".github/workflows/{workflow}.yml").read_text())["jobs"]
    assert jobs["rows"]["outputs"] == {"found": "${{ steps.look.outputs.found }}"}
    assert jobs["train"]["needs"] == "rows"
    assert jobs["train"]["if"].endswith("needs.rows.outputs.found")
    after = jobs["comment" if workflow == "ci" else "register"]
    assert after["needs"] == "train" and after["if"].endswith("&& needs.train.result != 'skipped'")
    (step,) = (step for step in jobs["rows"]["steps"] if step["name"] == LOOK)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(REMOTE if remote else "")
    (tmp_path / "mlops.yaml").write_text("sample: {}\n" if named else "model: churn\n")
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    must(["bash", "-e", "-o", "pipefail", "-c", step["run"]], tmp_path, FORK=fork, **files)
    if says:
        assert says in (tmp_path / "summary").read_text()
        assert not (tmp_path / "output").exists()
    else:
        assert (tmp_path / "output").read_text() == "found=true\n"
        assert not (tmp_path / "summary").exists()


def test_with_a_sample_no_job_looks_for_rows(tmp_path: Path) -> None:
    render.render(tmp_path / "churn", {"project_name": "churn"})
    for workflow in ("ci", "train"):
        jobs = yaml.safe_load((tmp_path / f"churn/.github/workflows/{workflow}.yml").read_text())["jobs"]
        assert "rows" not in jobs and "needs" not in jobs["train"]


def test_a_sample_needs_data_of_your_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--sample"):
        check_request(CreateRequest(tmp_path / "churn", sample="none"), tmp_path / "churn")


def test_answers_of_an_older_version_keep_the_rows_that_they_committed(tmp_path: Path) -> None:
    """Such a file has no answer about the sample."""
    render.render(
        tmp_path / "churn", {"project_name": "churn", "own_data": True, "data_file": "data/churn.csv"}
    )
    assert yaml.safe_load((tmp_path / "churn/.copier-answers.yml").read_text())["sample"] == "rows"
    assert yaml.safe_load((tmp_path / "churn/mlops.yaml").read_text())["sample"]["file"] == "data/sample.csv"
    assert not (tmp_path / "churn/data").exists(), "an update would write over the owner's sample"


@pytest.mark.environment
def test_the_kind_is_in_the_result_for_programs(mlops_new: Path, tmp_path: Path) -> None:
    people(tmp_path)
    words = [
        mlops_new,
        "churn",
        "--data",
        "churn.csv",
        "--target",
        "y",
        "--sample",
        "none",
        "--dry-run",
        "--json",
    ]
    assert json.loads(must(words, tmp_path))["inferred"]["sample"] == {"kind": "none", "rows": 0}
