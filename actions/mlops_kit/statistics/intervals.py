"""Estimates of a metric with a 99 % confidence interval."""

import math
from dataclasses import dataclass

import numpy as np

from mlops_kit.data.bootstrap import Floats, errors
from mlops_kit.data.metrics import METRICS, EvaluatedRows, weighted_score

RESAMPLED, CONFIDENCE, SIGMAS = 300, 0.99, 2.576
FEW = 30  # rows: with fewer, the bootstrap interval is too narrow


@dataclass(frozen=True)
class Estimate:
    """`low` and `high` are the 99 % confidence interval; `reference` is the value to compare with."""

    value: float
    low: float
    high: float
    n: int
    reference: float | None = None


def measured(metric: str, rows: EvaluatedRows, before: EvaluatedRows) -> Estimate:
    draw, n = np.random.default_rng(0), len(rows)
    value, reference = (weighted_score(metric, one)(np.ones(len(one))) for one in (rows, before))
    drawn = list(errors(n, lambda at: weighted_score(metric, rows.take(at)), RESAMPLED, draw))
    ends = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    low, high = (value + float(end) for end in ends)
    if METRICS[metric].is_share and (n < FEW or low == high):
        low, high = _of_share(value, _rows_behind(metric, rows))
    return Estimate(value, low, high, n, reference)


def _rows_behind(metric: str, rows: EvaluatedRows) -> int:
    """Rows behind a share: for the area under the ROC curve those of the rarer class."""
    return min(np.unique(rows.actual, return_counts=True)[1]) if metric == "roc_auc" else len(rows)


def _of_share(value: float, n: int) -> tuple[float, float]:
    """Wilson's interval. A bootstrap of few rows that are all correct would claim that all rows will be."""
    weight = SIGMAS**2 / n
    middle = (value + weight / 2) / (1 + weight)
    half = SIGMAS * math.sqrt(value * (1 - value) / n + weight / n / 4) / (1 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def mean(values: Floats, reference: float | None) -> Estimate:
    value, half = float(values.mean()), SIGMAS * float(values.std()) / math.sqrt(len(values))
    return Estimate(value, value - half, value + half, len(values), reference)


def happened(rows: EvaluatedRows) -> Estimate:
    """Share of the positive class; `reference`: the mean predicted probability."""
    assert rows.probability is not None
    difference = mean(rows.actual - rows.probability, None)
    predicted = float(rows.probability.mean())
    low, high = max(difference.low + predicted, 0.0), min(difference.high + predicted, 1.0)
    return Estimate(difference.value + predicted, low, high, difference.n, predicted)


def is_worse(metric: str, estimate: Estimate) -> bool:
    """True if the whole interval is worse than the reference."""
    if estimate.reference is None:
        return False
    higher = METRICS[metric].higher_is_better
    return estimate.high < estimate.reference if higher else estimate.low > estimate.reference


def in_words(metric: str, estimate: Estimate) -> str:
    return f"{metric} is {estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}), was {estimate.reference:.3f}"
