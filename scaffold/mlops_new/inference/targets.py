"""The column to predict: what kind of task it makes, and what its classes are."""

from dataclasses import replace
from typing import Any

import polars as pl
from pipeline.schema import Column
from pipeline.values import TRUE
from refused import Refused

MOST_CLASSES = 200
CLASSES_OF_NUMBERS = 20  # a whole number with more different values is an amount
POSITIVE = {*TRUE, "positive", "pos", "bad", "default", "churn", "churned", "fraud", "spam"}
POSITIVE |= {"ja", "j", "oui", "si", "sí", "sì", "sim", "tak", "да", "是", "はい"}


def target(values: pl.Series, column: Column) -> tuple[Column, str, list[str]]:
    """The target's column, the task, and what to say of it."""
    known = values.drop_nulls()
    name, levels = values.name, known.n_unique()
    if levels < 2:
        has = "the same value in every row" if levels else "no values"
        raise Refused(f"The target {name!r} has {has}; there is nothing to predict.")
    if column.type == "time":
        raise Refused(f"The target {name!r} holds times.\nMake it a number: how long from when?")
    column = replace(column, use="target", because="", min=None, max=None)
    dropped = (
        [f"{values.null_count()} rows have no {name!r} and are left out"] if len(known) < len(values) else []
    )
    few = levels == 2 or (column.type == "integer" and levels <= CLASSES_OF_NUMBERS)
    if column.type in ("integer", "number") and not few:
        note = f"task: regression ({name!r} is a number with {levels} different values)"
        return column, "regression", [note, *dropped]
    if levels > MOST_CLASSES or levels > len(known) / 2:
        raise Refused(
            f"The target {name!r} has {levels} different values in {len(known)} rows that are not numbers"
            f" ({', '.join(map(repr, known.head(3)))}).\nTake a target with fewer classes, or a number."
        )
    task = "binary" if levels == 2 else "multiclass"
    kind = "category" if column.type == "number" or _in_own_words(known, column) else column.type
    values_seen = _classes(known, kind)
    note = f"task: {task} ({name!r} has {levels} different values)"
    if kind == "integer" and levels > 2:
        note += "; is it an amount? task: regression in data/schema.yaml, a ...Regressor in params.yaml"
    return replace(column, type=kind, values=values_seen), task, [note, *dropped]


def _in_own_words(known: pl.Series, column: Column) -> bool:
    """Whether the two classes have names of their own, such as yes and no, that predictions keep."""
    if column.type != "boolean" or known.dtype == pl.Boolean:
        return False
    return not known.str.to_lowercase().is_in(["true", "false"]).all()


def _classes(known: pl.Series, kind: str) -> list[Any]:
    if kind == "boolean":
        return [False, True]
    if kind == "integer":
        return list(known.cast(pl.Int64).unique().sort())
    return list(known.cast(pl.String).unique().sort())


def positive(values: pl.Series, column: Column) -> Any:
    """The class that reads as a yes, else the rarer one."""
    if column.type == "boolean":
        return True
    says_yes = [value for value in column.values if str(value).strip().lower() in POSITIVE]
    if len(says_yes) == 1:
        return says_yes[0]
    counts = values.drop_nulls().cast(pl.String).value_counts(sort=True)
    rarest = str(counts[values.name][-1]).strip()
    return next(value for value in column.values if str(value).strip() == rarest)
