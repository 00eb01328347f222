"""The relation: are the predictions still as right as they were? Known when labels come, and only then."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.alerts.kinds import Finding, Kind
from mlops_kit.base import clock
from mlops_kit.data.bootstrap import Floats
from mlops_kit.data.scores import EvaluatedRows
from mlops_kit.monitoring.checks import prediction_drift
from mlops_kit.monitoring.checks import trend as courses
from mlops_kit.monitoring.checks.prediction_drift import Watched
from mlops_kit.monitoring.checks.trend import Course
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log import lines, values
from mlops_kit.predictions_log.labels import joined
from mlops_kit.predictions_log.lines import SLICE, are_later
from mlops_kit.project.sections import Monitoring, Predictions
from mlops_kit.statistics import chance, intervals
from mlops_kit.statistics.chance import Rise
from mlops_kit.statistics.intervals import Figure
from mlops_kit.statistics.resampling import related

State = Literal["not connected", "unknown", "can't tell", "holds", "drift"]
ODDS = 0.001  # of an alarm by chance
LEAST_LABELS = 30
FEWEST = 5  # labels of which there is a figure at all
SURE = 3.0  # standard errors by which the reference's own loss may be off
USED = ("time", "key", "prediction", "probability", SLICE)  # columns, and beginnings of their names
USUAL = 0.9  # of the reference's errors of a regression lie below the size that counts as a miss


@dataclass(frozen=True)
class Concept:
    state: State
    since: str = ""  # unknown: since when; drift: when it began; else the newest prediction that has a label
    predictions: int = 0
    labelled: int = 0
    metric: str = ""
    figure: Figure | None = None
    happened: Figure | None = None  # binary: share of the positive class, its `reference` what was predicted
    slices: dict[str, Figure] = field(default_factory=dict)  # mean loss
    loss: Figure | None = None
    alarms: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    course: Course | None = None  # of the loss, where it rose
    watched: Watched | None = None  # the predictions themselves, where no label speaks for the window

    @property
    def judged(self) -> list[Kind]:
        seen: dict[Kind, bool] = {
            "concept-drift": self.state in ("holds", "drift"),
            "predictions-moved": not self.watched or (self.watched.tells and not self.watched.explained),
            "no-labels": True,
        }
        return [kind for kind, known in seen.items() if known and self.state != "not connected"]


def check(
    reference: Reference,
    facts: pa.Table | None,
    labels: pa.Table | None,
    form: Predictions | None,
    ours: Monitoring,
    since: datetime | None = None,
    explained: float = 0.0,
) -> Concept:
    """`labels` has the columns key and actual, as text; None where mlops.yaml names none. `explained`: by how many of the
    rows predictions may move because the inputs did.

    The detector looks at every label there is; figures are of predictions later than `since`, where those are enough.
    """
    if facts is None or form is None or reference.predictions is None:
        return Concept("not connected")
    used = [name for name in facts.column_names if name.startswith(USED)]
    made = lines.only(facts.select(used), pc.is_valid(facts["prediction"]))
    if not len(made):
        return Concept("not connected", notes=["no line of the log is a prediction of the version in use"])
    known, notes = joined(made, labels)
    known = lines.only(known, pc.is_valid(known["actual"]))
    none = EvaluatedRows(np.empty(0), np.empty(0)), known, known
    rows, table, dropped = values.numbers(known, reference.predictions, form) if len(known) else none
    notes += values.left_out(dropped)
    labelled = lines.latest(table["time"], clock.now()) if len(table) else None
    until: datetime | None = labelled or pc.min(made["time"]).as_py()
    late = [] if len(table) == len(made) else _late(until, _waiting(made, labelled), ours.labels_within_days)
    watched = None
    if len(rows) < LEAST_LABELS or not len(_of_window(table, since)):
        watched = prediction_drift.check(reference.predictions, _of_window(made, since), form, explained)
    alarms = [*(watched.alarms if watched else []), *late]
    state: State = "holds" if len(rows) >= LEAST_LABELS else "can't tell" if len(rows) else "unknown"
    if state == "can't tell":
        notes = [*notes, f"{len(rows)} labels are too few: it takes {LEAST_LABELS}"]
    found = Concept(state, _iso(until), len(made), len(rows), alarms=alarms, notes=notes, watched=watched)
    if state == "holds":
        return _judged(reference.predictions, rows, table, form, found, since)
    if len(rows) < FEWEST:
        return found
    metric, before = _metric(rows, form), values.evaluated(reference.predictions, form)
    return replace(found, metric=metric, figure=_measured(metric, rows, before))


def measured(
    known: pa.Table, evaluated: pa.Table, form: Predictions
) -> tuple[str, Figure, dict[str, Figure]] | None:
    """Metric and mean loss by slice of predictions whose `actual` is known; None where those are too few."""
    rows, table, _ = values.numbers(known.filter(pc.is_valid(known["actual"])), evaluated, form)
    if len(rows) < FEWEST:
        return None
    before = values.evaluated(evaluated, form)
    losses, usual = _losses(rows, before, form), _losses(before, before, form)
    metric = _metric(rows, form)
    figure = _measured(metric, rows, before)
    return (metric, figure, _slices(losses, table, evaluated, usual)) if figure else None


def _measured(metric: str, rows: EvaluatedRows, before: EvaluatedRows) -> Figure | None:
    """None for what needs two classes where one came true."""
    if metric == "roc_auc" and len(np.unique(rows.actual)) < 2:
        return None
    return intervals.measured(metric, rows, before)


def _judged(
    evaluated: pa.Table,
    rows: EvaluatedRows,
    table: pa.Table,
    form: Predictions,
    so_far: Concept,
    since: datetime | None,
) -> Concept:
    before = values.evaluated(evaluated, form)
    metric = _metric(rows, form)
    losses, usual = _losses(rows, before, form), _losses(before, before, form)
    found = _rise(losses, usual)
    recent = _later(table, since)
    lately, recent_rows = (losses, rows) if recent is None else (losses[recent], rows.take(recent))
    figure = _measured(metric, recent_rows, before)
    notes = [] if figure else [f"only one class came true in {len(lately)} rows: no {metric}"]
    # A low loss ends no alarm by itself: when little happens it is low for a model that sees nothing.
    worse = figure is not None and intervals.is_worse(metric, figure)
    if found and (worse or not _is_past(found, table, since)):
        said = [_risen(found, losses, usual, table)]
        said += [intervals.in_words(metric, figure)] if figure and worse else []
        alarm = Finding("concept-drift", "; ".join(said))
        began = _iso(table["time"][found.began].as_py())
        went = courses.over(
            lines.seconds(table), "mean loss", lambda at: losses[at].mean(), float(usual.mean())
        )
        so_far = replace(so_far, state="drift", since=began, alarms=[*so_far.alarms, alarm], course=went)
    rows, table = recent_rows, table if recent is None else table.take(pa.array(recent))
    return replace(
        so_far,
        metric=metric,
        figure=figure,
        happened=intervals.happened(rows) if form.task == "binary" and rows.probability is not None else None,
        slices=_slices(lately, table, evaluated, usual),
        loss=intervals.mean(lately, float(usual.mean())),
        notes=[*so_far.notes, *notes],
    )


def _rise(losses: Floats, usual: Floats) -> Rise | None:
    """Of losses in the order of time. Where they resemble each other, as on a hard day, so many count as one."""
    run = related(usual[:, None]) + 1
    now, before = (one[: len(one) // run * run].reshape(-1, run).mean(axis=1) for one in (losses, usual))
    bound = float(before.mean() + SURE * before.std() / math.sqrt(len(before)))
    found = chance.rise(now, bound, ODDS)
    return found and Rise(found.began * run, None if found.ended is None else found.ended * run)


def _risen(found: Rise, losses: Floats, usual: Floats, table: pa.Table) -> str:
    during = losses[found.began : found.ended]
    said = f"the mean loss is {during.mean():.3f}, was {usual.mean():.3f} (n = {len(during)})"
    if found.ended is None:
        return said
    over = _iso(table["time"][found.ended].as_py())[:10] or "then"
    return said.replace(" is ", " rose to ", 1) + f" and is lower since {over}"


def _is_past(found: Rise, table: pa.Table, since: datetime | None) -> bool:
    """Was it over before the window began?"""
    ended = None if found.ended is None else table["time"][found.ended].as_py()
    return since is not None and ended is not None and ended <= since


def _later(table: pa.Table, since: datetime | None) -> npt.NDArray[np.intp] | None:
    """Rows of the window; None for all of them, where those have too few labels too."""
    if since is None:
        return None
    recent = np.flatnonzero(are_later(table["time"], since))
    return recent if LEAST_LABELS <= len(recent) < len(table) else None


def _metric(rows: EvaluatedRows, form: Predictions) -> str:
    if form.task == "regression":
        return "rmse"
    return "roc_auc" if rows.probability is not None and rows.probability.ndim == 1 else "accuracy"


def _losses(rows: EvaluatedRows, before: EvaluatedRows, form: Predictions) -> Floats:
    """Between 0 and 1: Brier's where there are probabilities, else missed or not."""
    if form.task == "regression":
        usual = np.quantile(np.abs(before.prediction - before.actual), USUAL)
        return np.asarray(np.abs(rows.prediction - rows.actual) > usual, dtype=float)
    if rows.probability is not None and before.probability is not None:
        shares = np.clip(rows.probability, 0, 1)
        if shares.ndim == 1:
            return np.asarray((shares - rows.actual) ** 2)
        happened = np.arange(shares.shape[1]) == rows.actual[:, None]
        return np.asarray(((shares - happened) ** 2).sum(axis=1) / 2).clip(max=1)
    return np.asarray(rows.prediction != rows.actual, dtype=float)


