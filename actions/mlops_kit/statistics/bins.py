"""Bins each column by quantiles, or levels, of the reference; all comparisons use bin codes."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

Kind = Literal["number", "boolean", "category", "text", "time"]
Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

CUTS = 64  # bins of a number; one with fewer distinct values has a bin for each, as ties need
MOST_LEVELS, LEAST_ROWS_A_LEVEL = 200, 10  # a text with more levels is compared by its length
UNSEEN, MISSING = 254, 255


@dataclass(frozen=True)
class Bins:
    name: str
    kind: Kind
    edges: Floats  # number, text (its length) and time (its hour): the lower end of every bin but the first
    levels: tuple[str, ...]  # category and boolean

    @property
    def is_ordered(self) -> bool:
        return not self.levels

    @property
    def size(self) -> int:
        return len(self.levels) or len(self.edges) + 1

    def takes(self, values: pa.Array) -> bool:
        """True for the column's own type, and for texts: a CSV or JSON file may hold numbers and times as text."""
        kind = kind_of(values.type)
        own = "text" if self.kind == "category" else self.kind
        return types.is_null(values.type) or kind in ("text", own)

    def encode(self, values: pa.Array) -> Codes:
        """The bin code of each row. Raises ArrowInvalid or ArrowNotImplementedError for values of another type."""
        if self.levels:
            places = pc.index_in(_texts(values, self.kind), pa.array(self.levels, pa.string()))
            codes = np.asarray(places.fill_null(UNSEEN), dtype=np.uint8)
            return np.where(_nulls(values), np.uint8(MISSING), codes)
        numbers = _numbers(values, self.kind)
        codes = np.searchsorted(self.edges, numbers, side="right").astype(np.uint8)
        return np.where(np.isfinite(numbers), codes, np.uint8(MISSING))

    def compared(self, values: pa.Array) -> pa.Array:
        """The values that `encode` bins: levels as text; else numbers, such as a text's length or a time's hour."""
        if self.levels:
            return _texts(values, self.kind)
        numbers = _numbers(values, self.kind)
        return pa.array(numbers, mask=~np.isfinite(numbers))

    def value(self, code: int, digits: int = 4) -> str:
        """The bin's level, or its lower end, for a person."""
        if self.levels:
            return self.levels[code]
        return (
            f"{self.edges[min(max(code - 1, 0), len(self.edges) - 1)]:.{digits}g}"
            if len(self.edges)
            else "all"
        )


def cut(name: str, values: pa.Array) -> Bins | None:
    """The bins of a reference column. None for a type that is not compared, such as a list, and for an empty column."""
    values = plain(values)
    kind = kind_of(values.type)
    if kind is None or values.null_count == len(values):
        return None
    if kind == "boolean":
        return Bins(name, kind, np.empty(0), ("false", "true"))
    if kind == "text":
        levels = values.drop_null().unique()
        if len(levels) <= min(MOST_LEVELS, len(values) / LEAST_ROWS_A_LEVEL):
            return Bins(name, "category", np.empty(0), tuple(sorted(levels.to_pylist())))
    numbers = _numbers(values, kind)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return None
    distinct = np.unique(numbers)
    if len(distinct) > CUTS:
        distinct = np.unique(np.quantile(numbers, np.arange(CUTS) / CUTS, method="inverted_cdf"))
    if len(distinct) == 1:  # below, at and above it
        return Bins(name, kind, np.append(distinct, np.nextafter(distinct, np.inf)), ())
    return Bins(name, kind, distinct[1:], ())


def kind_of(arrow: pa.DataType) -> Kind | None:
    if types.is_boolean(arrow):
        return "boolean"
    if types.is_integer(arrow) or types.is_floating(arrow) or types.is_decimal(arrow):
        return "number"
    if types.is_timestamp(arrow) or types.is_date(arrow):
        return "time"
    return "text" if types.is_string(arrow) or types.is_large_string(arrow) else None


def plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if types.is_dictionary(values.type) else values


def moments(values: pa.Array) -> pa.Array:
    """Times as UTC without a zone, to the second. Raises ArrowInvalid for values that are no times."""
    values = plain(values)
    if kind_of(values.type) == "text":
        try:
            values = values.cast(pa.timestamp("us"))
        except pa.ArrowInvalid:  # a zone is named
            values = values.cast(pa.timestamp("us", "UTC"))
    return pc.cast(values, pa.timestamp("s"), safe=False)


def _numbers(values: pa.Array, kind: Kind) -> Floats:
    """As floats; NaN for missing values."""
    values = plain(values)
    if kind == "text":
        values = pc.utf8_length(values.cast(pa.string()))
    elif kind == "time":  # a time itself only ever grows
        values = pc.hour(moments(values))
    return np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=float)


def _texts(values: pa.Array, kind: Kind) -> pa.Array:
    values = plain(values)
    if kind == "boolean" and not types.is_boolean(values.type):
        values = values.cast(pa.bool_())
    return values.cast(pa.string())


def _nulls(values: pa.Array) -> Any:
    return np.asarray(values.is_null(nan_is_null=True))
