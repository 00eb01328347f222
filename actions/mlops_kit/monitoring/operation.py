"""What runs: latency, errors and traffic, by the predictions log."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa

from mlops_kit import clock
from mlops_kit.contract import Monitoring
from mlops_kit.monitoring.chance import at_least
from mlops_kit.monitoring.findings import Finding
from mlops_kit.monitoring.windows import moment

ODDS = 0.0005  # of each of two alarms by chance, where the true rate is just at its limit
AHEAD_HOURS = 1.0  # clocks differ


@dataclass(frozen=True)
class Operation:
    state: Literal["not connected", "fine", "alarm"]
    rows: int = 0
    errors: int = 0
    broken: int = 0  # lines that cannot be read
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    rows_an_hour: float | None = None
    newest: str = ""
    age_hours: float | None = None
    alarms: list[Finding] = field(default_factory=list)


def check(facts: pa.Table | None, broken: int, limits: Monitoring) -> Operation:
    if facts is None or not len(facts):
        return Operation("not connected")
    n, errors = len(facts), len(facts) - facts["error"].null_count
    seconds = np.asarray(facts["seconds"].drop_null(), dtype=float)
    times = sorted(one for text in facts["time"].to_pylist() if (one := moment(text)))
    age = (clock.now() - times[-1]).total_seconds() / 3600 if times else None
    span = (times[-1] - times[0]).total_seconds() / 3600 if times else 0
    p50, p95 = (float(one) for one in np.quantile(seconds, [0.5, 0.95])) if len(seconds) else (None, None)
    alarms = [*_errors(errors, n, limits), *_slow(seconds, limits), *_silent(age, limits)]
    return Operation(
        "alarm" if alarms else "fine",
        n,
        errors,
        broken,
        p50,
        p95,
        round(n / span, 1) if span else None,
        times[-1].isoformat() if times else "",
        None if age is None else round(age, 2),
        alarms,
    )


def _errors(errors: int, n: int, limits: Monitoring) -> list[Finding]:
    if at_least(errors, n, limits.errors_at_most) >= ODDS:
        return []
    what = f"{errors} of {n} predictions failed ({errors / n:.1%}), at most {limits.errors_at_most:.1%}"
    return [Finding("errors", what)]


def _slow(seconds: "np.ndarray[tuple[int], np.dtype[np.float64]]", limits: Monitoring) -> list[Finding]:
    most = limits.p95_seconds_at_most
    if most is None or at_least(int((seconds > most).sum()), len(seconds), 0.05) >= ODDS:
        return []
    what = f"latency p95 is {np.quantile(seconds, 0.95):.3g} s, at most {most:g} s (n = {len(seconds)})"
    return [Finding("latency", what)]


def _silent(age: float | None, limits: Monitoring) -> list[Finding]:
    if age is not None and age < -AHEAD_HOURS:
        what = f"the newest prediction is {-age:.1f} hours in the future: a clock or a zone is wrong"
        return [Finding("clock", what)]
    most = limits.silent_hours_at_most
    if age is None or most is None or age <= most:
        return []
    return [Finding("silence", f"the newest prediction is {age:.1f} hours old, at most {most:g}")]
