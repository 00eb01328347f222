"""Checks the rows of a request against data/schema.yaml, a few microseconds a row.

`pipeline.checks` says the same of a file with pandera, which takes milliseconds.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from pipeline.schema import Column, Schema
from serving.seldon.core import Columns, Refused, Row

PROBLEMS_SHOWN = 10
LONGEST = 1000  # characters of a text
# what polars takes for white space, as the pipeline reads files; Python's own `strip` takes more
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
INT64 = range(-(2**63), 2**63)


class Wrong(Exception):
    """Why a value is refused."""


class Door:
    """What a row must hold. `extra` counts the columns that no schema knows and that were ignored."""

    def __init__(self, schema: Schema) -> None:
        self.readers = {
            name: _reader(column)
            for name, column in schema.columns.items()
            if column.use in ("feature", "key")
        }
        self.known = frozenset(schema.columns)
        self.refuses_extra = schema.extra_columns == "refused"
        self.extra = 0

    def columns(self, rows: list[Row]) -> Columns:
        """The values by column: None, bool, int, float, str, or datetime in UTC without zone.

        Raises Refused (422) with the first problems, each with row and column.
        """
        try:
            found = {name: [read(row[name]) for row in rows] for name, read in self.readers.items()}
            extra = sum(len(row.keys() - self.known) for row in rows)
        except (KeyError, TypeError, AttributeError, Wrong):
            raise Refused(422, self._problems(rows)) from None
        if extra and self.refuses_extra:
            raise Refused(422, self._problems(rows))
        self.extra += extra
        return found

    def _problems(self, rows: list[Row]) -> str:
        problems: list[str] = []
        for at, row in enumerate(rows):
            problems += [f"row {at}{problem}" for problem in self._of_row(row)]
            if len(problems) >= PROBLEMS_SHOWN:
                break
        return "; ".join(problems[:PROBLEMS_SHOWN])

    def _of_row(self, row: Any) -> list[str]:
        if not isinstance(row, dict):
            return [": not an object of column names and values"]
        problems = []
        for name, read in self.readers.items():
            try:
                read(row[name])
            except KeyError:
                problems.append(f", column {name!r}: missing")
            except Wrong as wrong:
                problems.append(f", column {name!r}: {wrong}")
        extra = len(row.keys() - self.known)
        if extra and (problems or self.refuses_extra):  # one may be a missing one, misspelt
            problems.append(
                f": {extra} {'column' if extra == 1 else 'columns'} that data/schema.yaml does not know"
            )
        return problems


def _reader(column: Column) -> Callable[[Any], Any]:
    """A function that returns the value as its column's type, None for a missing one, or raises Wrong."""
    read, nullable = READERS[column.type](column), column.missing > 0

    def read_present(value: Any) -> Any:
        if value is None:
            if nullable:
                return None
            raise Wrong("null, and no value may be missing")
        return read(value)

    def read_text(value: Any) -> Any:
        return read_present(None if type(value) is str and not value.strip(WHITE) else value)

    return read_text if column.type in ("category", "text") else read_present


def _number(column: Column) -> Callable[[Any], float]:
    low, high, bounds = *_bounds(column), _in_words(column)

    def read(value: Any) -> float:
        if type(value) is int:
            value = float(value) if abs(value) < 2**1023 else float("inf")
        if type(value) is not float:
            raise Wrong("not a number")
        if not isfinite(value):
            raise Wrong("not a finite number")
        if not low <= value <= high:
            raise Wrong(f"not{bounds}")
        return value

    return read


def _integer(column: Column) -> Callable[[Any], int]:
    low, high, bounds = *_bounds(column), _in_words(column)

    def read(value: Any) -> int:
        if type(value) is float and value.is_integer():  # 3.0: JavaScript knows no other
            value = int(value)
        if type(value) is not int:
            raise Wrong("not an integer")
        if value not in INT64:
            raise Wrong("not a 64-bit integer")
        if not low <= value <= high:
            raise Wrong(f"not{bounds}")
        return value

    return read


def _boolean(column: Column) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        if type(value) is not bool:
            raise Wrong("not true or false")
        return value

    return read


def _text(column: Column) -> Callable[[Any], str]:
    known = frozenset(map(str, column.values))

    def read(value: Any) -> str:
        if type(value) is int:  # a category such as 7, which a CSV file holds as text
            value = str(value)
        if type(value) is not str:
            raise Wrong("not a text")
        text: str = value.strip(WHITE)
        if len(text) > LONGEST:
            raise Wrong(f"longer than {LONGEST} characters")
        if known and text not in known:
            raise Wrong("none of its values; GET /v2/models/NAME lists them")
        return text

    return read


def _time(column: Column) -> Callable[[Any], datetime]:
    def read(value: Any) -> datetime:
        if type(value) is not str:
            raise Wrong("not a time as ISO 8601 text")
        try:
            if value[10:11] not in ("", "T", " "):
                raise ValueError("no separator of ISO 8601")
            moment = datetime.fromisoformat(value)
            if moment.tzinfo:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise Wrong("not a time as ISO 8601, for instance 2026-03-01T08:30:00") from None
        return moment

    return read


READERS: dict[str, Callable[[Column], Callable[[Any], Any]]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "category": _text,
    "text": _text,
    "time": _time,
}


def _bounds(column: Column) -> tuple[float, float]:
    low = float("-inf") if column.min is None else column.min
    return low, float("inf") if column.max is None else column.max


def _in_words(column: Column) -> str:
    low = "" if column.min is None else f" from {column.min:g}"
    return low + ("" if column.max is None else f" to {column.max:g}")
