"""Does a process need more and more memory? A leak goes on at its pace, a warm-up slows down."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
PARTS = 16  # of the later readings; the least of each, which a collector of garbage leaves alone
READINGS = 4  # of a part, at least
LATER = 1 / 3  # of a process's readings are its start
STEADY = 0.5  # of the pace before: a warm-up that ebbs away is slower
LEAST_RISE = 0.02  # of the memory; what is less is seen in a long log and worth nobody's while
DAY = 86_400.0


def a_day(times: Floats, memory: Floats, odds: float) -> float:
    """By how much one process grows in a day; 0 where chance at `odds`, or its start, can explain it.

    `times` in seconds, in order. The trend is Mann's and Kendall's, the pace Theil's and Sen's.
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
    """By time and by reading: what leaks with each call slows down by time alone, when fewer calls come."""
    half = PARTS // 2
    return _pace(at[half:], least[half:]) < STEADY * _pace(at[:half], least[:half])


def _pace(when: Floats, values: Floats) -> float:
    at, then = np.triu_indices(len(values), 1)
    apart = when[then] - when[at]
    return float(np.median((values[then] - values[at])[apart > 0] / apart[apart > 0]))


def _trend(values: Floats) -> float:
    """The chance of so many pairs that rise, if the order meant nothing."""
    n = len(values)
    at, then = np.triu_indices(n, 1)
    rising = float(np.sign(values[then] - values[at]).sum())
    scatter = math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return 1 - NormalDist().cdf((rising - 1) / scatter)
