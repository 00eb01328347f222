"""Public tables, as they are: scikit-learn's and vega's, given as `--data` would."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Once, must, python_of
from tests.scaffold.create.tables import Table
from tests.scaffold.create.test_own_data import Came, lived_in

# name: target, task; from scikit-learn, which every generated environment has
SKLEARN = {
    "iris": ("target", "multiclass"),
    "wine": ("target", "multiclass"),
    "breast_cancer": ("target", "binary"),
    "diabetes": ("target", "regression"),
    "digits": ("target", "multiclass"),
}
# from the wheel of vega-datasets: file, target, task
VEGA = {
    "airports.csv": ("state", "multiclass"),
    "seattle-weather.csv": ("weather", "multiclass"),
    "sf-temps.csv": ("temp", "regression"),
    "stocks.csv": ("price", "regression"),
    "us-employment.csv": ("nonfarm", "regression"),
}
EXPORT = """
import csv, sys
from sklearn import datasets
for name in sys.argv[1:]:
    found = getattr(datasets, f"load_{name}")()
    with open(f"{name}.csv", "w", newline="") as out:
        table = csv.writer(out)
        table.writerow([*found.feature_names, "target"])
        table.writerows([*row, of] for row, of in zip(found.data.tolist(), found.target.tolist()))
"""


@pytest.fixture(scope="session")
def came(trained: Path, once: Once) -> Came:
    def live(into: Path) -> None:
        must([python_of(trained), "-c", EXPORT, *SKLEARN], into)
        must(
            [
                "uv",
                "run",
                "--no-project",
                "--with",
                "pip",
                "python",
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "vega-datasets==0.9.0",
            ],
            into,
        )
        with zipfile.ZipFile(next(into.glob("*.whl"))) as wheel:
            vega = {name: wheel.read(f"vega_datasets/_data/{name}") for name in VEGA}
        tables = [
            Table(name, (into / f"{name}.csv").read_bytes(), target) for name, (target, _) in SKLEARN.items()
        ]
        tables += [Table(name, content, VEGA[name][0]) for name, content in vega.items()]
        (into / "came.json").write_text(json.dumps(lived_in(tables, trained, into)))

    found: Came = json.loads((once("public-tables", live) / "came.json").read_text())
    return found


@pytest.mark.parametrize(("name", "task"), [(name, task) for name, (_, task) in (SKLEARN | VEGA).items()])
def test_public_table(name: str, task: str, came: Came) -> None:
    of = came[name]
    assert "traceback" not in of, of["traceback"]
    assert "refused" not in of, of["refused"]
    assert of["task"] == task
    assert of["metrics"]["model"]["n"] > 0


def test_what_there_is_to_learn_is_learned(came: Came) -> None:
    """The tables whose figures are well known."""
    for name, at_least in (("iris", 0.9), ("wine", 0.9), ("breast_cancer", 0.93), ("digits", 0.85)):
        assert came[name]["metrics"]["model"]["accuracy"]["value"] > at_least, name
    assert came["diabetes"]["metrics"]["model"]["r2"]["value"] > 0.3
