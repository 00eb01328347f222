"""Rows that are predicted before the first request: they warm the model and prove the fast path."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import MODEL
from pipeline.answer import drop_target
from pipeline.read import read
from pipeline.schema import Schema
from pipeline.train import load_model
from serving.seldon.core import Answer, Core, Refused, Row
from serving.seldon.door import Door
from serving.seldon.fast import FastPath, Unknown

OF_SAMPLE = 200  # rows
ENOUGH = 20  # rows


def fast_path(core: Core) -> tuple[Any, str]:
    """The fast path if it answers all probes with the bits of the slow path; else None and why not."""
    key = core.schema.key and core.schema.columns[core.schema.key].type
    if key not in (None, "text", "category", "integer", "boolean"):
        return None, f"keys of the type {key}"
    if len(core.probes) < ENOUGH or core.door is None:
        return None, f"fewer than {ENOUGH} rows in data/sample.* to compare both paths with"
    try:
        fast = FastPath(load_model(MODEL / "model.joblib"), core.schema)
    except Unknown as unknown:
        return None, str(unknown)
    columns = core.door.columns(core.probes)
    slow, quick = core.answers(columns, core.probes), core.keyed(columns, fast.predict(columns))
    differing = [at for at, answer in enumerate(slow) if not same(answer, quick[at])]
    for at in range(len(slow)):  # row by row, as most requests are
        one = {name: values[at : at + 1] for name, values in columns.items()}
        (singly,) = core.keyed(one, fast.predict(one))
        # on both paths the bits of a linear model depend on how many rows it gets
        if not same(quick[at], singly) and not same(core.answers(one, [])[0], singly):
            differing.append(at)
    if differing:
        return (
            None,
            f"other bits for {len(differing)} of {len(slow)} probe rows, first {differing[0]}",
        )
    return fast, ""


def same(one: Answer, other: Answer) -> bool:
    def bits(answer: Answer) -> list[Any]:
        return [np.float64(v).tobytes() if type(v) is float else v for v in answer.values()]

    return list(one) == list(other) and bits(one) == bits(other)


def rows(root: Path, schema: Schema, door: Door) -> list[Row]:
    """Rows of the committed sample, and of each column the edges: a null, an unseen category, its bounds."""
    sample = next((root / "data").glob("sample.*"), None)
    if sample is None:
        return []
    wanted = drop_target(schema)
    frame = read(sample, wanted).select(list(wanted.columns))
    found = [_as_json(row) for row in frame.head(OF_SAMPLE).to_dicts()]
    edges: list[Row] = []
    for name, column in wanted.columns.items():
        values: list[Any] = [bound for bound in (column.min, column.max) if bound is not None]
        if column.type == "integer":
            values = [int(value) for value in values]
        if column.missing > 0:
            values.append(None)
        if column.type == "category" and not column.values:
            values.append("never seen before")
        edges += [row | {name: value} for row in found[:3] for value in values]
    nullable = [name for name, column in wanted.columns.items() if column.missing > 0]
    edges += [row | dict.fromkeys(nullable) for row in found[:3]]
    return [row for row in found + edges if _passes(door, row)]


def _passes(door: Door, row: Row) -> bool:
    try:
        door.columns([row])
    except Refused:
        return False
    return True


def _as_json(row: Row) -> Row:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
