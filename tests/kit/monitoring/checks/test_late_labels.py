"""Concept drift with labels that are late, missing, invalid or contradictory."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.monitoring.checks import concept_drift
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log import labels as label_tables
from mlops_kit.predictions_log.lines import hashed
from mlops_kit.project.sections import Monitoring

from tests.kit.monitoring.checks.labelled import FORMS, N, judged, rows
from tests.kit.monitoring.log_repository import moments


def test_labels_that_are_no_such_value_are_left_out_and_counted() -> None:
    labels = ["?"] * 100 + [str(one) for one in rows("regression", 2)["actual"][100:]]
    found = judged("regression", wrong=False, labels=labels)
    assert found.labelled == N - 100
    (note,) = found.notes
    assert note.startswith("100 labels or predictions are no such value, such as label '?' of prediction '")


def test_one_label_in_two_spellings_contradicts_nothing() -> None:
    made = pa.table({"key": hashed("ab"), "prediction": ["true", "true"]})
    came = pa.table({"key": hashed("aabb"), "actual": ["True", "true", "true", "false"]})
    found, notes = label_tables.joined(made, came)
    assert found["actual"].to_pylist() == ["True", None]
    assert notes == ["1 keys have labels that contradict each other and are left out"]


@pytest.mark.parametrize("written", ["True False", "1 0", "1.0 0.0", "true false"])
def test_flags_are_read_as_tables_of_text_have_them(written: str) -> None:
    yes, no = written.split()
    labels = [yes if one == "true" else no for one in rows("flags", 2)["actual"]]
    found = judged("flags", wrong=False, labels=labels)
    assert (found.state, found.labelled, found.notes) == ("holds", N, [])


def test_labels_that_say_nothing_are_no_labels() -> None:
    found = judged("binary", wrong=False, labels=["perhaps"] * N, within=1e-6)
    assert (found.state, found.labelled) == ("unknown", 0)
    assert [one.kind for one in found.alarms][-1] == "no-labels"
    (note,) = found.notes
    assert note.startswith(f"{N} labels or predictions are no such value, such as label 'perhaps'")


def test_some_that_never_come_are_no_alarm_but_none_any_more_is() -> None:
    """The predictions are of one day each twenty, ended long ago."""
    actual = [str(one) for one in rows("binary", 2)["actual"]]
    every_second = [one if at % 2 else None for at, one in enumerate(actual)]
    found = judged("binary", wrong=False, labels=every_second)
    assert (found.labelled, found.alarms) == (N // 2, [])
    assert found.since == "2026-11-20T19:00:00+00:00"  # the newest that has one
    stopped = judged("binary", wrong=False, labels=[*actual[:100], *[None] * 300], within=1e-6)
    assert [one.what for one in stopped.alarms] == [
        "no label has arrived since 2026-11-05; the limit is 1e-06 days"
    ]


def test_one_of_a_time_to_come_does_not_hide_that_no_label_comes() -> None:
    """The clock of one process is wrong; its prediction has a label, those of the last days have none."""
    now = datetime.now(UTC)
    times = [(now - timedelta(days=10 - at / 50)).isoformat() for at in range(N - 1)]
    made, keys = rows("binary", 2), [str(at) for at in range(N)]
    nothing = pa.nulls(N, pa.float64())
    facts = pa.table({"time": moments([*times, (now + timedelta(days=3)).isoformat()]), "key": hashed(keys)})
    facts = facts.append_column("prediction", pa.array(made["prediction"])).append_column(
        "probability", nothing
    )
    labelled = facts.select(["key"]).append_column("actual", pa.array(made["actual"]))
    labelled = pa.concat_tables([labelled.slice(0, 100), labelled.slice(N - 1)])
    evaluated = pa.table({"key": keys} | rows("binary", 1))
    like = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, evaluated)
    found = concept_drift.measure(like, facts, labelled, FORMS["binary"], Monitoring(labels_within_days=5))
    assert [one.kind for one in found.alarms if one.kind == "no-labels"] == ["no-labels"]
    assert datetime.fromisoformat(found.since) < now


def test_where_the_newest_prediction_has_its_label_none_is_late() -> None:
    """One before it never got one, and no traffic came since."""
    actual = [str(one) for one in rows("binary", 2)["actual"]]
    assert judged("binary", wrong=False, labels=[None, *actual[1:]], within=1e-6).alarms == []
