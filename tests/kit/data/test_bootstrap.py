"""Metrics against brute force, and intervals that hold what they promise."""

import math
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.data.bootstrap import Floats, compare
from mlops_kit.data.metrics import EvaluatedRows, computed, score, weighted_score

Draw = np.random.Generator


def binary(draw: Draw, n: int, effect: float = 1.0, like: EvaluatedRows | None = None) -> EvaluatedRows:
    """Scores that are `effect` standard deviations higher for the positives; ties among them."""
    actual = like.actual if like else (draw.random(n) < 0.3).astype(float)
    shares = 1 / (1 + np.exp(-(effect * actual + draw.normal(size=n))))
    return EvaluatedRows(actual, (shares > 0.6).astype(float), shares.round(2))


def multiclass(draw: Draw, n: int) -> EvaluatedRows:
    shares = draw.dirichlet([1, 1, 1], n)
    return EvaluatedRows(draw.integers(0, 3, n).astype(float), shares.argmax(axis=1).astype(float), shares)


def regression(draw: Draw, n: int) -> EvaluatedRows:
    actual = draw.normal(size=n)
    return EvaluatedRows(actual, actual + draw.normal(size=n))


def repeated(rows: EvaluatedRows, times: list[int]) -> list[tuple[float, float, list[float]]]:
    """One row for each unit of weight: actual, prediction, and the probability of each class."""
    shares = np.zeros(len(rows)) if rows.probability is None else rows.probability
    if shares.ndim == 1:
        shares = np.column_stack([1 - shares, shares])
    found: list[tuple[float, float, list[float]]] = []
    for at, count in enumerate(times):
        found += [(float(rows.actual[at]), float(rows.prediction[at]), shares[at].tolist())] * count
    return found


def by_hand(metric: str, rows: list[tuple[float, float, list[float]]]) -> float:
    """The definition, row by row."""
    n, actual = len(rows), [row[0] for row in rows]
    middle = sum(actual) / n
    squares: float = sum((a - p) ** 2 for a, p, _ in rows)
    if metric == "roc_auc":
        pairs = [(yes[2][1], no[2][1]) for yes, no in product(rows, rows) if (yes[0], no[0]) == (1.0, 0.0)]
        return sum((yes > no) + (yes == no) / 2 for yes, no in pairs) / len(pairs)
    if metric == "balanced_accuracy":
        shares = [[p == a for a, p, _ in rows if a == code] for code in sorted(set(actual))]
        return sum(sum(one) / len(one) for one in shares) / len(shares)
    if metric == "brier":
        two = len(rows[0][2]) == 2
        terms = [sum((s - (a == code)) ** 2 for code, s in enumerate(shares)) for a, _, shares in rows]
        return sum(terms) / n / (2 if two else 1)
    if metric == "log_loss":
        return -sum(math.log(shares[int(a)]) for a, _, shares in rows) / n
    if metric == "r2":
        return 1 - squares / sum((a - middle) ** 2 for a in actual)
    right, off = sum(a == p for a, p, _ in rows), sum(abs(a - p) for a, p, _ in rows)
    return {"accuracy": right / n, "rmse": math.sqrt(squares / n), "mae": off / n}[metric]


CASES = [
    *((name, binary) for name in ("roc_auc", "accuracy", "balanced_accuracy", "log_loss", "brier")),
    *((name, multiclass) for name in ("accuracy", "balanced_accuracy", "log_loss", "brier")),
    *((name, regression) for name in ("rmse", "mae", "r2")),
]


@pytest.mark.parametrize(("metric", "make"), CASES, ids=lambda one: getattr(one, "__name__", one))
def test_a_metric_is_its_definition_with_weights_too(metric: str, make: object) -> None:
    assert callable(make)
    draw = np.random.default_rng(1)
    for _ in range(5):
        rows, times = make(draw, 40), draw.integers(0, 4, 40)
        assert score(metric, rows) == pytest.approx(by_hand(metric, repeated(rows, [1] * 40)))
        weighted = weighted_score(metric, rows)(times.astype(float))
        assert weighted == pytest.approx(by_hand(metric, repeated(rows, times.tolist())))


def test_every_metric_was_tried() -> None:
    assert {metric for metric, _ in CASES} == set(computed())


def test_plus_is_better_whatever_the_metric() -> None:
    draw = np.random.default_rng(2)
    weak = binary(draw, 3000, 0.3)
    strong = binary(draw, 3000, 2.0, like=weak)
    for metric in ("roc_auc", "accuracy", "balanced_accuracy", "log_loss", "brier"):
        assert compare(metric, weak, strong).low > 0, metric
        assert compare(metric, strong, weak).high < 0, metric


