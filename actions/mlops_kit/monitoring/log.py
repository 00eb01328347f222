"""Lines of a predictions log as tables."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

LINES = 10_000
AHEAD = timedelta(hours=1)  # clocks differ
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
TIME = re.compile(rb'"time": ?"([^"]+)"')
# What a line of the predictions log holds beside its inputs; docs/reference/predictions-log.md. Of several classes the
# probabilities have a column each, such as probability.late.
NUMBERS = ("probability", "seconds", "memory_mb", "disk_free_share")
FACTS = ("time", "version", "key", "prediction", "error", "process", *NUMBERS)


class Reading(Protocol):
    """What is learnt on the way."""

    broken: int
    masked: set[str]


def moment(text: str | None) -> datetime | None:
    """Without a zone it is UTC; None for what is no time."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def newest(files: Iterable[Path], until: datetime) -> datetime | None:
    """The highest time of their lines that is not later than `until`."""
    found = None
    for file in files:
        with file.open("rb") as stream:
            times = (_when(line) for line in stream)
            found = max((one for one in (found, *times) if one and one <= until), default=None)
    return found


def _when(line: bytes) -> datetime | None:
    """Read as JSON only where an input is called `time` too."""
    found = TIME.findall(line)
    if len(found) < 2:
        return moment(found[0].decode(errors="replace")) if found else None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return moment(text(entry.get("time"))) if isinstance(entry, dict) else None


def lines(
    file: Path, reading: Reading, slices: list[str], since: datetime | None = None
) -> Iterator[pa.Table]:
    """A batch has the columns FACTS, as texts and numbers, and `inputs`, which stays JSON and is empty for lines that
    are not later than `since`.
    """
    found: list[dict[str, Any]] = []
    with file.open("rb") as stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict) or (HALF.search(line) and not _is_text(entry)):
                reading.broken += 1  # half written when the process ended
                continue
            found.append(entry)
            if isinstance(masked := entry.get("masked"), list):
                reading.masked.update(map(str, masked))
            if len(found) == LINES:
                yield _table(found, slices, since)
                found = []
    if found:
        yield _table(found, slices, since)


def _is_text(entry: dict[str, Any]) -> bool:
    """JSON may hold half of a character, which no table can."""
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _table(entries: list[dict[str, Any]], slices: list[str], since: datetime | None) -> pa.Table:
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
    if since:
        given = [row if _is_later(entry, since) else {} for row, entry in zip(given, entries, strict=True)]
    columns = {name: column(name) for name in FACTS}
    shares = [one if isinstance(one := entry.get("probability"), dict) else {} for entry in entries]
    for name in dict.fromkeys(name for one in shares for name in one):
        columns[f"probability.{name}"] = _numbers([one.get(name) for one in shares])
    columns |= {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return pa.table(columns | {"inputs": pa.array([json.dumps(row) for row in given], pa.string())})


def _is_later(entry: dict[str, Any], since: datetime) -> bool:
    at = moment(text(entry.get("time")))
    return at is not None and at > since


def _numbers(values: list[Any]) -> pa.Array:
    numbers = [one if isinstance(one, int | float) and not isinstance(one, bool) else None for one in values]
    return pa.array(numbers, pa.float64())


def _utc(text: str) -> str:
    """So that times of different zones sort as what they are."""
    if text.endswith("+00:00"):
        return text
    found = moment(text)
    return found.astimezone(UTC).isoformat() if found else text


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
