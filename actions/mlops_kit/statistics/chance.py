"""Tail probabilities and the sequential test for a rise of the mean loss."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
NEVER = 1e-12
RATES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7)  # share of the capital that is bet on each row's loss


def at_least(k: int, n: int, p: float) -> float:
    """The binomial probability of k or more."""
    if k <= 0:
        return 1.0
    if p <= 0:
        return 0.0
    last = min(n, int(max(k, n * p) + 10 * math.sqrt(n)) + 100)  # what is beyond adds nothing
    i = np.arange(k, last + 1)
    logs = np.array([math.lgamma(one + 1) + math.lgamma(n - one + 1) for one in i])
    terms = math.lgamma(n + 1) - logs + i * math.log(p) + (n - i) * math.log1p(-p)
    return float(min(1.0, np.exp(terms).sum()))


def apart(groups: list[int], share: float, k: int) -> float:
    """The probability that groups lying entirely in one part hold `k` items or more together.

    `groups`: the size of each group. `share`: the part's share of all items.
    """
    chances = np.append(1.0, np.zeros(k))  # the chance of that many; of k, of as many or more
    for size in groups:
        whole = share**size
        if whole < NEVER:
            continue
        moved = np.zeros_like(chances)
        for many, odds in enumerate(chances):
            moved[min(many + size, k)] += odds * whole
        chances = chances * (1 - whole) + moved
    return float(chances[k])


def at_most(k: int, mean: float) -> float:
    """The Poisson probability of k or fewer."""
    if mean <= 0:
        return 1.0
    i = np.arange(k + 1)
    logs = np.cumsum(np.append(0.0, np.log(i[1:])))
    return float(min(1.0, np.exp(i * math.log(mean) - mean - logs).sum()))


@dataclass(frozen=True)
class Rise:
    """Rows from `began` up to, not including, `ended`, which is None while the rise lasts."""

    began: int
    ended: int | None


def rise(losses: Floats, usual: float, odds: float) -> Rise | None:
    """The last period in which the mean loss was above `usual`.

    The rise ends once there is as much evidence, by the same bets, that the loss is nearer to `usual` than to its risen
    mean. Later rows are tested anew. `odds`: probability of a false rise, or of a false end.
    """
    limit, start, last = math.log(1 / odds), 0, None
    while crossing := _crossing(losses[start:], usual, limit):
        began, detected = crossing
        risen = losses[start + began : start + detected + 1].mean()
        back = _crossing(1 - losses[start + began :], 1 - (usual + risen) / 2, limit)
        if back is None:
            return Rise(start + began, None)
        last = Rise(start + began, start + began + max(back[0], 1))
        start = start + began + max(back[0], 1)
    return last


def _crossing(losses: Floats, usual: float, limit: float) -> tuple[int, int] | None:
    """The row at which the rise began, and the row at which the evidence sufficed."""
    if not len(losses):
        return None
    grown, _ = evidence(losses, usual)
    if not (grown >= limit).any():
        return None
    detected = int((grown >= limit).argmax())
    _, began = evidence(losses[: detected + 1], usual)
    return began, detected


def evidence(losses: Floats, usual: float) -> tuple[Floats, int]:
    """Log of the evidence, after each row, that the mean loss is above `usual`; and the row at which that began.

    Losses lie between 0 and 1. Bets that would not gain on average if nothing had changed (Waudby-Smith and Ramdas
    2024), half of the capital from the first row, half spread over every later one (Shin, Ramdas and Rinaldo 2024). By
    Ville's inequality the chance that it ever exceeds log(1000) is at most 0.001 at whatever row one looks: labels may
    come late and be looked at each day. ADWIN bounds its false alarms only with a correction for the rows seen.
    """
    n = len(losses)
    usual = min(max(usual, 1e-3), 1 - 1e-3)
    mixed, best, began = np.full(n, -math.inf), -math.inf, 0
    for rate in RATES:  # in place: of ten million losses each array takes 80 MB
        path = losses - usual
        path *= rate / usual
        np.cumsum(np.log1p(path, out=path), out=path)
        grown = np.full(n, math.log(0.5 / n))
        grown[0] = math.log(0.5 + 0.5 / n)
        grown[1:] -= path[:-1]
        np.logaddexp.accumulate(grown, out=grown)
        grown += path
        np.logaddexp(mixed, grown, out=mixed)
        end = int(grown.argmax())
        if grown[end] > best:
            best, began = float(grown[end]), int(np.append(0.0, path[:end]).argmin())
    mixed -= math.log(len(RATES))
    return mixed, began
