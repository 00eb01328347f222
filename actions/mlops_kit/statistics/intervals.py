"""A figure of predictions whose outcome is known, with its interval."""

import math
from dataclasses import dataclass

import numpy as np

from mlops_kit.data.bootstrap import Floats, Rows, errors, prepared

RESAMPLED, CONFIDENCE, SIGMAS = 300, 0.99, 2.576
FEW = 30  # rows that, drawn again and again, tell less than they seem to
SHARES = ("accuracy", "roc_auc")


@dataclass(frozen=True)
class Estimate:
    """`low` and `high` are a 99 % interval."""

    value: float
    low: float
    high: float
    n: int
    reference: float | None = None


def measured(metric: str, rows: Rows, before: Rows) -> Estimate:
    draw, n = np.random.default_rng(0), len(rows)
    value, was = (prepared(metric, one)(np.ones(len(one))) for one in (rows, before))
    drawn = list(errors(n, lambda at: prepared(metric, rows.take(at)), RESAMPLED, draw))
    ends = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    low, high = (value + float(end) for end in ends)
    if metric in SHARES and (n < FEW or low == high):
        low, high = _of_share(value, _judged(metric, rows))
    return Estimate(value, low, high, n, was)


def _judged(metric: str, rows: Rows) -> int:
    """Rows that a share is of: of an area under the curve those of the rarer class."""
    return min(np.unique(rows.actual, return_counts=True)[1]) if metric == "roc_auc" else len(rows)


def _of_share(value: float, n: int) -> tuple[float, float]:
    """Wilson's interval: few rows that are all right do not say that all will be, as those drawn from them would."""
    weight = SIGMAS**2 / n
    middle = (value + weight / 2) / (1 + weight)
    half = SIGMAS * math.sqrt(value * (1 - value) / n + weight / n / 4) / (1 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def mean(values: Floats, reference: float | None) -> Estimate:
    value, half = float(values.mean()), SIGMAS * float(values.std()) / math.sqrt(len(values))
    return Estimate(value, value - half, value + half, len(values), reference)


def happened(rows: Rows) -> Estimate:
    """Share of the positive class; its `reference` is what was predicted."""
    assert rows.probability is not None
    found = mean(rows.actual - rows.probability, None)
    predicted = float(rows.probability.mean())
    low, high = max(found.low + predicted, 0.0), min(found.high + predicted, 1.0)
    return Estimate(found.value + predicted, low, high, found.n, predicted)


def is_worse(metric: str, one: Estimate) -> bool:
    """Than the reference, by the whole interval."""
    if one.reference is None:
        return False
    return one.low > one.reference if metric == "rmse" else one.high < one.reference


def in_words(metric: str, one: Estimate) -> str:
    return f"{metric} is {one.value:.3f} ({one.low:.3f} to {one.high:.3f}), was {one.reference:.3f}"
