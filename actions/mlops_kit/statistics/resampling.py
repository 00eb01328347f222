"""Thresholds by resampling: how far apart are a window and its reference if they differ by chance alone?

Replicates of windows are whole rows drawn from the reference with replacement, which keeps the correlation of columns. The
reference is resampled too: if it is small, its own chance counts as much. Rows ordered in time are drawn as runs (block
bootstrap). All columns and statistics share one threshold, each measured in its own spread (the maximum standardised
statistic, Westfall and Young 1993), so that many columns do not mean many false alarms.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops_kit.statistics.bins import MISSING, UNSEEN, Bins, Codes, Kind
from mlops_kit.statistics.chance import apart

Array = npt.NDArray[np.float32]
REPLICATES, SEED = 4000, 20_26
LEVEL = (
    0.007  # of a check's 1 % of false alarms; the rest is for levels, predictions, labels and infrastructure
)
BLOCK, BLOCKS = 200, 1000  # large windows are drawn as blocks of rows whose bins were counted once
ROW_BY_ROW = 1000  # windows up to this size are drawn row by row
LEAST_REFERENCE, OF_REFERENCE = (
    250,
    5,
)  # a window as large as an unlucky reference would alarm again and again
SEEN_IN, TRIES = 0.8, 200
SHIFTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)  # sd
POINTS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75)  # share of the rows
LAGS, UNRELATED = 50, 0.05
CHI_SQUARE = 2.0  # mean excess of a chi-square: for a statistic that is constant in all replicates
TINY = 1e-9


@dataclass(frozen=True)
class Limits:
    """Thresholds for windows of `n` rows. `middle` and `spread` standardise a column's statistics."""

    n: int
    threshold: float
    middle: list[list[float]]
    spread: list[list[float]]
    visible: list[float]  # column by column, the smallest change that four of five windows show; inf: none

    def standing(self, column: int, statistics: Array) -> Array:
        """The largest standardised statistic of a column; above `threshold` it is an alarm."""
        middle, spread = (np.array(one[column], np.float32) for one in (self.middle, self.spread))
        highest: Array = np.max((statistics - middle) / spread, axis=-1)
        return highest


# Head start of each statistic, in log odds. Levels get more: they have one statistic where a number has three. A spread
# gets less, because it shows easily. In a small window a rare level that gains is one of the few changes that show at all.
_OF_NUMBERS = np.array([-0.5, 0, 0, -1], np.float32)  # Anderson-Darling, missing, shift, spread
_OF_LEVELS = np.array([0.25, 0, 1.25], np.float32)  # all levels, missing, the one that moved most
_OF_BOOLEANS = np.array([1.75, 0, 1.75], np.float32)
_IN_FEW_ROWS = np.array([0, 0, 2], np.float32)  # levels more at 50 rows, nothing from 200 on


def _ahead(kind: Kind, n: int) -> Array:
    if kind == "category":
        few = min(max(math.log(200 / n) / math.log(200 / 50), 0), 1)
        return _OF_LEVELS + np.float32(few) * _IN_FEW_ROWS
    return _OF_BOOLEANS if kind == "boolean" else _OF_NUMBERS


