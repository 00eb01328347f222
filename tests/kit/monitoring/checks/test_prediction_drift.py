"""Prediction drift: watched while a window has no labels."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from mlops_kit.monitoring.checks import concept_drift, prediction_drift
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log.lines import hashed
from mlops_kit.project.sections import Monitoring

from tests.kit.monitoring.checks.labelled import FORMS, N, rows
from tests.kit.monitoring.log_repository import moments


def test_predictions_of_a_window_without_labels_are_watched_although_older_ones_have_some() -> None:
    """The last five days say the same class for all, and their labels have not come."""
    made = rows("binary", 2)
    predicted = np.where(np.arange(N) >= 300, "yes", made["prediction"])
    keys = [f"n{at}" for at in range(N)]
    times = moments(f"2026-11-{1 + at // 20:02}T{at % 20:02}:00:00" for at in range(N))
    nothing = pa.nulls(N, pa.float64())
    facts = pa.table({"time": times, "key": hashed(keys), "prediction": predicted, "probability": nothing})
    evaluated = pa.table({"key": keys} | rows("binary", 1))
    like = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, evaluated)
    came = pa.table({"key": hashed(keys[:300]), "actual": made["actual"][:300]})
    for since, kinds in ((datetime(2026, 11, 16, tzinfo=UTC), ["predictions-moved"]), (None, [])):
        found = concept_drift.measure(
            like, facts, came, FORMS["binary"], Monitoring(labels_within_days=1e5), since
        )
        assert ([one.kind for one in found.alarms], found.state) == (kinds, "holds")


def test_predictions_that_follow_each_other_move_no_more_than_they_do_in_the_reference() -> None:
    """Windows of one day, whose weather is its own: without labels one in a hundred may alarm, not each second one."""
    draw, days, a_day = np.random.default_rng(4), 100, 40
    form = FORMS["flags"]

    def made(of: int) -> pa.Table:
        shares = 1 / (
            1 + np.exp(-(np.repeat(draw.normal(size=of), a_day) + 0.5 * draw.normal(size=of * a_day)))
        )
        return pa.table({"prediction": shares > 0.5, "probability": shares})

    evaluated, clean = made(days), made(200)
    found = [prediction_drift.check(evaluated, clean.slice(at * a_day, a_day), form, 0) for at in range(200)]
    assert sum(one is not None and one.by is not None for one in found) <= 3
    moved = pa.table({"prediction": [True] * 400, "probability": 0.9 + 0.1 * draw.random(400)})
    seen = prediction_drift.check(evaluated, moved, form, 0)
    assert seen and seen.by and 0.8 < seen.by < 1
