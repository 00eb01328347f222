"""Values of a column, as people write them -> the type that data/schema.yaml says."""

import re

import polars as pl

from pipeline.schema import DTYPES, FIRST, Column, DataError

TRUE = ["true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "t", "T", "1", "1.0"]
FALSE = ["false", "False", "FALSE", "no", "No", "NO", "n", "N", "f", "F", "0", "0.0"]


def typed(values: pl.Series, column: Column, decimal: str) -> pl.Series:
    """The values as the column's type; those that cannot be are named with their rows."""
    dtype = DTYPES[column.type]
    if dtype == pl.String:
        found = values.cast(pl.String, strict=False)
    elif values.dtype == pl.String and column.type == "time":
        found = times(values, column.format)
    elif values.dtype == pl.String and column.type == "boolean":
        words = {word: word in TRUE for word in TRUE + FALSE}
        found = values.replace_strict(words, default=None, return_dtype=dtype)
    elif values.dtype == pl.String:
        found = plain_numbers(values, decimal).cast(dtype, strict=False)
    elif values.dtype.is_temporal():
        found = values.cast(dtype)
    else:
        found = values.cast(dtype, strict=False)
        if dtype == pl.Int64:  # 1.5 is not an integer
            found = found.set(found.cast(pl.Float64) != values.cast(pl.Float64), None)
    wrong, kind = found.is_null() & values.is_not_null(), column.type
    if dtype == pl.Float64 and (infinite := found.is_infinite().fill_null(False)).any():
        wrong, kind = wrong | infinite, f"{kind}, and finite,"
    if wrong.any():
        first = wrong.arg_true().head(5).to_list()
        shown = ", ".join(f"row {row + FIRST}: {values[row]!r}" for row in first)
        raise DataError(f"column {values.name!r} is not {kind} in {wrong.sum()} rows ({shown})")
    return found


def plain_numbers(values: pl.Series, decimal: str) -> pl.Series:
    """Texts such as $1,234.50 as a machine writes numbers; what is no number stays what it is."""
    between = r"[.\s]" if decimal == "," else r"[,']"
    grouped = rf"^[+-]?[1-9]\d{{0,2}}({between}\d{{3}})+({re.escape(decimal)}\d+)?$"
    bare = values.str.replace(r"^([+-]?)[$€£¥]\s?", "$1").str.replace(r"\s?[$€£¥%]$", "")
    bare = bare.str.replace_all(between, "").zip_with(bare.str.contains(grouped), bare)
    return bare.str.replace(decimal, ".", literal=True)


def times(values: pl.Series, form: str | None) -> pl.Series:
    """Moments without a zone; those that name one are turned to UTC. Unreadable ones are null."""
    moments = values.str.to_datetime(form, time_unit="us", strict=False)
    return moments.dt.replace_time_zone(None)
