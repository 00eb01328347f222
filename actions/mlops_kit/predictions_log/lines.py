"""Read a predictions log (JSON lines) into Arrow tables: keys hashed, texts dictionary-encoded per batch."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

LINES = 10_000
SLICE = "slice."
AHEAD = timedelta(hours=1)  # clocks differ
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
TIME = re.compile(rb'"time": ?"([^"]+)"')
# Fields of a line beside its inputs; see docs/reference/predictions-log.md. The probabilities of several classes have a
# column each, such as probability.late.
NUMBERS = ("probability", "seconds", "memory_mb", "disk_free_share", "rows")
TEXTS = ("version", "prediction", "process")
WHEN = pa.timestamp("us", "UTC")
# Shared by all batches without a reading, and with times only.
NO_NUMBERS, NO_TEXTS = pa.nulls(LINES, pa.float64()), pa.nulls(LINES, pa.string()).dictionary_encode()


class Reading(Protocol):
    """Facts about the log that are collected while it is read."""

    broken: int
    masked: set[str]
    until: datetime | None  # later lines are left out


def moment(text: str | None) -> datetime | None:
    """A time in ISO 8601, UTC if it names no zone; None for any other text."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def newest(files: Iterable[Path], until: datetime) -> datetime | None:
    """The newest time of a line that is not later than `until`."""
    highest = None
    for file in files:
        with file.open("rb") as stream:
            times = (_time_of(line) for line in stream)
            highest = max((one for one in (highest, *times) if one and one <= until), default=None)
    return highest


def _time_of(line: bytes) -> datetime | None:
    """The line's time. It is parsed as JSON only if an input is called `time`, too: that is slow."""
    times = TIME.findall(line)
    if len(times) < 2:
        return moment(times[0].decode(errors="replace")) if times else None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return moment(text(entry.get("time"))) if isinstance(entry, dict) else None


def lines(
    file: Path, reading: Reading, slices: list[str], since: datetime | None = None
) -> Iterator[pa.Table]:
    """Batches with the columns `time`, `no_time` (a text that is no time), `key` (its hash), `error` (true or null), TEXTS,
    NUMBERS and `inputs`, which stays JSON and is empty for lines not later than `since`.
    """
    entries: list[dict[str, Any]] = []
    with file.open("rb") as stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict) or (b"\\u" in line and HALF.search(line) and not _is_text(entry)):
                reading.broken += 1  # half written when the process ended
                continue
            entries.append(entry)
            if isinstance(masked := entry.get("masked"), list):
                reading.masked.update(map(str, masked))
            if len(entries) == LINES:
                yield _drop_later(reading.until, _table(entries, slices, since))
                entries = []
    if entries:
        yield _drop_later(reading.until, _table(entries, slices, since))


def _is_text(entry: dict[str, Any]) -> bool:
    """False if it holds a lone surrogate, which JSON allows and Arrow does not."""
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _drop_later(until: datetime | None, batch: pa.Table) -> pa.Table:
    return batch.filter(pc.invert(are_later(batch["time"], until))) if until else batch


def _table(entries: list[dict[str, Any]], slices: list[str], since: datetime | None) -> pa.Table:
    texts = _texts(entry.get("time") for entry in entries)
    times = times_of(texts)
    none = pc.if_else(times.is_null(), texts, None) if times.null_count else None
    columns = {
        "time": times,
        "no_time": none.dictionary_encode() if none is not None else NO_TEXTS.slice(0, len(texts)),
    }
    columns["key"] = hashed([_text(entry.get("key")) for entry in entries])
    columns["error"] = pa.array(
        [None if entry.get("error") is None else True for entry in entries], pa.bool_()
    )
    columns |= {name: _dictionary(entry.get(name) for entry in entries) for name in TEXTS}
    columns |= {name: _numbers([entry.get(name) for entry in entries]) for name in NUMBERS}
    inputs = [value if isinstance(value := entry.get("inputs"), dict) else {} for entry in entries]
    columns |= {f"{SLICE}{name}": _dictionary(row.get(name) for row in inputs) for name in slices}
    if since:
        later = are_later(times, since).to_pylist()
        inputs = [row if is_later else {} for row, is_later in zip(inputs, later, strict=True)]
    shares = [value if isinstance(value := entry.get("probability"), dict) else {} for entry in entries]
    for name in dict.fromkeys(name for one in shares for name in one):
        columns[f"probability.{name}"] = _numbers([one.get(name) for one in shares])
    return pa.table(columns | {"inputs": pa.array([json.dumps(row) for row in inputs], pa.string())})


