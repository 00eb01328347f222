"""A figure of predictions whose outcome is known, with its interval."""

import math
from dataclasses import dataclass

import numpy as np

from mlops_kit.comparison import Floats, Rows, prepared

RESAMPLED, CONFIDENCE = 300, 0.99


@dataclass(frozen=True)
class Figure:
    """`low` and `high` are a 99 % interval."""

    value: float
    low: float
    high: float
    n: int
    reference: float | None = None


def measured(metric: str, rows: Rows, before: Rows) -> Figure:
    draw, n = np.random.default_rng(0), len(rows)
    of = prepared(metric, rows)
    drawn = [of(np.bincount(draw.integers(0, n, n), minlength=n).astype(float)) for _ in range(RESAMPLED)]
    low, high = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    was = prepared(metric, before)(np.ones(len(before)))
    return Figure(of(np.ones(n)), float(low), float(high), n, was)


def mean(values: Floats, reference: float | None) -> Figure:
    value, half = float(values.mean()), 2.576 * float(values.std()) / math.sqrt(len(values))
    return Figure(value, value - half, value + half, len(values), reference)


def happened(rows: Rows) -> Figure:
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
    return one.low > one.reference if metric == "rmse" else one.high < one.reference


def in_words(metric: str, one: Figure) -> str:
    return f"{metric} is {one.value:.3f} ({one.low:.3f} to {one.high:.3f}), was {one.reference:.3f}"
