"""Time predictions of one row: `python -m pipeline.latency ROWS --calls 200 --out FILE`.

The model is loaded once. After a warm-up, `pipeline.answer.answers` predicts the rows one at a
time, as a server does; after the last row comes the first again. FILE gets JSON with the seconds
of each call: {"seconds": [0.0071, ...]}.

A call's seconds are all that it needs: computing, reading, sleeping. Time in which it waited for a
processor, because other programs used them all, is left out, so that a busy machine measures what
a quiet one does. Linux reports this time; elsewhere a call's seconds are those of the clock.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

# Before polars loads: idle threads of a larger pool wait for a processor too, also while a call sleeps.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

WARM_UP = 20  # calls before the first timed one


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
    from pipeline import schema as schemas
    from pipeline.answer import answers, without_target
    from pipeline.read import read
    from pipeline.schema import DataError

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
