"""Concept drift for every task: labels are compared with predictions as the task demands."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.data.metrics import EvaluatedRows
from mlops_kit.monitoring.checks import concept_drift
from mlops_kit.monitoring.checks.concept_drift import ConceptDrift
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log.lines import hashed
from mlops_kit.project.sections import Monitoring
from mlops_kit.statistics import intervals

from tests.kit.monitoring.checks.labelled import FORMS, N, judged, rows
from tests.kit.monitoring.log_repository import moments


@pytest.mark.parametrize("task", FORMS)
def test_what_holds_and_what_drifts(task: str) -> None:
    assert judged(task, wrong=False).state == "holds"
    drifted = judged(task, wrong=True)
    assert drifted.state == "drift"
    assert drifted.since.startswith("2026-11-01")
    assert drifted.metric == ("rmse" if task == "regression" else "accuracy")
    assert drifted.figure
    assert drifted.figure.low < drifted.figure.value < drifted.figure.high


@pytest.mark.parametrize(("labels", "low", "high"), [(3, None, None), (20, 0.75, 1.0), (60, 0.9, 1.0)])
def test_few_labels_that_are_all_right_do_not_say_that_all_will_be(
    labels: int, low: float | None, high: float | None
) -> None:
    right = [str(one) if at < labels else None for at, one in enumerate(rows("multiclass", 2)["prediction"])]
    found = judged("multiclass", wrong=False, labels=right)
    assert found.state == ("holds" if labels == 60 else "can't tell")
    assert (found.figure and found.figure.high) == high
    assert (found.figure and found.figure.low) == (low and pytest.approx(low, abs=0.005))


def test_the_interval_of_many_rows_is_that_of_the_share() -> None:
    """It is drawn from small parts of them; of all of ten million it would take minutes and gigabytes."""
    n = 200_000
    hit = np.arange(n) % 4 > 0
    rows = EvaluatedRows(np.ones(n), hit.astype(float))
    found = intervals.measured("accuracy", rows, rows)
    half = intervals.SIGMAS * math.sqrt(0.75 * 0.25 / n)
    assert found.value == 0.75
    assert 0.75 - found.low == pytest.approx(half, rel=0.35)
    assert found.high - 0.75 == pytest.approx(half, rel=0.35)


def with_probability(probability: list[float], evaluated: list[float]) -> ConceptDrift:
    made = rows("binary", 2)
    keys = [f"n{at}" for at in range(N)]
    before = pa.table({"key": keys, "probability": evaluated} | rows("binary", 1))
    times = moments(f"2026-11-{1 + at // 20:02}T{at % 20:02}:00:00" for at in range(N))
    facts = pa.table(
        {"time": times, "key": hashed(keys), "prediction": made["prediction"], "probability": probability}
    )
    reference = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, before)
    labelled = pa.table({"key": hashed(keys), "actual": made["actual"]})
    return concept_drift.measure(reference, facts, labelled, FORMS["binary"], Monitoring())


def test_probabilities_that_are_none_are_left_out_and_said() -> None:
    found = with_probability([1.7] * 10 + [0.5] * (N - 10), [0.5] * N)
    assert found.labelled == N - 10
    assert any(note.endswith("with probability 1.7, and are left out") for note in found.notes), found.notes
    with pytest.raises(KitError, match="probabilities are not between 0 and 1"):
        with_probability([0.5] * N, [-3.0] * N)


@pytest.mark.parametrize("sure", [0.9, 0.34])
def test_probabilities_of_several_classes_are_judged(sure: float) -> None:
    """The same classes, of which the model is no longer sure: only the probabilities show it."""
    names, other = ["a", "b", "c"], (1 - sure) / 2

    def shares(made: dict[str, Any], each: float) -> dict[str, Any]:
        rest = (1 - each) / 2
        return {f"probability.{name}": np.where(made["prediction"] == name, each, rest) for name in names}

    before, made = rows("multiclass", 1), rows("multiclass", 2)
    keys = [f"n{at}" for at in range(N)]
    evaluated = pa.table({"key": keys} | before | shares(before, 0.9))
    facts = pa.table(
        {
            "time": moments(f"2026-11-{1 + at // 20:02}" for at in range(N)),
            "key": hashed(keys),
            "prediction": made["prediction"],
        }
        | {"probability": pa.nulls(N, pa.float64())}
        | shares(made, sure)
    )
    reference = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, evaluated)
    came = pa.table({"key": hashed(keys), "actual": made["actual"]})
    found = concept_drift.measure(
        reference, facts, came, FORMS["multiclass"], Monitoring(labels_within_days=1e5)
    )
    assert found.state == ("holds" if sure == 0.9 else "drift")
    assert found.loss
    wrong = float((made["prediction"] != made["actual"]).mean())
    right_loss, wrong_loss = ((1 - sure) ** 2 + 2 * other**2) / 2, (sure**2 + (1 - other) ** 2 + other**2) / 2
    assert found.loss.value == pytest.approx((1 - wrong) * right_loss + wrong * wrong_loss)


@pytest.mark.parametrize(("window_days", "state"), [(25, "drift"), (3, "holds")])
def test_what_is_over_is_an_alarm_for_as_long_as_the_window_holds_it(window_days: int, state: str) -> None:
    """Missed for a week, then as before for two."""
    n = 3000
    draw = np.random.default_rng(3)
    prediction = draw.choice(["yes", "no"], n)
    wrong = draw.random(n) < np.where(np.arange(n) < 1000, 0.5, 0.1)
    actual = np.where(wrong, np.where(prediction == "yes", "no", "yes"), prediction)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    times = [(start + timedelta(minutes=10 * at)).isoformat() for at in range(n)]
    keys = pa.array([f"n{at}" for at in range(n)])
    nothing = pa.nulls(n, pa.float64())
    facts = pa.table(
        {"time": moments(times), "key": hashed(keys), "prediction": prediction, "probability": nothing}
    )
    evaluated = pa.table({"key": [str(at) for at in range(N)]} | rows("binary", 1))
    reference = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, evaluated)
    labelled = pa.table({"key": hashed(keys), "actual": pa.array(actual)})
    since = datetime.fromisoformat(times[-1]) - timedelta(days=window_days)
    found = concept_drift.measure(reference, facts, labelled, FORMS["binary"], Monitoring(), since)
    assert found.state == state
    said = [one.what for one in found.alarms if one.kind == "concept-drift"]
    assert all("rose to" in one and "lower since 2026-11-0" in one for one in said)
    assert bool(said) == (state == "drift")


def test_a_low_loss_alone_ends_no_alarm() -> None:
    """Afterwards less is late, so that Brier's score is low; and the model still tells nothing apart."""
    n = 4000
    draw = np.random.default_rng(4)
    share = draw.beta(1, 3, n)
    late = draw.random(n) < np.where(np.arange(n) < 1000, 1 - share, 0.05)
    early = draw.random(N * 5)
    evaluated = pa.table(
        {
            "key": [str(at) for at in range(N * 5)],
            "prediction": np.where(early > 0.5, "yes", "no"),
            "actual": np.where(draw.random(N * 5) < early, "yes", "no"),
            "probability": early,
        }
    )
    start = datetime(2026, 11, 1, tzinfo=UTC)
    times = [(start + timedelta(minutes=10 * at)).isoformat() for at in range(n)]
    keys = pa.array([f"n{at}" for at in range(n)])
    prediction = np.where(share > 0.5, "yes", "no")
    facts = pa.table(
        {"time": moments(times), "key": hashed(keys), "prediction": prediction, "probability": share}
    )
    reference = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, evaluated)
    labelled = pa.table({"key": hashed(keys), "actual": pa.array(np.where(late, "yes", "no"))})
    since = datetime.fromisoformat(times[-1]) - timedelta(days=3)
    found = concept_drift.measure(reference, facts, labelled, FORMS["binary"], Monitoring(), since)
    assert found.figure and found.figure.reference and found.figure.high < found.figure.reference
    assert found.loss and found.loss.reference and found.loss.high < found.loss.reference
    assert [one.kind for one in found.alarms] == ["concept-drift"]
    assert "and is lower since 2026-11-0" in found.alarms[0].what
    assert f"was {found.figure.reference:.3f}" in found.alarms[0].what


def test_hard_days_are_no_other_relation_and_days_that_are_all_harder_are() -> None:
    """Losses of one day resemble each other: row by row each second month of days like before would alarm."""
    draw, a_day = np.random.default_rng(5), 40

    def days(many: int, harder: float) -> Any:
        hard = np.clip(np.repeat(draw.beta(2, 5, many), a_day) + harder, 0, 0.95)
        return np.where(draw.random(many * a_day) < hard, 0.6, 0.05)

    usual = days(100, 0)
    assert sum(concept_drift._rise(days(60, 0), usual) is not None for _ in range(100)) <= 1
    found = [concept_drift._rise(np.append(days(30, 0), days(40, 0.35)), usual) for _ in range(20)]
    assert sum(one is not None and 20 * a_day < one.began < 40 * a_day for one in found) >= 18
