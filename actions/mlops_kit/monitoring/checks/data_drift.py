"""Data drift: did the distribution of a column change by more than chance explains? The schema is compared on the way."""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit.alerts.kinds import Finding, judged_by
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.checks import schema
from mlops_kit.monitoring.checks.schema import Change
from mlops_kit.monitoring.checks.seasons import alike
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.reference import Reference
from mlops_kit.monitoring.result import CheckResult
from mlops_kit.predictions_log import window as windows
from mlops_kit.predictions_log.window import Window
from mlops_kit.statistics import bins
from mlops_kit.statistics.bins import Bins, Codes
from mlops_kit.statistics.resampling import LEAST_REFERENCE, Array, Limits, Resampling, count, tested

State = Literal["not connected", "no drift", "drift", "can't tell"]
Sample = tuple[Codes, pa.Array]  # bin codes and values of the sampled rows
LEAST = 0.02  # share of the rows: a large window shows smaller changes too, but nobody acts on them
LEAST_ROWS = 8  # of a window: with fewer, resampling says nothing
# A window that would not show a change of this size in half of its columns is too small to close an alarm.
ENOUGH = 1.0  # sd, of columns that have an order
ENOUGH_ROWS = 0.4  # share of the rows, where no column has one: a normal that shifts by one sd moves 38 %


@dataclass(frozen=True)
class Drift:
    column: str
    n: int
    by: float  # share of the rows that would have to change to undo it
    shift: float | None  # of an ordered column, in sd of normal scores
    what: str  # in words


@dataclass(frozen=True)
class DataDrift:
    state: State
    n: int  # rows of the window
    compared: int  # of them, a random sample
    drifts: list[Drift] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    visible: dict[str, float | None] = field(default_factory=dict)  # smallest change that 4 of 5 windows show
    notes: list[str] = field(default_factory=list)
    tells: bool = False  # the window is large enough that "no drift" closes an open alarm
    tells_schema: bool = False  # likewise for the schema

    @property
    def explains(self) -> float:
        """Upper bound for the share of rows that moved: predictions computed from them cannot move further.

        If a column's spread changed, `by` counts one side only, hence the factor 2.
        """
        counted = [one for one in self.changes if one.kind != "new column"]
        return sum(2 * one.by for one in self.drifts) + sum(one.by for one in counted)

    @property
    def alarms(self) -> bool:
        return bool(self.drifts or self.changes)

    @property
    def findings(self) -> list[Finding]:
        drifts = [
            Finding(
                "data-drift",
                f"{one.column}: {one.what}; {one.by:.1%} of the rows moved (n = {one.n:,})",
                one.column,
            )
            for one in self.drifts
        ]
        changes = [
            Finding("schema", f"{one.column} ({one.kind}) {one.what}", one.column, one.kind)
            for one in self.changes
        ]
        return [*drifts, *changes]


@lru_cache(maxsize=1)
def check(inputs: Inputs) -> CheckResult:
    """Kept for the newest inputs, because concept drift asks for it too."""
    if inputs.reference is None or inputs.window is None:
        return result(DataDrift("not connected", 0, 0))
    settings = inputs.contract.monitoring
    data = compare(
        inputs.reference,
        inputs.window,
        time=settings.time,
        ignored=references.left_out(inputs.contract),
        raised=schema.last_raised(inputs.events, settings.log),
        now=inputs.now,
    )
    return result(data)


def result(data: DataDrift) -> CheckResult:
    knows = {"data-drift": data.tells, "schema": data.tells_schema}
    judged = [kind for kind in judged_by("data_drift") if knows.get(kind, data.tells)]
    return CheckResult(data, data.state, data.findings, judged)


def compare(
    reference: Reference,
    window: Window,
    *,
    time: str | None,
    ignored: tuple[str, ...],
    raised: tuple[Change, ...] = (),
    now: datetime | None = None,
) -> DataDrift:
    """`raised`: the changes of the newest schema alarm, which may still be open."""
    seasonal, notes = alike(reference, window, time, now)
    notes = [*notes, *window.notes, *_masked_note(window.masked)]
    resampling = seasonal.resampling
    changes = schema.of_columns(seasonal, resampling, window, ignored) if window.rows else []
    length = len(next(iter(window.drawn.values()))) if window.drawn else 0
    n = tested(length, len(seasonal.codes))
    can_show = bool(raised) and all(schema.could_show(one, resampling, window, n) for one in raised)
    drift = DataDrift("can't tell", window.rows, n, changes=changes, notes=notes, tells_schema=can_show)
    if len(seasonal.codes) < LEAST_REFERENCE:
        few = f"the reference has {len(seasonal.codes)} such rows: it takes {LEAST_REFERENCE}"
        return replace(drift, notes=[*notes, few])
    samples, retyped = _samples(seasonal.bins, window.drawn, compared_rows(length, n))
    drift = replace(drift, changes=[*changes, *retyped])
    if n < LEAST_ROWS:
        few = f"{window.rows} rows are too few: it takes {LEAST_ROWS}"
        nothing: dict[str, float | None] = dict.fromkeys(one.name for one in seasonal.bins)
        return replace(drift, visible=nothing, notes=[*notes, few])
    limits = seasonal.limits.get(n) or resampling.limits(n)
    drifts, changed, notes_on_levels = _columns(samples, resampling, limits)
    enough = tells(seasonal.bins, limits)
    advice = [] if enough else _enough(reference, window, n)
    return replace(
        drift,
        state="drift" if drifts else "no drift" if enough else "can't tell",
        drifts=sorted(drifts, key=lambda one: -one.by),
        changes=[*drift.changes, *changed],
        visible=visible(seasonal.bins, limits),
        notes=[*notes, *notes_on_levels, *advice],
        tells=enough,
        tells_schema=can_show if raised else enough,
    )


