"""Schema: does the window have the columns of the reference, with their types and levels?"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from mlops_kit.monitoring import history
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log.window import Window
from mlops_kit.runs.log import Event
from mlops_kit.statistics import bins
from mlops_kit.statistics.bins import MISSING, UNSEEN, Bins, Codes
from mlops_kit.statistics.chance import at_least
from mlops_kit.statistics.resampling import SEEN_IN, Resampling

ODDS = 0.001  # of a false schema alarm in a check: a level unseen by chance, a column constant by chance
Kind = Literal["missing column", "new column", "new category", "all null", "constant", "retyped"]


@dataclass(frozen=True)
class Change:
    """A column that is not what it was in the reference."""

    column: str
    kind: Kind
    what: str
    by: float = 1.0  # share of the rows
    of: int = 0  # rows compared, for a change that only a large window shows


def last_raised(events: Iterable[Event], log: str | None) -> tuple[Change, ...]:
    """What the newest check that raised the schema alarm found; empty if a later check could see that it is over."""
    for check in history.checks(events, log):
        if "schema" in check.get("kinds", []):
            return tuple(Change(**facts) for facts in check.get("changes") or [])
        if "schema" in check.get("judged", []):
            return ()
    return ()


def is_lost(values: Any) -> bool:
    return len(values) > 0 and values.null_count == len(values)


def of_columns(
    reference: Reference, resampling: Resampling, window: Window, ignored: tuple[str, ...]
) -> list[Change]:
    known = [*(one.name for one in reference.bins), *reference.other, *ignored]
    changes = [
        Change(one.name, "missing column", "is not in the window")
        for one in reference.bins
        if one.name not in window.drawn and one.name not in window.masked
    ]
    changes += [
        Change(name, "new column", "is not in the reference") for name in window.drawn if name not in known
    ]
    for index, column in enumerate(reference.bins):
        values = window.drawn.get(column.name, ())
        if is_lost(values) and not _is_chance(resampling, index, MISSING, len(values)):
            changes.append(Change(column.name, "all null", "has no value in the window"))
    return changes


def _is_chance(resampling: Resampling, column: int, code: int, rows: int) -> bool:
    """True if `rows` rows of the reference would all hold this code more often than once in 1,000 checks."""
    return resampling.all_alike(column, code, rows) >= ODDS / len(resampling.bins)


def unseen(column: int, codes: Codes, values: Any, resampling: Resampling) -> tuple[list[Change], list[str]]:
    """Levels that the reference does not hold: a change, or a note if chance explains that many."""
    bins_of_column, new = resampling.bins[column], codes == UNSEEN
    if not new.any():
        return [], []
    levels = np.asarray(bins_of_column.compared(values).to_pylist(), dtype=object)[new]
    what = f"{len(levels)} of {(codes != MISSING).sum()} rows hold a value never seen before, {_such(levels)}"
    if _are_chance(column, codes, levels, resampling):
        return [], [f"{bins_of_column.name}: {what}; so many may be by chance"]
    return [Change(bins_of_column.name, "new category", what, round(float(new.mean()), 4), len(codes))], []


def _such(levels: npt.NDArray[Any]) -> str:
    """The most frequent level, cut to 40 characters."""
    different, counts = np.unique(levels.astype(str), return_counts=True)
    return f"such as {different[counts.argmax()][:40]!r}"


def _are_chance(column: int, codes: Codes, levels: npt.NDArray[Any], resampling: Resampling) -> bool:
    """True if rows of the reference would hold that many new levels more often than once in 1,000 checks."""
    categories = sum(one.kind == "category" for one in resampling.bins)
    return resampling.new_levels(column, codes, levels) >= ODDS / max(categories, 1)


def could_show(change: Change, resampling: Resampling, window: Window, n: int) -> bool:
    """True if this window, of which `n` rows are compared, would show an earlier change that still lasts.

    One row shows which columns exist, and one value shows its type. A new level shows again in a window as large as the
    earlier one, or in a smaller one if four of five such windows would hold more of it than chance explains.
    """
    if change.kind in ("missing column", "new column") or change.column in window.masked:
        return window.rows > 0
    values = window.drawn.get(change.column, ())
    if not len(values) or is_lost(values):
        return False
    if change.kind == "constant":
        return bool(pc.count_distinct(values).as_py() > 1)
    names = [one.name for one in resampling.bins]
    if change.kind != "new category" or change.column not in names:
        return True
    if change.of and n >= change.of:
        return True
    expected = next(
        (k for k in range(math.ceil(n * change.by), 0, -1) if at_least(k, n, change.by) >= SEEN_IN), 0
    )
    codes = np.repeat(np.array([UNSEEN, 0], np.uint8), [expected, n - expected])
    return expected > 0 and not _are_chance(
        names.index(change.column), codes, np.full(expected, ""), resampling
    )


def retyped(column: Bins, values: Any) -> Change:
    return Change(column.name, "retyped", f"was {column.kind}, now holds {_type_in_words(values, column)}")


def _type_in_words(values: Any, column: Bins) -> str:
    """The type; for texts the form of one, because the value itself may be personal data."""
    kind = bins.kind_of(values.type)
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


def of_values(index: int, codes: Codes, values: Any, resampling: Resampling) -> Change | None:
    """A column without a finite value, or with a single one, unless chance explains it."""
    column = resampling.bins[index]
    present = codes[codes != MISSING]
    if not len(present):
        what = "no finite number" if values.null_count < len(values) else "no value"
        lost = Change(column.name, "all null", f"has {what} in the window")
        return None if _is_chance(resampling, index, MISSING, len(codes)) else lost
    first = present[0]
    if first == UNSEEN or (present != first).any() or (resampling.counts[index][0, :-1] > 0).sum() == 1:
        return None
    if _is_chance(resampling, index, first, len(present)):
        return None
    if pc.count_distinct(values).as_py() > 1:  # all of them beyond the reference's highest: that is drift
        return None
    only = values.drop_null()[0].as_py()
    return Change(column.name, "constant", f"is {only} in all {len(present)} rows")
