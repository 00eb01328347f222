"""Convert labels and predictions of a log, which are texts, into the numbers that metrics need."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit.base.errors import KitError
from mlops_kit.data import predictions
from mlops_kit.data.bootstrap import Floats
from mlops_kit.data.metrics import EvaluatedRows
from mlops_kit.predictions_log import lines
from mlops_kit.project.sections import Predictions

Places = npt.NDArray[np.intp]
ROUNDED = 1e-6  # a probability in single precision may be this far outside of 0 to 1
FLAGS = {"true": "true", "1": "true", "1.0": "true", "false": "false", "0": "false", "0.0": "false"}


def numbers(
    table: pa.Table, evaluated: pa.Table, form: Predictions
) -> tuple[EvaluatedRows, pa.Table, pa.Table]:
    """The rows with valid values, in the order of time, as numbers and as a table; and the table of the dropped rows."""
    classes = predictions.classes(evaluated, form)
    if form.task != "regression" and "time" not in table.column_names and "actual" not in table.column_names:
        raise KitError(
            "The evaluated predictions hold no `actual`.",
            "`predictions.actual` of mlops.yaml says how the column is called that holds what came true.",
        )
    shares = [one for one in table.column_names if one.startswith("probability.")]
    if form.task == "multiclass":
        whole = bool(shares) and not any(table[one].null_count for one in shares)
        table = table.drop_columns([*(() if whole else shares), *_there(table, "probability")])
    has = "probability" in table.column_names and table["probability"].null_count == 0
    table = table if has or "probability" not in table.column_names else table.drop_columns(["probability"])
    rows = predictions.evaluated_rows(
        _actual(table["actual"], form), _with_typed_predictions(table, form), form, classes
    )
    good = np.isfinite(rows.actual) & np.isfinite(rows.prediction)
    if rows.probability is not None:
        good &= _are_shares(rows.probability.reshape(len(good), -1)).all(axis=1)
    places = np.flatnonzero(good)
    if "time" in table.column_names:
        places = places[_in_order(table["time"], places)]
    if np.array_equal(places, np.arange(len(table))):
        return rows, table, table.slice(0, 0)
    return rows.take(places), table.take(pa.array(places)), table.filter(pa.array(~good))


def _in_order(times: pa.ChunkedArray, places: Places) -> Places:
    """Rows without a time come last."""
    moments = times.cast(pa.int64()).fill_null(np.iinfo(np.int64).max).to_numpy()[places]
    return np.argsort(moments, kind="stable")


def evaluated(table: pa.Table, form: Predictions) -> EvaluatedRows:
    """The evaluated predictions as numbers. Raises KitError if none is valid."""
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


def _with_typed_predictions(table: pa.Table, form: Predictions) -> pa.Table:
    at = table.column_names.index("prediction")
    return table.set_column(at, "prediction", plain(table["prediction"], form))


def _actual(column: Any, form: Predictions) -> Any:
    """Booleans in the spellings of text files: True, 1 and 1.0 are true."""
    if not isinstance(form.positive, bool) or form.task != "binary" or not _are_texts(column):
        return plain(column, form)
    return lines.by_value(column, _flags)


def _flags(texts: pa.Array) -> pa.Array:
    flags = [None if one is None else FLAGS.get(one.strip().casefold(), one) for one in texts.to_pylist()]
    return pa.array(flags, pa.string())


def plain(column: Any, form: Predictions) -> Any:
    """For a regression, texts as numbers, null for a text that is none; else the column as it is."""
    if form.task != "regression" or not _are_texts(column):
        return column
    return lines.by_value(column, _of_texts)


def _are_texts(column: Any) -> bool:
    kind = column.type
    return bool(pa.types.is_string(kind.value_type if pa.types.is_dictionary(kind) else kind))


def _of_texts(texts: pa.Array) -> pa.Array:
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return pa.array([_number(one) for one in texts.to_pylist()], pa.float64())


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def left_out(dropped: pa.Table) -> list[str]:
    """A note: how many rows were dropped, with an example."""
    if not len(dropped):
        return []
    (row,) = dropped.slice(0, 1).to_pylist()
    example = f"such as label {row['actual']!r} of prediction {row['prediction']!r}"
    if row.get("probability") is not None:
        example += f" with probability {row['probability']:g}"
    return [f"{len(dropped)} labels or predictions are no such value, {example}, and are left out"]
