"""The inputs: did a column move further than chance moves it, or is it another column?"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlops_kit.monitoring import cells
from mlops_kit.monitoring.cells import MISSING, UNSEEN, Cells, Codes
from mlops_kit.monitoring.reference import Reference
from mlops_kit.monitoring.resampling import LEAST_REFERENCE, Array, Limits, Resampling, count, tested
from mlops_kit.monitoring.seasons import alike
from mlops_kit.monitoring.windows import Window

State = Literal["not connected", "no drift", "drift", "can't tell"]
LEAST = (
    0.02  # of the rows would have to change; what is less is seen in a large window and worth nobody's while
)
LEAST_ROWS = 8  # of which a resampled window says anything
# A window that would not show so much in half of the columns says nothing by its silence.
ENOUGH = 1.0  # sd, of columns that have an order
ENOUGH_ROWS = 0.4  # share of the rows, where no column has one: a normal that shifts by one sd moves 38 %
ODDS = 0.001  # of any schema alarm in a check, by chance: a level not seen before, a column that happens to be constant


@dataclass(frozen=True)
class Drift:
    column: str
    n: int
    by: float  # share of the rows that would have to change to undo it
    shift: float | None  # of an ordered column, in sd of normal scores
    what: str  # in words


@dataclass(frozen=True)
class Change:
    """Of the schema: not the same column any more."""

    column: str
    kind: Literal["missing column", "new column", "new category", "all null", "constant", "retyped"]
    what: str
    by: float = 1.0  # share of the rows


@dataclass(frozen=True)
class Data:
    state: State
    n: int  # rows of the window
    compared: int  # of them, an even draw
    drifts: list[Drift] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    visible: dict[str, float | None] = field(
        default_factory=dict
    )  # smallest change seen in 4 of 5 such windows
    notes: list[str] = field(default_factory=list)
    tells: bool = False  # by its silence too: an alarm that such a window does not raise is over

    @property
    def explains(self) -> float:
        """Share of the rows that moved at most: nothing that is computed from them can move further.

        Of a spread that changed, `by` is one side.
        """
        seen = [one for one in self.changes if one.kind != "new column"]
        return sum(2 * one.by for one in self.drifts) + sum(one.by for one in seen)

    @property
    def alarms(self) -> bool:
        return bool(self.drifts or self.changes)


def check(reference: Reference, window: Window, *, time: str | None, ignored: tuple[str, ...]) -> Data:
    like, notes = alike(reference, window, time)
    notes = [*notes, *window.notes, *_masked(window)]
    resampling = like.resampling
    changes = _columns(like, resampling, window, ignored) if window.rows else []
    length = len(next(iter(window.drawn.values()))) if window.drawn else 0
    n = tested(length, len(like.codes))
    if len(like.codes) < LEAST_REFERENCE:
        notes += [f"the reference has {len(like.codes)} such rows: it takes {LEAST_REFERENCE}"]
        return Data("can't tell", window.rows, n, [], changes, {}, notes)
    if n < LEAST_ROWS:
        notes += [f"{window.rows} rows are too few: it takes {LEAST_ROWS}"]
        nothing: dict[str, float | None] = dict.fromkeys(one.name for one in like.cells)
        return Data("can't tell", window.rows, n, [], changes, nothing, notes)
    drawn = compared_rows(length, n)
    codes: dict[str, Codes] = {}
    compared: dict[str, pa.Array] = {}
    for column in like.cells:
        if column.name not in window.drawn or _is_lost(window.drawn[column.name]):
            continue
        values = cells.plain(window.drawn[column.name]).take(pa.array(drawn))
        try:
            if not column.takes(values):
                raise pa.ArrowInvalid(values.type)
            codes[column.name], compared[column.name] = column.encode(values), values
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            changes.append(
                Change(column.name, "retyped", f"was {column.kind}, now holds {_held(values, column)}")
            )
    limits = like.limits.get(n) or resampling.limits(n)
    drifts = []
    for index, column in enumerate(like.cells):
        if column.name not in codes:
            continue
        seen = codes[column.name]
        if (new := seen == UNSEEN).any():
            levels = np.asarray(column.compared(compared[column.name]).to_pylist(), dtype=object)[new]
            what = f"{len(levels)} of {(seen != MISSING).sum()} rows hold a value never seen before, {_such(levels)}"
            if _are_chance(index, seen, levels, resampling):
                notes.append(f"{column.name}: {what}; so many may be by chance")
            else:
                changes.append(Change(column.name, "new category", what, round(float(new.mean()), 4)))
        if change := _schema(index, seen, compared[column.name], resampling):
            changes.append(change)
            continue
        if found := _drift(index, column, seen, resampling, limits):
            drifts.append(found)
    drifts.sort(key=lambda one: -one.by)
    seen_at_best = visible(like.cells, limits)
    told = tells(like.cells, limits)
    state: State = "drift" if drifts else "no drift" if told else "can't tell"
    return Data(state, window.rows, n, drifts, changes, seen_at_best, notes, told)


def compared_rows(length: int, n: int) -> npt.NDArray[np.intp]:
    """An even draw, in their order."""
    return np.sort(np.random.default_rng(0).permutation(length)[:n])


def visible(columns: list[Cells], limits: Limits) -> dict[str, float | None]:
    """Of each column the smallest change that four of five such windows show; None: none that was tried."""
    sizes = zip(columns, limits.visible, strict=True)
    return {column.name: size if math.isfinite(size) else None for column, size in sizes}


def tells(columns: list[Cells], limits: Limits) -> bool:
    """Does a window in which nothing moved say anything?"""
    sizes = list(zip(columns, limits.visible, strict=True))
    ordered = [size for column, size in sizes if column.is_ordered]
    judged = sorted(ordered or [size for _, size in sizes])
    enough = ENOUGH if ordered else ENOUGH_ROWS
    return judged[len(judged) // 2] <= enough


def _is_lost(values: Any) -> bool:
    return len(values) > 0 and values.null_count == len(values)


def _columns(
    reference: Reference, resampling: Resampling, window: Window, ignored: tuple[str, ...]
) -> list[Change]:
    known = [*(one.name for one in reference.cells), *reference.other, *ignored]
    changes = [
        Change(one.name, "missing column", "is not in the window")
        for one in reference.cells
        if one.name not in window.drawn and one.name not in window.masked
    ]
    changes += [
        Change(name, "new column", "is not in the reference") for name in window.drawn if name not in known
    ]
    for index, one in enumerate(reference.cells):
        values = window.drawn.get(one.name, ())
        if _is_lost(values) and not _is_chance(resampling, index, MISSING, len(values)):
            changes.append(Change(one.name, "all null", "has no value in the window"))
    return changes


def _is_chance(resampling: Resampling, column: int, code: int, rows: int) -> bool:
    """Would rows of the reference all hold this code more often than once in a thousand checks?"""
    return resampling.all_alike(column, code, rows) >= ODDS / len(resampling.cells)


def _such(levels: npt.NDArray[Any]) -> str:
    """The one that most rows hold, at a length that a line can have."""
    different, counts = np.unique(levels.astype(str), return_counts=True)
    return f"such as {different[counts.argmax()][:40]!r}"


def _are_chance(column: int, seen: Codes, levels: npt.NDArray[Any], resampling: Resampling) -> bool:
    """Would rows of the reference hold so many new levels more often than once in a thousand checks?"""
    categories = sum(one.kind == "category" for one in resampling.cells)
    return resampling.new_levels(column, seen, levels) >= ODDS / max(categories, 1)


def _masked(window: Window) -> list[str]:
    names = ", ".join(sorted(window.masked))
    return [f"masked in the log and not watched: {names}"] if names else []


def _held(values: Any, column: Cells) -> str:
    """The type, and of texts the form of one: a value itself may be about a person."""
    kind = cells.kind_of(values.type)
    if kind != "text" or column.kind in ("category", "text"):
        return str(values.type)
    first = next((one for one in values.drop_null().to_pylist() if not _is_number(one)), "")
    form = "".join("9" if sign.isdecimal() else "a" if sign.isalpha() else sign for sign in first[:40])
    return f"texts of the form {form!r} (a: any letter, 9: any digit)"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _schema(index: int, seen: Codes, values: Any, resampling: Resampling) -> Change | None:
    """What chance makes of the reference once in a thousand checks is no change."""
    column = resampling.cells[index]
    present = seen[seen != MISSING]
    if not len(present):
        what = "no finite number" if values.null_count < len(values) else "no value"
        lost = Change(column.name, "all null", f"has {what} in the window")
        return None if _is_chance(resampling, index, MISSING, len(seen)) else lost
    first = present[0]
    if first == UNSEEN or (present != first).any() or (resampling.counts[index][0, :-1] > 0).sum() == 1:
        return None
    if _is_chance(resampling, index, first, len(present)):
        return None
    if pc.count_distinct(values).as_py() > 1:  # all of them beyond the reference's highest: that is drift
        return None
    only = values.drop_null()[0].as_py()
    return Change(column.name, "constant", f"is {only} in all {len(present)} rows")


def apart(column: Cells, window: Array, reference: Array) -> float:
    """Share of the rows, of those that hold a value, that would have to change to undo the difference."""
    moved = _shares(window) - _shares(reference)
    return float(np.abs(np.cumsum(moved)).max() if column.is_ordered else np.abs(moved).sum() / 2)


def _shares(counts: Array) -> Array:
    shares: Array = counts[0, :-1] / max(counts[0, :-1].sum(), 1)
    return shares


def _drift(index: int, column: Cells, seen: Codes, resampling: Resampling, limits: Limits) -> Drift | None:
    window, reference = count(seen, column.size), resampling.counts[index]
    if window[0, :-1].sum() == 0:
        return None
    found = resampling.statistics(index, window, reference)
    if float(limits.standing(index, found)[0]) <= limits.threshold:
        return None
    missing = [float(one[0, -1] / one[0].sum()) for one in (reference, window)]
    f, g = _shares(reference), _shares(window)
    by = apart(column, window, reference)
    gap = abs(missing[1] - missing[0])
    if max(by, gap) < LEAST:
        return None
    if gap > by:
        return Drift(
            column.name, len(seen), round(gap, 4), None, f"missing {missing[0]:.1%} -> {missing[1]:.1%}"
        )
    if not column.is_ordered:
        level = int(np.abs(g - f).argmax())
        words = f"{column.value(level)} {f[level]:.1%} -> {g[level]:.1%}"
        return Drift(column.name, len(seen), round(by, 4), None, words)
    shift = float((g - f) @ resampling.scores[index][0])
    middles = [column.value(int(np.searchsorted(np.cumsum(one), 0.5))) for one in (f, g)]
    what = {"text": "length", "time": "hour"}.get(column.kind, "")
    words = f"{what} median {middles[0]} -> {middles[1]}, {shift:+.2f} sd".strip()
    return Drift(column.name, len(seen), round(by, 4), round(shift, 3), words)
