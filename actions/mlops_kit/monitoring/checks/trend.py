"""Trend: a metric in a few parts of the window, for a plot."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit.alerts.kinds import Kind
from mlops_kit.predictions_log import lines
from mlops_kit.project.sections import Monitoring

PARTS = 8
DAY, MINUTE = 86_400, 60
Floats = npt.NDArray[np.float64]
Of = Callable[[npt.NDArray[np.intp]], float]  # the figure of the rows at these places


@dataclass(frozen=True)
class Trend:
    label: str
    points: list[tuple[str, float]]  # when each part began
    usual: float | None = None  # or a limit, to compare with


def over(
    times: Floats, label: str, of: Of, usual: float | None = None, until: float | None = None
) -> Trend | None:
    """`times` in seconds since 1970. None where all are of a few seconds. A part without rows is left out, but for a figure that
    is asked for `until` now: there it says the most.
    """
    known = np.flatnonzero(np.isfinite(times))
    first, last = (times[known].min(), until or times[known].max()) if len(known) else (0.0, 0.0)
    if last - first < PARTS:
        return None
    edges = np.linspace(first, last, PARTS + 1)
    parts = np.minimum(np.searchsorted(edges, times[known], side="right") - 1, PARTS - 1)
    shown = range(PARTS) if until else np.unique(parts).tolist()
    points = [(_name(edges[part], edges[1] - first), float(of(known[parts == part]))) for part in shown]
    return Trend(label, [one for one in points if math.isfinite(one[1])], usual)


def of_infrastructure(kind: Kind, facts: pa.Table, times: Floats, limits: Monitoring) -> Trend | None:
    """None for a kind that has no figure."""
    rows = lines.asked(facts)
    failed = rows * np.asarray(facts["error"].is_valid())
    ways: dict[Kind, tuple[str, Of, float | None]] = {
        "errors": (
            "share that failed",
            lambda at: failed[at].sum() / rows[at].sum(),
            limits.errors_at_most,
        ),
        "latency": (
            "latency p95 in seconds",
            _of(lines.readings(facts, "seconds"), lambda one: np.quantile(one, 0.95)),
            limits.p95_seconds_at_most,
        ),
        "memory": ("memory in MB", _of(lines.readings(facts, "memory_mb"), np.max), None),
        "disk": (
            "share of the disk that is free",
            _of(lines.readings(facts, "disk_free_share"), np.min),
            limits.disk_free_share_at_least,
        ),
    }
    return over(times, *ways[kind]) if kind in ways else None


def _of(values: Floats, how: Callable[[Floats], Any]) -> Of:
    """Of the values that are known."""

    def figure(at: npt.NDArray[np.intp]) -> float:
        known = values[at][np.isfinite(values[at])]
        return float(how(known)) if len(known) else math.nan

    return figure


def _name(began: float, lasted: float) -> str:
    """As short as tells the parts apart: there is little room below a picture."""
    form = "%m-%d" if lasted >= DAY else "%d %H.%M" if lasted >= MINUTE else "%H.%M.%S"
    return datetime.fromtimestamp(began, UTC).strftime(form)
