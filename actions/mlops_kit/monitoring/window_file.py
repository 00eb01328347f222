"""All rows of a window in a Parquet file: the hooks of tiers read it, checks compare a random sample of the rows."""

import contextlib
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mlops_kit.base.errors import KitError
from mlops_kit.predictions_log.window import OnRows
from mlops_kit.statistics import bins
from mlops_kit.statistics.bins import Bins

Columns = dict[str, pa.Array]


class WindowFile:
    """Holds the values that are compared, column by column; null where a batch has another type.

    An error is kept for `copy`: it fails no check.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.error = path, ""
        self.columns: list[Bins] = []
        self._writer: Any = None

    def begin(self, columns: list[Bins]) -> OnRows:
        """The function that takes the rows, batch by batch."""
        self.columns = columns
        return self._add

    def _add(self, piece: Columns) -> None:
        if self.error or not piece:
            return
        try:
            table = pa.table({one.name: _compared_values(one, piece) for one in self.columns})
            if self._writer is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = parquet.ParquetWriter(self.path, table.schema)
            self._writer.write_table(table)
        except (OSError, pa.ArrowException) as error:
            self.error = str(error)

    def copy(self, names: list[str], to: Path) -> None:
        """Writes these columns to another file. Raises KitError if the rows could not be kept."""
        self._end()
        if self.error or not self.path.is_file():
            raise KitError(
                f"The rows of the window could not be kept: {self.error or 'there are none'}.",
                f"Is there room for them in {self.path.parent}?",
            )
        with parquet.ParquetFile(self.path) as rows:
            schema = pa.schema([rows.schema_arrow.field(name) for name in names])
            with parquet.ParquetWriter(to, schema) as writer:
                for batch in rows.iter_batches(columns=names):
                    writer.write_batch(batch.select(names))

    def close(self) -> None:
        self._end()
        self.path.unlink(missing_ok=True)

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _compared_values(column: Bins, piece: Columns) -> pa.Array:
    length = len(next(iter(piece.values())))
    kind = pa.float64() if column.is_ordered else pa.string()
    if column.name in piece:
        values = bins.plain(piece[column.name])
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            if column.takes(values):
                return column.compared(values).cast(kind)
    return pa.nulls(length, kind)
