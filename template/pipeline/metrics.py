"""Metrics with 95 % confidence intervals, and the curves to plot."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics

Floats = npt.NDArray[np.float64]
Metric = dict[str, float]  # value, low, high
Z = 1.959964  # of a 95 % interval
PRIMARY = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def compute_metrics(task: str, actual: Floats, predicted: Floats) -> dict[str, Any]:
    """The task's metrics, and `n`, the number of rows. What the rows do not define is left out.

    `actual` holds class codes or numbers, shape (n,). `predicted` holds the class probabilities,
    shape (n, classes), or for a regression the numbers, shape (n,).
    """
    measure = {
        "binary": _measure_binary,
        "multiclass": _measure_multiclass,
        "regression": _measure_regression,
    }[task]
    return {"n": len(actual), **measure(actual, predicted)}


def _measure_binary(actual: Floats, predicted: Floats) -> dict[str, Metric]:
    score = predicted[:, 1]
    values = _measure_multiclass(actual, predicted)
    values["brier"] = _measure_mean((score - actual) ** 2, most=1.0)
    values.pop("balanced_accuracy", None)
    positives = int(actual.sum())
    if 0 < positives < len(actual):
        roc_auc = _measure_auc(actual, score, positives, len(actual) - positives)
        values = {"roc_auc": roc_auc} | values
    return values


def _measure_multiclass(actual: Floats, predicted: Floats) -> dict[str, Metric]:
    codes = actual.astype(int)
    hit = (predicted.argmax(axis=1) == codes).astype(float)
    of_actual = np.clip(predicted[np.arange(len(codes)), codes], 1e-15, 1)
    recalls = [hit[codes == code] for code in np.unique(codes)]
    mean_recall = float(np.mean([recall.mean() for recall in recalls]))
    spread = sum(recall.var() / len(recall) for recall in recalls) ** 0.5 / len(recalls)
    return {
        "log_loss": _measure_mean(-np.log(of_actual)),
        "accuracy": _measure_mean(hit, most=1.0),
        "balanced_accuracy": _make_metric(mean_recall, spread, most=1.0),
    }


def _measure_regression(actual: Floats, predicted: Floats) -> dict[str, Metric]:
    error = actual - predicted
    mse = _measure_mean(error**2)
    values: dict[str, Metric] = {
        "rmse": {name: value**0.5 for name, value in mse.items()},
        "mae": _measure_mean(np.abs(error)),
    }
    if actual.var() > 0:
        values["r2"] = {"value": float(1 - mse["value"] / actual.var())}
    return values


def _measure_auc(actual: Floats, score: Floats, positives: int, negatives: int) -> Metric:
    """Standard error after Hanley and McNeil (1982), Radiology 143."""
    auc = float(metrics.roc_auc_score(actual, score))
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return _make_metric(auc, (max(spread, 0.0) / (positives * negatives)) ** 0.5, most=1.0)


def _measure_mean(values: Floats, most: float = np.inf) -> Metric:
    return _make_metric(float(values.mean()), float(values.std() / len(values) ** 0.5), most)


def _make_metric(value: float, spread: float, most: float = np.inf) -> Metric:
    """A metric with its interval, which ends at 0 and at `most`."""
    return {
        "value": value,
        "low": max(value - Z * spread, 0.0),
        "high": min(value + Z * spread, most),
    }


def compute_curves(task: str, actual: Floats, predicted: Floats) -> dict[str, dict[str, Floats]]:
    """The curves to plot: the columns of each, by its name."""
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
