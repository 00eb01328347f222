"""Concept drift: is the model still as accurate as when it was registered? Needs labels."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.alerts.kinds import Finding, judged_by
from mlops_kit.base import clock
from mlops_kit.data.bootstrap import Floats
from mlops_kit.data.metrics import EvaluatedRows
from mlops_kit.monitoring.checks import data_drift, prediction_drift, trend
from mlops_kit.monitoring.checks.data_drift import DataDrift
from mlops_kit.monitoring.checks.prediction_drift import PredictionDrift
from mlops_kit.monitoring.checks.trend import Trend
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.reference import Reference
from mlops_kit.monitoring.result import CheckResult
from mlops_kit.predictions_log import lines, values
from mlops_kit.predictions_log.labels import joined
from mlops_kit.predictions_log.lines import SLICE, are_later
from mlops_kit.project.sections import Monitoring, Predictions
from mlops_kit.statistics import chance, intervals
from mlops_kit.statistics.chance import Rise
from mlops_kit.statistics.intervals import Estimate
from mlops_kit.statistics.resampling import related

State = Literal["not connected", "unknown", "can't tell", "holds", "drift"]
ODDS = 0.001  # of a false alarm
LEAST_LABELS = 30
FEWEST = 5  # labels: with fewer, no metric is computed
SURE = 3.0  # standard errors: allowance for the error of the reference's own mean loss
USED = ("time", "key", "prediction", "probability", SLICE)  # columns, and beginnings of their names
USUAL = 0.9  # regression: an error above this quantile of the reference's errors counts as a miss


@dataclass(frozen=True)
class ConceptDrift:
    state: State
    since: str = ""  # unknown: since when; drift: when it began; else: the newest prediction with a label
    predictions: int = 0
    labelled: int = 0
    metric: str = ""
    figure: Estimate | None = None
    happened: Estimate | None = None  # binary: share of positives; `reference`: mean predicted probability
    slices: dict[str, Estimate] = field(default_factory=dict)  # mean loss
    loss: Estimate | None = None
    alarms: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    course: Trend | None = None  # of the loss, if it rose
    watched: PredictionDrift | None = None  # if the window has too few labels


def check(inputs: Inputs) -> CheckResult:
    data: DataDrift = data_drift.check(inputs).details
    settings, log = inputs.contract.monitoring, inputs.log
    if inputs.reference is None:
        return result(ConceptDrift("not connected"), data)
    concept = measure(
        inputs.reference,
        inputs.predictions,
        inputs.labels,
        inputs.contract.predictions,
        settings,
        log.since if log else None,
        data.explains if inputs.window is log else 0.0,
        inputs.now,
    )
    return result(replace(concept, notes=[*concept.notes, *inputs.notes]), data)


def result(concept: ConceptDrift, data: DataDrift) -> CheckResult:
    """Predictions that moved because the inputs did are a line of the inputs' alarm; they have no alarm of their own."""
    watched, alarms = concept.watched, concept.alarms
    if watched and watched.explained:
        alarms = [Finding(data.findings[0].kind, watched.what), *alarms]
    knows = {
        "concept-drift": concept.state in ("holds", "drift"),
        "predictions-moved": not watched or (watched.tells and not watched.explained),
    }
    judged = [kind for kind in judged_by("concept_drift") if knows.get(kind, True)]
    return CheckResult(concept, concept.state, alarms, judged if concept.state != "not connected" else [])


