"""Writes what was inferred: data/schema.yaml as a person would, and data/sample.csv as the file itself is."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import synthetic
import yaml
from pipeline.schema import Column, Schema

FEWEST_ROWS = 20
SAMPLE_ROWS = 1000
SAMPLE_BYTES = 900_000
PER_CLASS = 30  # rows of each class that the sample has at least


def write_sample(frame: pl.DataFrame, schema: Schema, kind: str) -> int:
    """Write data/sample.csv as the file itself is written, and return its number of rows: 0 and no file for `none`.

    `synthetic`: rows made from the schema; `rows`: rows of the data, some of every class.
    """
    if kind == "none":
        return 0
    if kind == "synthetic":
        frame = synthetic.make(schema)
    taken = (
        _spread(list(range(len(frame))), SAMPLE_ROWS)
        if kind == "synthetic"
        else _of_every_class(frame, schema)
    )
    while len(content := _csv(frame[taken], schema.file)) > SAMPLE_BYTES and len(taken) > FEWEST_ROWS:
        taken = _spread(taken, max(FEWEST_ROWS, len(taken) * 2 // 3))
    Path("data/sample.csv").write_bytes(content)
    return len(taken)


def _of_every_class(frame: pl.DataFrame, schema: Schema) -> list[int]:
    """Positions of rows from the whole file, with some of every class."""
    rows = set(_spread(list(range(len(frame))), SAMPLE_ROWS - PER_CLASS))
    if schema.task != "regression":
        classes = frame[schema.target].drop_nulls().unique().sort().to_list()
        share = max(1, min(PER_CLASS, SAMPLE_ROWS // 2 // len(classes)))
        for value in classes:
            rows |= set(_spread((frame[schema.target] == value).arg_true().to_list(), share))
    return _spread(sorted(rows), SAMPLE_ROWS)


def _spread(rows: list[int], most: int) -> list[int]:
    if len(rows) <= most:
        return rows
    return [rows[i * len(rows) // most] for i in range(most)]


def _csv(frame: pl.DataFrame, file: Mapping[str, Any]) -> bytes:
    text = frame.select(_as_text(frame[name]) for name in frame.columns if _has_text(frame[name].dtype))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=file.get("separator", ","), lineterminator="\n")
    writer.writerow(text.columns)
    writer.writerows(text.fill_null("").rows())
    return out.getvalue().encode(file.get("encoding", "utf-8"))


def _has_text(dtype: pl.DataType) -> bool:
    """Whether a CSV can hold it; what it cannot is ignored anyway."""
    return not dtype.is_nested() and dtype not in (pl.Duration, pl.Time, pl.Binary, pl.Object)


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Boolean:
        return values.cast(pl.Int8).replace_strict({0: "false", 1: "true"}, default=None).alias(values.name)
    return values.cast(pl.String)


def write_schema(schema: Schema) -> None:
    """data/schema.yaml as a person would write it: no key that says the usual."""
    usual = Column("")
    head = f"""\
# What a row of the data must look like. `prepare` refuses data that is not so, before anything trains;
# `uv run python -m pipeline.checks FILE` checks a file. Inferred from the data: change what is wrong.

task: {schema.task}  # binary, multiclass or regression
"""
    parts: dict[str, Any] = {"target": schema.target}
    if schema.positive is not None:
        parts["positive"] = schema.positive
    parts |= {"time": schema.time, "key": schema.key, "duplicates": schema.duplicates}
    parts |= {"slices": schema.slices} | ({"file": schema.file} if schema.file else {})
    comments = {
        "positive": "the class whose probability is predicted",
        "time": "the newest rows by it are the test set; null: a seeded draw",
        "key": "tells one row from another; null: its position in the file",
        "duplicates": "largest share of rows that may repeat an earlier one",
        "slices": "columns whose values are judged one by one",
        "file": "how the CSV is written, where that is unusual",
    }
    lines = [head]
    for name, value in parts.items():
        comment = f"  # {comments[name]}" if name in comments else ""
        lines.append(_yaml({name: value}).rstrip("\n") + comment + "\n")
    lines.append("""
# type: number, integer, boolean, category, text or time; use: feature (if nothing is said), target, key or
# ignored; missing: largest share of missing values (if nothing is said, none)
columns:
""")
    for name, column in schema.columns.items():
        entry = {
            key: value for key, value in vars(column).items() if key == "type" or value != getattr(usual, key)
        }
        lines.append("  " + _yaml({name: entry}).rstrip("\n") + "\n")
    Path("data/schema.yaml").write_text("".join(lines), encoding="utf-8", newline="\n")


def _yaml(value: dict[str, Any]) -> str:
    """One line, `name: {...}`, whatever letters the name has."""
    ((name, inside),) = value.items()
    return f"{_flow(name)}: {_flow(inside)}\n"


def _flow(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:  # one line, as YAML and JSON both write it
        return json.dumps(value, ensure_ascii=False)
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    return text.removesuffix("\n").removesuffix("...").rstrip("\n")
