"""Prediction drift: did the distribution of the predictions change? Watched while labels are missing."""

from dataclasses import dataclass, field

import pyarrow as pa

from mlops_kit.alerts.kinds import Finding
from mlops_kit.monitoring.checks import data_drift, histograms
from mlops_kit.monitoring.checks.histograms import Group
from mlops_kit.predictions_log import values
from mlops_kit.project.sections import Predictions
from mlops_kit.statistics import bins
from mlops_kit.statistics.resampling import BLOCK, LEAST_REFERENCE, Resampling, count, tested

ODDS = 0.001  # of a false alarm


@dataclass(frozen=True)
class PredictionDrift:
    name: str  # probability or prediction
    n: int
    by: float | None  # share of the rows that moved; None: no more than chance explains
    explained: bool  # by data drift: the inputs moved as far
    tells: bool  # the window is large enough that "not moved" closes an open alarm
    shares: list[Group] = field(default_factory=list)  # histogram, if they moved

    @property
    def what(self) -> str:
        moved = f"the predictions ({self.name}) moved{' with them' if self.explained else ''}, by {self.by or 0:.1%} of the rows"
        return f"{moved}, and no label says whether they are right (n = {self.n:,})"

    @property
    def alarms(self) -> list[Finding]:
        return [Finding("predictions-moved", self.what)] if self.by and not self.explained else []


def check(
    evaluated: pa.Table, predictions: pa.Table, form: Predictions, explained: float
) -> PredictionDrift | None:
    """Compares predictions with those of the evaluation; None if there are too few to compare.

    `explained`: share of the rows that data drift can move, see `DataDrift.explains`.
    """
    name = (
        "probability"
        if form.task == "binary" and predictions["probability"].null_count == 0
        else "prediction"
    )
    if name not in evaluated.column_names or not len(predictions):
        return None
    before = values.plain(evaluated[name], form).combine_chunks()
    column = bins.cut(name, before)
    if column is None or len(before) < LEAST_REFERENCE:
        return None
    codes = column.encode(before)[-(len(before) // BLOCK * BLOCK) :].reshape(-1, 1)
    n = tested(len(predictions), len(codes))
    resampling = Resampling([column], codes, ordered=True)
    limits = resampling.limits(n, ODDS)
    sample = values.plain(
        predictions[name].take(pa.array(data_drift.compared_rows(len(predictions), n))), form
    ).combine_chunks()
    window = count(column.encode(bins.plain(sample)), column.size)
    statistics = resampling.statistics(0, window, resampling.counts[0])
    by = data_drift.apart(column, window, resampling.counts[0])
    if float(limits.standing(0, statistics)[0]) <= limits.threshold or by < data_drift.LEAST:
        return PredictionDrift(name, n, None, False, data_drift.tells([column], limits))
    shares = (one[0] / one[0].sum() for one in (resampling.counts[0], window))
    return PredictionDrift(name, n, round(by, 4), by <= explained, True, histograms.groups(column, *shares))
