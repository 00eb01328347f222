"""A repository whose model is watched, and the log of its predictions."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from mlops_kit.predictions_log.lines import times_of
from pyarrow import parquet

from tests.conftest import Done
from tests.kit.small_repository import Small, small

MLOPS = """\
model: flights
metrics: metrics.json
predictions: {file: evaluated.parquet, task: binary, positive: true}
rows: {train: train.parquet, test: test.parquet, key: id}
monitoring: {label: late, slices: [side], p95_seconds_at_most: 0.5, silent_hours_at_most: 24}
"""
Check = Callable[..., tuple[Done, Any]]  # `monitor check` with these words: how it ended, and what it found
START = datetime.now(UTC) - timedelta(hours=2)


def table(seed: int, n: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    late = draw.random(n) < 1 / (1 + np.exp(-2 * x))
    return {
        "id": [f"{seed}-{at}" for at in range(n)],
        "x": x,
        "amount": draw.exponential(size=n),
        "side": draw.choice(["a", "b"], n),
        "late": late,
    }


def moments(texts: Iterable[str]) -> pa.Array:
    """As a log that was read has them."""
    return times_of(pa.array(list(texts), pa.string()))


def probability(made: dict[str, Any]) -> Any:
    return 1 / (1 + np.exp(-2 * made["x"]))


def log(path: Path, made: dict[str, Any], **changed: Any) -> None:
    lines = []
    for at, share in enumerate(probability(made)):
        inputs = {"x": made["x"][at], "amount": made["amount"][at], "side": str(made["side"][at])}
        when = (START + timedelta(seconds=at)).isoformat()
        line = {"time": when, "version": "v0.1.0", "key": made["id"][at], "inputs": inputs, "seconds": 0.1}
        line |= {"prediction": bool(share > 0.5), "probability": share} | changed
        lines.append(json.dumps(line) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def repository(at: Path) -> Small:
    one = small(at, **{"mlops.yaml": MLOPS})
    for name, seed, n in (("train", 1, 4000), ("test", 2, 1000)):
        rows = table(seed, n)
        parquet.write_table(pa.table(rows), one.root / f"{name}.parquet")
    shares = probability(rows)
    evaluated = {"key": rows["id"], "actual": rows["late"], "prediction": shares > 0.5, "probability": shares}
    parquet.write_table(pa.table(evaluated | {"side": rows["side"]}), one.root / "evaluated.parquet")
    return one


def checked(one: Small, *words: object) -> tuple[Done, Any]:
    """What `monitor check` says of a window, and how it ended."""
    done = one.kit("monitor", "check", "--json", "--window", *words)
    return done, json.loads(done.stdout) if done.code in (0, 10) else None
