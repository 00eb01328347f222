"""Each gate turns red for what it is there for, and never passes what it cannot judge."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.gates import judge, measure
from mlops_kit.project import contract
from mlops_kit.runs import events
from mlops_kit.versions.gate_results import GateResult, Verdict

from tests.kit.script_repository import Scripted

NAN = float("nan")
BASELINE = {"kind": "threshold", "metric": "model.auc", "at_least": "baseline.auc"}
THRESHOLD = {"kind": "threshold", "metric": "accuracy", "at_least": 0.7, "margin": 0.01, "min_rows": 100}
CHAMPION = {"kind": "champion", "metric": "accuracy", "worse_by_at_most": 0.01}


def judged(small: Scripted, only: str = "") -> Verdict:
    journal = events.go_on(small.repository)
    return judge.judge(small.repository, contract.load(small.root), journal, lambda _: None, only)


def one(small: Scripted, **gate: Any) -> GateResult:
    small.gates(gate=gate)
    (result,) = judged(small).results
    return result


def measured(value: Any, n: int | None = 500, spread: float = 0.02, **more: Any) -> dict[str, Any]:
    auc = {"value": value, "low": value - spread, "high": value + spread}
    return {"model": {"auc": auc} | ({"n": n} if n else {}), "baseline": {"auc": {"value": 0.5}}} | more


def between(value: float, low: Any, high: Any, n: Any = 500) -> dict[str, Any]:
    return measured(0.9) | {"model": {"auc": {"value": value, "low": low, "high": high}, "n": n}}


# ---- thresholds ----


@pytest.mark.parametrize(
    ("value", "bound", "status"),
    [
        (0.70, {"at_least": 0.65}, "pass"),
        (0.70, {"at_least": 0.69}, "fail"),  # its worse end is 0.68
        (0.70, {"at_least": 0.69, "interval": False}, "pass"),
        (0.70, {"at_least": 0.70, "interval": False}, "pass"),  # equal is enough for a number
        (0.70, {"at_least": 0.66, "margin": 0.03}, "fail"),
        (0.70, {"at_most": 0.73}, "pass"),
        (0.70, {"at_most": 0.71}, "fail"),
        (0.70, {"at_most": 0.75, "margin": 0.04}, "fail"),
        (0.53, {"at_least": "baseline.auc"}, "pass"),
        (0.51, {"at_least": "baseline.auc"}, "fail"),
        (0.53, {"at_least": "baseline.auc", "margin": 0.02}, "fail"),
        (0.45, {"at_most": "baseline.auc"}, "pass"),
    ],
)
def test_threshold(value: float, bound: dict[str, Any], status: str, small: Scripted) -> None:
    small.metrics(measured(value))
    result = one(small, kind="threshold", metric="model.auc", **bound)
    assert result.status == status, result.says
    assert f"{value:.4g}" in result.says


@pytest.mark.parametrize("spread", [0.0, 0.02])
@pytest.mark.parametrize("side", ["at_least", "at_most"])
def test_a_constant_model_does_not_pass_its_baseline(side: str, spread: float, small: Scripted) -> None:
    small.metrics(measured(0.5, spread=spread))
    assert one(small, kind="threshold", metric="model.auc", **{side: "baseline.auc"}).status == "fail"


@pytest.mark.parametrize(
    ("content", "gate", "words"),
    [
        (measured(NAN), BASELINE, "model.auc is nan, which is not a number"),
        (measured(float("inf")), BASELINE, "model.auc is inf, which is not a number"),
        ({"model": {"n": 500}}, BASELINE, "can't tell: model.auc is not in metrics.json"),
        (measured(True), BASELINE, "can't tell: model.auc is not in metrics.json"),
        (measured(0.9, n=29), BASELINE, "can't tell: model.auc has 29 rows; min_rows is 30"),
        (measured(0.9) | {"baseline": {}}, BASELINE, "can't tell: the bound baseline.auc is missing"),
        (measured(0.9) | {"baseline": {"auc": NAN}}, BASELINE, "can't tell: the bound baseline.auc is nan"),
        (
            between(0.9, NAN, 1),
            BASELINE,
            "can't tell: model.auc 0.9 is outside of its own interval, nan to 1",
        ),
        (between(0.9, 0.8, NAN), BASELINE, "is outside of its own interval, 0.8 to nan"),
        (between(0.4, 0.8, 0.9), BASELINE, "model.auc 0.4 is outside of its own interval, 0.8 to 0.9"),
        (between(0.8, 0.9, 0.7), BASELINE, "is outside of its own interval, 0.9 to 0.7"),
        (between(0.8, "0.7", 0.9), BASELINE, "is outside of its own interval, nan to 0.9"),
        (between(0.8, 0.7, 0.9, n="many"), BASELINE | {"min_rows": 500}, "has 400 rows; min_rows is 500"),
    ],
)
def test_what_cannot_be_judged_does_not_pass(
    content: dict[str, Any], gate: dict[str, Any], words: str, small: Scripted
) -> None:
    small.metrics(content)
    result = one(small, **gate)
    assert result.status != "pass"
    assert words in result.says


def test_what_is_no_number_is_null_in_json(small: Scripted) -> None:
    small.metrics(between(0.9, NAN, 1))
    small.gates(gate=THRESHOLD | {"metric": "model.auc"})
    (result,) = judged(small).results
    assert (result.status, result.details["low"]) == ("unknown", None)


def test_rows_that_no_metric_names_are_counted_in_the_predictions(small: Scripted) -> None:
    small.metrics(measured(0.9, n=None))
    assert one(small, **BASELINE).status == "pass"
    assert one(small, **BASELINE, min_rows=401).says.endswith("model.auc has 400 rows; min_rows is 401")
    small.contract(predictions=None)
    assert one(small, **BASELINE, min_rows=10).status == "unknown"


# ---- slices ----

FAIR = {"kind": "slices", "of": "slices.carrier", "metric": "auc", "gap_at_most": 0.1}


def carriers(**values: tuple[int, float]) -> dict[str, Any]:
    return {"slices": {"carrier": {name: {"n": n, "auc": value} for name, (n, value) in values.items()}}}


@pytest.mark.parametrize(
    ("slices", "status", "words"),
    [
        (carriers(AA=(100, 0.8), UA=(100, 0.71)), "pass", "gap 0.09 in auc (UA 0.71, AA 0.8), at most 0.1"),
        (carriers(AA=(100, 0.8), UA=(100, 0.6)), "fail", "gap 0.2"),
        (carriers(AA=(900, 0.8), UA=(900, 0.75), HA=(99, 0.1)), "pass", "too few rows: HA"),
        (
            carriers(AA=(900, 0.8), HA=(99, 0.8)),
            "unknown",
            "1 of 2 slices have 100 rows; at least two are required",
        ),
        (carriers(AA=(9, 0.8), HA=(9, 0.8)), "unknown", "too few rows: AA, HA"),
        (carriers(AA=(900, 0.8), UA=(900, NAN), EV=(900, 0.8)), "unknown", "auc is not a number for UA"),
        ({}, "unknown", "slices.carrier is not in metrics.json"),
    ],
)
def test_slices(slices: dict[str, Any], status: str, words: str, small: Scripted) -> None:
    small.metrics(slices)
    result = one(small, **FAIR)
    assert (result.status, words in result.says) == (status, True), result.says
    assert ("can't tell" in result.says) == (status == "unknown")


def test_slices_without_rows_or_metric_do_not_count(small: Scripted) -> None:
    small.metrics(
        {"slices": {"carrier": {"AA": {"auc": 0.8}, "UA": {"n": 500}, "EV": {"n": 500, "auc": 0.8}}}}
    )
    result = one(small, **FAIR)
    assert result.status == "unknown"
    assert result.details["insufficient"] == {"AA": 0}
    assert result.details["without_value"] == ["UA"]


# ---- latency and size ----


LATENCY = {"kind": "latency", "calls": 20, "p95_seconds_at_most": 0.05}
# Keeps the rows and writes WRITTEN; a text stands for itself.
TIMER = """import json, pathlib, shutil, sys
rows, _, calls, _, out = sys.argv[1:]
shutil.copy(rows, "seen.csv")
written = json.loads(pathlib.Path("written.json").read_text())
if written is not None:
    pathlib.Path(out).write_text(written if isinstance(written, str) else json.dumps(written))
