"""Check data against data/schema.yaml, with pandera, before every training.

`python -m pipeline.checks [FILE]` checks a file without training on it.
"""

import argparse
import sys
from pathlib import Path

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from pipeline import read_params
from pipeline import schema as schemas
from pipeline.leaks import find_leaks
from pipeline.read import read
from pipeline.schema import DTYPES, FIRST, ROW, Column, DataError, Schema

ROWS_SHOWN = 5
MISSING = "missing"


def check(frame: pl.DataFrame, schema: Schema, *, values: bool = True) -> list[str]:
    """The problems, a line for each, with column, count and first rows. Empty if the data is valid.

    `values=False` checks only that the columns are there, with their types and without forbidden nulls.
    """
    if frame.is_empty():
        return ["the data has no rows"]
    problems = []
    try:
        _make_pandera_schema(schema, values).validate(frame, lazy=True)
    except SchemaErrors as errors:
        problems = _describe_failures(errors.failure_cases, frame)
    if values and not problems:
        problems = _find_duplicates(frame, schema) + find_leaks(frame, schema)
    return problems


def _make_pandera_schema(schema: Schema, values: bool) -> pa.DataFrameSchema:
    columns = {name: _make_pandera_column(column, values) for name, column in schema.used.items()}
    return pa.DataFrameSchema(columns | {ROW: pa.Column(pl.Int64)}, strict=True)


def _make_pandera_column(column: Column, values: bool) -> pa.Column:
    checks = [_limit_missing(column.missing)] if 0 < column.missing < 1 and values else []
    if values and column.values and column.type != "boolean":
        checks.append(pa.Check.isin(column.values, error="none of its values in data/schema.yaml"))
    if values and column.min is not None:
        checks.append(pa.Check.ge(column.min, error=f"below {column.min}"))
    if values and column.max is not None:
        checks.append(pa.Check.le(column.max, error=f"above {column.max}"))
    nullable = column.missing > 0 or column.use == "ignored"
    return pa.Column(DTYPES[column.type], checks, nullable=nullable, unique=column.use == "key")


def _limit_missing(share: float) -> pa.Check:
    return pa.Check(
        lambda data: data.lazyframe.select(pl.col(data.key).is_null().mean() <= share),
        error=f"more than {share:.2%} {MISSING}",
        ignore_na=False,
    )


def _describe_failures(failures: pl.DataFrame, frame: pl.DataFrame) -> list[str]:
    """One line for each column and check that failed: the count, then the first rows and values."""
    problems = []
    for (column, rule), group in failures.group_by("column", "check", maintain_order=True):
        cases = group["failure_case"].to_list()
        if rule == "column_in_dataframe":
            problems += [f"column {name!r} is missing" for name in cases]
        elif rule == "column_in_schema":
            problems += [f"column {name!r} is not in data/schema.yaml" for name in cases]
        elif rule.startswith("dtype"):
            problems.append(f"column {column!r} is {frame[column].dtype}, expected {rule}")
        elif group["index"].null_count() or rule.endswith(MISSING):
            nulls = frame[column].null_count()
            problems.append(f"column {column!r}: {rule} ({nulls} of {len(frame)})")
        else:
            what = {"not_nullable": "a value is missing", "field_uniqueness": "a key occurs twice"}
            shown = group["index"].head(ROWS_SHOWN).to_list()
            first = ", ".join(f"row {frame[ROW][i] + FIRST}: {frame[column][i]!r}" for i in shown)
            problems.append(
                f"column {column!r}: {what.get(rule, rule)} in {len(cases)} rows ({first})"
            )
    return problems


def _find_duplicates(frame: pl.DataFrame, schema: Schema) -> list[str]:
    """A problem if more rows repeat an earlier row than the schema allows."""
    if schema.key:  # unique already
        return []
    repeated = ~frame.drop(ROW).hash_rows().is_first_distinct()
    if repeated.sum() <= schema.duplicates * len(frame):
        return []
    first = ", ".join(f"row {row + FIRST}" for row in frame[ROW].filter(repeated).head(ROWS_SHOWN))
    return [
        f"{repeated.sum()} rows repeat an earlier one ({first}); `duplicates` allows {schema.duplicates:.2%}"
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="default: `data` of params.yaml")
    path = parser.parse_args().file or Path(read_params()["data"])
    try:
        schema = schemas.load()
        problems = check(read(path, schema), schema)
    except DataError as error:
        problems = [str(error)]
    if problems:
        print(f"{path} is not what data/schema.yaml says:", *problems, sep="\n", file=sys.stderr)
        return 1
    print(f"{path}: as data/schema.yaml says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
