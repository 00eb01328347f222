"""All rows of a window on their way into a file: for tools that keep what a window was like, not only what was compared."""

import contextlib
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from mlops_kit.base.errors import KitError
from mlops_kit.statistics import bins
from mlops_kit.statistics.bins import Cells

Columns = dict[str, pa.Array]


class Whole:
    """Of each column what is compared of it, missing where a piece holds another type. What fails here fails no check."""

    def __init__(self, path: Path, columns: list[Cells]) -> None:
        self.path, self.columns, self.failed = path, columns, ""
        self._writer: Any = None

    def add(self, piece: Columns) -> None:
        if self.failed or not piece:
            return
        try:
            table = pa.table({one.name: _compared(one, piece) for one in self.columns})
            if self._writer is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = parquet.ParquetWriter(self.path, table.schema)
            self._writer.write_table(table)
        except (OSError, pa.ArrowException) as error:
            self.failed = str(error)

    def give(self, names: list[str], to: Path) -> None:
        """These columns of it. Raises KitError where it could not be written."""
        self._close()
        if self.failed or not self.path.is_file():
            raise KitError(
                f"The rows of the window could not be kept: {self.failed or 'there are none'}.",
                f"Is there room for them in {self.path.parent}?",
            )
        with parquet.ParquetFile(self.path) as rows:
            schema = pa.schema([rows.schema_arrow.field(name) for name in names])
            with parquet.ParquetWriter(to, schema) as writer:
                for batch in rows.iter_batches(columns=names):
                    writer.write_batch(batch.select(names))

    def drop(self) -> None:
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _compared(column: Cells, piece: Columns) -> pa.Array:
    length = len(next(iter(piece.values())))
    kind = pa.float64() if column.is_ordered else pa.string()
    if column.name in piece:
        values = bins.plain(piece[column.name])
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            if column.takes(values):
                return column.compared(values).cast(kind)
    return pa.nulls(length, kind)
