"""What the columns of a table hold, summed up for the record, and which of them moved between two versions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from mlops_kit.base.strict import Strict

Type = Literal["integer", "number", "boolean", "text", "time", "other", "empty"]
MOST_COLUMNS, MOST_VALUES, LONGEST_NAME, LONGEST_VALUE = 300, 20, 200, 60
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Less is not worth a person's while: a share of the rows, and the shift of a normal column that it takes.
LEAST, LEAST_SDS = 0.02, 0.05
SIGMAS = 3.0  # how far beyond what chance does to two draws of these sizes

Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Numbers(Strict):
    """Of a time: seconds since 1970."""

    mean: FiniteFloat
    sd: Annotated[FiniteFloat, Field(ge=0)]
    quantiles: Annotated[list[FiniteFloat], Field(min_length=len(QUANTILES), max_length=len(QUANTILES))]
    """5, 25, 50, 75 and 95 %; of many rows those of an even draw."""


class Values(Strict):
    """Of a column with few different values."""

    distinct: int
    shares: Annotated[
        dict[Annotated[str, Field(max_length=LONGEST_VALUE)], Share], Field(max_length=MOST_VALUES)
    ]
    """The commonest, of the rows that have a value."""


class Lengths(Strict):
    """Of a text with many different values, none of which is kept: it may be about a person."""

    distinct: int
    """No larger than what was counted to; a lower bound then."""
    mean: FiniteFloat
    sd: Annotated[FiniteFloat, Field(ge=0)]


class Column(Strict):
    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    type: Type
    missing: Share
    """Infinity and NaN count as missing."""
    numbers: Numbers | None = None
    values: Values | None = None
    lengths: Lengths | None = None


class Table(Strict):
    rows: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(ge=0)]
    """All columns, those beyond the first 300 included, which are not summed up."""
    columns: Annotated[list[Column], Field(max_length=MOST_COLUMNS)]


@dataclass(frozen=True)
class Pair:
    """One column of two tables."""

    before: Column
    after: Column

    @property
    def name(self) -> str:
        return self.after.name


@dataclass(frozen=True)
class Move(Pair):
    by: float  # of 1: about the share of rows that would have to change to undo it
    what: Literal["values", "missing"]


@dataclass(frozen=True)
class TableMoves:
    added: list[Column]
    removed: list[Column]
    retyped: list[Pair]
    moves: list[Move]  # beyond chance, from the largest
    compared: int  # columns that both tables have, with the same type

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.retyped or self.moves)


def table_moves(before: Table, after: Table) -> TableMoves:
    """The columns that came, went, changed their type or moved beyond what chance does."""
    old, new = ({column.name: column for column in table.columns} for table in (before, after))
    pairs = [Pair(old[name], column) for name, column in new.items() if name in old]
    same = [pair for pair in pairs if pair.before.type == pair.after.type]
    moves = [move for pair in same if (move := _move(pair, before.rows, after.rows))]
    whole = (len(before.columns) == before.width, len(after.columns) == after.width)
    return TableMoves(
        # What one table has beyond the columns summed up may be what the other one seems to lack.
        added=[column for name, column in new.items() if name not in old] if whole[0] else [],
        removed=[column for name, column in old.items() if name not in new] if whole[1] else [],
        retyped=[pair for pair in pairs if pair.before.type != pair.after.type],
        moves=sorted(moves, key=lambda move: (-move.by, move.name)),
        compared=len(same),
    )


def _move(pair: Pair, rows_before: int, rows_after: int) -> Move | None:
    old, new = pair.before, pair.after
    if not rows_before or not rows_after:
        return None
    missing = abs(new.missing - old.missing)
    if missing <= _chance((old.missing, new.missing), rows_before, rows_after):
        missing = 0.0
    values = _of_values(old, new, rows_before * (1 - old.missing), rows_after * (1 - new.missing))
    by = max(missing, values)
    what: Literal["values", "missing"] = "missing" if missing > values else "values"
    return Move(old, new, round(by, 4), what) if by >= LEAST else None


def _of_values(old: Column, new: Column, n_before: float, n_after: float) -> float:
    if n_before < 1 or n_after < 1:
        return 0.0
    if old.numbers and new.numbers:
        return _of_numbers(old.numbers, new.numbers, n_before, n_after)
    if old.values and new.values:
        return _of_shares(old.values.shares, new.values.shares, n_before, n_after)
    if old.lengths and new.lengths:
        by = _in_sds(abs(new.lengths.mean - old.lengths.mean), old.lengths.sd)
        return _as_share(by) if by > _chance_in_sds(n_before, n_after) else 0.0
    return 0.0


def _of_numbers(old: Numbers, new: Numbers, n_before: float, n_after: float) -> float:
    """By the mean, and by the quantiles, which see what changes around a mean that stays."""
    apart = [abs(a - b) for a, b in zip(new.quantiles, old.quantiles, strict=True)]
    by = max(_in_sds(abs(new.mean - old.mean), old.sd), _in_sds(sum(apart) / len(apart), old.sd))
    return _as_share(by) if by > _chance_in_sds(n_before, n_after) else 0.0


def _in_sds(difference: float, sd: float) -> float:
    if difference == 0:
        return 0.0
    return difference / sd if sd > 0 else math.inf


def _as_share(sds: float) -> float:
    """How little two normal curves overlap that lie so far apart: 0.4 is 16 % of the rows."""
    return math.erf(sds / (2 * math.sqrt(2)))


def _chance_in_sds(n_before: float, n_after: float) -> float:
    return SIGMAS * math.sqrt(1 / n_before + 1 / n_after)


def _of_shares(old: Mapping[str, float], new: Mapping[str, float], n_before: float, n_after: float) -> float:
    """Half the sum of all differences; the values that are not named count as one."""
    pairs = [(old.get(value, 0.0), new.get(value, 0.0)) for value in {**old, **new}]
    pairs.append((max(0.0, 1 - sum(old.values())), max(0.0, 1 - sum(new.values()))))
    by = sum(abs(a - b) for a, b in pairs) / 2
    return by if by > sum(_chance(pair, n_before, n_after) for pair in pairs) / 2 else 0.0


def _chance(shares: tuple[float, float], n_before: float, n_after: float) -> float:
    share = (shares[0] * n_before + shares[1] * n_after) / (n_before + n_after)
    return SIGMAS * math.sqrt(share * (1 - share) * (1 / n_before + 1 / n_after))
