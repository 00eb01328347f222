"""Figures of merit with 95 % intervals, and the curves to plot, from actual and predicted values."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics

Floats = npt.NDArray[np.float64]
Figure = dict[str, float]  # value, low, high
Z = 1.959964  # of a 95 % interval
PRIMARY = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def figures(task: str, actual: Floats, predicted: Floats) -> dict[str, Any]:
    """The task's figures with `n`, the number of rows; what the rows do not determine is left out.

    `actual` holds class codes or numbers, shape (n,). `predicted` holds the class probabilities,
    shape (n, classes), or for a regression the numbers, shape (n,).
    """
    of = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[task]
    return {"n": len(actual), **of(actual, predicted)}


def _binary(actual: Floats, predicted: Floats) -> dict[str, Figure]:
    score = predicted[:, 1]
    found = _multiclass(actual, predicted) | {"brier": _mean((score - actual) ** 2, most=1.0)}
    found.pop("balanced_accuracy", None)
    positives = int(actual.sum())
    if 0 < positives < len(actual):
        found = {"roc_auc": _auc(actual, score, positives, len(actual) - positives)} | found
    return found


def _multiclass(actual: Floats, predicted: Floats) -> dict[str, Figure]:
    codes = actual.astype(int)
    hit = (predicted.argmax(axis=1) == codes).astype(float)
    of_actual = np.clip(predicted[np.arange(len(codes)), codes], 1e-15, 1)
    recalls = [hit[codes == code] for code in np.unique(codes)]
    spread = sum(recall.var() / len(recall) for recall in recalls) ** 0.5 / len(recalls)
    return {
        "log_loss": _mean(-np.log(of_actual)),
        "accuracy": _mean(hit, most=1.0),
        "balanced_accuracy": _figure(float(np.mean([r.mean() for r in recalls])), spread, most=1.0),
    }


def _regression(actual: Floats, predicted: Floats) -> dict[str, Figure]:
    error = actual - predicted
    mse = _mean(error**2)
    found = {
        "rmse": {name: value**0.5 for name, value in mse.items()},
        "mae": _mean(np.abs(error)),
    }
    if actual.var() > 0:
        found["r2"] = {"value": float(1 - mse["value"] / actual.var())}
    return found


def _auc(actual: Floats, score: Floats, positives: int, negatives: int) -> Figure:
    """Standard error after Hanley and McNeil (1982), Radiology 143."""
    auc = float(metrics.roc_auc_score(actual, score))
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return _figure(auc, (max(spread, 0.0) / (positives * negatives)) ** 0.5, most=1.0)


def _mean(values: Floats, most: float = np.inf) -> Figure:
    return _figure(float(values.mean()), float(values.std() / len(values) ** 0.5), most)


def _figure(value: float, spread: float, most: float = np.inf) -> Figure:
    """None of them can be below 0 or above `most`."""
    return {
        "value": value,
        "low": max(value - Z * spread, 0.0),
        "high": min(value + Z * spread, most),
    }


def curves(task: str, actual: Floats, predicted: Floats) -> dict[str, dict[str, Floats]]:
    """What to plot: a name for each curve, and its columns."""
    if task == "regression":
        return {"residuals": {"predicted": predicted, "residual": actual - predicted}}
    if task == "multiclass":
        return {"confusion": {"actual": actual, "predicted": predicted.argmax(axis=1)}}
    score = predicted[:, 1]
    false, true, _ = metrics.roc_curve(actual, score)
    precision, recall, _ = metrics.precision_recall_curve(actual, score)
    edges = np.unique(np.quantile(score, np.linspace(0, 1, 11)))
    bins = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, max(len(edges) - 2, 0))
    rows = np.bincount(bins)
    return {
        "roc": {"false_positive_rate": false, "true_positive_rate": true},
        "precision_recall": {"recall": recall, "precision": precision},
        "calibration": {
            "predicted": np.bincount(bins, score)[rows > 0] / rows[rows > 0],
            "actual": np.bincount(bins, actual)[rows > 0] / rows[rows > 0],
        },
    }
