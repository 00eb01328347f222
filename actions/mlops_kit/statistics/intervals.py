"""A figure of predictions whose outcome is known, with its interval."""

import math
from dataclasses import dataclass

import numpy as np

from mlops_kit.data.bootstrap import Floats, errors
from mlops_kit.data.scores import METRICS, EvaluatedRows, weighted_score

RESAMPLED, CONFIDENCE, SIGMAS = 300, 0.99, 2.576
FEW = 30  # rows that, drawn again and again, tell less than they seem to


@dataclass(frozen=True)
class Figure:
    """`low` and `high` are a 99 % interval."""

    value: float
    low: float
    high: float
    n: int
    reference: float | None = None


def measured(metric: str, rows: EvaluatedRows, before: EvaluatedRows) -> Figure:
    draw, n = np.random.default_rng(0), len(rows)
    value, was = (weighted_score(metric, one)(np.ones(len(one))) for one in (rows, before))
    drawn = list(errors(n, lambda at: weighted_score(metric, rows.take(at)), RESAMPLED, draw))
    ends = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    low, high = (value + float(end) for end in ends)
    if METRICS[metric].is_share and (n < FEW or low == high):
        low, high = _of_share(value, _judged(metric, rows))
    return Figure(value, low, high, n, was)


def _judged(metric: str, rows: EvaluatedRows) -> int:
    """Rows that a share is of: of an area under the curve those of the rarer class."""
    return min(np.unique(rows.actual, return_counts=True)[1]) if metric == "roc_auc" else len(rows)


def _of_share(value: float, n: int) -> tuple[float, float]:
    """Wilson's interval: few rows that are all right do not say that all will be, as those drawn from them would."""
    weight = SIGMAS**2 / n
    middle = (value + weight / 2) / (1 + weight)
    half = SIGMAS * math.sqrt(value * (1 - value) / n + weight / n / 4) / (1 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def mean(values: Floats, reference: float | None) -> Figure:
    value, half = float(values.mean()), SIGMAS * float(values.std()) / math.sqrt(len(values))
    return Figure(value, value - half, value + half, len(values), reference)


def happened(rows: EvaluatedRows) -> Figure:
    """Share of the positive class; its `reference` is what was predicted."""
    assert rows.probability is not None
    found = mean(rows.actual - rows.probability, None)
    predicted = float(rows.probability.mean())
    low, high = max(found.low + predicted, 0.0), min(found.high + predicted, 1.0)
    return Figure(found.value + predicted, low, high, found.n, predicted)


def is_worse(metric: str, one: Figure) -> bool:
    """Than the reference, by the whole interval."""
    if one.reference is None:
        return False
    return one.high < one.reference if METRICS[metric].higher_is_better else one.low > one.reference


def in_words(metric: str, one: Figure) -> str:
    return f"{metric} is {one.value:.3f} ({one.low:.3f} to {one.high:.3f}), was {one.reference:.3f}"