def test_the_interval_is_turned_with_the_metric() -> None:
    """Of few rows with one that weighs much, whose resamples lie on one side."""
    actual = np.zeros(30)
    exact, off = EvaluatedRows(actual, actual + 0.1), EvaluatedRows(actual, actual + 0.2)
    off.prediction[0] = 20.0
    found = compare("mae", exact, off)
    assert found.value == pytest.approx(-(20.0 + 29 * 0.2) / 30 + 0.1)
    assert found.high == pytest.approx(-0.1)  # without the one row
    assert found.low < 2 * found.value
    turned = compare("mae", off, exact)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_identical_predictions_are_the_same_and_the_seed_settles_the_rest() -> None:
    draw = np.random.default_rng(3)
    rows = binary(draw, 500)
    found = compare("roc_auc", rows, EvaluatedRows(*(np.array(one) for one in vars(rows).values())))
    assert (found.same, found.value, found.low, found.high) == (True, 0.0, 0.0, 0.0)
    other = binary(draw, 500, like=rows)
    assert compare("roc_auc", rows, other) == compare("roc_auc", rows, other)
    assert not compare("roc_auc", rows, other).same


@pytest.mark.parametrize("metric", computed())
@pytest.mark.parametrize("what", [float("nan"), float("inf")])
def test_what_is_no_number_gives_none(metric: str, what: float) -> None:
    rows = binary(np.random.default_rng(4), 300)
    assert rows.probability is not None
    shares, guessed = rows.probability.copy(), rows.prediction.copy()
    shares[7] = guessed[7] = what
    assert not compare(metric, rows, EvaluatedRows(rows.actual, guessed, shares)).is_known


def test_a_class_that_resamples_lose_gives_no_interval() -> None:
    draw = np.random.default_rng(5)
    rows = binary(draw, 300)
    rare = EvaluatedRows((np.arange(300) < 2).astype(float), rows.prediction, rows.probability)
    assert not compare("roc_auc", rare, binary(draw, 300, like=rare)).is_known


def test_an_unknown_metric_and_absent_probabilities_are_said() -> None:
    rows = regression(np.random.default_rng(6), 50)
    with pytest.raises(KitError, match=r"'auc' cannot be compared.[\s\S]*roc_auc"):
        score("auc", rows)
    with pytest.raises(KitError, match="hold no probability"):
        score("log_loss", rows)


# ---- coverage: how often the interval holds the true difference ----

SIMULATIONS = 250
# Around 95 %: three standard errors of a share of 250, 3 * sqrt(0.95 * 0.05 / 250).
TOLERANCE = 0.042


def pair(draw: Draw, n: int, effects: tuple[float, float]) -> tuple[EvaluatedRows, EvaluatedRows]:
    """Two models of the same rows whose scores hang together."""
    actual = (draw.random(n) < 0.3).astype(float)
    common = draw.normal(size=n)

    def model(effect: float) -> EvaluatedRows:
        raw: Floats = effect * actual + 0.8 * common + 0.6 * draw.normal(size=n)
        return EvaluatedRows(actual, (raw > 0.5).astype(float), 1 / (1 + np.exp(-raw)))

    return model(effects[0]), model(effects[1])


def truth(metric: str, effects: tuple[float, float]) -> float:
    """The difference for endless rows: scores are normal with variance 1."""
    normal = NormalDist()
    if metric == "roc_auc":
        old, new = (normal.cdf(effect / 2**0.5) for effect in effects)
    else:
        old, new = (0.3 * normal.cdf(effect - 0.5) + 0.7 * normal.cdf(0.5) for effect in effects)
    return new - old


@pytest.mark.parametrize(
    ("metric", "n", "exact"),
    [("roc_auc", 300, 300), ("accuracy", 300, 300), ("roc_auc", 2000, 0), ("accuracy", 2000, 0)],
    ids=["auc-exact", "accuracy-exact", "auc-little", "accuracy-little"],
)
def test_the_interval_holds_the_truth_as_often_as_it_says(metric: str, n: int, exact: int) -> None:
    effects = (0.8, 1.1)
    held = 0
    for seed in range(SIMULATIONS):
        champion, challenger = pair(np.random.default_rng([seed, n]), n, effects)
        found = compare(metric, champion, challenger, replicates=200, exact=exact, seed=seed)
        held += found.low <= truth(metric, effects) <= found.high
    assert abs(held / SIMULATIONS - 0.95) <= TOLERANCE, held / SIMULATIONS


def test_the_little_bootstrap_agrees_with_the_exact_one() -> None:
    champion, challenger = pair(np.random.default_rng(8), 6000, (0.8, 1.0))
    for metric in ("roc_auc", "log_loss"):
        exact = compare(metric, champion, challenger)
        little = compare(metric, champion, challenger, exact=0)
        width = exact.high - exact.low
        assert little.value == exact.value
        assert abs((little.high - little.low) / width - 1) < 0.15, metric
        assert abs(little.low - exact.low) < 0.15 * width, metric
