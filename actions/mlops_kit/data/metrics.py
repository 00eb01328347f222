"""The metrics that the kit knows: whether higher is better, and how to compute them from evaluated rows.

A new metric is one entry of METRICS. This module imports NumPy only where a metric is computed, because jobs without
NumPy ask it for directions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_kit.base.errors import KitError

if TYPE_CHECKING:
    from mlops_kit.data.bootstrap import Floats, Positions

WeightedScore = Callable[["Floats"], float]
"""The metric's value for these weights of the rows."""


@dataclass(frozen=True)
class EvaluatedRows:
    """Rows with their label and what a model predicted. Classes are codes: 1 is the positive class of a binary task.

    `probability` has the shape (n,) for a binary task, (n, classes) for a multiclass one.
    """

    actual: "Floats"
    prediction: "Floats"
    probability: "Floats | None" = None

    def __len__(self) -> int:
        return len(self.actual)

    def take(self, rows: "Positions") -> "EvaluatedRows":
        probability = None if self.probability is None else self.probability[rows]
        return EvaluatedRows(self.actual[rows], self.prediction[rows], probability)

    @property
    def all_numbers(self) -> bool:
        import numpy as np

        parts = (self.actual, self.prediction, self.probability)
        return all(bool(np.isfinite(part).all()) for part in parts if part is not None)

    def same_as(self, other: "EvaluatedRows") -> bool:
        """True when both predict the same for every row."""
        import numpy as np

        if not np.array_equal(self.prediction, other.prediction):
            return False
        own, others = self.probability, other.probability
        return own is others or (own is not None and others is not None and np.array_equal(own, others))


# ---- functions: each prepares what does not depend on the weights, so that a replicate is cheap ----


def _mean(values: "Floats") -> WeightedScore:
    return lambda weights: float(weights @ values / weights.sum())


def _accuracy(rows: EvaluatedRows) -> WeightedScore:
    return _mean((rows.prediction == rows.actual).astype(float))


def _balanced_accuracy(rows: EvaluatedRows) -> WeightedScore:
    """The mean of the classes' recalls; NaN where a class has no row."""
    import numpy as np

    codes = np.unique(rows.actual, return_inverse=True)[1]
    correct = (rows.prediction == rows.actual).astype(float)

    def score(weights: "Floats") -> float:
        per_class = np.bincount(codes, weights)
        if not per_class.all():
            return float("nan")
        return float(np.mean(np.bincount(codes, weights * correct) / per_class))

    return score


def _log_loss(rows: EvaluatedRows) -> WeightedScore:
    import numpy as np

    probability = _probability(rows)
    codes = rows.actual.astype(np.intp)
    if probability.ndim == 1:
        of_actual = np.where(codes == 1, probability, 1 - probability)
    else:
        of_actual = probability[np.arange(len(codes)), codes]
    return _mean(-np.log(np.clip(of_actual, 1e-15, 1)))


def _brier(rows: EvaluatedRows) -> WeightedScore:
    import numpy as np

    probability = _probability(rows)
    if probability.ndim == 1:
        return _mean((probability - rows.actual) ** 2)
    one_hot = np.eye(probability.shape[1])[rows.actual.astype(np.intp)]
    return _mean(((probability - one_hot) ** 2).sum(axis=1))


def _roc_auc(rows: EvaluatedRows) -> WeightedScore:
    """The share of pairs of a positive and a negative that are in order; ties count half."""
    import numpy as np

    probability = _probability(rows)
    if probability.ndim > 1:
        raise KitError("roc_auc compares two classes; this task has more.", "Take log_loss or accuracy.")
    rank = np.unique(probability, return_inverse=True)[1]

    def score(weights: "Floats") -> float:
        positives = np.bincount(rank, weights * rows.actual)
        negatives = np.bincount(rank, weights * (1 - rows.actual))
        pairs = positives.sum() * negatives.sum()
        return float(positives @ (negatives.cumsum() - negatives / 2) / pairs) if pairs else float("nan")

    return score


def _rmse(rows: EvaluatedRows) -> WeightedScore:
    mean = _mean((rows.prediction - rows.actual) ** 2)
    return lambda weights: mean(weights) ** 0.5


def _mae(rows: EvaluatedRows) -> WeightedScore:
    return _mean(abs(rows.prediction - rows.actual))


def _r2(rows: EvaluatedRows) -> WeightedScore:
    centred = rows.actual - rows.actual.mean()  # the same result, and no cancellation of large numbers
    error, first, second = _rmse(rows), _mean(centred), _mean(centred**2)

    def score(weights: "Floats") -> float:
        variance = second(weights) - first(weights) ** 2
        return 1 - error(weights) ** 2 / variance if variance > 0 else float("nan")

    return score


def _probability(rows: EvaluatedRows) -> "Floats":
    if rows.probability is None:
        raise KitError("The predictions hold no probability.", "Write it, or compare by accuracy.")
    return rows.probability


# ---- the table ----


@dataclass(frozen=True)
class Score:
    """`compute` is None where the kit knows only the direction: the metric is read from the metrics file."""

    higher_is_better: bool
    compute: Callable[[EvaluatedRows], WeightedScore] | None = None
    is_share: bool = False  # of rows, or of pairs of rows: few rows have Wilson's interval


METRICS: dict[str, Score] = {
    "roc_auc": Score(True, _roc_auc, is_share=True),
    "accuracy": Score(True, _accuracy, is_share=True),
    "balanced_accuracy": Score(True, _balanced_accuracy),
    "log_loss": Score(False, _log_loss),
    "brier": Score(False, _brier),
    "rmse": Score(False, _rmse),
    "mae": Score(False, _mae),
    "r2": Score(True, _r2),
    "average_precision": Score(True),
    "precision": Score(True),
    "recall": Score(True),
    "f1": Score(True),
    "mse": Score(False),
    "mape": Score(False),
    "error": Score(False),
}


def computed() -> list[str]:
    """The names of the metrics that two models can be compared by on the same rows."""
    return [name for name, known in METRICS.items() if known.compute]


def higher_is_better(path: str) -> bool | None:
    """By the last part of a dotted path of the metrics file; None for a metric that the kit does not know."""
    known = METRICS.get(path.rpartition(".")[2])
    return known.higher_is_better if known else None


def weighted_score(metric: str, rows: EvaluatedRows) -> WeightedScore:
    """Raises KitError for a metric that cannot be computed, at all or from these predictions."""
    known = METRICS.get(metric)
    if known is None or known.compute is None:
        raise KitError(f"The metric {metric!r} cannot be compared.", f"Known: {', '.join(computed())}.")
    if not rows.all_numbers:  # sorting and clipping would turn NaN into a value
        return lambda _: float("nan")
    return known.compute(rows)


def score(metric: str, rows: EvaluatedRows) -> float:
    """NaN where the rows do not determine it, for instance the area under the curve of one class."""
    import numpy as np

    return weighted_score(metric, rows)(np.ones(len(rows)))
