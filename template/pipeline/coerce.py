"""Convert the values of a column, as people write them, to the type in data/schema.yaml."""

import re

import polars as pl

from pipeline.schema import DTYPES, FIRST, Column, DataError

TRUE = ["true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "t", "T", "1", "1.0"]
FALSE = ["false", "False", "FALSE", "no", "No", "NO", "n", "N", "f", "F", "0", "0.0"]


def convert(values: pl.Series, column: Column, decimal: str) -> pl.Series:
    """The values as the column's type. Raises DataError, which names the rows that do not fit."""
    dtype = DTYPES[column.type]
    if dtype == pl.String:
        converted = values.cast(pl.String, strict=False)
    elif values.dtype == pl.String and column.type == "time":
        converted = parse_times(values, column.format)
    elif values.dtype == pl.String and column.type == "boolean":
        words = {word: word in TRUE for word in TRUE + FALSE}
        converted = values.replace_strict(words, default=None, return_dtype=dtype)
    elif values.dtype == pl.String:
        converted = normalize_numbers(values, decimal).cast(dtype, strict=False)
    elif values.dtype.is_temporal():
        converted = values.cast(dtype)
    else:
        converted = values.cast(dtype, strict=False)
        if dtype == pl.Int64:  # 1.5 is not an integer
            converted = converted.set(converted.cast(pl.Float64) != values.cast(pl.Float64), None)
    wrong, kind = converted.is_null() & values.is_not_null(), column.type
    if dtype == pl.Float64 and (infinite := converted.is_infinite().fill_null(False)).any():
        wrong, kind = wrong | infinite, f"{kind}, and finite,"
    if wrong.any():
        first = wrong.arg_true().head(5).to_list()
        shown = ", ".join(f"row {row + FIRST}: {values[row]!r}" for row in first)
        raise DataError(f"column {values.name!r} is not {kind} in {wrong.sum()} rows ({shown})")
    return converted


def normalize_numbers(values: pl.Series, decimal: str) -> pl.Series:
    """Texts such as $1,234.50 become 1234.50; a text that is no number stays as it is."""
    between = r"[.\s]" if decimal == "," else r"[,']"
    # 1,234,567 and 1,234.50; with a decimal comma 1.234,50
    grouped = rf"^[+-]?[1-9]\d{{0,2}}({between}\d{{3}})+({re.escape(decimal)}\d+)?$"
    # "$ 12", "-€12" and "12 %" become "12", "-12" and "12"
    bare = values.str.replace(r"^([+-]?)[$€£¥]\s?", "$1").str.replace(r"\s?[$€£¥%]$", "")
    bare = bare.str.replace_all(between, "").zip_with(bare.str.contains(grouped), bare)
    return bare.str.replace(decimal, ".", literal=True)


def parse_times(values: pl.Series, form: str | None) -> pl.Series:
    """Times without a zone; those with one are converted to UTC, unreadable ones are null."""
    moments = values.str.to_datetime(form, time_unit="us", strict=False)
    return moments.dt.replace_time_zone(None)
