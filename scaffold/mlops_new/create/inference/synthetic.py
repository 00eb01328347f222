"""Make rows from a schema alone: what is committed as data/sample.csv, so that no row of the owner's data is.

A row has values that the schema allows: numbers in their range, listed categories, placeholders for the others. The
target follows from the features, with noise, so that a training on these rows beats its baseline.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from pipeline.schema import Column, Schema

ROWS = 1000
DRAWN = 4  # times as many rows are drawn, because rows of few different values repeat
MANY_FEATURES = 8  # of which rows rarely repeat
SEED = 0
DRIVERS = 4  # features that the target follows from
RANDOM_TARGETS = 0.15  # share of rows whose target follows from nothing
NUMBERS_WITHOUT_RANGE = (0.0, 100.0)
LEVELS = 20  # of a category whose values the schema does not list; with more, the first are the most frequent
SMALLEST, LARGEST = -(2**63) + 1, 2**63 - 1
FIRST_DAY, DAYS = datetime(2020, 1, 1), 1800

Floats = npt.NDArray[np.float64]


def make(schema: Schema) -> pl.DataFrame:
    """The rows as text, with the columns of the file. Ignored columns are empty."""
    generator = np.random.default_rng(SEED)
    rows = ROWS * DRAWN if len(schema.features) < MANY_FEATURES else ROWS + 100
    made: dict[str, Sequence[str | None]] = {}
    positions: list[Floats] = []
    for name, column in schema.columns.items():
        if name == schema.target:
            made[name] = []  # its place among the columns
        elif name not in schema.used:
            made[name] = [None] * rows
        elif name == schema.key:
            made[name] = [str(at) if column.type == "integer" else f"row-{at}" for at in range(1, rows + 1)]
        else:
            position = np.sort(generator.random(rows)) if name == schema.time else generator.random(rows)
            texts, position = _values(column, position, schema.file.get("decimal", "."))
            made[name] = texts
            if name in schema.features and name != schema.time:
                positions.append(position)
    made[schema.target] = _target(schema, positions, rows, generator)
    frame = pl.DataFrame(made, schema=dict.fromkeys(made, pl.String))
    return _with_gaps(_few_duplicates(frame, schema), schema, generator)


def _values(column: Column, position: Floats, decimal: str) -> tuple[list[str], Floats]:
    """Texts of the column's type for positions from 0 (lowest) to 1, and the positions that these have."""
    low, high = (
        float(default if bound is None else bound)
        for bound, default in zip((column.min, column.max), NUMBERS_WITHOUT_RANGE, strict=True)
    )
    if column.type == "number":
        numbers = [min(max(float(f"{low + (high - low) * at:.6g}"), low), high) for at in position]
        return [repr(number).replace(".", decimal) for number in numbers], position
    if column.type == "integer" and not column.values:
        first, last = max(int(low), SMALLEST), min(int(high), LARGEST)
        return [str(min(first + int((last - first + 1) * at), last)) for at in position], position
    if column.type == "time":
        return _times(position, column.format), position
    if column.type == "boolean":
        levels = ["false", "true"]
    else:
        levels = [str(value) for value in column.values] or [f"value-{at:02}" for at in range(1, LEVELS + 1)]
    spread = position if len(levels) <= LEVELS else position**3
    chosen = np.minimum((spread * len(levels)).astype(int), len(levels) - 1)
    return [levels[at] for at in chosen], chosen / max(len(levels) - 1, 1)


def _times(position: Floats, form: str | None) -> list[str]:
    moments = pl.Series([FIRST_DAY + timedelta(seconds=int(at * DAYS * 86400)) for at in position])
    how = (form or "%Y-%m-%d %H:%M:%S").replace("%#z", "+00:00")
    texts: list[str] = moments.dt.strftime(how).to_list()
    return texts


def _with_gaps(frame: pl.DataFrame, schema: Schema, generator: np.random.Generator) -> pl.DataFrame:
    """The rows with missing values in each feature that may have some: half of the share that is allowed."""
    columns = []
    for name, column in schema.features.items():
        order = pl.Series(generator.permutation(len(frame)))
        gaps = int(column.missing / 2 * len(frame)) if name != schema.time else 0
        columns.append(pl.when(order >= gaps).then(pl.col(name)).alias(name))
    return frame.with_columns(columns)


def _target(
    schema: Schema, positions: list[Floats], rows: int, generator: np.random.Generator
) -> list[str | None]:
    drivers = positions[:DRIVERS] or [generator.random(rows)]  # with a time alone there is nothing to follow
    score = np.sum(drivers, axis=0) / len(drivers)
    score = np.where(generator.random(rows) < RANDOM_TARGETS, generator.random(rows), score)
    score = score + generator.normal(scale=0.02, size=rows)  # no two alike
    if schema.task == "regression":
        whole = schema.columns[schema.target].type == "integer"
        decimal = schema.file.get("decimal", ".")
        return [
            str(round(100 * at)) if whole else f"{100 * at:.3f}".replace(".", decimal)
            for at in score.tolist()
        ]
    classes = [str(value).lower() if isinstance(value, bool) else str(value) for value in schema.classes]
    order = np.argsort(np.argsort(score))
    return [classes[at * len(classes) // rows] for at in order.tolist()]


def _few_duplicates(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """As many rows as there should be, and of them no more repeated ones than the schema allows."""
    repeated = ~frame.select(list(schema.used)).hash_rows().is_first_distinct()
    unique, again = frame.filter(~repeated), frame.filter(repeated)
    allowed = int(len(unique) * schema.duplicates / max(1 - schema.duplicates, 0.01) * 0.9)
    kept = pl.concat([unique, again.head(allowed)])
    step = max(1, len(kept) // ROWS)
    return kept.gather_every(step).head(ROWS)
