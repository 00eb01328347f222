"""Tables of keys and predictions, and the rows of numbers that metrics are made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_kit.base.errors import KitError
from mlops_kit.data import tables
from mlops_kit.data.metrics import EvaluatedRows
from mlops_kit.project.sections import Predictions, Scalar

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "key"


def read(path: Path, form: Predictions) -> "pa.Table":
    """Read predictions, with columns renamed to key, actual, prediction and probability; keys are text.

    Raises KitError when it cannot be read, or a key occurs twice.
    """
    table = tables.read(path, text=(form.key,))
    kit_names = {form.key: KEY, form.actual: "actual", form.prediction: "prediction"}
    kit_names |= {form.probability: "probability"} if form.task == "binary" else {}
    classes = f"{form.probability}."
    names = [
        f"probability.{name.removeprefix(classes)}"
        if form.task == "multiclass" and name.startswith(classes)
        else kit_names.get(name, name)
        for name in table.column_names
    ]
    return with_key(table.rename_columns(names), KEY, path.name)


def with_key(table: "pa.Table", key: str, name: str) -> "pa.Table":
    """The table with its key as text under the name `key`. Raises KitError when one occurs twice."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if key not in table.column_names:
        raise KitError(
            f"{name} has no column {key!r}, which is to tell its rows apart.",
            f"Name another as `key` in mlops.yaml; its columns: {', '.join(table.column_names[:20])}.",
        )
    keys = table.column(key).cast(pa.string()).combine_chunks()
    if pc.count_distinct(keys, mode="all").as_py() < len(keys) or keys.null_count:
        raise KitError(
            f"{name}: {key!r} does not tell its rows apart: values occur twice or are missing.",
            "Give each row a value of its own, or name another column as `key` in mlops.yaml.",
        )
    others = [column for column in table.column_names if column not in (key, KEY)]
    return table.select(others).append_column(KEY, keys)


def positions(keys: "pa.Array", known: "pa.Array") -> "pa.Array":
    """For each key its place in `known`; null where it is not there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.index_in(_whole(keys), _whole(known)).cast(pa.int64())


def _whole(keys: Any) -> Any:
    return keys.combine_chunks() if hasattr(keys, "combine_chunks") else keys


def evaluated_rows(
    actual: "pa.Array", table: "pa.Table", form: Predictions, classes: list[str]
) -> EvaluatedRows:
    """`classes` in the order of their codes, empty for a regression. Raises KitError for other columns."""
    if "prediction" not in table.column_names:
        raise KitError(
            f"The predictions have no column {form.prediction!r}.",
            f"Name it as `predictions.prediction` in mlops.yaml; there are: {', '.join(table.column_names[:20])}.",
        )
    if form.task == "regression":
        return EvaluatedRows(_floats(actual), _floats(table["prediction"]))
    codes, predicted = (_codes(column, classes) for column in (actual, table["prediction"]))
    if form.task == "binary":
        has = "probability" in table.column_names
        return EvaluatedRows(codes, predicted, _floats(table["probability"]) if has else None)
    none = np.zeros(len(table))  # a class that the model does not know has probability 0
    columns = [
        _floats(table[name]) if name in table.column_names else none
        for name in (f"probability.{value}" for value in classes)
    ]
    has = any(name.startswith("probability.") for name in table.column_names)
    return EvaluatedRows(codes, predicted, np.column_stack(columns) if has else None)


def classes(table: "pa.Table", form: Predictions) -> list[str]:
    """The classes in the evaluated predictions, in the order of their codes; the positive class is 1.

    Raises KitError when a binary task has a third class.
    """
    if form.task == "regression":
        return []
    labels = {
        value for name in ("actual", "prediction") for value in _texts(table[name]) if value is not None
    }
    if form.task == "multiclass":
        named = (name for name in table.column_names if name.startswith("probability."))
        return sorted(labels | {name.removeprefix("probability.") for name in named})
    positive = text(form.positive)
    others = sorted(labels - {positive})
    if len(others) > 1:
        raise KitError(
            f"The predictions hold the classes {', '.join(others)} beside {positive!r}: not binary.",
            "Say `task: multiclass` in mlops.yaml, or write `positive` as the predictions have it.",
        )
    return [*(others or [""]), positive]


def text(value: Scalar | None) -> str:
    """A class as the text that a table has for it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(column: Any) -> list[str | None]:
    import pyarrow as pa

    texts: list[str | None] = column.cast(pa.string()).unique().to_pylist()
    return texts


def _codes(column: Any, classes: list[str]) -> Any:
    """NaN for a class that is not among them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(column.cast(pa.string()), pa.array(classes, pa.string()))
    return _floats(places)


def _floats(column: Any) -> Any:
    """NaN for what is missing."""
    import pyarrow as pa

    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=float)
    except TypeError:  # a column in chunks has no such argument
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=float)
    except pa.ArrowInvalid as error:
        raise KitError(
            f"A column of the predictions holds no numbers: {error}.",
            "Numbers belong there; of classes mlops.yaml says `task: binary` or `multiclass`.",
        ) from error
