"""Trains small models of each task and estimator and compares the fast path with the pipeline, bit for bit.

`python paths.py ROWS`, in a generated repository with the tier serving=seldon and with the Python of its engine, which
has LightGBM and XGBoost too. stdout: a line of JSON for each model.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any
from warnings import simplefilter

os.environ["OMP_NUM_THREADS"] = "1"
simplefilter("ignore")  # a column without any value, and overflows at the edges, are meant
sys.path.insert(0, str(Path.cwd()))

import numpy as np
import polars as pl
from pipeline.answer import drop_target, make_frame
from pipeline.evaluate import add_keys, compute_predictions
from pipeline.schema import Column, Schema
from pipeline.train import make_features, train
from serving.seldon.core import Core
from serving.seldon.door import Door
from serving.seldon.fast import FastPath
from serving.seldon.probes import same

ESTIMATORS: dict[str, dict[str, Any]] = {
    "sklearn.ensemble.HistGradientBoosting": {"max_iter": 30},
    "sklearn.ensemble.RandomForest": {"n_estimators": 10},
    "sklearn.linear_model.": {},
    "lightgbm.LGBM": {"n_estimators": 20, "verbose": -1},
    "xgboost.XGB": {"n_estimators": 20},
}
LINEAR = {"regression": "Ridge", "binary": "LogisticRegression", "multiclass": "LogisticRegression"}
CLASSES: dict[str, list[Any]] = {
    "binary": [False, True],
    "multiclass": ["low", "middle", "high", "never trained"],
    "regression": [],
}
COLUMNS = {
    "id": Column("integer", use="key"),
    "when": Column("time"),  # by which the rows are split
    "due": Column("time", missing=0.2),  # with month and days too
    "due.month": Column("number"),  # named as a part of `due` would be
    "amount": Column("number", missing=0.3),
    "whole": Column("number"),  # no value was missing in training
    "empty": Column("number", missing=1.0),  # no value at all
    "constant": Column("number"),
    "count": Column("integer", missing=0.1),
    "member": Column("boolean", missing=0.1),
    "plan": Column("category", values=["basic", "team", "missing", ""], missing=0.2),
    "city": Column("category", missing=0.5),  # more levels than the encoder keeps
}


def schema(task: str) -> Schema:
    kind = {"binary": "boolean", "multiclass": "category", "regression": "number"}[task]
    target = Column(kind, use="target", values=CLASSES[task])
    return Schema(task, "y", {**COLUMNS, "y": target}, positive=True, time="when", key="id")


def table(n: int, seed: int) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    start = datetime(1969, 12, 20)
    rows: dict[str, Any] = {
        "id": range(n),
        "when": [start + timedelta(minutes=int(m)) for m in draw.integers(0, 40_000_000, n)],
        "due": [start + timedelta(seconds=float(s)) for s in draw.uniform(-1e9, 3e9, n)],
        "due.month": draw.normal(size=n),
        "amount": draw.lognormal(3, 4, n) * draw.choice([1, -1], n),
        "whole": draw.normal(size=n),
        "empty": [None] * n,
        "constant": [7.5] * n,
        "count": draw.integers(-(2**60), 2**60, n),
        "member": draw.choice([True, False], n),
        "plan": draw.choice(["basic", "team", "missing", ""], n),
        "city": [f"city {c}" for c in draw.geometric(0.05, n)],
    }
    frame = pl.DataFrame(rows, schema_overrides={"empty": pl.Float64, "due": pl.Datetime("us")})
    holes = {name: draw.random(n) < column.missing for name, column in COLUMNS.items()}
    return frame.with_columns(pl.when(~pl.Series(holes[name])).then(name).alias(name) for name in COLUMNS)


def with_target(frame: pl.DataFrame, task: str) -> pl.DataFrame:
    score = frame["whole"].to_numpy() + frame["amount"].fill_null(0).sign().to_numpy()
    if task == "regression":
        return frame.with_columns(y=pl.Series(score))
    if task == "binary":
        return frame.with_columns(y=pl.Series(score > 0))
    return frame.with_columns(y=pl.Series(np.array(CLASSES[task])[np.digitize(score, [-1, 1])]))


def edges(frame: pl.DataFrame) -> pl.DataFrame:
    """Values that training never saw, at the ends of what the types hold."""
    extremes = [1e9, -1e30, 1e30, 5e-324, 0.0, -0.0, 2.0**53]
    first = frame.head(len(extremes))
    numbers = pl.Series(extremes)
    return pl.concat(
        [
            frame,
            first.with_columns(amount=numbers, whole=numbers, empty=numbers),
            first.with_columns(city=pl.lit("never seen"), plan=pl.lit("missing"), member=None),
            first.with_columns(count=pl.lit(2**63 - 1), due=pl.lit(datetime(9999, 12, 31, 23, 59))),
            first.with_columns(when=pl.lit(datetime(1, 1, 1))),
        ]
    )


def compared(task: str, estimator: str, n: int) -> dict[str, Any]:
    """Rows that differ in a bit, in one request and row by row."""
    means = schema(task)
    name = f"{estimator}{LINEAR[task]}" if estimator.endswith(".") else estimator + kind(task)
    numbers = {"estimator": name, "arguments": ESTIMATORS[estimator], "max_categories": 10, "threads": 1}
    model, _ = train(with_target(table(800, 1), task), means, {"train": numbers, "seed": 3})
    fast = FastPath(model, means)
    core = Core("m", "v", list, means, Door(means), fast)
    asked = edges(table(n, 2))
    rows = [json.loads(json.dumps(row, default=lambda time: time.isoformat())) for row in asked.to_dicts()]
    columns = Door(means).columns(rows)
    typed = make_frame(
        [dict(zip(columns, v, strict=True)) for v in zip(*columns.values(), strict=True)],
        drop_target(means),
    )
    slow = add_keys(typed, compute_predictions(model, make_features(typed, means), means), means).to_dicts()
    quick = core.keyed(columns, fast.predict(columns))
    some = [*range(0, len(rows), max(len(rows) // 300, 1)), *range(n, len(rows))]
    singly = {at: core.predict([rows[at]])[0] for at in some}

    def alone(at: int) -> dict[str, Any]:
        row = typed[at : at + 1]
        return dict(
            add_keys(row, compute_predictions(model, make_features(row, means), means), means).to_dicts()[0]
        )

    prepared = fast.matrix(Door(means).columns(rows[:1]))
    whole, alone_ms = in_turns(lambda: core.predict(rows[:1]), lambda: fast.ask(prepared))
    return {
        "model": f"{task} {name}",
        "rows": len(rows),
        "differ": sum(not same(one, other) for one, other in zip(slow, quick, strict=True)),
        "singly": sum(not same(slow[at], one) and not same(alone(at), one) for at, one in singly.items()),
        "walks": fast.trees is not None,
        "ms": median(whole),
        "beyond_ms": median(one - own for one, own in zip(whole, alone_ms, strict=True)),
    }


def in_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Milliseconds of the processor for each call, which other processes do not lengthen much."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(300):
        for call, took in zip((one, other), spent, strict=True):
            begin = time.thread_time_ns()
            call()
            took.append((time.thread_time_ns() - begin) / 1e6)
    return spent


def kind(task: str) -> str:
    return "Regressor" if task == "regression" else "Classifier"


for task, estimator in product(CLASSES, ESTIMATORS):
    print(json.dumps(compared(task, estimator, int(sys.argv[1]))), flush=True)