"""


def timed(small: Scripted, written: Any) -> GateResult:
    """The result of the latency gate when `commands.latency` writes this."""
    (small.root / "timer.py").write_text(TIMER)
    (small.root / "written.json").write_text(json.dumps(written))
    small.contract(commands=small.first()["commands"] | {"latency": f"{sys.executable} timer.py"})
    return one(small, **LATENCY)


def test_latency_is_judged_by_its_95_percent_quantile(small: Scripted) -> None:
    quick = timed(small, {"seconds": [0.01] * 19 + [0.1]})
    assert quick.status == "pass", quick.says
    assert quick.says == "p95 0.0145 s, p50 0.01 s in 20 predictions of one row, p95 at most 0.05 s"
    slow = timed(small, {"seconds": [0.01] * 18 + [0.06, 0.06]})
    assert (slow.status, slow.value, slow.bound) == ("fail", 0.06, 0.05)
    kept = judged(small).measured
    assert kept["latency"]["gate"] == {
        "p50_seconds": 0.01,
        "p95_seconds": 0.06,
        "n": 20,
        "rows": 20,
        "machine": measure.machine(),
    }
    assert kept["size"] == {"bytes": 4, "of": {"model.txt": 4}}


def test_the_timed_rows_are_the_first_of_the_test_rows_or_of_the_sample(small: Scripted) -> None:
    measurement = {"seconds": [0] * 20}
    assert timed(small, measurement).status == "pass"
    seen, test = ((small.root / name).read_text().splitlines() for name in ("seen.csv", "test.csv"))
    assert seen == test[:21]
    (small.root / "test.csv").unlink()
    text = 'id;text\n1;"two\nlines"\n2;b\n'
    (small.root / "sample.csv").write_text(text)
    small.contract(sample={"file": "sample.csv", "parameter": "data"})
    result = timed(small, measurement)
    assert (result.status, result.details["rows"], result.details["n"]) == ("pass", 2, 20)
    assert (small.root / "seen.csv").read_text() == text


def test_a_measurement_over_the_limit_is_repeated(small: Scripted) -> None:
    (small.root / "timer.py").write_text(
        "import json, pathlib, sys\n"
        "tries = pathlib.Path('tries.txt')\n"
        "tries.write_text(tries.read_text() + 'x' if tries.exists() else 'x')\n"
        "seconds = 0.01 if len(tries.read_text()) == 3 else 0.09\n"
        "pathlib.Path(sys.argv[5]).write_text(json.dumps({'seconds': [seconds] * 20}))\n"
    )
    small.contract(commands=small.first()["commands"] | {"latency": f"{sys.executable} timer.py"})
    result = one(small, **LATENCY)
    assert (result.status, result.value) == ("pass", 0.01)
    result = one(small, **LATENCY)  # the fourth to the sixth
    assert (result.status, result.value) == ("fail", 0.09)
    assert len((small.root / "tries.txt").read_text()) == 6


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (None, "`commands.latency` wrote nothing to --out"),
        ("", "is not a measurement: "),
        ("[1, 2]", "is not a measurement: the file is [1, 2]"),
        ({}, "seconds is missing"),
        ({"seconds": [0.01] * 20, "unit": "ms"}, "unit is not a known key"),
        ({"seconds": 0.01}, "seconds is 0.01"),
        ({"seconds": [0.01] * 19}, "holds 19 numbers; 20 calls were asked for"),
        ({"seconds": [0.01] * 21}, "holds 21 numbers; 20 calls were asked for"),
        ({"seconds": [0.01] * 19 + [-0.001]}, "seconds.19 is -0.001"),
        ({"seconds": [0.01] * 19 + ["0.01"]}, "seconds.19 is '0.01'"),
        ({"seconds": [0.01] * 19 + [None]}, "seconds.19 is None"),
        ({"seconds": [0.01] * 19 + [True]}, "seconds.19 is True"),
        ({"seconds": [0.01] * 19 + [float("nan")]}, "seconds.19 is nan"),
        ({"seconds": [0.01] * 19 + [float("inf")]}, "seconds.19 is inf"),
        ('{"seconds": [' + "0.010, " * 1000 + "0]}", "is longer than 2,000 bytes, too long for 20 calls"),
    ],
)
def test_what_is_no_measurement_does_not_pass(written: Any, words: str, small: Scripted) -> None:
    result = timed(small, written)
    assert (result.status, words in result.says) == ("fail", True), result.says


def test_a_model_that_does_not_predict_is_not_fast(small: Scripted) -> None:
    (small.root / "timer.py").write_text("raise SystemExit('out of memory')")
    small.contract(commands=small.first()["commands"] | {"latency": f"{sys.executable} timer.py"})
    result = one(small, **LATENCY)
    assert (result.status, "out of memory" in result.says) == ("fail", True), result.says


def test_without_its_command_or_rows_latency_does_not_pass(small: Scripted) -> None:
    result = one(small, **LATENCY)
    assert result.status == "unknown"
    assert result.says == "can't tell: not measured: `commands.latency` is missing in mlops.yaml"
    assert "latency" not in judged(small).measured
    small.contract(rows=None)
    result = timed(small, {"seconds": [0] * 20})
    assert (result.status, "no rows to predict" in result.says) == ("fail", True)


@pytest.mark.parametrize(("seconds", "status"), [(0.002, "pass"), (0.02, "fail")])
def test_requests_to_a_server_are_judged_where_one_is_given(
    seconds: float, status: str, small: Scripted
) -> None:
    """`mlops-kit gate` gives one with the tier `serving`; the tests of the tiers start it."""
    asked = []

    def served(rows: Path, calls: int) -> list[float]:
        asked.append((rows.read_text().count("\n"), calls))
        return [seconds] * calls

    small.gates(gate=LATENCY | {"of": "server", "p95_seconds_at_most": 0.01})
    declared, journal = contract.load(small.root), events.go_on(small.repository)
    without = judge.judge(small.repository, declared, journal, lambda _: None).results[0]
    assert (without.status, without.says) == (
        "unknown",
        "can't tell: not measured: `serving` is missing in mlops.yaml",
    )
    result = judge.judge(small.repository, declared, journal, lambda _: None, served=served).results[0]
    assert (result.status, result.value) == (status, seconds)
    assert {calls for _, calls in asked} == {20}
    assert len(asked) == (1 if status == "pass" else 3)  # a busy spell passes, a slow model stays slow


@pytest.mark.parametrize("gate", [{"calls": 19}, {"calls": 10_001}, {"rows": 1}])
def test_a_latency_gate_that_would_measure_too_little_is_refused(
    gate: dict[str, Any], small: Scripted
) -> None:
    small.gates(gate=LATENCY | gate)
    with pytest.raises(KitError, match=next(iter(gate))):
        contract.load(small.root)


def test_size(small: Scripted) -> None:
    (small.root / "model.txt").write_bytes(b"x" * 1_500_000)
    assert one(small, kind="size", mb_at_most=1.5).status == "pass"
    heavy = one(small, kind="size", mb_at_most=1.4)
    assert (heavy.status, heavy.value) == ("fail", 1.5)
    small.contract(artifacts=["gone"])
    assert one(small, kind="size", mb_at_most=1.5).status == "unknown"
    small.contract(artifacts=[])
    assert one(small, kind="size", mb_at_most=1.5).status == "unknown"
