"""What a table gives to learn from and to judge by."""

import math
from typing import Any

import polars as pl
from pipeline.schema import Schema

JUDGED_ROWS = 100  # test rows from which on a result can be judged
TYPICAL = 0.75  # roc_auc or accuracy around which the width of an interval is shown
Z = 1.96  # of a 95 % confidence interval


def overview(schema: Schema, train: pl.DataFrame, test: pl.DataFrame) -> dict[str, Any]:
    """Everything that was inferred, and warnings."""
    return {
        "task": schema.task,
        "target": schema.target,
        "positive": schema.positive,
        "time": schema.time,
        "key": schema.key,
        "slices": schema.slices,
        "features": [{"name": name, "type": column.type} for name, column in schema.features.items()],
        "left_out": [
            {"name": name, "because": column.because}
            for name, column in schema.columns.items()
            if column.use == "ignored"
        ],
        "split": {"by": schema.time, "train": len(train), "test": len(test)},
        "warnings": warnings(schema, test),
    }


def warnings(schema: Schema, test: pl.DataFrame) -> list[str]:
    """That nothing can be judged, if there are fewer than `JUDGED_ROWS` test rows."""
    if len(test) >= JUDGED_ROWS:
        return []
    metric, around, half = _interval(schema, test)
    shown = f"{around - half:.2f} to {min(around + half, 1):.2f} for a {metric} of {around:.2f}"
    if schema.task == "regression":
        shown = f"{around - half:.0%} to {around + half:.0%} of the {metric}"
    warning = (
        f"{len(test)} test rows. With fewer than {JUDGED_ROWS} test rows no result can be judged: "
        f"the 95 % confidence interval would be about {shown}, so a better model and a worse one look the same"
    )
    return [warning]


def _interval(schema: Schema, test: pl.DataFrame) -> tuple[str, float, float]:
    """The metric, a typical value, and half of the width of its 95 % confidence interval for these test rows."""
    rows = len(test)
    if schema.task == "regression":  # of a standard deviation, for normal residuals
        return "rmse", 1.0, Z / math.sqrt(2 * rows)
    if schema.task == "multiclass":
        return "accuracy", TYPICAL, Z * math.sqrt(TYPICAL * (1 - TYPICAL) / rows)
    positive = int((test[schema.target] == schema.positive).sum())
    return "roc_auc", TYPICAL, Z * _error_of_auc(positive, rows - positive)


def _error_of_auc(positive: int, negative: int) -> float:
    """Standard error of a roc_auc of `TYPICAL` (Hanley and McNeil, 1982)."""
    area = TYPICAL
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (positive - 1) * (one - area**2) + (negative - 1) * (two - area**2)
    return math.sqrt(variance / (positive * negative))