def tested(n: int, reference: int) -> int:
    """How many of a window's `n` rows are compared with a reference of that many rows."""
    most = min(n, reference // OF_REFERENCE)
    return most if most <= ROW_BY_ROW else most // BLOCK * BLOCK


class Resampling:
    """Resamples one reference. `codes`: one line a row, one column a column; in the order of time if `ordered`."""

    def __init__(self, bins: list[Bins], codes: Codes, *, ordered: bool) -> None:
        self.bins, self.codes, self.ordered = bins, codes, ordered
        self.run = _run(codes) if ordered else 1
        self.scores = [_scores(self._shares(index)) for index in range(len(bins))]

    def _shares(self, column: int) -> Array:
        counts = count(self.codes[:, column], self.bins[column].size)
        shares: Array = counts[0, :-1] / max(counts[0, :-1].sum(), 1)
        return shares

    def limits(self, n: int, level: float = LEVEL) -> Limits:
        """The thresholds for windows of `n` rows, a size that `tested` returns."""
        return self.limits_by_size([n], level)[n]

    def limits_by_size(self, sizes: Sequence[int], level: float = LEVEL) -> dict[int, Limits]:
        """The thresholds for windows of each of these sizes. They share the resampled references."""
        found = {n: Limits(n, 0, [], [], []) for n in sizes}
        highest = {n: np.full(REPLICATES, -np.inf, np.float32) for n in sizes}
        for column, (windows, reference) in enumerate(self._replicates(sizes)):
            for n, window in windows.items():
                replicated = self.statistics(column, window, reference)
                middle = np.quantile(replicated, 0.95, axis=0)
                in_tail = replicated > middle
                excess = np.where(in_tail, replicated - middle, 0).sum(axis=0) / np.maximum(
                    in_tail.sum(axis=0), 1
                )
                spread = np.where(in_tail.any(axis=0), np.maximum(excess, 1e-6), CHI_SQUARE)
                middle = middle - _ahead(self.bins[column].kind, n) * spread
                np.maximum(highest[n], np.max((replicated - middle) / spread, axis=1), out=highest[n])
                found[n].middle.append(middle.tolist())
                found[n].spread.append(spread.tolist())
        return {n: self._with_threshold(limits, highest[n], level) for n, limits in found.items()}

    def _with_threshold(self, limits: Limits, highest: Array, level: float) -> Limits:
        threshold = float(np.sort(highest)[-max(int(level * REPLICATES), 1)])
        limits = replace(limits, threshold=threshold)
        return replace(limits, visible=[self._visible(column, limits) for column in range(len(self.bins))])

    def statistics(self, column: int, window: Array, reference: Array) -> Array:
        """Statistics of shape (replicates, statistics) from counts of rows by bin, missing values in the last one."""
        n, big_n = window.sum(axis=1), reference.sum(axis=1)
        missing = _likelihood(window[:, -1], n, reference[:, -1], big_n)
        window, reference = window[:, :-1], reference[:, :-1]
        n, big_n = (np.maximum(one.sum(axis=1, keepdims=True), 1) for one in (window, reference))
        g, f = window / n, reference / big_n
        c = n * big_n / (n + big_n)
        h = (window + reference) / (n + big_n)
        if self.bins[column].is_ordered:
            apart, below = np.cumsum(g - f, axis=1), np.cumsum(h, axis=1)
            weight = (h[:, :-1] + h[:, 1:]) / 2
            inside = np.maximum(below * (1 - below), 1e-9)[:, :-1]
            darling = (c * apart[:, :-1] ** 2 / inside * weight).sum(axis=1)
            shift, spread = (c[:, 0] * ((g - f) @ score) ** 2 for score in self.scores[column])
            return np.stack([darling, missing, shift, spread], axis=1)
        # Pearson's statistic, not the likelihood ratio: it sees a rare level that gains sooner.
        least = 1 / (n + big_n)
        moved = c * (g - f) ** 2 / np.maximum(h, least)
        single = (moved / np.maximum(1 - h, least)).max(axis=1)
        return np.stack([moved.sum(axis=1), missing, single], axis=1)

    def replicates(self, n: int) -> Iterator[tuple[Array, Array]]:
        """Column by column, the bin counts of resampled windows and references; all columns use the same rows."""
        return ((windows[n], reference) for windows, reference in self._replicates([n]))

    def _replicates(self, sizes: Sequence[int]) -> Iterator[tuple[dict[int, Array], Array]]:
        """As `replicates`, with windows by their size. A size has the same windows whatever the other sizes are."""
        draw = np.random.default_rng(SEED)
        pool = self._rows(draw, BLOCKS, BLOCK)
        of_reference = _weights(draw, max(len(self.codes) // BLOCK, 1))
        state = draw.bit_generator.state
        by_rows, of_window = {}, {}
        for n in sizes:
            draw.bit_generator.state = state
            if n <= ROW_BY_ROW:
                by_rows[n] = self._rows(draw, REPLICATES, n)
            else:
                of_window[n] = _weights(draw, n // BLOCK)
        for column, bins in enumerate(self.bins):
            codes = self.codes[:, column]
            counted = _counts(codes, pool, bins.size)
            windows = {n: _counts(codes, rows, bins.size) for n, rows in by_rows.items()}
            windows |= {n: weights @ counted for n, weights in of_window.items()}
            yield windows, of_reference @ counted

    def _rows(self, draw: np.random.Generator, many: int, size: int) -> npt.NDArray[np.intp]:
        """Indices of `many` draws of `size` rows, as runs if rows are ordered."""
        run = min(self.run, size)
        runs = -(-size // run)
        starts = draw.integers(0, len(self.codes) - run + 1, (many, runs))
        return (starts[:, :, None] + np.arange(run)).reshape(many, -1)[:, :size]

    def all_alike(self, column: int, code: int, n: int) -> float:
        """The probability that `n` rows of the reference, drawn as runs, all hold this code.

        For a level the rows are those with a value; for MISSING they are all rows.
        """
        codes = self.codes[:, column]
        alike = (codes if code == MISSING else codes[codes != MISSING]) == code
        run = min(self.run, n, len(alike))
        if not run:
            return 1.0
        counted = np.concatenate([[0], np.cumsum(alike)])
        share = float((counted[run:] - counted[:-run] == run).mean())
        return float(share ** (n // run))

    def new_levels(self, column: int, window: Codes, levels: npt.NDArray[Any]) -> float:
        """The probability of at least as many rows with unseen levels if the rows of window and reference were shuffled.

        `levels`: those of the rows that are UNSEEN. The frequency of each level in both together is taken as given, so a
        reference with rare levels expects more unseen ones. If rows are ordered, a level counts once a run.
        """
        codes = self.codes[:, column]
        run = _run(codes[:, None]) if self.ordered else 1
        runs = np.arange(len(codes)) // run
        runs_by_level = [len(np.unique(runs[codes == level])) for level in range(self.bins[column].size)]
        at = np.flatnonzero(window == UNSEEN) // run
        new = [len(np.unique(at[levels == level])) for level in np.unique(levels)]
        n, big_n = ((one != MISSING).sum() for one in (window, codes))
        return apart([one for one in runs_by_level if one] + new, n / (n + big_n), sum(new))

    def _visible(self, column: int, limits: Limits) -> float:
        """The smallest of the tried shifts of the reference that four of five windows show; inf if none."""
        bins, shares = self.bins[column], self._shares(column).astype(float)
        reference = self.counts[column]
        present = round(limits.n * float(reference[0, :-1].sum() / reference.sum()))
        draw = np.random.default_rng(SEED)
        for size in SHIFTS if bins.is_ordered else POINTS:
            tilted = _tilted(shares, size, self.scores[column][0] if bins.is_ordered else None)
            window = draw.multinomial(present, tilted, TRIES).astype(np.float32)
            window = np.column_stack([window, np.full(TRIES, limits.n - present, np.float32)])
            statistics = self.statistics(column, window, np.repeat(reference, TRIES, axis=0))
            if (limits.standing(column, statistics) > limits.threshold).mean() >= SEEN_IN:
                return size
        return float("inf")

    @cached_property
    def counts(self) -> list[Array]:
        return [count(self.codes[:, at], one.size) for at, one in enumerate(self.bins)]


def count(codes: Codes, size: int) -> Array:
    """Rows of one window by bin, missing values in the last; unseen levels have no bin."""
    return _counts(codes, np.arange(len(codes))[None], size)


def _counts(codes: Codes, groups: npt.NDArray[np.intp], size: int) -> Array:
    """`groups`: indices into the codes, one group a row."""
    bins = np.where(codes == MISSING, size, np.minimum(codes, size + 1)).astype(np.intp)
    flat = bins[groups]
    flat += np.arange(len(groups))[:, None] * (size + 2)
    counted = np.bincount(flat.ravel(), minlength=len(groups) * (size + 2))
    return counted.reshape(-1, size + 2)[:, : size + 1].astype(np.float32)


def _weights(draw: np.random.Generator, blocks: int) -> Array:
    return draw.multinomial(blocks, np.full(BLOCKS, 1 / BLOCKS), REPLICATES).astype(np.float32)


def _likelihood(a: Array, n: Array, b: Array, big_n: Array) -> Array:
    """Twice the log likelihood ratio that a of n and b of N have different shares."""
    pooled = (a + b) / (n + big_n)

    def of(k: Array, m: Array, share: Array) -> Array:
        part: Array = k * np.log(np.maximum(k, TINY) / np.maximum(m * share, TINY))
        return part

    sums = (
        of(a, n, pooled) + of(n - a, n, 1 - pooled) + of(b, big_n, pooled) + of(big_n - b, big_n, 1 - pooled)
    )
    ratio: Array = 2 * np.maximum(sums, 0)
    return ratio


def _scores(shares: Array) -> list[Array]:
    """The normal score of each bin and, orthogonal to it, its square: they detect a shift and a change of spread."""
    middle = np.clip(np.cumsum(shares) - shares / 2, 1e-6, 1 - 1e-6)
    first = np.array([NormalDist().inv_cdf(float(one)) for one in middle])
    scores: list[Any] = []
    for score in (first, first**2):
        for earlier in (np.ones_like(first), *scores):
            score = score - (shares * score * earlier).sum() * earlier
        length = np.sqrt((shares * score**2).sum())
        scores.append(score / length if length > 1e-6 else np.zeros_like(score))
    return [one.astype(np.float32) for one in scores]


def _tilted(shares: Any, size: float, score: Array | None) -> Any:
    if score is None:  # the largest level gains
        gains = np.zeros(len(shares))
        gains[shares.argmax() if shares.max() < 0.5 else shares.argmin()] = 1
        weights = (1 - size) * shares + size * gains
    else:
        weights = shares * np.exp(size * score.astype(float))
    return weights / weights.sum()  # shares are of single precision, and a draw asks for double


def related(values: npt.NDArray[Any]) -> int:
    """The largest lag, in rows, at which some column is autocorrelated; 0 for none."""
    longest, n = 0, len(values)
    least = max(UNRELATED, 3 / math.sqrt(max(n, 1)))
    for column in values.T:
        apart = column.astype(float) - column.mean()
        spread = (apart**2).mean()
        for lag in range(1, min(LAGS, n // 50) + 1):
            if not spread or abs((apart[lag:] * apart[:-lag]).mean() / spread) < least:
                break
            longest = max(longest, lag)
    return longest


def _run(codes: Codes) -> int:
    """Length of a run of rows that are drawn together: five times the largest autocorrelated lag."""
    longest = related(codes)
    return 1 if not longest else min(5 * longest, max(len(codes) // 50, 1))
