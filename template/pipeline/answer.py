"""Rows in memory -> answers: what a server calls, with the rows of a request."""

from dataclasses import replace
from functools import cache
from typing import Any

import polars as pl

from pipeline import MODEL
from pipeline import schema as schemas
from pipeline.evaluate import keyed, predicted
from pipeline.read import typed_columns
from pipeline.schema import ROW, Schema
from pipeline.train import features, load


def without_target(schema: Schema) -> Schema:
    """Of rows to predict: no target, nothing that the model does not use; they may repeat."""
    used = {name: one for name, one in schema.columns.items() if one.use in ("feature", "key")}
    return replace(schema, columns=used, duplicates=1.0)


def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Key and prediction for each row, which holds every feature and the key.

    The model is loaded by the first call. Raises DataError for values of another type.
    """
    model, schema = loaded()
    frame = from_rows(rows, without_target(schema))
    return keyed(frame, predicted(model, features(frame, schema), schema), schema).to_dicts()


@cache
def loaded() -> tuple[Any, Schema]:
    """The model and its schema, once. Raises DataError where they cannot be loaded."""
    return load(MODEL / "model.joblib"), schemas.load()


def from_rows(rows: list[dict[str, Any]], schema: Schema) -> pl.DataFrame:
    """Rows in memory with the schema's types, and `ROW`. Raises DataError for mistyped values."""
    values = {name: [row[name] for row in rows] for name in schema.used}
    frame = pl.DataFrame({n: pl.Series(n, column, strict=False) for n, column in values.items()})
    position = pl.int_range(len(frame), dtype=pl.Int64).alias(ROW)
    return frame.with_columns(*typed_columns(frame, schema, "the rows"), position)
