"""Sums up the columns of a table, in one go over its rows and in little memory, however many there are."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.data import tables
from mlops_kit.data.columns import (
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_COLUMNS,
    MOST_VALUES,
    QUANTILES,
    Column,
    Lengths,
    Numbers,
    Table,
    Type,
    Values,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

DRAWN = 50_000  # numbers of a column that are kept for its quantiles
COUNTED = 10_000  # different values that are told apart
# A value is named in the record only where it says nothing of a single row.
MOST_DISTINCT, LEAST_ROWS = 200, 10


def table(path: Path, left_out: Collection[str] = ()) -> Table | None:
    """Summarize the columns of a Parquet or CSV file, or of all such files of a folder, except those in `left_out`.

    None if the path is no table, is not here or cannot be read: a summary only adds to a version's description
    and must not block it.
    """
    import pyarrow as pa

    summary = _TableSummary(left_out)
    try:
        for file in tables.files(path):
            for batch in tables.batches(file, summary.choose_columns):
                summary.add(batch)
    except (OSError, UnicodeError, pa.ArrowException):
        return None
    return summary.table() if summary.columns else None


class _TableSummary:
    """The summary of a table, added to batch by batch; several files are one table."""

    def __init__(self, left_out: Collection[str]) -> None:
        self.left_out = left_out
        self.rows = 0
        self.names: set[str] = set()
        self.columns: dict[str, _Column] = {}

    def choose_columns(self, names: list[str]) -> list[str]:
        """The columns to read: the first MOST_COLUMNS that are not left out and whose name occurs once."""
        self.names |= set(names)
        once = [name for name in names if names.count(name) == 1 and name not in self.left_out]
        known = [name for name in once if name in self.columns]
        room = MOST_COLUMNS - len(self.columns)
        return known + [name for name in once if name not in self.columns][:room]

    def add(self, batch: "pa.RecordBatch") -> None:
        self.rows += batch.num_rows
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            self.columns.setdefault(name, _Column()).add(values)

    def table(self) -> Table:
        summaries = [column.summary(name[:LONGEST_NAME], self.rows) for name, column in self.columns.items()]
        return Table(rows=self.rows, width=len(self.names - {*self.left_out}), columns=summaries)


class _Column:
    def __init__(self) -> None:
        self.types: set[Type] = set()
        self.present = 0
        self.numbers, self.lengths = _Numbers(), _Numbers()
        self.counts: dict[str, int] | None = {}  # None: too many different values

    def add(self, values: "pa.Array") -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        kind = _type(values.type)
        present = values.drop_null()
        if kind is None or not len(present):
            return
        self.types.add(kind)
        if kind in ("integer", "number", "time"):
            seconds = pc.cast(present, pa.timestamp("s"), safe=False) if kind == "time" else present
            whole = pc.cast(seconds, pa.int64()) if kind == "time" else present
            self.present += self.numbers.add(pc.cast(whole, pa.float64(), safe=False).to_numpy())
            return
        self.present += len(present)
        if kind == "text":
            self.lengths.add(pc.cast(pc.utf8_length(present), pa.float64()).to_numpy())
        if kind in ("text", "boolean"):
            self._count(present)

    def _count(self, values: "pa.Array") -> None:
        if self.counts is None:
            return
        for pair in values.value_counts().to_pylist():
            value = pair["values"]
            name = str(value).lower() if isinstance(value, bool) else str(value)
            self.counts[name] = self.counts.get(name, 0) + pair["counts"]
        if len(self.counts) > COUNTED:
            self.counts = None

    def summary(self, name: str, whole: int) -> Column:
        kind = self._kind()
        missing = _round(1 - self.present / whole) if whole else 0.0
        facts: dict[str, Any] = {"name": name, "type": kind, "missing": min(max(missing, 0.0), 1.0)}
        if kind in ("integer", "number", "time") and self.numbers.n:
            facts["numbers"] = self.numbers.summary()
        elif kind in ("text", "boolean") and (values := self._values(kind)):
            facts["values"] = values
        elif kind == "text" and self.lengths.n:
            distinct = COUNTED if self.counts is None else len(self.counts)
            facts["lengths"] = Lengths(distinct=distinct, mean=self.lengths.mean, sd=self.lengths.sd)
        return Column(**facts)

    def _kind(self) -> Type:
        """Files of a folder may disagree."""
        if len(self.types) == 1:
            return next(iter(self.types))
        if self.types == {"integer", "number"}:
            return "number"
        return "other" if self.types else "empty"

    def _values(self, kind: Type) -> Values | None:
        counts = self.counts or {}
        if not counts or (kind == "text" and len(counts) > min(MOST_DISTINCT, self.present / LEAST_ROWS)):
            return None
        often = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_VALUES]
        shares = {
            value: _round(count / self.present)
            for value, count in often
            if kind == "boolean" or (count >= LEAST_ROWS and len(value) <= LONGEST_VALUE)
        }
        return Values(distinct=len(counts), shares=shares)


class _Numbers:
    """Mean and spread of all numbers so far (Chan et al. 1979), and an even draw of them."""

    def __init__(self) -> None:
        import numpy as np

        self.n, self._mean, self._square = 0, 0.0, 0.0
        self._lots = np.random.default_rng(0)  # the same draw from the same rows
        self._kept: np.ndarray[Any, Any] = np.empty((2, 0))  # lots and numbers

    @property
    def mean(self) -> float:
        return _round(self._mean)

    @property
    def sd(self) -> float:
        return _round(math.sqrt(max(self._square, 0.0) / self.n)) if self.n else 0.0

    def add(self, values: "np.ndarray[Any, Any]") -> int:
        """How many of them are finite, which are those that count."""
        import numpy as np

        values = values[np.isfinite(values)]
        n = len(values)
        if not n:
            return 0
        mean = float(values.mean())
        apart = mean - self._mean
        self._square += float(((values - mean) ** 2).sum()) + apart**2 * self.n * n / (self.n + n)
        self._mean += apart * n / (self.n + n)
        self.n += n
        kept = np.hstack([self._kept, np.vstack([self._lots.random(n), values])])
        if kept.shape[1] > DRAWN:
            kept = kept[:, np.argpartition(kept[0], DRAWN)[:DRAWN]]
        self._kept = kept
        return n

    def summary(self) -> Numbers:
        import numpy as np

        quantiles = [_round(float(quantile)) for quantile in np.quantile(self._kept[1], QUANTILES)]
        return Numbers(mean=self.mean, sd=self.sd, quantiles=quantiles)


def _round(value: float) -> float:
    """Round to eight digits: what is beyond them differs from one processor to the next."""
    return float(f"{value:.8g}") if math.isfinite(value) else 0.0


def _type(kind: "pa.DataType") -> Type | None:
    """None for a column without any value, which has every type."""
    from pyarrow import types

    if types.is_null(kind):
        return None
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind):
        return "integer"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_timestamp(kind) or types.is_date(kind):
        return "time"
    return "text" if types.is_string(kind) or types.is_large_string(kind) else "other"