def _samples(
    columns: list[Bins], drawn: dict[str, pa.Array], rows: npt.NDArray[np.intp]
) -> tuple[dict[int, Sample], list[Change]]:
    """The sampled rows by index of the column; and the columns that have another type than in the reference."""
    samples: dict[int, Sample] = {}
    retyped: list[Change] = []
    for index, column in enumerate(columns):
        if column.name not in drawn or schema.is_lost(drawn[column.name]):
            continue
        values = bins.plain(drawn[column.name]).take(pa.array(rows))
        try:
            if not column.takes(values):
                raise pa.ArrowInvalid(values.type)
            samples[index] = column.encode(values), values
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            retyped.append(schema.retyped(column, values))
    return samples, retyped


def _columns(
    samples: dict[int, Sample], resampling: Resampling, limits: Limits
) -> tuple[list[Drift], list[Change], list[str]]:
    """Drifts, schema changes and notes, column by column. A column that became constant or empty is no drift."""
    drifts, changes, notes = [], [], []
    for index, (codes, values) in samples.items():
        unseen, unseen_notes = schema.unseen(index, codes, values, resampling)
        changes += unseen
        notes += unseen_notes
        if change := schema.of_values(index, codes, values, resampling):
            changes.append(change)
        elif drift := _drift(index, resampling.bins[index], codes, resampling, limits):
            drifts.append(drift)
    return drifts, changes, notes


def compared_rows(length: int, n: int) -> npt.NDArray[np.intp]:
    """Indices of a random sample of `n` of `length` rows, in their order."""
    return np.sort(np.random.default_rng(0).permutation(length)[:n])


def visible(columns: list[Bins], limits: Limits) -> dict[str, float | None]:
    """Column by column, the smallest change that four of five such windows show; None if they show none that was tried."""
    sizes = zip(columns, limits.visible, strict=True)
    return {column.name: size if math.isfinite(size) else None for column, size in sizes}


def tells(columns: list[Bins], limits: Limits) -> bool:
    """True if a window of this size would show a change of ENOUGH in half of its columns, so that "no drift" means something."""
    sizes = list(zip(columns, limits.visible, strict=True))
    ordered = [size for column, size in sizes if column.is_ordered]
    judged = sorted(ordered or [size for _, size in sizes])
    enough = ENOUGH if ordered else ENOUGH_ROWS
    return judged[len(judged) // 2] <= enough


def _enough(reference: Reference, window: Window, n: int) -> list[str]:
    """Advice: the size of window that would show enough; for a log, as a number of days."""
    larger = sorted((size, limits) for size, limits in reference.limits.items() if size > n)
    size = next((size for size, limits in larger if tells(reference.bins, limits)), None)
    if not reference.limits:
        return []
    if size is None:
        return [
            "no window would tell more: the reference has too few rows, or they resemble each other too much"
        ]
    advice = f"a window of about {size:,} rows would tell"
    window_span = windows.span(window) if window.since else None
    if window_span is None:
        return [advice]
    days = (window_span[1] - window_span[0]) / timedelta(days=1)
    return [f"{advice}: `monitoring.window_days: {math.ceil(days * size / window.rows)}`"]


def _masked_note(columns: set[str]) -> list[str]:
    names = ", ".join(sorted(columns))
    return [f"masked in the log and not watched: {names}"] if names else []


def apart(column: Bins, window: Array, reference: Array) -> float:
    """Share of the non-missing rows that would have to change to undo the difference."""
    moved = _shares(window) - _shares(reference)
    return float(np.abs(np.cumsum(moved)).max() if column.is_ordered else np.abs(moved).sum() / 2)


def _shares(counts: Array) -> Array:
    shares: Array = counts[0, :-1] / max(counts[0, :-1].sum(), 1)
    return shares


def _drift(index: int, column: Bins, codes: Codes, resampling: Resampling, limits: Limits) -> Drift | None:
    window, reference = count(codes, column.size), resampling.counts[index]
    if window[0, :-1].sum() == 0:
        return None
    statistics = resampling.statistics(index, window, reference)
    if float(limits.standing(index, statistics)[0]) <= limits.threshold:
        return None
    missing = [float(one[0, -1] / one[0].sum()) for one in (reference, window)]
    before, now = _shares(reference), _shares(window)
    share = apart(column, window, reference)
    missing_gap = abs(missing[1] - missing[0])
    if max(share, missing_gap) < LEAST:
        return None
    if missing_gap > share:
        return Drift(
            column.name,
            len(codes),
            round(missing_gap, 4),
            None,
            f"missing {missing[0]:.1%} -> {missing[1]:.1%}",
        )
    if not column.is_ordered:
        level = int(np.abs(now - before).argmax())
        words = f"{column.value(level)} {before[level]:.1%} -> {now[level]:.1%}"
        return Drift(column.name, len(codes), round(share, 4), None, words)
    shift = float((now - before) @ resampling.scores[index][0])
    middles = [column.value(int(np.searchsorted(np.cumsum(one), 0.5))) for one in (before, now)]
    what = {"text": "length", "time": "hour"}.get(column.kind, "")
    words = f"{what} median {middles[0]} -> {middles[1]}, {shift:+.2f} sd".strip()
    return Drift(column.name, len(codes), round(share, 4), round(shift, 3), words)
