"""What an issue shows beside the finding."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.base.sanitize import sanitize
from mlops_kit.monitoring import issue_text
from mlops_kit.monitoring.check import Checked
from mlops_kit.monitoring.checks import concept_drift, data_drift, histograms
from mlops_kit.monitoring.checks.concept_drift import ConceptDrift
from mlops_kit.monitoring.checks.data_drift import DataDrift, Drift
from mlops_kit.monitoring.checks.histograms import Group
from mlops_kit.monitoring.checks.infrastructure import Infrastructure
from mlops_kit.monitoring.checks.prediction_drift import PredictionDrift
from mlops_kit.monitoring.checks.trainings import Trainings
from mlops_kit.statistics import bins
from mlops_kit.statistics.resampling import count

UNSEEN_SEASON = "the reference has no row of month 6: what moved may be the season"


def checked(data: DataDrift, concept: ConceptDrift) -> Checked:
    nothing = Infrastructure("not connected"), Trainings("not connected")
    findings = [*data_drift.result(data).findings, *concept_drift.result(concept, data).findings]
    at = "2026-06-30T06:00:00Z"
    return Checked(at, "v0.1.0", "log.jsonl", "", data, concept, *nothing, findings=findings)


def test_the_issue_of_a_drift_draws_the_columns_that_moved() -> None:
    moved = Drift("amount", 400, 0.3, 0.9, "median 1 -> 2, +0.90 sd")
    data = DataDrift("drift", 400, 400, [moved], visible={"amount": 0.25})
    groups = [Group("lower", 0.5, 0.2), Group("1", 0.5, 0.8)]
    found = replace(checked(data, ConceptDrift("not connected")), shares={"amount": groups})
    shown = issue_text.outcome(found, "", "").shown["data-drift"]
    assert sanitize(shown) == f"{shown}\n"  # the job that opens the issue changes nothing of it
    assert "| `amount` | median 1 -&gt; 2, +0.90 sd | 30.0% | 400 |" in shown
    assert "`amount`: reference (bars), window (line), each from its value on" in shown
    picture = shown.partition("```mermaid\n")[2].partition("```")[0]
    for line in ('x-axis ["lower", "1"]', "bar [0.5, 0.5]", "line [0.2, 0.8]"):
        assert line in picture, picture


@pytest.mark.parametrize(
    ("values", "first"),
    [(lambda x: x, "-1.3"), (lambda x: 1000 + 10 * x, "986.8"), (lambda x: 1e9 + 1e8 * x, "8.68e+08")],
)
def test_bars_of_numbers_have_names_as_short_as_tells_them_apart(values: Any, first: str) -> None:
    drawn = pa.array(values(np.random.default_rng(1).normal(size=20_000)))
    column = bins.cut("x", drawn)
    assert column
    counted = count(column.encode(drawn), column.size)[0] / len(drawn)
    found = [one.name for one in histograms.groups(column, counted, counted)]
    assert found[:2] == ["lower", first]
    assert len(found) == len(set(found)) == 10
    assert max(map(len, found)) <= 8


def test_groups_of_one_name_are_drawn_side_by_side() -> None:
    """Of numbers that differ in their fifth digit alone."""
    moved = Drift("id", 400, 0.3, 0.9, "median 1e+05 -> 1e+05, +0.90 sd")
    data = DataDrift("drift", 400, 400, [moved], visible={"id": 0.25})
    groups = [Group("1e+05", 0.5, 0.2), Group("1e+05", 0.5, 0.8)]
    found = replace(checked(data, ConceptDrift("not connected")), shares={"id": groups})
    assert 'x-axis ["1. 1e 05", "2. 1e 05"]' in issue_text.outcome(found, "", "").shown["data-drift"]


def test_long_names_of_bars_do_not_lie_upon_each_other() -> None:
    moved = Drift("state", 400, 0.3, None, "Rhode Island 10.0% -> 20.0%")
    data = DataDrift("drift", 400, 400, [moved], visible={"state": 0.25})
    for names, shown in (
        (["North Carolina", "Ohio"], '"North Carolina", "Ohio"'),
        (["North Carolina", "North Dakota", *map(str, range(8))], '"1. Nor..", "2. Nor..", "3. 0"'),
    ):
        groups = [Group(name, 0.1, 0.1) for name in names]
        found = replace(checked(data, ConceptDrift("not connected")), shares={"state": groups})
        assert f"x-axis [{shown}" in issue_text.outcome(found, "", "").shown["data-drift"]


def test_predictions_that_moved_say_that_it_may_be_the_season() -> None:
    watched = PredictionDrift("probability", 400, 0.3, False, True)
    data = DataDrift("no drift", 400, 400, notes=["Dep_Delay: 1 of 400 rows", UNSEEN_SEASON])
    concept = ConceptDrift("unknown", alarms=watched.alarms, watched=watched)
    shown = issue_text.outcome(checked(data, concept), "", "").shown["predictions-moved"]
    assert sanitize(shown) == f"{shown}\n"
    assert shown.endswith("\n\nThe reference has no row of month 6: what moved may be the season.")
    assert "Dep_Delay" not in shown
