"""Predict rows in memory, as a server does with the rows of a request.

`python -m pipeline.answer ROWS --calls 200 --out FILE` times it. After a warm-up it predicts the
rows one at a time, as a server does; after the last row comes the first again. FILE gets JSON
with the seconds of each call: {"seconds": [0.0071, ...]}.

A call's seconds are all that it needs: computing, reading, sleeping. Time in which it waited for a
processor, because other programs used them all, is left out, so that a busy machine measures what
a quiet one does. Linux reports this time; elsewhere a call's seconds are those of the clock.
`POLARS_MAX_THREADS=1` in the environment keeps idle threads of polars from hiding a wait.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import MODEL
from pipeline import schema as schemas
from pipeline.evaluate import add_keys, compute_predictions
from pipeline.read import convert_columns, read
from pipeline.schema import ROW, DataError, Schema
from pipeline.train import load_model, make_features

WARM_UP = 20  # calls before the first timed one


def drop_target(schema: Schema) -> Schema:
    """The schema of rows to predict: features and key, without the target; rows may repeat."""
    used = {name: one for name, one in schema.columns.items() if one.use in ("feature", "key")}
    return replace(schema, columns=used, duplicates=1.0)


def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Key and prediction for each row, which holds every feature and the key.

    The model is loaded by the first call. Raises DataError for values of another type.
    """
    model, schema = load_once()
    frame = make_frame(rows, drop_target(schema))
    predictions = compute_predictions(model, make_features(frame, schema), schema)
    return add_keys(frame, predictions, schema).to_dicts()


@cache
def load_once() -> tuple[Any, Schema]:
    """The model and its schema, once. Raises DataError where they cannot be loaded."""
    return load_model(MODEL / "model.joblib"), schemas.load()


def make_frame(rows: list[dict[str, Any]], schema: Schema) -> pl.DataFrame:
    """Rows in memory with the schema's types, and `ROW`. Raises DataError for mistyped values."""
    values = {name: [row[name] for row in rows] for name in schema.used}
    frame = pl.DataFrame({n: pl.Series(n, column, strict=False) for n, column in values.items()})
    position = pl.int_range(len(frame), dtype=pl.Int64).alias(ROW)
    return frame.with_columns(*convert_columns(frame, schema, "the rows"), position)


def read_waits() -> dict[int, float]:
    """Seconds that each thread waited for a processor. Empty outside Linux."""
    waits = {}
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # the thread has just ended
            waits[int(file.parent.name)] = int(file.read_text("ascii").split()[1]) / 1e9
    return waits


def measure_seconds(call: Callable[[], object]) -> float:
    """Seconds that one call takes, without those in which it waited for a processor.

    A call that hands work to another thread waits while that thread waits: the longest wait of
    another thread is left out too. The result is at least the call's own processor time.
    """
    waits_before = read_waits()
    cpu_before = time.thread_time()
    begin = time.perf_counter()
    call()
    took = time.perf_counter() - begin
    cpu = time.thread_time() - cpu_before
    totals = read_waits()
    waits = {thread: total - waits_before.get(thread, 0.0) for thread, total in totals.items()}
    own = waits.pop(threading.get_native_id(), 0.0)
    return max(cpu, took - own - max(waits.values(), default=0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "rows", type=Path, help="CSV or Parquet file, as `pipeline.predict` takes it"
    )
    parser.add_argument("--calls", type=int, default=200, help="timed calls (default: 200)")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    try:
        rows = read(arguments.rows, drop_target(schemas.load()), prepared=True).to_dicts()
        if not rows:
            raise DataError(f"{arguments.rows} has no rows")
        calls = [
            lambda row=row: answers([row]) for row in islice(cycle(rows), WARM_UP + arguments.calls)
        ]
        spent = [measure_seconds(call) for call in calls][WARM_UP:]
    except DataError as error:
        sys.exit(str(error))
    arguments.out.write_text(json.dumps({"seconds": [round(one, 6) for one in spent]}), "utf-8")


if __name__ == "__main__":
    main()
