"""Limits for the distances of other libraries, by the resampling that calibrates the check itself.

The limits hold together: of 100 windows like the reference at most one exceeds any of them.
"""

import math

import numpy as np
import numpy.typing as npt

from mlops_kit.statistics.bins import Bins
from mlops_kit.statistics.resampling import LEVEL, REPLICATES, Array, Resampling

Floats = npt.NDArray[np.float64]
COMMON = (
    0.95  # quantile of the replicates above which the tail begins; a distance is measured in its mean excess
)
BETWEEN_STEPS = 0.5826  # sd by which a random walk exceeds its maximum at discrete steps (Siegmund 1985)


def limits(
    resampling: Resampling, n: int, columns: set[str], coarse: set[str]
) -> dict[str, dict[str, float]]:
    """Limits by column and distance, for windows of `n` rows.

    `step` is the largest distance between two cumulative distributions (Kolmogorov-Smirnov) of an ordered column. It is
    raised for `coarse` columns, whose values are finer than their bins, because libraries compare every value.
    """
    tails: dict[tuple[int, str], tuple[float, float]] = {}
    highest = np.full(REPLICATES, -np.inf)
    for index, (window, reference) in enumerate(resampling.replicates(n)):
        if resampling.bins[index].name not in columns:
            continue
        for name, squares in _squares(resampling.bins[index], window, reference).items():
            middle = float(np.quantile(squares, COMMON))
            tail = squares[squares > middle]
            spread = max(float((tail - middle).mean()) if len(tail) else 0.0, 1e-9)
            np.maximum(highest, (squares - middle) / spread, out=highest)
            tails[index, name] = middle, spread
    threshold = float(np.sort(highest)[-max(int(LEVEL * REPLICATES), 1)])
    limits_by_column: dict[str, dict[str, float]] = {}
    for (index, name), (middle, spread) in tails.items():
        column = resampling.bins[index]
        limit = math.sqrt(middle + threshold * spread)
        if column.name in coarse:
            limit += _between(column, n, len(resampling.codes))
        limits_by_column.setdefault(column.name, {})[name] = round(min(limit, 1.0), 6)
    return limits_by_column


def _squares(column: Bins, window: Array, reference: Array) -> dict[str, Floats]:
    """Squared distances of each replicate: their tails are exponential, as a threshold in units of spread assumes."""
    g, f = _shares(window), _shares(reference)
    if column.is_ordered:
        return {"step": np.abs(np.cumsum(g - f, axis=1)).max(axis=1) ** 2}
    middle = (f + g) / 2
    divergence = (_divergence(f, middle) + _divergence(g, middle)) / 2
    return {
        "jensen_shannon": np.maximum(divergence, 0),
        "hellinger": np.maximum(1 - np.sqrt(f * g).sum(axis=1), 0),
    }


def _shares(counts: Array) -> Floats:
    present = counts[:, :-1].astype(float)
    return np.asarray(present / np.maximum(present.sum(axis=1, keepdims=True), 1))


def _divergence(shares: Floats, other: Floats) -> Floats:
    there = shares > 0
    ratio = np.where(there, shares, 1) / np.where(there, other, 1)
    return np.asarray((shares * np.log(ratio)).sum(axis=1))


def _between(column: Bins, n: int, reference: int) -> float:
    return BETWEEN_STEPS / math.sqrt(column.size * n * reference / (n + reference))