def measure(
    reference: Reference,
    facts: pa.Table | None,
    labels: pa.Table | None,
    form: Predictions | None,
    settings: Monitoring,
    since: datetime | None = None,
    explained: float = 0.0,
    now: datetime | None = None,
) -> ConceptDrift:
    """`labels` has the columns key and actual, as text; None if mlops.yaml names none. `explained`: share of the rows that
    data drift can move.

    The sequential test looks at all labels. The metric and the losses are of predictions later than `since`, if enough
    of those have labels.
    """
    if facts is None or form is None or reference.predictions is None:
        return ConceptDrift("not connected")
    columns = [name for name in facts.column_names if name.startswith(USED)]
    predicted = lines.only(facts.select(columns), pc.is_valid(facts["prediction"]))
    if not len(predicted):
        return ConceptDrift("not connected", notes=["the log has no prediction of the version in production"])
    labelled_rows, notes = joined(predicted, labels)
    labelled_rows = lines.only(labelled_rows, pc.is_valid(labelled_rows["actual"]))
    nothing = EvaluatedRows(np.empty(0), np.empty(0)), labelled_rows, labelled_rows
    rows, table, dropped = (
        values.numbers(labelled_rows, reference.predictions, form) if len(labelled_rows) else nothing
    )
    notes += values.left_out(dropped)
    now = now or clock.now()
    labelled = lines.latest(table["time"], now) if len(table) else None
    until: datetime | None = labelled or pc.min(predicted["time"]).as_py()
    late = (
        []
        if len(table) == len(predicted)
        else _late(until, _waiting(predicted, labelled), settings.labels_within_days, now)
    )
    watched = None
    if len(rows) < LEAST_LABELS or not len(_of_window(table, since)):
        watched = prediction_drift.check(reference.predictions, _of_window(predicted, since), form, explained)
    alarms = [*(watched.alarms if watched else []), *late]
    state: State = "holds" if len(rows) >= LEAST_LABELS else "can't tell" if len(rows) else "unknown"
    if state == "can't tell":
        notes = [*notes, f"{len(rows)} labels are too few: it takes {LEAST_LABELS}"]
    concept = ConceptDrift(
        state, _iso(until), len(predicted), len(rows), alarms=alarms, notes=notes, watched=watched
    )
    if state == "holds":
        return _judge(reference.predictions, rows, table, form, concept, since)
    if len(rows) < FEWEST:
        return concept
    metric, before = _metric(rows, form), values.evaluated(reference.predictions, form)
    return replace(concept, metric=metric, figure=_estimate(metric, rows, before))


def measured(
    predictions: pa.Table, evaluated: pa.Table, form: Predictions
) -> tuple[str, Estimate, dict[str, Estimate]] | None:
    """Name and value of the metric, and the mean loss by slice, of predictions with a label; None if those are too few."""
    rows, table, _ = values.numbers(predictions.filter(pc.is_valid(predictions["actual"])), evaluated, form)
    if len(rows) < FEWEST:
        return None
    before = values.evaluated(evaluated, form)
    losses, usual = _losses(rows, before, form), _losses(before, before, form)
    metric = _metric(rows, form)
    figure = _estimate(metric, rows, before)
    return (metric, figure, _slices(losses, table, evaluated, usual)) if figure else None


def _estimate(metric: str, rows: EvaluatedRows, before: EvaluatedRows) -> Estimate | None:
    """The metric's estimate; None if it needs two classes and all labels are of one."""
    if metric == "roc_auc" and len(np.unique(rows.actual)) < 2:
        return None
    return intervals.measured(metric, rows, before)


def _judge(
    evaluated: pa.Table,
    rows: EvaluatedRows,
    table: pa.Table,
    form: Predictions,
    so_far: ConceptDrift,
    since: datetime | None,
) -> ConceptDrift:
    before = values.evaluated(evaluated, form)
    metric = _metric(rows, form)
    losses, usual = _losses(rows, before, form), _losses(before, before, form)
    rise = _rise(losses, usual)
    recent = _later(table, since)
    recent_losses, recent_rows = (losses, rows) if recent is None else (losses[recent], rows.take(recent))
    figure = _estimate(metric, recent_rows, before)
    notes = (
        []
        if figure
        else [f"the labels of {len(recent_losses)} rows have only one class, so there is no {metric}"]
    )
    # A low loss alone closes no alarm: in a period with few positives it is low for a useless model, too.
    worse = figure is not None and intervals.is_worse(metric, figure)
    if rise and (worse or not _is_past(rise, table, since)):
        reasons = [_rise_in_words(rise, losses, usual, table)]
        reasons += [intervals.in_words(metric, figure)] if figure and worse else []
        alarm = Finding("concept-drift", "; ".join(reasons))
        began = _iso(table["time"][rise.began].as_py())
        trend_of_loss = trend.over(
            lines.seconds(table), "mean loss", lambda at: losses[at].mean(), float(usual.mean())
        )
        so_far = replace(
            so_far, state="drift", since=began, alarms=[*so_far.alarms, alarm], course=trend_of_loss
        )
    rows, table = recent_rows, table if recent is None else table.take(pa.array(recent))
    return replace(
        so_far,
        metric=metric,
        figure=figure,
        happened=intervals.happened(rows) if form.task == "binary" and rows.probability is not None else None,
        slices=_slices(recent_losses, table, evaluated, usual),
        loss=intervals.mean(recent_losses, float(usual.mean())),
        notes=[*so_far.notes, *notes],
    )


