"""The column to predict: what kind of task it makes, and what its classes are."""

from dataclasses import replace
from typing import Any

import polars as pl
from pipeline.coerce import TRUE, convert
from pipeline.schema import Column
from refusal import DataRefused

MOST_CLASSES = 200
CLASSES_OF_NUMBERS = 20  # a whole number with more different values is an amount
ONE_OR_ZERO = ("1", "0", "1.0", "0.0")
POSITIVE = {*TRUE, "positive", "pos", "bad", "default", "churn", "churned", "fraud", "spam"}
POSITIVE |= {"ja", "j", "oui", "si", "sí", "sì", "sim", "tak", "да", "是", "はい"}


def target(
    values: pl.Series, column: Column, decimal: str, task_option: str | None
) -> tuple[Column, str, list[str]]:
    """The target's column, the task, and what to say of it. `asked`: the task that a person wishes."""
    known = values.drop_nulls()
    if column.type == "number" and known.dtype == pl.String and known.is_in(ONE_OR_ZERO).all():
        column = replace(column, type="boolean")
    name, levels = values.name, _levels(known, column, decimal)
    if levels < 2:
        has = "the same value in every row" if levels else "no values"
        raise DataRefused(f"The target {name!r} has {has}; there is nothing to predict.")
    if column.type == "time":
        raise DataRefused(f"The target {name!r} holds times.\nMake it a number: how long from when?")
    column = replace(column, use="target", because="", min=None, max=None)
    notes = _missing(values) + _alike(known, column)
    few = levels == 2 or (column.type == "integer" and levels <= CLASSES_OF_NUMBERS)
    is_number = column.type in ("integer", "number")
    if task_option == "regression" and not is_number:
        raise DataRefused(f"--task regression: the target {name!r} holds {column.type} values, no numbers.")
    if task_option == "binary" and levels != 2:
        raise DataRefused(f"--task binary: the target {name!r} has {levels} different values, not two.")
    if is_number and (task_option == "regression" if task_option else not few):
        note = f"task: regression ({name!r} is a number with {levels} different values)"
        return column, "regression", [note, *notes]
    if levels > MOST_CLASSES or levels > len(known) / 2:
        raise DataRefused(
            f"The target {name!r} has {levels} different values in {len(known)} rows that are not numbers"
            f" ({', '.join(map(repr, known.head(3)))}).\nTake a target with fewer classes, or a number."
        )
    task = "binary" if levels == 2 else "multiclass"
    own_words = column.type == "boolean" and known.n_unique() == 2 and _in_own_words(known)
    kind = "category" if column.type == "number" or own_words else column.type
    values_seen = _classes(known, kind)
    note = f"task: {task} ({name!r} has {levels} different values)"
    if kind == "integer" and levels > 2:
        note += "; is it an amount? Make it again with --task regression"
    return replace(column, type=kind, values=values_seen), task, [note, *notes]


def _levels(known: pl.Series, column: Column, decimal: str) -> int:
    """Different values, however each is written."""
    if column.type in ("boolean", "integer", "number"):
        known = convert(known, replace(column, values=[]), decimal)
    return int(known.n_unique())


def _missing(values: pl.Series) -> list[str]:
    if not values.null_count():
        return []
    how = "it is empty, NA, null or the like" if values.dtype == pl.String else "it is null"
    return [f"{values.null_count()} rows have no {values.name!r} ({how}) and are left out"]


def _alike(known: pl.Series, column: Column) -> list[str]:
    """Classes that differ in capitals only are rarely two."""
    if column.type != "category" or known.dtype != pl.String:
        return []
    words = known.unique().sort().to_list()
    twins = [[one for one in words if one.lower() == word] for word in sorted({one.lower() for one in words})]
    return [
        f"{' and '.join(map(repr, twin))} are taken for different classes" for twin in twins if len(twin) > 1
    ][:3]


def _in_own_words(known: pl.Series) -> bool:
    """Whether the two classes have names of their own, such as yes and no, that predictions keep."""
    if known.dtype == pl.Boolean:
        return False
    return not known.str.to_lowercase().is_in(["true", "false", *ONE_OR_ZERO]).all()


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
