"""Infrastructure: latency, errors, traffic, memory and disk, by the predictions log."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit.alerts.kinds import STAGE, Finding, Kind, judged_by
from mlops_kit.base import clock
from mlops_kit.monitoring.checks import traffic, trend
from mlops_kit.monitoring.checks.trend import Trend
from mlops_kit.monitoring.inputs import Inputs
from mlops_kit.monitoring.result import CheckResult
from mlops_kit.predictions_log import lines as log_lines
from mlops_kit.predictions_log import sources
from mlops_kit.predictions_log.counts import Minutes, Tally
from mlops_kit.predictions_log.lines import AHEAD, NUMBERS
from mlops_kit.predictions_log.window import Window
from mlops_kit.project.sections import Monitoring
from mlops_kit.runs.log import Event
from mlops_kit.statistics import growth
from mlops_kit.statistics.chance import at_least

ODDS = 0.00025  # of a false alarm, for each of four alarms, if the true rate is exactly at its limit
LEAST_ROWS = 20  # with fewer, "none failed" closes no alarm
BACK_HOURS = 24.0  # a prediction this recent closes the alarm that they stopped
HOUR = 3600.0
WEEKS_SHOWN = 4  # in the plot of traffic that stopped
USED = ("error", "process", *NUMBERS)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Infrastructure:
    state: Literal["not connected", "fine", "alarm"]
    rows: int = 0
    errors: int = 0
    broken: int = 0  # lines that cannot be read
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    rows_an_hour: float | None = None
    newest: str = ""
    age_hours: float | None = None
    memory_mb: float | None = None  # the newest reading
    disk_free_share: float | None = None
    alarms: list[Finding] = field(default_factory=list)
    course: dict[Kind, Trend] = field(default_factory=dict)  # trend of each metric that alarms


def check(inputs: Inputs) -> CheckResult:
    settings = inputs.contract.monitoring
    service = measure(inputs.log, settings, inputs.now)
    if inputs.is_scheduled and service.state == "not connected":
        service = without_log(inputs.events, settings.log)
    return result(service)


def result(service: Infrastructure) -> CheckResult:
    """Judges what there are readings of. Silence is over once predictions come again, however few they are."""
    knows = {
        "errors": service.rows >= LEAST_ROWS,
        "latency": service.p95_seconds is not None,
        "memory": service.memory_mb is not None,
        "disk": service.disk_free_share is not None,
        "silence": service.age_hours is not None and service.age_hours <= BACK_HOURS,
    }
    judged = [kind for kind in judged_by("infrastructure") if knows.get(kind, service.rows > 0)]
    return CheckResult(
        service, service.state, service.alarms, judged if service.state != "not connected" else []
    )


def measure(window: Window | None, limits: Monitoring, moment: datetime | None = None) -> Infrastructure:
    """`window`: a predictions log. Its traffic is compared with the weeks before the window.

    A log without `since` was kept by somebody: its traffic is judged as of its end, not as of now.
    """
    if window is None or window.facts is None or not len(window.facts):
        return Infrastructure("not connected")
    facts, tally, now = window.facts, window.tally, (moment or clock.now()).timestamp()
    times = log_lines.seconds(facts)
    if window.since:
        recent = times > window.since.timestamp()
        used = [name for name in USED if name in facts.column_names]
        facts, times = facts.select(used).filter(pa.array(recent)), times[recent]
    n, errors = tally.rows, tally.errors
    seconds = log_lines.readings(facts, "seconds")
    seconds = seconds[np.isfinite(seconds)]
    age = None if tally.last is None else (now - tally.last) / HOUR
    span = 0.0 if tally.last is None or tally.first is None else (tally.last - tally.first) / HOUR
    p50, p95 = (float(one) for one in np.quantile(seconds, [0.5, 0.95])) if len(seconds) else (None, None)
    free = _newest(facts, times, "disk_free_share")
    every = tally.every.until(now + AHEAD.total_seconds())
    ended = None if window.since else tally.last
    alarms = [
        *_errors(errors, n, limits),
        *_slow(seconds, limits),
        *_ahead(tally, now),
        *_unreadable(tally, limits),
        *_silent(age, limits),
        *_less(every, ended or now),
        *_growing(facts, times, limits),
        *_full(free, limits),
    ]
    return Infrastructure(
        "alarm" if alarms else "fine",
        n,
        errors,
        window.broken,
        p50,
        p95,
        round(n / span, 1) if span else None,
        "" if tally.last is None else datetime.fromtimestamp(tally.last, UTC).isoformat(),
        None if age is None else round(age, 2),
        _newest(facts, times, "memory_mb"),
        free,
        alarms,
        _trends(alarms, facts, times, every, limits, now),
    )


def without_log(events: Iterable[Event], where: str | None) -> Infrastructure:
    """The result for a log without lines: not connected, or an alarm if an earlier check found predictions there."""
    name = where and sources.shown(where)
    checks = [one for one in events if one["stage"] == STAGE and one.get("window") == name]
    read = [one for one in checks if one.get("predictions")]
    if name is None or not read:
        return Infrastructure("not connected")
    last = max(read, key=lambda one: str(one["at"]))
    what = (
        f"{name} holds no prediction; the check of {str(last['at'])[:10]} found {last['predictions']:,} there"
    )
    return Infrastructure("alarm", alarms=[Finding("silence", what)])


def _trends(
    alarms: list[Finding], facts: pa.Table, times: Floats, every: Minutes, limits: Monitoring, now: float
) -> dict[Kind, Trend]:
    """For traffic of the last WEEKS_SHOWN weeks, for everything else of the window."""
    recent = np.flatnonzero(every.starts > now - WEEKS_SHOWN * traffic.WEEK)
    lines = every.lines[recent]
    silence = trend.over(every.starts[recent], "predictions", lambda at: lines[at].sum(), until=now)
    trends = {
        one.kind: silence
        if one.kind == "silence"
        else trend.of_infrastructure(one.kind, facts, times, limits)
        for one in alarms
    }
    return {kind: one for kind, one in trends.items() if one}


def _newest(facts: pa.Table, times: Floats, name: str) -> float | None:
    values = log_lines.readings(facts, name)
    known = np.flatnonzero(np.isfinite(values) & np.isfinite(times))
    return float(values[known[times[known].argmax()]]) if len(known) else None


def _errors(errors: int, n: int, limits: Monitoring) -> list[Finding]:
    if at_least(errors, n, limits.errors_at_most) >= ODDS:
        return []
    what = f"{errors} of {n} predictions failed ({errors / n:.1%}); the limit is {limits.errors_at_most:.1%}"
    return [Finding("errors", what)]


def _slow(seconds: Floats, limits: Monitoring) -> list[Finding]:
    most = limits.p95_seconds_at_most
    if most is None or at_least(int((seconds > most).sum()), len(seconds), 0.05) >= ODDS:
        return []
    what = f"latency p95 is {np.quantile(seconds, 0.95):.3g} s; the limit is {most:g} s (n = {len(seconds)})"
    return [Finding("latency", what)]


def _ahead(tally: Tally, now: float) -> list[Finding]:
    """Lines with a future time raise this alarm only: one of them must not hide that predictions have stopped."""
    if not tally.ahead:
        return []
    hours = (tally.furthest - now) / HOUR
    what = f"{tally.ahead} predictions are up to {hours:.1f} hours in the future: a clock or a time zone is wrong"
    return [Finding("clock", what)]


def _unreadable(tally: Tally, limits: Monitoring) -> list[Finding]:
    bad, total = tally.untimed, tally.untimed + tally.timed
    if at_least(bad, total, limits.errors_at_most) >= ODDS:
        return []
    what = f"{bad} of {total} predictions have a time that is not ISO 8601, such as {tally.such[:40]!r}"
    return [Finding("clock", f"{what}, so it is unknown when they were made")]


def _silent(age: float | None, limits: Monitoring) -> list[Finding]:
    most = limits.silent_hours_at_most
    if age is None or most is None or age <= most:
        return []
    return [Finding("silence", f"the newest prediction is {age:.1f} hours old; the limit is {most:g}")]


def _less(every: Minutes, now: float) -> list[Finding]:
    if dropped := traffic.drop(every, now, ODDS):
        before = ", ".join(map(str, dropped.before[:4]))
        what = f"{dropped.rows} predictions in {dropped.hours} hours; the weeks before had {before}"
        return [Finding("silence", what)]
    if paused := traffic.pause(every, now):
        hours, longest = paused
        what = f"no prediction for {hours:.0f} hours; the longest pause before was {longest:.1f} hours"
        return [Finding("silence", what)]
    return []


def _growing(facts: pa.Table, times: Floats, limits: Monitoring) -> list[Finding]:
    """Process by process: each one starts small again."""
    memory = log_lines.readings(facts, "memory_mb")
    known = np.isfinite(memory) & np.isfinite(times)
    if not known.any():
        return []
    codes, names = log_lines.codes(facts["process"])
    findings, present = [], np.unique(codes[known]).tolist()
    for process in present:
        rows = np.flatnonzero(known & (codes == process))
        rows = rows[np.argsort(times[rows], kind="stable")]
        readings = memory[rows]
        grows = growth.a_day(times[rows], readings, ODDS / len(present))
        if grows > limits.memory_growth_at_most * np.median(readings):
            who = f"process {names[process]}" if process >= 0 else "the process"
            last = readings[-1]
            findings.append(
                Finding(
                    "memory", f"the memory of {who} grows by {grows:,.0f} MB a day and is {last:,.0f} MB now"
                )
            )
    return findings


def _full(free: float | None, limits: Monitoring) -> list[Finding]:
    if free is None or free >= limits.disk_free_share_at_least:
        return []
    return [
        Finding("disk", f"{free:.1%} of the disk is free; the limit is {limits.disk_free_share_at_least:.1%}")
    ]
