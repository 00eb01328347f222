"""Counts of all lines of a predictions log, by minute: their size depends on the log's time span, not on its lines."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlops_kit.base import clock
from mlops_kit.predictions_log import lines as log_lines
from mlops_kit.predictions_log.lines import AHEAD

MINUTE = 60.0
TOGETHER = 100_000  # minutes of single batches that are kept before they are summed
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Minutes:
    """One array element for each minute that has a line, in order."""

    starts: Floats  # seconds since 1970
    lines: Floats
    asked: Floats  # predictions asked for: all rows of a call that was refused
    failed: Floats  # of them

    def until(self, end: float) -> "Minutes":
        """The minutes that begin no later than `end`."""
        n = np.searchsorted(self.starts, end, side="right")
        return Minutes(self.starts[:n], self.lines[:n], self.asked[:n], self.failed[:n])


def minutes(times: Floats, asked: Floats | None = None, failed: Floats | None = None) -> Minutes:
    """`times` in seconds since 1970, in any order; `asked` and `failed`: predictions of each line."""
    ones = np.ones(len(times))
    asked = ones if asked is None else asked
    return _sum_by_minute(
        times // MINUTE * MINUTE, ones, asked, np.zeros(len(times)) if failed is None else failed
    )


def joined(parts: list[Minutes]) -> Minutes:
    columns = [(one.starts, one.lines, one.asked, one.failed) for one in (minutes(np.empty(0)), *parts)]
    return _sum_by_minute(*(np.concatenate(one) for one in zip(*columns, strict=True)))


def _sum_by_minute(starts: Floats, *counts: Floats) -> Minutes:
    minutes_with_lines, places = np.unique(starts, return_inverse=True)
    summed = (np.bincount(places, weights=one, minlength=len(minutes_with_lines)) for one in counts)
    return Minutes(minutes_with_lines, *(np.asarray(one, float) for one in summed))


@dataclass
class Tally:
    since: datetime | None = None  # begin of the window
    lines: int = 0
    first: float | None = None  # of the window's lines, in seconds since 1970; future times do not count
    last: float | None = None
    ahead: int = 0  # lines with a future time
    furthest: float = 0.0  # of these, the latest time in seconds since 1970
    timed: int = 0  # lines with a time
    untimed: int = 0  # lines whose time cannot be read
    such: str = ""  # an example of such a time
    _nowhere: tuple[float, float] = (0.0, 0.0)  # asked and failed, of lines without a time
    _earlier: list[Minutes] = field(default_factory=list)  # than the window
    _window: list[Minutes] = field(default_factory=list)

    def add(self, batch: pa.Table) -> None:
        self.lines += len(batch)
        times, asked = log_lines.seconds(batch), log_lines.asked(batch)
        failed = asked * np.asarray(batch["error"].is_valid())
        known = np.isfinite(times)
        self._add_untimed(batch, asked[~known], failed[~known])
        later = known & (times > self.since.timestamp()) if self.since else known
        for parts, these in ((self._window, later), (self._earlier, known & ~later)):
            if these.any():
                parts.append(minutes(times[these], asked[these], failed[these]))
                if sum(len(one.starts) for one in parts) > TOGETHER + 2 * len(parts[0].starts):
                    parts[:] = [joined(parts)]
        latest = (clock.now() + AHEAD).timestamp()
        ahead, usual = times[known & (times > latest)], times[later & (times <= latest)]
        self.ahead += len(ahead)
        self.furthest = max([self.furthest, *ahead])
        if len(usual):
            first, last = float(usual.min()), float(usual.max())
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)

    def _add_untimed(self, batch: pa.Table, asked: Floats, failed: Floats) -> None:
        none = batch["no_time"].drop_null()
        self.timed += len(batch) - batch["time"].null_count
        self.untimed += len(none)
        if len(none):
            self.such = self.such or none[0].as_py()
        self._nowhere = self._nowhere[0] + asked.sum(), self._nowhere[1] + failed.sum()

    @property
    def every(self) -> Minutes:
        return joined([*self._earlier, *self._window])

    @property
    def rows(self) -> int:
        """Predictions asked for in the window."""
        return self._of_window(sum(one.asked.sum() for one in self._window), 0)

    @property
    def errors(self) -> int:
        return self._of_window(sum(one.failed.sum() for one in self._window), 1)

    def _of_window(self, timed: float, which: int) -> int:
        """Lines without a time count for the whole log, but for no window of it."""
        return int(timed) + (0 if self.since else int(self._nowhere[which]))


def of(facts: pa.Table, since: datetime | None = None) -> Tally:
    """The counts of lines that are all in memory."""
    tally = Tally(since)
    tally.add(facts)
    return tally
