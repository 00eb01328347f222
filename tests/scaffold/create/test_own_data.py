"""`--data`: odd tables train, or are refused in words that help."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import mlops_new
import pytest
import yaml

from tests.conftest import Once, must, python_of, run
from tests.scaffold.create.odd_tables import TRAIN
from tests.scaffold.create.refused_tables import REFUSED
from tests.scaffold.create.tables import Row, Table, regression, rows, with_column, written

INFERENCE = Path(mlops_new.__file__).parent / "create/inference"
LIVE_IN = Path(__file__).parent / "live_in.py"
TABLES = TRAIN + REFUSED
JUDGED_BY = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}

Came = dict[str, dict[str, Any]]


def lived_in(tables: list[Table], trained: Path, folder: Path) -> Came:
    """What came of each table, all in one process of a generated environment."""
    tree = folder / "tree"
    shutil.copytree(trained / "pipeline", tree / "pipeline")
    (tree / "data").mkdir()
    params = (trained / "params.yaml").read_text().replace("max_iter: 100", "max_iter: 20")
    (tree / "params.yaml").write_text(params)
    asked = []
    for number, table in enumerate(tables):
        file = folder / f"{number}{table.suffix}"
        file.write_bytes(table.content)
        asked.append({"name": table.name, "file": str(file), "target": table.target, "time": table.time})
    (folder / "asked.json").write_text(json.dumps(asked))
    script = f'exec "{python_of(trained)}" -P "{LIVE_IN}" "{INFERENCE}" "{tree}" < "{folder / "asked.json"}"'
    said = must(["sh", "-c", script], folder)
    return {came["name"]: came for came in map(json.loads, said.splitlines())}


@pytest.fixture(scope="session")
def came(trained: Path, once: Once) -> Came:
    def live(into: Path) -> None:
        (into / "came.json").write_text(json.dumps(lived_in(TABLES, trained, into)))

    found: Came = json.loads((once("odd-tables", live) / "came.json").read_text())
    return found


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_odd_table(table: Table, came: Came) -> None:
    of = came[table.name]
    assert "traceback" not in of, of["traceback"]
    said = of.get("refused", "") + "\n".join(of.get("notes", []))
    assert ("refused" in of) == table.refused, said
    for words in table.says:
        assert words in said
    if not table.refused:
        assert of["task"] == table.task
        judged = JUDGED_BY[table.task]
        model, baseline = (of["metrics"][which][judged]["value"] for which in ("model", "baseline"))
        assert model < baseline, "the table was read, but what is in it was not learned"


METRIC = {"binary": "roc_auc of 0.75", "multiclass": "accuracy of 0.75", "regression": "of the rmse"}
TOO_FEW = re.compile(
    r"(\d+) test rows\. With fewer than 100 test rows no result can be judged: .* about (\S+) to (\S+) (for a )?"
)


@pytest.mark.parametrize(
    "table", [table for table in TABLES if not table.refused], ids=lambda table: table.name
)
def test_too_few_rows_to_judge_by_are_a_warning(table: Table, came: Came) -> None:
    of = came[table.name]
    enough = of["metrics"]["model"]["n"] >= 100
    assert len(of["warnings"]) == (0 if enough else 1)
    for warning in of["warnings"]:
        found = TOO_FEW.match(warning)
        assert found, warning
        assert int(found[1]) == of["metrics"]["model"]["n"]
        assert METRIC[table.task] in warning
        low, high = (float(text.rstrip("%")) for text in (found[2], found[3]))
        assert 0.1 < (high - low) / (100 if "%" in found[2] else 1) <= 1.5


def test_own_data_from_file_to_model(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "My Churn (1).csv").write_bytes(written(rows(), ";", "latin-1"))
    said = must(
        [mlops_new, "churn", "--data", "My Churn (1).csv", "--target", "y", "--slice", "colour", "--train"],
        tmp_path,
    )
    project = tmp_path / "churn"
    assert "task: binary ('y' has 2 different values); predicts the probability of 'yes'" in said
    assert "To change anything else about a column, edit data/schema.yaml" in said
    assert must(["git", "status", "--porcelain"], project) == ""
    tracked = must(["git", "ls-files"], project).split()
    assert {"data/my-churn-1.csv.dvc", "data/sample.csv", "data/schema.yaml"} <= set(tracked)
    assert not [name for name in tracked if "flights" in name]
    found = json.loads((project / "metrics.json").read_text())
    assert set(found["slices"]["colour"]) == {"blue", "green", "red"}
    contract = yaml.safe_load((project / "mlops.yaml").read_text())
    assert contract["predictions"]["positive"] == "yes"
    assert contract["rows"]["key"] == "__row__"  # no column tells its rows apart
    enough = [inside["n"] >= 100 for inside in found["slices"]["colour"].values()]
    assert ("fair-by-colour" in contract["gates"]) == (sum(enough) >= 2)
    assert ("no fairness gate for 'colour'" in said) == (sum(enough) < 2)
    done = run([python_of(project), "-m", "pytest", "-q"], project)
    assert done.code == 0, done.said


def test_a_file_that_is_called_sample_is_not_replaced_by_its_own(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_bytes(written(rows(1500)))
    must([mlops_new, "churn", "--data", "sample.csv", "--target", "y"], tmp_path)
    assert (tmp_path / "churn/data/data.csv").read_bytes() == (tmp_path / "sample.csv").read_bytes()
    assert "data/sample.csv" in must(["git", "ls-files"], tmp_path / "churn").split()


ODD: dict[str, Callable[[list[Row]], list[Row]]] = {
    "rows without a target": lambda made: [
        row | {"y": ""} if at % 9 == 0 else row for at, row in enumerate(made)
    ],
    "a header in quotes": lambda made: [{'say "hi", you': row["x"], **row} for row in made],
    "long identifiers": lambda made: [row | {"tweet": 10**18 * 9 + at * 7919} for at, row in enumerate(made)],
}


@pytest.mark.parametrize("odd", [*ODD, "utf-16"])
def test_the_tests_of_a_repository_with_odd_data_pass(odd: str, mlops_new: Path, tmp_path: Path) -> None:
    made = ODD[odd](rows(1200)) if odd in ODD else rows(1200)
    (tmp_path / "odd.csv").write_bytes(written(made, encoding="utf-8" if odd in ODD else odd))
    said = must([mlops_new, "odd", "--data", "odd.csv", "--target", "y"], tmp_path)
    assert ("tweet" in said) == (odd == "long identifiers"), said
    done = run([python_of(tmp_path / "odd"), "-m", "pytest", "-q"], tmp_path / "odd")
    assert done.code == 0, done.said


@pytest.mark.parametrize("slice_by", ["y", "prediction"])
def test_a_column_that_predictions_cannot_be_judged_by(
    slice_by: str, mlops_new: Path, tmp_path: Path
) -> None:
    (tmp_path / "churn.csv").write_bytes(written(with_column("prediction", lambda i, _: "ab"[i % 2])))
    done = run([mlops_new, "churn", "--data", "churn.csv", "--target", "y", "--slice", slice_by], tmp_path)
    assert done.code == 1
    assert f"slices: {slice_by!r} is the target, or named as predictions are" in done.stderr
    assert not (tmp_path / "churn").exists()


def test_a_task_that_somebody_asks_for(mlops_new: Path, tmp_path: Path) -> None:
    """All of the repository knows: its tests pass and its gates can be judged."""
    stars = [{**row, "y": round(2 * float(str(row["x"])))} for row in rows()]
    (tmp_path / "stars.csv").write_bytes(written(stars))
    words = [mlops_new, "stars", "--data", "stars.csv", "--target", "y"]
    assert "Make it again with --task regression" in must(words, tmp_path)
    shutil.rmtree(tmp_path / "stars")
    must([*words, "--task", "regression", "--train"], tmp_path)
    must(["uv", "run", "--frozen", "pytest", "-q"], tmp_path / "stars")
    found = json.loads((tmp_path / "stars/metrics.json").read_text())
    contract = yaml.safe_load((tmp_path / "stars/mlops.yaml").read_text())
    assert contract["gates"]["better-than-baseline"]["metric"].removeprefix("model.") in found["model"]


def test_own_regression_from_parquet(mlops_new: Path, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_bytes(written(regression()))
    nan = "polars.when(polars.col('x') > 0.8).then(float('nan')).otherwise('x').alias('gaps')"
    convert = (
        f"import polars, sys; polars.read_csv(sys.argv[1]).with_columns({nan}).write_parquet(sys.argv[2])"
    )
    must([python_of(trained), "-c", convert, "prices.csv", "prices.parquet"], tmp_path)
    said = must([mlops_new, "prices", "--data", "prices.parquet", "--target", "y", "--train"], tmp_path)
    assert "rmse" in said
    project = tmp_path / "prices"
    assert "HistGradientBoostingRegressor" in (project / "params.yaml").read_text()
    done = run([python_of(project), "-m", "pytest", "-q"], project)
    assert done.code == 0, done.said


@pytest.mark.parametrize(("days_old", "asked"), [(1, True), (400, False)])
def test_only_data_that_keeps_coming_gets_an_alarm_about_its_age(
    days_old: int, asked: bool, mlops_new: Path, tmp_path: Path
) -> None:
    newest = datetime.now() - timedelta(days=days_old)
    lines = [f"{newest - timedelta(hours=i):%Y-%m-%d %H:%M:%S},{i % 7},{i * 13 % 5 > 2}" for i in range(300)]
    (tmp_path / "churn.csv").write_text("\n".join(["at,x,y", *lines]) + "\n")
    said = must([mlops_new, "churn", "--data", "churn.csv", "--target", "y"], tmp_path)
    contract = yaml.safe_load((tmp_path / "churn/mlops.yaml").read_text())
    wanted = {"newest_row": {"column": "at", "at_most_days": 90}} if asked else None
    assert contract.get("new_data") == wanted
    assert ("an alarm when the newest 'at' gets older than 90 days" in said) == asked


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("missing.csv", None, "does not exist"),
        ("table.xlsx", b"PK", "neither CSV nor Parquet by its ending '.xlsx'"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("few.csv", b"x,y\n1,2\n", "few.csv has 1 rows; at least 20 are needed"),
    ],
)
def test_a_file_that_cannot_be_used(
    file: str, content: bytes | None, words: str, mlops_new: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / file).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    done = run([mlops_new, "churn", "--data", file, "--target", "y"], tmp_path)
    assert done.code == 1
    assert words in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_data_needs_a_target(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_bytes(written(rows()))
    done = run([mlops_new, "churn", "--data", "churn.csv"], tmp_path)
    assert done.code == 2
    assert "--data needs --target" in done.stderr