def _slices(losses: Floats, table: pa.Table, evaluated: pa.Table, usual: Floats) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for name in (one for one in table.column_names if one.startswith(SLICE)):
        column = name.removeprefix(SLICE)
        codes, held = lines.codes(table[name])
        same = len(usual) == len(evaluated) and column in evaluated.column_names
        theirs = np.array(evaluated[column].cast(pa.string()).to_pylist(), dtype=object) if same else None
        for value, at in sorted(zip(held.to_pylist(), range(len(held)), strict=True)):
            here = codes == at
            before = usual[theirs == value] if theirs is not None else usual[:0]
            if here.sum() >= LEAST_LABELS:
                was = float(before.mean()) if len(before) >= LEAST_LABELS else None
                found[f"{column}={value}"] = intervals.mean(losses[here], was)
    return found


def _of_window(table: pa.Table, since: datetime | None) -> pa.Table:
    """Rows later than `since`."""
    return table if since is None else lines.only(table, are_later(table["time"], since))


def _iso(time: datetime | None) -> str:
    return time.isoformat() if time else ""


def _waiting(made: pa.Table, newest: datetime | None) -> datetime | None:
    """When the first prediction was made that is later than all that have a label."""
    waiting: datetime | None = pc.min(_of_window(made, newest)["time"]).as_py()
    return waiting


def _late(until: datetime | None, waiting: datetime | None, days: float) -> list[Finding]:
    """Labels that never come for some rows are no alarm; that none comes any more is one."""
    if until is None or waiting is None or clock.now() - waiting <= timedelta(days=days):
        return []
    return [Finding("no-labels", f"no label since {until:%Y-%m-%d}, for more than {days:g} days")]
