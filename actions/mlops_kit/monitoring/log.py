"""Lines of a predictions log as tables."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

LINES = 10_000
# What a line of the predictions log holds beside its inputs; docs/reference/predictions-log.md. Of several classes the
# probabilities have a column each, such as probability.late.
NUMBERS = ("probability", "seconds", "memory_mb", "disk_free_share")
FACTS = ("time", "version", "key", "prediction", "error", "process", *NUMBERS)


class Reading(Protocol):
    """What is learnt on the way."""

    broken: int
    masked: set[str]


def lines(file: Path, reading: Reading, slices: list[str]) -> Iterator[pa.Table]:
    """A batch has the columns FACTS, as texts and numbers, and `inputs`, which stays JSON."""
    found: list[dict[str, Any]] = []
    with file.open("rb") as stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict):
                reading.broken += 1  # half written when the process ended
                continue
            found.append(entry)
            if isinstance(masked := entry.get("masked"), list):
                reading.masked.update(map(str, masked))
            if len(found) == LINES:
                yield _table(found, slices)
                found = []
    if found:
        yield _table(found, slices)


def _table(entries: list[dict[str, Any]], slices: list[str]) -> pa.Table:
    def column(name: str) -> pa.Array:
        values = [entry.get(name) for entry in entries]
        if name in NUMBERS:
            return _numbers(values)
        if name == "time":
            values = [_utc(one) if isinstance(one, str) else one for one in values]
        return pa.array([None if one is None else text(one) for one in values], pa.string())

    given = [one if isinstance(one := entry.get("inputs"), dict) else {} for entry in entries]
    texts = {
        f"slice.{name}": [None if (one := row.get(name)) is None else text(one) for row in given]
        for name in slices
    }
    columns = {name: column(name) for name in FACTS}
    shares = [one if isinstance(one := entry.get("probability"), dict) else {} for entry in entries]
    for name in dict.fromkeys(name for one in shares for name in one):
        columns[f"probability.{name}"] = _numbers([one.get(name) for one in shares])
    columns |= {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return pa.table(columns | {"inputs": pa.array([json.dumps(row) for row in given], pa.string())})


def _numbers(values: list[Any]) -> pa.Array:
    numbers = [one if isinstance(one, int | float) and not isinstance(one, bool) else None for one in values]
    return pa.array(numbers, pa.float64())


def _utc(text: str) -> str:
    """So that times of different zones sort as what they are."""
    if text.endswith("+00:00"):
        return text
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)).isoformat()


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
