"""Histograms of a column in the reference and in the window, in at most ten groups of bins, for a plot."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log.window import Window
from mlops_kit.statistics import bins
from mlops_kit.statistics.bins import Bins, Codes, Floats
from mlops_kit.statistics.resampling import count

MOST = 10
LOWER = "lower"
DIGITS = 6


@dataclass(frozen=True)
class Group:
    name: str
    reference: float
    window: float


def of(reference: Reference, window: Window, name: str) -> list[Group]:
    """Empty if the window has no such column, or one of another type."""
    at = next((n for n, one in enumerate(reference.bins) if one.name == name), None)
    if at is None or name not in window.drawn:
        return []
    column = reference.bins[at]
    try:
        codes_of_window = column.encode(bins.plain(window.drawn[name]))
    except pa.ArrowException:
        return []
    before, now = (_shares(codes, column.size) for codes in (reference.codes[:, at], codes_of_window))
    return groups(column, before, now)


def groups(column: Bins, before: Floats, now: Floats) -> list[Group]:
    """`before` and `now`: the share of rows in each bin; the last is that of missing values."""
    places = _neighbours(column, before) if column.is_ordered else _levels(before, now)
    names = _names(column, [group[0] for group in places])
    named = [
        Group(name, float(before[group].sum()), float(now[group].sum()))
        for name, group in zip(names, places, strict=True)
    ]
    missing = Group("missing", float(before[-1]), float(now[-1]))
    return [*named, missing] if missing.reference or missing.window else named


def _shares(codes: Codes, size: int) -> Floats:
    return np.asarray(count(codes, size)[0] / max(len(codes), 1), dtype=float)


def _neighbours(column: Bins, before: Floats) -> list[list[int]]:
    """Groups of neighbouring bins, with about the same number of reference rows in each."""
    below = np.cumsum(before[:-1]) - before[:-1] / 2
    whole = max(float(before[:-1].sum()), 1e-9)
    places = np.minimum((below / whole * MOST).astype(int), MOST - 1)
    return [np.flatnonzero(places == place).tolist() for place in np.unique(places)]


def _levels(before: Floats, now: Floats) -> list[list[int]]:
    """The levels whose shares moved most, largest first."""
    most = np.argsort(-np.abs(now - before)[:-1], kind="stable")[:MOST]
    return [[int(one)] for one in sorted(most, key=lambda one: -before[one])]


def _names(column: Bins, firsts: list[int]) -> list[str]:
    """For numbers the lower end of the group, in as few digits as keep the names different: a bar has little room."""
    if not column.is_ordered:
        return [column.value(one) for one in firsts]
    tries = [
        [LOWER if one == 0 else column.value(one, digits) for one in firsts]
        for digits in range(2, DIGITS + 1)
    ]
    apart = [names for names in tries if len(set(names)) == len(names)]
    plain = [names for names in apart if not any("e+" in name for name in names)]
    return [*plain, *apart, tries[-1]][0]
