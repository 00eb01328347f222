"""One table of metrics, with their directions, in code, documentation and messages."""

import re
import subprocess
import sys

import numpy as np
import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.data import metrics
from mlops_kit.data.metrics import METRICS, EvaluatedRows, computed, higher_is_better

from tests.conftest import ROOT


def test_the_reference_lists_the_metrics_of_the_champion_gate() -> None:
    page = (ROOT / "docs/reference/mlops.yaml.md").read_text(encoding="utf-8")
    section = page.partition("## Gate: champion")[2].partition("\n## ")[0]
    (line,) = re.findall(r"^\| `metric` \|.*\| One of (.*)\. \|$", section, re.MULTILINE)
    assert line.split(", ") == computed()


@pytest.mark.parametrize("name", ["roc_aux", "f1", ""])
def test_a_metric_that_cannot_be_computed_is_refused_with_those_that_can(name: str) -> None:
    rows = EvaluatedRows(np.zeros(2), np.zeros(2))
    with pytest.raises(KitError, match="cannot be compared") as error:
        metrics.score(name, rows)
    assert error.value.do == f"Known: {', '.join(computed())}."


def test_a_better_model_has_a_better_score_by_the_direction_of_the_table() -> None:
    """Classes for the metrics of classes, numbers for those of numbers."""
    actual = np.array([0.0, 1.0, 0.0, 1.0])
    right, wrong = np.array([0.1, 0.9, 0.2, 0.8]), np.array([0.6, 0.7, 0.8, 0.3])
    for name in computed():
        good = metrics.score(name, EvaluatedRows(actual, right.round(), right))
        bad = metrics.score(name, EvaluatedRows(actual, wrong.round(), wrong))
        assert (good > bad) is METRICS[name].higher_is_better, name


def test_a_direction_is_known_by_the_last_part_of_the_path() -> None:
    assert higher_is_better("model.roc_auc") is True
    assert higher_is_better("slices.carrier.AA.rmse") is False
    assert higher_is_better("rmse.of_nothing") is None


def test_directions_are_known_without_numpy() -> None:
    program = "import sys; from mlops_kit.versions import differences; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
