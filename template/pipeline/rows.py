"""Rows from a CSV or Parquet file, typed as data/schema.yaml says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import csv, parquet

from pipeline.schema import DTYPES, ROW, Column, DataError, Schema

MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"]
TRUE = ["true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "t", "T", "1", "1.0"]
FALSE = ["false", "False", "FALSE", "no", "No", "NO", "n", "N", "f", "F", "0", "0.0"]
pa.set_memory_pool(pa.system_memory_pool())  # gives memory back at once, which Arrow's own keeps
IN_FILE = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}


def read(path: Path, schema: Schema, *, prepared: bool = False) -> pl.DataFrame:
    """The file's rows with the schema's types and `ROW`, their position from 0, as last column.

    `prepared`: a `ROW` that the file has, because `prepare` wrote it, stays. Ignored columns are
    left out; columns that the schema does not know stay and `checks.check` names them. Raises DataError for a file that cannot be read and for values that
    are not of their column's type.
    """
    if not path.is_file():
        raise DataError(f"{path} is not there; `uv run dvc pull` brings data that DVC tracks")
    types = {name: IN_FILE.get(column.type, pa.string()) for name, column in schema.used.items()}
    try:
        try:
            frame = raw(path, schema.file, types)
        except pa.ArrowInvalid:  # a value is not of its type: as text, so that its row can be named
            frame = raw(path, schema.file)
    except (pa.ArrowException, UnicodeError) as error:
        how = schema.file or "no options"
        raise DataError(f"{path} cannot be read ({how}): {error}") from error
    named = prepared and frame.schema.get(ROW) == pl.Int64
    position = pl.col(ROW) if named else pl.int_range(len(frame), dtype=pl.Int64).alias(ROW)
    unused = [name for name in schema.columns if name not in schema.used]
    decimal = schema.file.get("decimal", ".")
    typed = frame.drop(unused, strict=False).with_columns(
        *(
            _typed(frame[name], column, decimal, path)
            for name, column in schema.used.items()
            if name in frame.columns
        ),
        position,
    )
    return typed.select(pl.exclude(ROW), ROW)


def raw(
    path: Path, file: Mapping[str, Any], types: Mapping[str, pa.DataType] | None = None
) -> pl.DataFrame:
    """A Parquet file with its own types, or a CSV with those given, every other column as text."""
    if path.suffix == ".parquet":
        table = parquet.read_table(path)
    else:
        options = csv.ReadOptions(encoding=file.get("encoding", "utf-8"))
        parse = csv.ParseOptions(
            delimiter=file.get("separator", ","), newlines_in_values=file.get("newlines", False)
        )
        with csv.open_csv(path, options, parse) as header:
            text = dict.fromkeys(header.schema.names, pa.string())
        convert = csv.ConvertOptions(
            column_types=text | dict(types or {}),
            decimal_point=file.get("decimal", "."),
            null_values=MISSING,
            true_values=TRUE,
            false_values=FALSE,
            strings_can_be_null=True,
        )
        table = csv.read_csv(path, options, parse, convert)
    names = table.column_names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{path}: more than one column is called {', '.join(map(repr, twice))}")
    frame = pl.DataFrame(pl.from_arrow(table))
    del table
    pa.default_memory_pool().release_unused()
    return frame


def _typed(values: pl.Series, column: Column, decimal: str, path: Path) -> pl.Series:
    """The values as the column's type; those that cannot be are named with their rows."""
    dtype = DTYPES[column.type]
    if dtype == pl.String:
        typed = values.cast(pl.String, strict=False)
    elif values.dtype == pl.String and column.type == "time":
        typed = times(values.str.strip_chars(), column.format)
    elif values.dtype == pl.String and column.type == "boolean":
        words = {word: word in TRUE for word in TRUE + FALSE}
        typed = values.str.strip_chars().replace_strict(words, default=None, return_dtype=dtype)
    elif values.dtype == pl.String:
        plain = values.str.strip_chars().str.replace(decimal, ".", literal=True)
        typed = plain.cast(dtype, strict=False)
    elif values.dtype.is_temporal():
        typed = values.cast(dtype)
    else:
        typed = values.cast(dtype, strict=False)
        if dtype == pl.Int64:  # 1.5 is not an integer
            typed = typed.set(typed.cast(pl.Float64) != values.cast(pl.Float64), None)
    wrong = typed.is_null() & values.is_not_null()
    if dtype == pl.Float64:
        typed = typed.fill_nan(None)
        wrong |= typed.is_infinite().fill_null(False)
    if wrong.any():
        first = wrong.arg_true().head(5).to_list()
        shown = ", ".join(f"row {row}: {values[row]!r}" for row in first)
        raise DataError(
            f"{path}: column {values.name!r} is not {column.type} in {wrong.sum()} rows ({shown})"
        )
    return typed


def times(values: pl.Series, form: str | None) -> pl.Series:
    """Moments without a zone; those that name one are turned to UTC. Unreadable ones are null."""
    typed = values.str.to_datetime(form, time_unit="us", strict=False)
    return typed.dt.replace_time_zone(None)
