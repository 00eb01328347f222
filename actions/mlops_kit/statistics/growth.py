"""Memory growth of a process: a leak keeps its pace, a warm-up slows down."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
PARTS = 16  # of the later readings; the minimum of each is used, which garbage collection does not move
READINGS = 4  # at least, in each part
LATER = 1 / 3  # the first third of a process's readings is its start
STEADY = 0.5  # of the earlier pace: below it, growth is a warm-up that ends
LEAST_RISE = 0.02  # of the memory: a long log shows smaller rises too, but nobody acts on them
DAY = 86_400.0


def a_day(times: Floats, memory: Floats, odds: float) -> float:
    """Growth of one process a day; 0 if chance, at `odds`, or its start explains it.

    `times` in seconds, in order. The trend is tested by Mann-Kendall, the pace is the Theil-Sen slope.
    """
    later = slice(math.ceil(len(times) * LATER), None)
    times, memory = times[later], memory[later]
    if len(times) < PARTS * READINGS or times[-1] <= times[0]:
        return 0.0
    when = np.array([part.mean() for part in np.array_split(times, PARTS)])
    least = np.array([part.min() for part in np.array_split(memory, PARTS)])
    pace = _pace(when, least)
    if _trend(least) > odds or pace * (when[-1] - when[0]) < LEAST_RISE * least[0]:
        return 0.0
    return 0.0 if _ebbs(when, least) and _ebbs(np.arange(PARTS, dtype=float), least) else pace * DAY


def _ebbs(at: Floats, least: Floats) -> bool:
    """True if growth slows down. Asked by time and by reading: a leak a call slows down by time if fewer calls come."""
    half = PARTS // 2
    return _pace(at[half:], least[half:]) < STEADY * _pace(at[:half], least[:half])


def _pace(when: Floats, values: Floats) -> float:
    at, then = np.triu_indices(len(values), 1)
    apart = when[then] - when[at]
    return float(np.median((values[then] - values[at])[apart > 0] / apart[apart > 0]))


def _trend(values: Floats) -> float:
    """The probability of at least as many rising pairs in random order."""
    n = len(values)
    at, then = np.triu_indices(n, 1)
    rising = float(np.sign(values[then] - values[at]).sum())
    scatter = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return 1 - NormalDist().cdf((rising - 1) / scatter)
