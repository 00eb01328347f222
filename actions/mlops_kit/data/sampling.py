"""An even draw of rows that come in batches, in memory that depends on how many are drawn and not on how many come."""

from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit.data import tables

SEED = 7
CODED = pa.dictionary(pa.int32(), pa.string())
TABLES = 1_000  # that are kept at once: each takes some memory, however few its rows are
Lots = npt.NDArray[np.float64]
Part = tuple[Lots, pa.Table]


class Draw:
    """Those with the smallest lots."""

    def __init__(self, most: int, together: int = 1) -> None:
        self.most, self.together = most, together
        self.lots = np.random.default_rng(SEED)
        self.highest = 1.0  # lot that may still be among them
        self.kept: list[Part] = []

    def add(self, batch: pa.Table) -> None:
        lots = np.repeat(self.lots.random(-(-len(batch) // self.together)), self.together)[: len(batch)]
        if (lots > self.highest).any():
            lots, batch = _select(lots, batch, lots <= self.highest)
            batch = _compact(batch)
        if len(batch) or not self.kept:  # one without rows has columns all the same
            self.kept.append((lots, batch))
        if self._n() > 2 * self.most + tables.AT_ONCE:
            self._thin()
        if len(self.kept) > TABLES:
            self.kept = _join(self.kept)

    def batches(self) -> list[pa.Table]:
        """In the order in which their rows came."""
        self._thin()
        return [batch for _, batch in self.kept]

    def _n(self) -> int:
        return sum(len(lots) for lots, _ in self.kept)

    def _thin(self) -> None:
        if self._n() <= self.most:
            return
        every = np.concatenate([lots for lots, _ in self.kept])
        chosen, smallest = np.zeros(len(every), bool), np.argsort(every, kind="stable")[: self.most]
        chosen[smallest] = True
        self.highest = float(every[smallest[-1]])
        thinned, at = [], 0
        for lots, batch in self.kept:
            thinned.append(_select(lots, batch, chosen[at : at + len(lots)]))
            at += len(lots)
        self.kept = _join(thinned)


def _select(lots: Lots, batch: pa.Table, chosen: npt.NDArray[np.bool_]) -> Part:
    return lots[chosen], batch.filter(pa.array(chosen))


def _join(parts: list[Part]) -> list[Part]:
    """Join neighbouring batches that have the same columns into one."""
    joined = []
    for _, alike in groupby(parts, key=lambda part: part[1].schema):
        lots, batches = zip(*alike, strict=True)
        joined.append((np.concatenate(lots), _compact(pa.concat_tables(batches))))
    return joined


def _compact(table: pa.Table) -> pa.Table:
    """Free the texts of rows that were filtered out: a filtered dictionary still holds all of them."""
    return pa.table({name: _compact_column(table[name]) for name in table.column_names})


def _compact_column(column: pa.ChunkedArray) -> Any:
    if column.type == CODED:
        return column.cast(pa.string()).combine_chunks().dictionary_encode()
    return column.combine_chunks()
