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
Metric = Callable[[npt.NDArray[np.intp]], float]  # of the rows at these indices


@dataclass(frozen=True)
class Trend:
    label: str
    points: list[tuple[str, float]]  # when each part began
    usual: float | None = None  # reference value or limit


def over(
    times: Floats, label: str, metric: Metric, usual: float | None = None, until: float | None = None
) -> Trend | None:
    """`times` in seconds since 1970. None if they span only a few seconds.

    A part without rows is left out, except with `until`: counts up to now show that nothing came.
    """
    known = np.flatnonzero(np.isfinite(times))
    first, last = (times[known].min(), until or times[known].max()) if len(known) else (0.0, 0.0)
    if last - first < PARTS:
        return None
    edges = np.linspace(first, last, PARTS + 1)
    parts = np.minimum(np.searchsorted(edges, times[known], side="right") - 1, PARTS - 1)
    shown = range(PARTS) if until else np.unique(parts).tolist()
    points = [(_name(edges[part], edges[1] - first), float(metric(known[parts == part]))) for part in shown]
    return Trend(label, [one for one in points if math.isfinite(one[1])], usual)


def of_infrastructure(kind: Kind, facts: pa.Table, times: Floats, limits: Monitoring) -> Trend | None:
    """None for a kind without a metric."""
    rows = lines.asked(facts)
    failed = rows * np.asarray(facts["error"].is_valid())
    metrics: dict[Kind, tuple[str, Metric, float | None]] = {
        "errors": (
            "share that failed",
            lambda at: failed[at].sum() / rows[at].sum(),
            limits.errors_at_most,
        ),
        "latency": (
            "latency p95 in seconds",
            _finite_metric(lines.readings(facts, "seconds"), lambda one: np.quantile(one, 0.95)),
            limits.p95_seconds_at_most,
        ),
        "memory": ("memory in MB", _finite_metric(lines.readings(facts, "memory_mb"), np.max), None),
        "disk": (
            "share of the disk that is free",
            _finite_metric(lines.readings(facts, "disk_free_share"), np.min),
            limits.disk_free_share_at_least,
        ),
    }
    return over(times, *metrics[kind]) if kind in metrics else None


def _finite_metric(values: Floats, how: Callable[[Floats], Any]) -> Metric:
    """`how` applied to the finite values of the rows."""

    def metric(at: npt.NDArray[np.intp]) -> float:
        known = values[at][np.isfinite(values[at])]
        return float(how(known)) if len(known) else math.nan

    return metric


def _name(began: float, lasted: float) -> str:
    """As short as the length of a part allows: a plot has little room for labels."""
    form = "%m-%d" if lasted >= DAY else "%d %H.%M" if lasted >= MINUTE else "%H.%M.%S"
    return datetime.fromtimestamp(began, UTC).strftime(form)
