"""Another estimator is one entry of params.yaml."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.conftest import must, python_of

OTHERS = {
    "sklearn.linear_model.LogisticRegression": {"max_iter": 500},
    "sklearn.ensemble.RandomForestClassifier": {"n_estimators": 50, "n_jobs": 1},
    "sklearn.neural_network.MLPClassifier": {"max_iter": 300},
}


def train_on_the_sample(repository: Path, python: Path) -> float:
    must([python, "-m", "pipeline.prepare", "--data", "data/sample.csv"], repository)
    must([python, "-m", "pipeline.train"], repository)
    must([python, "-m", "pipeline.evaluate"], repository)
    found = json.loads((repository / "metrics.json").read_text(encoding="utf-8"))
    return float(found["model"]["roc_auc"]["value"])


def ask_for(estimator: str, arguments: Mapping[str, object], repository: Path) -> None:
    params = yaml.safe_load((repository / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"estimator": estimator, "arguments": arguments}
    (repository / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


@pytest.mark.parametrize("estimator", OTHERS)
def test_another_estimator_of_scikit_learn(estimator: str, flights: Path) -> None:
    ask_for(estimator, OTHERS[estimator], flights)
    assert train_on_the_sample(flights, python_of(flights)) > 0.58


def test_an_estimator_of_another_library(flights: Path) -> None:
    """LightGBM, in a copy of the environment so that the shared one stays as it is."""
    (flights / ".venv").unlink()
    must(["uv", "add", "--quiet", "lightgbm"], flights)
    must(["uv", "sync", "--quiet"], flights)
    ask_for(
        "lightgbm.LGBMClassifier", {"n_estimators": 50, "num_leaves": 7, "n_jobs": 1, "verbose": -1}, flights
    )
    assert train_on_the_sample(flights, python_of(flights)) > 0.58