def asked(facts: pa.Table) -> npt.NDArray[np.float64]:
    """Predictions that each line counts for: one, or all rows of a call that was refused."""
    if "rows" not in facts.column_names or facts["rows"].null_count == len(facts):
        return np.ones(len(facts))
    refused = pc.if_else(pc.is_valid(facts["error"]), facts["rows"], None)
    return np.asarray(pc.max_element_wise(pc.fill_null(refused, 1.0), 1.0))


def seconds(facts: pa.Table) -> npt.NDArray[np.float64]:
    """Times of the lines in seconds since 1970; NaN if a line has none."""
    return np.asarray(facts["time"].cast(pa.int64()).to_numpy(), dtype=float) / 1e6


def readings(facts: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """NaN if a line has no reading, or the log no such column."""
    if name not in facts.column_names:
        return np.full(len(facts), np.nan)
    return np.asarray(facts[name].to_numpy(), dtype=float)


def times_of(texts: pa.Array) -> pa.Array:
    """Null for a text that is no time. Arrow casts all at once if each names its zone, as in most logs."""
    try:
        return texts.cast(WHEN)
    except pa.ArrowInvalid:
        return pa.array([moment(one) for one in texts.to_pylist()], WHEN)


def latest(times: pa.ChunkedArray, now: datetime) -> datetime | None:
    """The newest time that is not in the future: one wrong clock must not hide what is missing since."""
    time: datetime | None = pc.max(only(times, pc.less_equal(times, pa.scalar(now + AHEAD, WHEN)))).as_py()
    return time


def are_later(times: Any, since: datetime) -> Any:
    return pc.fill_null(pc.greater(times, pa.scalar(since, WHEN)), False)


def hashed(texts: Iterable[str | None]) -> pa.Array:
    """Hashes that are valid in this process only. Among ten million keys, two collide once in 400,000 logs."""
    return pa.array([None if one is None else hash(one) for one in texts], pa.int64())


def by_value(column: pa.ChunkedArray, of: Callable[[pa.Array], pa.Array]) -> pa.ChunkedArray:
    """Applies `of` to each distinct text of a batch once, instead of once a line."""
    chunks = column.chunks or [pa.array([], column.type)]
    are_coded = pa.types.is_dictionary(column.type)
    return pa.chunked_array(
        [of(one.dictionary).take(one.indices) if are_coded else of(one) for one in chunks]
    )


def codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], pa.Array]:
    """For each line the index of its text among the distinct ones, -1 for null; and the distinct texts."""
    whole = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    chunks = whole.unify_dictionaries().chunks
    indices = [np.asarray(one.indices.fill_null(-1), dtype=np.int32) for one in chunks]
    texts = chunks[0].dictionary if chunks else pa.array([], pa.string())
    return np.concatenate([np.empty(0, np.int32), *indices]), texts


def only(table: Any, which: Any) -> Any:
    """The rows that `which` selects, without a copy if it selects all."""
    return table if pc.all(which).as_py() else table.filter(which)


def _dictionary(values: Iterable[Any]) -> pa.DictionaryArray:
    return _texts(values).dictionary_encode()


def _texts(values: Iterable[Any]) -> pa.Array:
    return pa.array([_text(one) for one in values], pa.string())


def _text(value: Any) -> str | None:
    return None if value is None else text(value)


def _numbers(values: list[Any]) -> pa.Array:
    numbers = [one if isinstance(one, int | float) and not isinstance(one, bool) else None for one in values]
    none = all(one is None for one in numbers)
    return NO_NUMBERS.slice(0, len(numbers)) if none else pa.array(numbers, pa.float64())


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # as JSON has them, which would take ten times as long
    return value if isinstance(value, str) else json.dumps(value)
