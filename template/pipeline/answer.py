"""Rows in memory -> answers: what a server calls, with the rows of a request.

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
from pipeline.evaluate import keyed, predicted
from pipeline.read import read, typed_columns
from pipeline.schema import ROW, DataError, Schema
from pipeline.train import features, load

WARM_UP = 20  # calls before the first timed one


def without_target(schema: Schema) -> Schema:
    """Of rows to predict: no target, nothing that the model does not use; they may repeat."""
    used = {name: one for name, one in schema.columns.items() if one.use in ("feature", "key")}
    return replace(schema, columns=used, duplicates=1.0)


def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Key and prediction for each row, which holds every feature and the key.

    The model is loaded by the first call. Raises DataError for values of another type.
    """
    model, schema = loaded()
    frame = from_rows(rows, without_target(schema))
    return keyed(frame, predicted(model, features(frame, schema), schema), schema).to_dicts()


@cache
def loaded() -> tuple[Any, Schema]:
    """The model and its schema, once. Raises DataError where they cannot be loaded."""
    return load(MODEL / "model.joblib"), schemas.load()


def from_rows(rows: list[dict[str, Any]], schema: Schema) -> pl.DataFrame:
    """Rows in memory with the schema's types, and `ROW`. Raises DataError for mistyped values."""
    values = {name: [row[name] for row in rows] for name in schema.used}
    frame = pl.DataFrame({n: pl.Series(n, column, strict=False) for n, column in values.items()})
    position = pl.int_range(len(frame), dtype=pl.Int64).alias(ROW)
    return frame.with_columns(*typed_columns(frame, schema, "the rows"), position)


def waited() -> dict[int, float]:
    """By thread: seconds in which it could have run but had no processor. Empty outside Linux."""
    found = {}
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # the thread has just ended
            found[int(file.parent.name)] = int(file.read_text("ascii").split()[1]) / 1e9
    return found


def seconds(call: Callable[[], object]) -> float:
    """Seconds that one call takes, without those in which it waited for a processor.

    A call that hands work to another thread waits while that thread waits: the longest wait of
    another thread is left out too. The result is at least the call's own processor time.
    """
    before, cpu, begin = waited(), time.thread_time(), time.perf_counter()
    call()
    took, cpu = time.perf_counter() - begin, time.thread_time() - cpu
    waits = {thread: total - before.get(thread, 0.0) for thread, total in waited().items()}
    own = waits.pop(threading.get_native_id(), 0.0)
    return max(cpu, took - own - max(waits.values(), default=0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "rows", type=Path, help="CSV or Parquet file, as `pipeline.predict` takes it"
    )
    parser.add_argument("--calls", type=int, default=200, help="timed calls (default: 200)")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    wish = parser.parse_args()
    try:
        rows = read(wish.rows, without_target(schemas.load()), prepared=True).to_dicts()
        if not rows:
            raise DataError(f"{wish.rows} has no rows")
        calls = [
            lambda row=row: answers([row]) for row in islice(cycle(rows), WARM_UP + wish.calls)
        ]
        spent = [seconds(call) for call in calls][WARM_UP:]
    except DataError as error:
        sys.exit(str(error))
    wish.out.write_text(json.dumps({"seconds": [round(one, 6) for one in spent]}), "utf-8")


if __name__ == "__main__":
    main()
