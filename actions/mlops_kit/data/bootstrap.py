"""Compare two models on the same rows: the difference of a metric, and its interval by paired bootstrap.

Up to EXACT rows each replicate draws all rows again with replacement. Above that the bag of little bootstraps
(Kleiner, Talwalkar, Sarkar and Jordan 2014, JRSS B 76): each of SUBSETS random subsets of n^0.7 rows is
resampled to the full n, which costs as much as the subset is long.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlops_kit.data.metrics import METRICS, EvaluatedRows, WeightedScore, score, weighted_score

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

REPLICATES = 1000
EXACT = 20_000
SUBSETS = 10
EXPONENT = 0.7
SEED = 20_14


@dataclass(frozen=True)
class Difference:
    """Challenger minus champion, turned so that plus is better. `low` and `high` are its interval."""

    champion: float
    challenger: float
    value: float
    low: float
    high: float
    n: int
    same: bool = False  # the predictions are identical

    @property
    def is_known(self) -> bool:
        return bool(np.isfinite([self.value, self.low, self.high]).all())


def compare(
    metric: str,
    champion: EvaluatedRows,
    challenger: EvaluatedRows,
    confidence: float = 0.95,
    *,
    replicates: int = REPLICATES,
    exact: int = EXACT,
    seed: int = SEED,
) -> Difference:
    """Both hold the same rows in the same order. The interval is NaN where a replicate has no value.

    Raises KitError for a metric that cannot be computed.
    """
    old, new = score(metric, champion), score(metric, challenger)
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0
    value, n = sign * (new - old), len(champion)
    if not np.isfinite(value):
        return Difference(old, new, value, value, value, n)
    if champion.same_as(challenger):
        return Difference(old, new, 0.0, 0.0, 0.0, n, same=True)
    draw = np.random.default_rng(seed)

    def gain(at: Positions) -> WeightedScore:
        before, after = weighted_score(metric, champion.take(at)), weighted_score(metric, challenger.take(at))
        return lambda weights: after(weights) - before(weights)

    deviations = np.array(list(errors(n, gain, replicates, draw, exact)))
    tail = (1 - confidence) / 2
    # Quantiles of the deviations, not of the values: a subset's own centre is off by more than the whole's interval.
    low, high = value + np.quantile(sign * deviations, [tail, 1 - tail], method="weibull")
    return Difference(old, new, value, float(low), float(high), n)


def errors(
    n: int,
    statistic: Callable[[Positions], WeightedScore],
    replicates: int,
    draw: np.random.Generator,
    exact: int = EXACT,
) -> Iterator[float]:
    """How far each replicate of a statistic is from its value.

    `statistic` returns the statistic of the rows at these positions, as a function of their weights.
    """
    resample = _bootstrap if n <= exact else _little_bootstraps
    return resample(n, statistic, replicates, draw)


def _bootstrap(
    n: int, statistic: Callable[[Positions], WeightedScore], replicates: int, draw: np.random.Generator
) -> Iterator[float]:
    """The difference from the value of all rows."""
    of_weights = statistic(np.arange(n))
    centre = of_weights(np.ones(n))
    for _ in range(replicates):
        weights = np.bincount(draw.integers(0, n, n), minlength=n).astype(float)
        yield of_weights(weights) - centre


def _little_bootstraps(
    n: int, statistic: Callable[[Positions], WeightedScore], replicates: int, draw: np.random.Generator
) -> Iterator[float]:
    """The difference from the value of the replicate's subset."""
    size = round(n**EXPONENT)
    for _ in range(SUBSETS):
        of_weights = statistic(draw.choice(n, size, replace=False, shuffle=False))
        centre = of_weights(np.ones(size))
        for _ in range(replicates // SUBSETS):
            yield of_weights(draw.multinomial(n, np.full(size, 1 / size)).astype(float)) - centre
