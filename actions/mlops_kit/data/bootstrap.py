"""Two models on the same rows: their metrics, and the interval of the difference by paired bootstrap.

Up to EXACT rows each replicate draws all rows again with replacement. Above that the bag of little bootstraps
(Kleiner, Talwalkar, Sarkar and Jordan 2014, JRSS B 76): each of SUBSETS random subsets of n^0.7 rows is
resampled to the full n, which costs as much as the subset is long.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlops_kit.base.errors import KitError

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Of = Callable[[Floats], float]  # the metric for these weights of the rows

REPLICATES = 1000
EXACT = 20_000
SUBSETS = 10
EXPONENT = 0.7
SEED = 20_14


@dataclass(frozen=True)
class Rows:
    """Evaluated rows. Classes are codes: 1 is the positive class of a binary task.

    `probability` has the shape (n,) for a binary task, (n, classes) for a multiclass one.
    """

    actual: Floats
    prediction: Floats
    probability: Floats | None = None

    def __len__(self) -> int:
        return len(self.actual)

    def take(self, rows: npt.NDArray[np.intp]) -> "Rows":
        probability = None if self.probability is None else self.probability[rows]
        return Rows(self.actual[rows], self.prediction[rows], probability)

    @property
    def all_numbers(self) -> bool:
        shares = self.probability if self.probability is not None else np.zeros(0)
        return all(bool(np.isfinite(one).all()) for one in (self.actual, self.prediction, shares))

    def same_as(self, other: "Rows") -> bool:
        """True when both predict the same for every row."""
        if not np.array_equal(self.prediction, other.prediction):
            return False
        ours, theirs = self.probability, other.probability
        return ours is theirs or (ours is not None and theirs is not None and np.array_equal(ours, theirs))


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


# ---- metrics: each prepares what does not depend on the weights, so that a replicate is cheap ----


def _mean(values: Floats) -> Of:
    return lambda weights: float(weights @ values / weights.sum())


def _accuracy(rows: Rows) -> Of:
    return _mean((rows.prediction == rows.actual).astype(float))


def _balanced_accuracy(rows: Rows) -> Of:
    codes = np.unique(rows.actual, return_inverse=True)[1]
    hit = (rows.prediction == rows.actual).astype(float)

    def of(weights: Floats) -> float:
        there = np.bincount(codes, weights)
        if not there.all():
            return float("nan")
        return float(np.mean(np.bincount(codes, weights * hit) / there))

    return of


def _log_loss(rows: Rows) -> Of:
    shares = _probability(rows)
    codes = rows.actual.astype(np.intp)
    if shares.ndim == 1:
        of_actual = np.where(codes == 1, shares, 1 - shares)
    else:
        of_actual = shares[np.arange(len(codes)), codes]
    return _mean(-np.log(np.clip(of_actual, 1e-15, 1)))


def _brier(rows: Rows) -> Of:
    shares = _probability(rows)
    if shares.ndim == 1:
        return _mean((shares - rows.actual) ** 2)
    happened = np.eye(shares.shape[1])[rows.actual.astype(np.intp)]
    return _mean(((shares - happened) ** 2).sum(axis=1))


def _roc_auc(rows: Rows) -> Of:
    """Share of pairs of a positive and a negative that are in order; ties count half."""
    shares = _probability(rows)
    if shares.ndim > 1:
        raise KitError("roc_auc compares two classes; this task has more.", "Take log_loss or accuracy.")
    rank = np.unique(shares, return_inverse=True)[1]

    def of(weights: Floats) -> float:
        yes = np.bincount(rank, weights * rows.actual)
        no = np.bincount(rank, weights * (1 - rows.actual))
        pairs = yes.sum() * no.sum()
        return float(yes @ (no.cumsum() - no / 2) / pairs) if pairs else float("nan")

    return of


def _rmse(rows: Rows) -> Of:
    mean = _mean((rows.prediction - rows.actual) ** 2)
    return lambda weights: mean(weights) ** 0.5


def _mae(rows: Rows) -> Of:
    return _mean(np.abs(rows.prediction - rows.actual))


def _r2(rows: Rows) -> Of:
    centred = rows.actual - rows.actual.mean()  # the same result, and no cancellation of large numbers
    error, first, second = _rmse(rows), _mean(centred), _mean(centred**2)

    def of(weights: Floats) -> float:
        spread = second(weights) - first(weights) ** 2
        return 1 - error(weights) ** 2 / spread if spread > 0 else float("nan")

    return of


def _probability(rows: Rows) -> Floats:
    if rows.probability is None:
        raise KitError("The predictions hold no probability.", "Write it, or compare by accuracy.")
    return rows.probability


# And whether more is better.
METRICS: dict[str, tuple[Callable[[Rows], Of], bool]] = {
    "roc_auc": (_roc_auc, True),
    "accuracy": (_accuracy, True),
    "balanced_accuracy": (_balanced_accuracy, True),
    "log_loss": (_log_loss, False),
    "brier": (_brier, False),
    "rmse": (_rmse, False),
    "mae": (_mae, False),
    "r2": (_r2, True),
}


def prepared(metric: str, rows: Rows) -> Of:
    """Raises KitError for a metric that is not known or that these predictions do not give."""
    if metric not in METRICS:
        raise KitError(f"The metric {metric!r} cannot be compared.", f"Known: {', '.join(METRICS)}.")
    if not rows.all_numbers:  # sorting and clipping would make a figure of them
        return lambda _: float("nan")
    return METRICS[metric][0](rows)


def score(metric: str, rows: Rows) -> float:
    """NaN where the rows do not determine it, for instance the area under the curve of one class."""
    return prepared(metric, rows)(np.ones(len(rows)))


# ---- the bootstrap ----


def compare(
    metric: str,
    champion: Rows,
    challenger: Rows,
    confidence: float = 0.95,
    *,
    replicates: int = REPLICATES,
    exact: int = EXACT,
    seed: int = SEED,
) -> Difference:
    """Both hold the same rows in the same order. The interval is NaN where a replicate has no value."""
    sign = 1.0 if METRICS.get(metric, (None, True))[1] else -1.0
    old, new = score(metric, champion), score(metric, challenger)
    value, n = sign * (new - old), len(champion)
    if not np.isfinite(value):
        return Difference(old, new, value, value, value, n)
    if champion.same_as(challenger):
        return Difference(old, new, 0.0, 0.0, 0.0, n, same=True)
    draw = np.random.default_rng(seed)

    def gain(at: Places) -> Of:
        ours, theirs = prepared(metric, champion.take(at)), prepared(metric, challenger.take(at))
        return lambda weights: theirs(weights) - ours(weights)

    moved = np.array(list(errors(n, gain, replicates, draw, exact)))
    tail = (1 - confidence) / 2
    # Of the errors, not of the values: a subset's own middle is off by more than the whole's interval.
    low, high = value + np.quantile(sign * moved, [tail, 1 - tail], method="weibull")
    return Difference(old, new, value, float(low), float(high), n)


def errors(
    n: int, of: Callable[[Places], Of], replicates: int, draw: np.random.Generator, exact: int = EXACT
) -> Iterator[float]:
    """How far the replicates of a figure are from it. `of` gives the figure of the rows at these places, by their weights."""
    return _resampled(n, of, replicates, draw) if n <= exact else _little(n, of, replicates, draw)


def _resampled(
    n: int, of: Callable[[Places], Of], replicates: int, draw: np.random.Generator
) -> Iterator[float]:
    """From that of all rows."""
    figure = of(np.arange(n))
    middle = figure(np.ones(n))
    for _ in range(replicates):
        weights = np.bincount(draw.integers(0, n, n), minlength=n).astype(float)
        yield figure(weights) - middle


def _little(
    n: int, of: Callable[[Places], Of], replicates: int, draw: np.random.Generator
) -> Iterator[float]:
    """From that of their subset."""
    size = round(n**EXPONENT)
    for _ in range(SUBSETS):
        figure = of(draw.choice(n, size, replace=False, shuffle=False))
        middle = figure(np.ones(size))
        for _ in range(replicates // SUBSETS):
            yield figure(draw.multinomial(n, np.full(size, 1 / size)).astype(float)) - middle
