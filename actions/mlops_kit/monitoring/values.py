"""Labels and predictions of a log, which are texts, as the numbers that figures are made of."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit import predictions
from mlops_kit.comparison import Floats, Rows
from mlops_kit.errors import KitError
from mlops_kit.sections import Predictions

ROUNDED = 1e-6  # that a probability of single precision may be beside 0 or 1
FLAGS = {"true": "true", "1": "true", "1.0": "true", "false": "false", "0": "false", "0.0": "false"}


def numbers(table: pa.Table, evaluated: pa.Table, form: Predictions) -> tuple[Rows, pa.Table, int]:
    """In the order of time, without rows that hold no such value, and how many those are."""
    classes = predictions.classes(evaluated, form)
    if form.task != "regression" and "time" not in table.column_names and "actual" not in table.column_names:
        raise KitError(
            "The evaluated predictions hold no `actual`.",
            "Have the stage that evaluates write it beside `prediction`: the file is named in mlops.yaml, `predictions:`.",
        )
    shares = [one for one in table.column_names if one.startswith("probability.")]
    if form.task == "multiclass":
        whole = bool(shares) and not any(table[one].null_count for one in shares)
        table = table.drop_columns([*(() if whole else shares), *_there(table, "probability")])
    if "time" in table.column_names:
        table = table.sort_by("time")
    has = "probability" in table.column_names and table["probability"].null_count == 0
    table = table if has or "probability" not in table.column_names else table.drop_columns(["probability"])
    rows = predictions.numbers(_actual(table["actual"], form), _typed(table, form), form, classes)
    good = np.isfinite(rows.actual) & np.isfinite(rows.prediction)
    if rows.probability is not None:
        good &= _are_shares(rows.probability.reshape(len(good), -1)).all(axis=1)
    return rows.take(np.flatnonzero(good)), table.filter(pa.array(good)), int((~good).sum())


def evaluated(table: pa.Table, form: Predictions) -> Rows:
    """What new ones are compared with. Raises KitError where none of them can be judged."""
    rows, _, _ = numbers(table, table, form)
    if not len(rows):
        raise KitError(
            "None of the evaluated predictions can be judged: labels, predictions or probabilities are missing, or "
            "probabilities are not between 0 and 1.",
            "What `predictions:` of mlops.yaml names is looked at.",
        )
    return rows


def _are_shares(probability: Floats) -> npt.NDArray[np.bool_]:
    return np.isfinite(probability) & (probability >= -ROUNDED) & (probability <= 1 + ROUNDED)


def _there(table: pa.Table, *names: str) -> list[str]:
    return [name for name in names if name in table.column_names]


def _typed(table: pa.Table, form: Predictions) -> pa.Table:
    at = table.column_names.index("prediction")
    return table.set_column(at, "prediction", plain(table["prediction"], form))


def _actual(column: Any, form: Predictions) -> Any:
    """Flags as a table of text has them: True, 1 and 1.0 are true."""
    if not isinstance(form.positive, bool) or form.task != "binary" or not pa.types.is_string(column.type):
        return plain(column, form)
    values = [None if one is None else FLAGS.get(one.strip().casefold(), one) for one in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.string())])


def plain(column: Any, form: Predictions) -> Any:
    """Numbers of a regression; what is none is missing."""
    if form.task != "regression" or not pa.types.is_string(column.type):
        return column
    values = [_number(one) for one in column.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.float64())])


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def left_out(known: pa.Table, table: pa.Table, dropped: int) -> list[str]:
    """Which are left out, with an example."""
    if not dropped:
        return []
    kept = set(table["key"].to_pylist())
    out = next((one for one in known.to_pylist() if one["key"] not in kept), None)
    such = f", such as label {out['actual']!r} of prediction {out['prediction']!r}" if out else ""
    if out and out.get("probability") is not None:
        such += f" with probability {out['probability']:g}"
    return [f"{dropped} labels or predictions are no such value{such}, and are left out"]
