"""Rows from a CSV or Parquet file, typed as data/schema.yaml says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import csv, parquet

from pipeline.coerce import FALSE, TRUE, convert
from pipeline.schema import PATH, ROW, DataError, Schema

MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"]
pa.set_memory_pool(pa.system_memory_pool())  # gives memory back at once, which Arrow's own keeps
IN_FILE = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}


def read(path: Path, schema: Schema, *, prepared: bool = False) -> pl.DataFrame:
    """The file's rows with the schema's types and `ROW`, their position from 0, as last column.

    `prepared`: a `ROW` that the file has, because `prepare` wrote it, stays. Ignored columns are
    left out; columns that the schema does not know stay and `checks.check` names them. Raises
    DataError for a file that cannot be read and for values that are not of their column's type.
    """
    if not path.is_file():
        tracked = path.with_name(f"{path.name}.dvc").exists()
        raise DataError(f"{path} is not there{'; `uv run dvc pull` brings it' if tracked else ''}")
    types = {name: IN_FILE.get(column.type, pa.string()) for name, column in schema.used.items()}
    try:
        try:
            frame = read_untyped(path, schema.file, types)
        except pa.ArrowInvalid:  # a value is not of its type: as text, so that its row can be named
            frame = read_untyped(path, schema.file)
    except (pa.ArrowException, UnicodeError) as error:
        how = schema.file or {"encoding": "utf-8", "separator": ","}
        said = f"{path} cannot be read with {how}, as `file` of {PATH} says: {error}"
        raise DataError(said) from error
    named = prepared and frame.schema.get(ROW) == pl.Int64
    if ROW in frame.columns and not named:
        raise DataError(f"{path}: a column is called {ROW!r}, which is taken: rename it")
    position = pl.col(ROW) if named else pl.int_range(len(frame), dtype=pl.Int64).alias(ROW)
    unused = [name for name in schema.columns if name not in schema.used]
    columns = convert_columns(frame, schema, str(path))
    rows = frame.drop(unused, strict=False).with_columns(*columns, position)
    # only where it must: putting columns in another order takes a third more memory
    return rows.select(pl.exclude(ROW), ROW) if named else rows


def convert_columns(frame: pl.DataFrame, schema: Schema, where: str) -> list[pl.Series]:
    """The used columns that are there. Raises DataError with a line for each that is mistyped."""
    columns, problems = [], []
    for name, column in schema.used.items():
        if name in frame.columns:
            try:
                columns.append(convert(frame[name], column, schema.file.get("decimal", ".")))
            except DataError as error:
                problems.append(f"{where}: {error}")
    if problems:
        raise DataError("\n".join(problems))
    return columns


def read_untyped(
    path: Path, file: Mapping[str, Any], types: Mapping[str, pa.DataType] | None = None
) -> pl.DataFrame:
    """A Parquet file with its own types, or a CSV with those given, every other column as text."""
    if path.suffix == ".parquet":
        _refuse_duplicate_names(parquet.read_schema(path).names, path)
        table = parquet.read_table(path)
    else:
        options = csv.ReadOptions(encoding=file.get("encoding", "utf-8"))
        parse = csv.ParseOptions(
            delimiter=file.get("separator", ","), newlines_in_values=file.get("newlines", False)
        )
        with csv.open_csv(path, options, parse) as header:
            names = header.schema.names
        called = [name.strip() or f"column_{at}" for at, name in enumerate(names)]
        _refuse_duplicate_names(called, path)
        kinds = ((types or {}).get(name, pa.string()) for name in called)
        convert = csv.ConvertOptions(
            column_types=dict(zip(names, kinds, strict=True)),
            decimal_point=file.get("decimal", "."),
            null_values=MISSING,
            true_values=TRUE,
            false_values=FALSE,
            strings_can_be_null=True,
        )
        table = csv.read_csv(path, options, parse, convert).rename_columns(called)
    frame = _trim(pl.DataFrame(pl.from_arrow(table)))
    del table
    pa.default_memory_pool().release_unused()
    return frame


def count_rows(path: Path) -> int:
    """The number of rows, also of an unusable file; of a CSV its non-empty lines but one."""
    try:
        if path.suffix == ".parquet":
            return int(parquet.read_metadata(path).num_rows)
        with path.open("rb") as stream:
            return sum(1 for line in stream if line.strip(b"\0\r\n ")) - 1  # \0: a half of UTF-16
    except (OSError, pa.ArrowException):
        return 0


def _refuse_duplicate_names(names: list[str], path: Path) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{path}: more than one column is called {', '.join(map(repr, twice))}")


def _trim(frame: pl.DataFrame) -> pl.DataFrame:
    """Strip white space from texts; an empty text and NaN are missing."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    # " a", "a "
    spaced = [name for name in texts if frame[name].str.contains(r"^\s|\s$").any()]
    bare = pl.col(spaced).str.strip_chars()
    floats = pl.col(pl.Float32, pl.Float64)
    return frame.with_columns(pl.when(~bare.is_in(MISSING)).then(bare), floats.fill_nan(None))
