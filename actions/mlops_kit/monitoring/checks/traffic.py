"""Traffic: far fewer predictions than in the same hours of earlier weeks, or a far longer pause than ever before?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlops_kit.predictions_log.counts import Minutes
from mlops_kit.statistics.chance import at_most

Floats = npt.NDArray[np.float64]
HOUR = 3600.0
WEEK = 168 * HOUR
PERIODS = (6, 24, 168)  # hours up to now that are compared
LEAST_WEEKS = 2
FAR_LESS = 1 / 3  # of the quietest earlier period: days differ by more than chance
FAR_LONGER = (
    3  # than the longest pause before; of calls that come at random, one in 5,000 is where 30 are known
)
LEAST_PAUSES = 30
NEVER_WITHIN = 24  # hours: a shorter pause is never an alarm
UNSEEN_WEEKEND = 96  # hours: the same for a log shorter than a week, which holds no weekend yet


@dataclass(frozen=True)
class Drop:
    hours: int
    rows: int
    before: list[
        int
    ]  # in the same hours of earlier weeks, newest first; a drop that lasts a week becomes the norm


def drop(every: Minutes, now: float, odds: float) -> Drop | None:
    """None also if the log does not hold the same hours of LEAST_WEEKS earlier weeks."""
    times, lines = every.starts, np.append(0, np.cumsum(every.lines))
    if len(times) < 2:
        return None
    for hours in PERIODS:
        ends = np.arange(now - WEEK, times[0] + hours * HOUR, -WEEK)
        ends = ends[ends <= times[-1]]  # weeks without any prediction are no norm
        if len(ends) < LEAST_WEEKS:
            continue
        rows, before = _within(times, lines, now, hours), [_within(times, lines, end, hours) for end in ends]
        if at_most(rows, FAR_LESS * min(before)) < odds / len(PERIODS):
            return Drop(hours, rows, before)
    return None


def pause(every: Minutes, now: float) -> tuple[float, float] | None:
    """Hours since the last prediction, and hours of the longest pause before. None also if too few pauses are known."""
    times = every.starts
    pauses = np.diff(times) / HOUR
    if len(pauses) < LEAST_PAUSES or times[-1] - times[0] < NEVER_WITHIN * HOUR:
        return None
    longest, hours = float(pauses.max()), (now - float(times[-1])) / HOUR
    least = NEVER_WITHIN if times[-1] - times[0] >= WEEK else UNSEEN_WEEKEND
    return (hours, longest) if hours > max(FAR_LONGER * longest, least) else None


def _within(times: Floats, lines: Floats, end: float, hours: int) -> int:
    """Lines in the `hours` before `end`; `lines` is the cumulated count at each of `times`."""
    start, stop = (np.searchsorted(times, one, side="right") for one in (end - hours * HOUR, end))
    return int(lines[stop] - lines[start])