def _rise(losses: Floats, usual: Floats) -> Rise | None:
    """Tests losses in the order of time. Autocorrelated ones, as on a hard day, are averaged in runs first."""
    run = related(usual[:, None]) + 1
    now, before = (one[: len(one) // run * run].reshape(-1, run).mean(axis=1) for one in (losses, usual))
    bound = float(before.mean() + SURE * before.std() / math.sqrt(len(before)))
    rise = chance.rise(now, bound, ODDS)
    return rise and Rise(rise.began * run, None if rise.ended is None else rise.ended * run)


def _rise_in_words(rise: Rise, losses: Floats, usual: Floats, table: pa.Table) -> str:
    during = losses[rise.began : rise.ended]
    text = f"the mean loss is {during.mean():.3f}, was {usual.mean():.3f} (n = {len(during)})"
    if rise.ended is None:
        return text
    ended = _iso(table["time"][rise.ended].as_py())[:10] or "then"
    return text.replace(" is ", " rose to ", 1) + f" and is lower since {ended}"


def _is_past(rise: Rise, table: pa.Table, since: datetime | None) -> bool:
    """True if it ended before the window began."""
    ended = None if rise.ended is None else table["time"][rise.ended].as_py()
    return since is not None and ended is not None and ended <= since


def _later(table: pa.Table, since: datetime | None) -> npt.NDArray[np.intp] | None:
    """Indices of the rows later than `since`; None stands for all rows, also if too few later ones have labels."""
    if since is None:
        return None
    recent = np.flatnonzero(are_later(table["time"], since))
    return recent if LEAST_LABELS <= len(recent) < len(table) else None


def _metric(rows: EvaluatedRows, form: Predictions) -> str:
    if form.task == "regression":
        return "rmse"
    return "roc_auc" if rows.probability is not None and rows.probability.ndim == 1 else "accuracy"


def _losses(rows: EvaluatedRows, before: EvaluatedRows, form: Predictions) -> Floats:
    """Losses between 0 and 1: the Brier score if there are probabilities, else 0 for a hit and 1 for a miss."""
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


def _slices(losses: Floats, table: pa.Table, evaluated: pa.Table, usual: Floats) -> dict[str, Estimate]:
    slices: dict[str, Estimate] = {}
    for name in (one for one in table.column_names if one.startswith(SLICE)):
        column = name.removeprefix(SLICE)
        codes, values_of_column = lines.codes(table[name])
        same = len(usual) == len(evaluated) and column in evaluated.column_names
        evaluated_values = (
            np.array(evaluated[column].cast(pa.string()).to_pylist(), dtype=object) if same else None
        )
        for value, at in sorted(zip(values_of_column.to_pylist(), range(len(values_of_column)), strict=True)):
            mask = codes == at
            before = usual[evaluated_values == value] if evaluated_values is not None else usual[:0]
            if mask.sum() >= LEAST_LABELS:
                reference = float(before.mean()) if len(before) >= LEAST_LABELS else None
                slices[f"{column}={value}"] = intervals.mean(losses[mask], reference)
    return slices


def _of_window(table: pa.Table, since: datetime | None) -> pa.Table:
    """Rows later than `since`."""
    return table if since is None else lines.only(table, are_later(table["time"], since))


def _iso(time: datetime | None) -> str:
    return time.isoformat() if time else ""


def _waiting(predicted: pa.Table, newest: datetime | None) -> datetime | None:
    """Time of the first prediction that is later than every one with a label."""
    waiting: datetime | None = pc.min(_of_window(predicted, newest)["time"]).as_py()
    return waiting


def _late(until: datetime | None, waiting: datetime | None, days: float, now: datetime) -> list[Finding]:
    """Rows whose labels never come are no alarm. That labels stopped coming altogether is one."""
    if until is None or waiting is None or now - waiting <= timedelta(days=days):
        return []
    return [Finding("no-labels", f"no label has arrived since {until:%Y-%m-%d}; the limit is {days:g} days")]
