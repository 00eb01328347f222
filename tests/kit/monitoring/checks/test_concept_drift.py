"""A11 for every task: what came true is judged as the task wants it, and says when it cannot be."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.data.scores import EvaluatedRows
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.checks import concept_drift
from mlops_kit.monitoring.checks import prediction_drift as predicteds
from mlops_kit.monitoring.checks.concept_drift import Concept
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log import labels as labels_module
from mlops_kit.predictions_log.lines import hashed
from mlops_kit.project import contract
from mlops_kit.project.sections import Monitoring, Predictions
from mlops_kit.statistics import intervals
from pyarrow import parquet

from tests.kit.monitoring import log_repository
from tests.kit.monitoring.log_repository import moments

N = 400
FORMS = {
    "regression": Predictions(file="p", task="regression"),
    "multiclass": Predictions(file="p", task="multiclass"),
    "binary": Predictions(file="p", task="binary", positive="yes"),
    "flags": Predictions(file="p", task="binary", positive=True),
}
CLASSES = {"binary": ["yes", "no"], "flags": ["true", "false"], "multiclass": ["a", "b", "c"]}


def rows(task: str, seed: int, *, wrong: bool = False) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    if task == "regression":
        prediction = draw.normal(size=N)
        return {"prediction": prediction, "actual": prediction + draw.normal(size=N) * (2 if wrong else 0.5)}
    classes = np.array(CLASSES[task])
    prediction, other = draw.choice(classes, N), draw.choice(classes, N)
    return {
        "prediction": prediction,
        "actual": np.where(draw.random(N) < (0.9 if wrong else 0.2), other, prediction),
    }


def judged(task: str, *, wrong: bool, labels: Any = None, within: float = 1e5) -> Concept:
    evaluated = pa.table({"key": [str(at) for at in range(N)]} | rows(task, 1))
    made = rows(task, 2, wrong=wrong)
    keys = pa.array([f"n{at}" for at in range(N)])
    texts = pa.array([str(one) for one in made["prediction"]])
    times = moments(f"2026-11-{1 + at // 20:02}T{at % 20:02}:00:00" for at in range(N))
    nothing = pa.nulls(N, pa.float64())
    facts = pa.table({"time": times, "key": hashed(keys), "prediction": texts, "probability": nothing})
    came = labels if labels is not None else [str(one) for one in made["actual"]]
    reference = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, evaluated)
    labelled = pa.table({"key": hashed(keys), "actual": pa.array(came, pa.string())})
    return concept_drift.check(reference, facts, labelled, FORMS[task], Monitoring(labels_within_days=within))


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


def test_labels_that_are_no_such_value_are_left_out_and_counted() -> None:
    labels = ["?"] * 100 + [str(one) for one in rows("regression", 2)["actual"][100:]]
    found = judged("regression", wrong=False, labels=labels)
    assert found.labelled == N - 100
    (note,) = found.notes
    assert note.startswith("100 labels or predictions are no such value, such as label '?' of prediction '")


def with_probability(probability: list[float], evaluated: list[float]) -> Concept:
    made = rows("binary", 2)
    keys = [f"n{at}" for at in range(N)]
    before = pa.table({"key": keys, "probability": evaluated} | rows("binary", 1))
    times = moments(f"2026-11-{1 + at // 20:02}T{at % 20:02}:00:00" for at in range(N))
    facts = pa.table(
        {"time": times, "key": hashed(keys), "prediction": made["prediction"], "probability": probability}
    )
    reference = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, before)
    labelled = pa.table({"key": hashed(keys), "actual": made["actual"]})
    return concept_drift.check(reference, facts, labelled, FORMS["binary"], Monitoring())


def test_probabilities_that_are_none_are_left_out_and_said() -> None:
    found = with_probability([1.7] * 10 + [0.5] * (N - 10), [0.5] * N)
    assert found.labelled == N - 10
    assert any(note.endswith("with probability 1.7, and are left out") for note in found.notes), found.notes
    with pytest.raises(KitError, match="probabilities are not between 0 and 1"):
        with_probability([0.5] * N, [-3.0] * N)


def test_one_label_in_two_spellings_contradicts_nothing() -> None:
    made = pa.table({"key": hashed("ab"), "prediction": ["true", "true"]})
    came = pa.table({"key": hashed("aabb"), "actual": ["True", "true", "true", "false"]})
    found, notes = labels_module.joined(made, came)
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
    assert [one.what for one in stopped.alarms] == ["no label since 2026-11-05, for more than 1e-06 days"]


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
    found = concept_drift.check(like, facts, labelled, FORMS["binary"], Monitoring(labels_within_days=5))
    assert [one.kind for one in found.alarms if one.kind == "no-labels"] == ["no-labels"]
    assert datetime.fromisoformat(found.since) < now


def test_where_the_newest_prediction_has_its_label_none_is_late() -> None:
    """One before it never got one, and no traffic came since."""
    actual = [str(one) for one in rows("binary", 2)["actual"]]
    assert judged("binary", wrong=False, labels=[None, *actual[1:]], within=1e-6).alarms == []


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
        found = concept_drift.check(
            like, facts, came, FORMS["binary"], Monitoring(labels_within_days=1e5), since
        )
        assert ([one.kind for one in found.alarms], found.state) == (kinds, "holds")


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
    found = concept_drift.check(
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
    found = concept_drift.check(reference, facts, labelled, FORMS["binary"], Monitoring(), since)
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
    found = concept_drift.check(reference, facts, labelled, FORMS["binary"], Monitoring(), since)
    assert found.figure and found.figure.reference and found.figure.high < found.figure.reference
    assert found.loss and found.loss.reference and found.loss.high < found.loss.reference
    assert [one.kind for one in found.alarms] == ["concept-drift"]
    assert "and is lower since 2026-11-0" in found.alarms[0].what
    assert f"was {found.figure.reference:.3f}" in found.alarms[0].what


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
    found = [predicteds.check(evaluated, clean.slice(at * a_day, a_day), form, 0) for at in range(200)]
    assert sum(one is not None and one.by is not None for one in found) <= 3
    moved = pa.table({"prediction": [True] * 400, "probability": 0.9 + 0.1 * draw.random(400)})
    seen = predicteds.check(evaluated, moved, form, 0)
    assert seen and seen.by and 0.8 < seen.by < 1


def test_evaluated_predictions_are_put_in_the_order_of_time(tmp_path: Path) -> None:
    one = log_repository.repository(tmp_path / "flights")
    one.write("mlops.yaml", log_repository.MLOPS.replace("monitoring: {", "monitoring: {time: when, "))
    start = np.datetime64("2026-01-01T00:00:00", "s")
    for name, n in (("train", 4000), ("test", 1000)):
        shuffled = np.random.default_rng(1).permutation(n)
        file = one.root / f"{name}.parquet"
        when = start + shuffled.astype("timedelta64[m]")
        parquet.write_table(parquet.read_table(file).append_column("when", pa.array(when)), file)
    made = references.load(one.repository, contract.load(one.root), lambda _: None)
    assert made.predictions
    in_time = parquet.read_table(one.root / "test.parquet").sort_by("when")["id"].to_pylist()
    assert made.predictions["key"].to_pylist() == in_time
    again = references.load(one.repository, contract.load(one.root), lambda _: None)  # as it was kept
    assert again.predictions and again.predictions.equals(made.predictions)


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
