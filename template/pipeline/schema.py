"""What the data means: data/schema.yaml, read into types."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import yaml

PATH = Path("data/schema.yaml")
ROW = "__row__"  # column that holds a row's position in the raw file
DTYPES: dict[str, pl.DataType] = {
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "text": pl.String(),
    "time": pl.Datetime("us"),
}
USES = ("feature", "target", "key", "ignored")
EXTRA = ("ignored", "refused")
TASKS = ("binary", "multiclass", "regression")
# columns of stored predictions, which no slice may be called, for example probability.setosa
STORED = re.compile(r"key|actual|prediction|probability(\..*)?")
FIRST = 2  # line of the first row in messages: an editor shows the header of a CSV as line 1

Value = str | int | bool


class DataError(Exception):
    """The data or its schema is wrong. The message names column, count and first rows."""


@dataclass(frozen=True)
class Column:
    """One entry of `columns`. `missing` is the largest share of nulls, from 0 to 1."""

    type: str
    use: str = "feature"
    description: str = ""
    because: str = ""  # why an ignored column is ignored
    min: float | None = None
    max: float | None = None
    values: list[Value] = field(default_factory=list)  # empty: any value
    missing: float = 0.0
    format: str | None = None  # of a time in a CSV, as strptime has it; none: ISO 8601
    may_give_target_away: bool = False


@dataclass(frozen=True)
class Schema:
    task: str
    target: str
    columns: dict[str, Column]
    positive: Value | None = None  # binary: the class whose probability is predicted
    time: str | None = None
    key: str | None = None
    duplicates: float = 0.0
    slices: list[str] = field(default_factory=list)
    extra_columns: str = "ignored"  # in requests to a server; or refused
    file: dict[str, Any] = field(default_factory=dict)

    @property
    def used(self) -> dict[str, Column]:
        """Every column but the ignored ones; one to split or slice by is used all the same."""
        needed = {self.time, *self.slices}
        return {n: c for n, c in self.columns.items() if c.use != "ignored" or n in needed}

    @property
    def features(self) -> dict[str, Column]:
        return {name: column for name, column in self.columns.items() if column.use == "feature"}

    @property
    def classes(self) -> list[Value]:
        """The target's classes in the order of their codes 0, 1, ...; the positive class is 1."""
        values = self.columns[self.target].values
        return sorted(values, key=lambda value: value == self.positive)


def load(path: Path = PATH) -> Schema:
    """Raises DataError naming the key when the file is missing or does not make sense."""
    if not path.is_file():
        raise DataError(f"{path} is not there: without it nothing says what the data should be")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        columns = {name: Column(**entry) for name, entry in content.pop("columns").items()}
        schema = Schema(columns=columns, **content)
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    choices = [("task", schema.task, TASKS), ("extra_columns", schema.extra_columns, EXTRA)]
    for name, column in columns.items():
        choices += [(f"column {name!r}: type", column.type, (*DTYPES,))]
        choices += [(f"column {name!r}: use", column.use, USES)]
    listed = ((f"{k} is {v!r}, not one of {', '.join(of)}", v in of) for k, v, of in choices)
    problems = [problem for problem, fine in listed if not fine]
    named = [("target", schema.target), ("time", schema.time), ("key", schema.key)]
    named += [("slices", name) for name in schema.slices]
    problems += [
        f"{key} is {name!r}, which is not under columns"
        for key, name in named
        if name is not None and name not in columns
    ]
    if problems := problems or find_contradictions(schema):
        raise DataError(f"{path}: " + "; ".join(problems))
    return schema


def find_contradictions(schema: Schema) -> list[str]:
    """Parts of the schema that are valid by themselves and cannot be trained on or evaluated."""
    texts = [name for name, column in schema.features.items() if column.type == "text"]
    problems = [f"column {name!r}: a text is no feature; type: category would be" for name in texts]
    taken = [name for name in schema.slices if name == schema.target or STORED.fullmatch(name)]
    problems += [f"slices: {name!r} is the target, or named as predictions are" for name in taken]
    if schema.task != "regression" and len(schema.classes) < 2:
        problems.append(f"target {schema.target!r} needs its classes as `values`")
    elif schema.task == "binary" and schema.positive not in schema.classes:
        known = ", ".join(map(repr, schema.classes))
        problems.append(f"positive is {schema.positive!r}, no class of the target: {known}")
    return problems
