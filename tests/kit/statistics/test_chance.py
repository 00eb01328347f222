"""The sequential detector and the binomial tail that alarms rest on."""

import math
import tracemalloc

import numpy as np
import pytest
from mlops_kit.statistics.chance import at_least, evidence, rise

ALARM = math.log(1000)


def losses(draw: np.random.Generator, n: int, mean: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return draw.beta(4 * mean, 4 * (1 - mean), n)


def test_looking_at_every_row_does_not_cry_wolf() -> None:
    draw = np.random.default_rng(0)
    alarms = sum(evidence(losses(draw, 2000, 0.15), 0.15)[0].max() >= ALARM for _ in range(400))
    assert alarms <= 3  # 0.4 expected; more than 3 once in a thousand


@pytest.mark.parametrize(("mean", "rows"), [(0.3, 150), (0.22, 400)])
def test_a_change_is_found_soon_and_dated(mean: float, rows: int) -> None:
    draw, delays, off = np.random.default_rng(1), [], []
    for _ in range(50):
        stream = np.append(losses(draw, 1000, 0.15), losses(draw, 1000, mean))
        found, began = evidence(stream, 0.15)
        delays.append(int(np.argmax(found >= ALARM)) - 1000 if found.max() >= ALARM else 1000)
        off.append(abs(began - 1000))
    assert float(np.median(delays)) <= rows
    assert float(np.median(off)) <= 30


def test_evidence_is_weighed_in_little_memory() -> None:
    """Of ten million losses each array takes 80 MB."""
    came = losses(np.random.default_rng(2), 100_000, 0.15)
    tracemalloc.start()
    try:
        evidence(came, 0.15)
        assert tracemalloc.get_traced_memory()[1] < 5 * came.nbytes
    finally:
        tracemalloc.stop()


def test_fewer_losses_are_no_evidence() -> None:
    assert evidence(losses(np.random.default_rng(2), 3000, 0.05), 0.15)[0].max() < 1


@pytest.mark.parametrize("mean", [0.22, 0.3, 0.5])
def test_what_is_over_is_over_and_may_come_again(mean: float) -> None:
    """It takes as much evidence to end as to begin."""
    draw, ended, again = np.random.default_rng(3), 0, 0
    for _ in range(50):
        before, worse, after = (losses(draw, n, one) for n, one in ((500, 0.15), (500, mean), (1500, 0.15)))
        stream = np.concatenate([before, worse])
        found = rise(stream, 0.15, 0.001)
        assert (found and found.ended is None) or mean < 0.3
        found = rise(np.append(stream, after), 0.15, 0.001)
        ended += found is not None and found.ended is not None and abs(found.ended - 1000) < 100
        found = rise(np.concatenate([stream, after, losses(draw, 1000, mean)]), 0.15, 0.001)
        again += found is not None and found.ended is None and abs(found.began - 2500) < 100
    assert ended >= 45
    assert again >= 45


def test_a_little_better_is_not_over() -> None:
    draw = np.random.default_rng(4)
    for _ in range(50):
        stream = [losses(draw, n, mean) for n, mean in ((500, 0.15), (500, 0.4), (1000, 0.35))]
        found = rise(np.concatenate(stream), 0.15, 0.001)
        assert found and found.ended is None


def test_the_tail_of_a_binomial() -> None:
    exact = sum(math.comb(20, k) * 0.1**k * 0.9 ** (20 - k) for k in range(5, 21))
    assert at_least(5, 20, 0.1) == pytest.approx(exact)
    assert at_least(0, 20, 0.1) == 1
    assert at_least(1, 20, 0.0) == 0
    assert at_least(2, 1, 0.5) == 0
    assert at_least(100_500, 10_000_000, 0.01) == pytest.approx(0.0559, abs=1e-3)  # at once
