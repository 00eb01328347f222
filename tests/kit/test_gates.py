"""Each gate turns red for what it is there for, and never passes what it cannot judge."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from mlops_kit import contract, events, gates, hooks, training
from mlops_kit.cli import group
from mlops_kit.errors import KitError
from mlops_kit.gates import GateResult, Verdict

from tests.conftest import must
from tests.kit.scripted import Scripted, register

NAN = float("nan")
BASELINE = {"kind": "threshold", "metric": "model.auc", "at_least": "baseline.auc"}


def judged(small: Scripted, only: str = "") -> Verdict:
    journal = events.go_on(small.repository)
    return gates.judge(small.repository, contract.load(small.root), journal, lambda _: None, only)


def one(small: Scripted, **gate: Any) -> GateResult:
    small.gates(gate=gate)
    (result,) = judged(small).results
    return result


def measured(value: Any, n: int | None = 500, spread: float = 0.02, **more: Any) -> dict[str, Any]:
    auc = {"value": value, "low": value - spread, "high": value + spread}
    return {"model": {"auc": auc} | ({"n": n} if n else {}), "baseline": {"auc": {"value": 0.5}}} | more


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
        (measured(NAN), BASELINE, "model.auc is nan, which is no number"),
        (measured(float("inf")), BASELINE, "model.auc is inf, which is no number"),
        ({"model": {"n": 500}}, BASELINE, "can't tell: model.auc is not in metrics.json"),
        (measured(True), BASELINE, "can't tell: model.auc is not in metrics.json"),
        (measured(0.9, n=29), BASELINE, "can't tell: model.auc has 29 rows, fewer than 30"),
        (measured(0.9) | {"baseline": {}}, BASELINE, "can't tell: the bound baseline.auc is not there"),
        (measured(0.9) | {"baseline": {"auc": NAN}}, BASELINE, "can't tell: the bound baseline.auc is nan"),
        (measured(0.9) | {"model": {"auc": {"value": 0.9, "low": NAN, "high": 1}, "n": 99}}, BASELINE, "nan"),
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
    small.metrics({"model": {"auc": {"value": 0.9, "low": NAN, "high": 1}, "n": 500}})
    small.gates(gate=THRESHOLD | {"metric": "model.auc"})
    (result,) = judged(small).results
    assert (result.status, result.details["judged"]) == ("fail", None)


def test_rows_that_no_metric_names_are_counted_in_the_predictions(small: Scripted) -> None:
    small.metrics(measured(0.9, n=None))
    assert one(small, **BASELINE).status == "pass"
    assert one(small, **BASELINE, min_rows=401).says.endswith("model.auc has 400 rows, fewer than 401")
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
        (carriers(AA=(900, 0.8), UA=(900, 0.75), HA=(99, 0.1)), "pass", "insufficient: HA"),
        (carriers(AA=(900, 0.8), HA=(99, 0.8)), "unknown", "1 of 2 slices have 100 rows, two are needed"),
        (carriers(AA=(9, 0.8), HA=(9, 0.8)), "unknown", "insufficient: AA, HA"),
        (carriers(AA=(900, 0.8), UA=(900, NAN), EV=(900, 0.8)), "unknown", "auc is no number for UA"),
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


def test_a_slow_model_and_a_quick_one(small: Scripted) -> None:
    gate = {"kind": "latency", "calls": 5, "rows": 3}
    quick = one(small, **gate, p95_seconds_at_most=30)
    assert quick.status == "pass", quick.says
    assert "5 calls with 3 rows" in quick.says
    (small.root / "sleep.txt").write_text("0.3")
    slow = one(small, **gate, p95_seconds_at_most=0.25)
    assert slow.status == "fail"
    assert slow.value is not None
    assert slow.value > 0.3
    kept = judged(small).measured
    assert kept["latency"]["gate"]["n"] == 5
    assert "processors" in kept["latency"]["gate"]["machine"]
    assert kept["size"] == {"bytes": 4, "of": {"model.txt": 4}}


def test_the_rows_in_a_call_are_the_first_of_the_test_rows_or_of_the_sample(small: Scripted) -> None:
    keep = "import shutil, sys; shutil.copy(sys.argv[1], 'seen.csv'); shutil.copy(sys.argv[1], sys.argv[3])"
    (small.root / "keep.py").write_text(keep)
    (small.root / "sample.csv").write_text('id;text\n1;"two\nlines"\n2;b\n3;c\n')
    commands = small.first()["commands"]
    small.contract(commands=commands | {"predict": commands["predict"].replace("predict.py", "keep.py")})
    gate = {"kind": "latency", "calls": 5, "rows": 2, "p95_seconds_at_most": 30}
    assert one(small, **gate).status == "pass"
    seen, test = ((small.root / name).read_text().splitlines() for name in ("seen.csv", "test.csv"))
    assert seen == test[:3]
    (small.root / "test.csv").unlink()
    small.contract(sample={"file": "sample.csv", "parameter": "data"})
    assert one(small, **gate).status == "pass"
    assert (small.root / "seen.csv").read_text() == 'id;text\n1;"two\nlines"\n2;b\n'


@pytest.mark.parametrize(
    ("break_it", "status", "words"),
    [
        ("raise SystemExit('out of memory')", "fail", "out of memory"),
        ("", "fail", "wrote no predictions to --out"),
    ],
)
def test_a_model_that_does_not_predict_is_not_fast(
    break_it: str, status: str, words: str, small: Scripted
) -> None:
    (small.root / "predict.py").write_text(break_it)
    result = one(small, kind="latency", p95_seconds_at_most=30)
    assert (result.status, words in result.says) == (status, True), result.says


def test_without_predict_or_rows_latency_is_not_known(small: Scripted) -> None:
    small.contract(rows=None)
    assert "no rows to predict" in one(small, kind="latency", p95_seconds_at_most=30).says
    small.contract(commands={"dvc": "dvc"})
    result = one(small, kind="latency", p95_seconds_at_most=30)
    assert (result.status, "no commands.predict" in result.says) == ("unknown", True)


def test_size(small: Scripted) -> None:
    (small.root / "model.txt").write_bytes(b"x" * 1_500_000)
    assert one(small, kind="size", mb_at_most=1.5).status == "pass"
    heavy = one(small, kind="size", mb_at_most=1.4)
    assert (heavy.status, heavy.value) == ("fail", 1.5)
    small.contract(artifacts=["gone"])
    assert one(small, kind="size", mb_at_most=1.5).status == "unknown"
    small.contract(artifacts=[])
    assert one(small, kind="size", mb_at_most=1.5).status == "unknown"


# ---- loosened in the same change ----

THRESHOLD = {"kind": "threshold", "metric": "accuracy", "at_least": 0.7, "margin": 0.01, "min_rows": 100}
CHAMPION = {"kind": "champion", "metric": "accuracy", "worse_by_at_most": 0.01}


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (THRESHOLD, {"at_least": 0.6}, "at_least 0.7 -> 0.6"),
        (THRESHOLD, {"margin": 0}, "margin 0.01 -> 0"),
        (THRESHOLD, {"min_rows": 30}, "min_rows 100 -> 30"),
        (THRESHOLD, {"interval": False}, "interval True -> False"),
        (THRESHOLD, {"at_least": "baseline.accuracy"}, "at_least 0.7 -> baseline.accuracy"),
        (THRESHOLD, {"metric": "n"}, "metric accuracy -> n"),
        (THRESHOLD, {"at_least": 0.75}, ""),
        (THRESHOLD, {"margin": 0.02, "min_rows": 200, "because": "of this"}, ""),
        (FAIR, {"gap_at_most": 0.2}, "gap_at_most 0.1 -> 0.2"),
        (FAIR, {"min_rows": 500}, "min_rows 100 -> 500"),
        (FAIR, {"gap_at_most": 0.05}, ""),
        (CHAMPION, {"worse_by_at_most": 0.05}, "worse_by_at_most 0.01 -> 0.05"),
        (CHAMPION, {"confidence": 0.8}, "confidence 0.95 -> 0.8"),
        (CHAMPION, {"min_rows": 50}, "min_rows 200 -> 50"),
        (CHAMPION, {"confidence": 0.99, "worse_by_at_most": 0}, ""),
        ({"kind": "size", "mb_at_most": 1}, {"mb_at_most": 2}, "mb_at_most 1 -> 2"),
        ({"kind": "size", "mb_at_most": 1}, THRESHOLD | {"mb_at_most": None}, "kind size -> threshold"),
    ],
)
def test_a_loosened_gate_is_flagged_and_judged(
    was: dict[str, Any], now: dict[str, Any], words: str, small: Scripted
) -> None:
    small.gates(gate=was)
    small.commit()
    register(small.repository, "small@v0.1.0")
    after = {key: value for key, value in (was | now).items() if value is not None}
    if after["kind"] != was["kind"]:
        after = {key: value for key, value in now.items() if value is not None}
    result = one(small, **after)
    assert result.loosened == (f"since v0.1.0: {words}" if words else "")
    assert result.kind == after["kind"]


def test_a_removed_gate_is_flagged_and_other_predictions_too(small: Scripted) -> None:
    small.gates(a=THRESHOLD, b=CHAMPION | {"because": "of this"})
    small.commit()
    register(small.repository, "small@v0.1.0")
    small.contract(gates={"a": THRESHOLD})
    kept, gone = judged(small).results
    assert kept.loosened == ""
    assert (gone.name, gone.kind, gone.status, gone.because) == ("b", "removed", "pass", "of this")
    assert gone.loosened == "since v0.1.0: removed"
    assert len(judged(small, only="a").results) == 1
    small.contract(metrics="other.json")
    (small.root / "other.json").write_text((small.root / "metrics.json").read_text())
    assert judged(small).results[0].loosened == "since v0.1.0: metrics metrics.json -> other.json"


def test_a_pull_request_is_compared_with_the_branch_it_goes_to(
    small: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.gates(gate=THRESHOLD | {"at_least": 0.8})
    small.commit()
    register(small.repository, "small@v0.1.0")
    small.gates(gate=THRESHOLD)
    small.commit()
    must(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], small.root)
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    assert one(small, **THRESHOLD).loosened == ""
    lower = one(small, **THRESHOLD | {"at_least": 0.1})
    assert lower.loosened == "since origin/main: at_least 0.7 -> 0.1"


def test_fragments_belong_to_what_was(small: Scripted) -> None:
    (small.root / "mlops.d").mkdir()
    (small.root / "mlops.d/tier.yaml").write_text(f"gates:\n  more: {json.dumps(THRESHOLD)}\n")
    small.commit()
    register(small.repository, "small@v0.1.0")
    (small.root / "mlops.d/tier.yaml").unlink()
    assert [result.kind for result in judged(small).results] == ["removed"]


def test_an_earlier_contract_that_cannot_be_read_is_said(small: Scripted) -> None:
    (small.root / "mlops.yaml").write_text("metrics: metrics.json\nold: key\n")
    small.commit()
    register(small.repository, "small@v0.1.0")
    (small.root / "mlops.yaml").unlink()
    small.gates(gate=THRESHOLD)
    heard: list[str] = []
    journal = events.go_on(small.repository)
    gates.judge(small.repository, contract.load(small.root), journal, heard.append)
    assert any("Whether a gate was loosened is not known" in line for line in heard)


# ---- the command ----


def run(small: Scripted, *words: str) -> Result:
    return CliRunner().invoke(group, ["-C", str(small.root), "gate", *words])


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # -C changes it


def statuses(small: Scripted) -> list[tuple[str, str]]:
    (file,) = (small.root / ".mlops/events").glob("*.jsonl")
    return [(event["stage"], event["status"]) for event in events.read(file.read_text())]


def test_an_open_gate(small: Scripted) -> None:
    small.gates(right=THRESHOLD)
    done = run(small)
    assert done.exit_code == 0, done.output
    assert "right  pass    0.8" in done.stdout
    assert "Open: every gate passes." in done.stdout
    assert statuses(small) == [("run", "start"), ("gate", "start"), ("gate:right", "pass"), ("gate", "open")]
    kept = gates.load(small.repository)
    assert kept is not None
    assert kept.is_open
    stored = json.loads((small.root / ".mlops/gates.json").read_text())
    assert stored["commit"] == small.repository.commit()
    assert stored["run"] == (small.root / ".mlops/run").read_text()


def test_a_closed_gate_is_a_result(small: Scripted) -> None:
    small.gates(right=THRESHOLD | {"at_least": 0.99}, first=CHAMPION)
    done = run(small)
    assert done.exit_code == 10
    assert "Closed by right." in done.stdout
    assert statuses(small)[-1] == ("gate", "closed")
    content = json.loads(run(small, "--json").stdout)
    assert (content["open"], content["better"]) == (False, "first")
    assert [result["status"] for result in content["results"]] == ["fail", "pass"]


def test_a_verdict_is_of_one_model_and_one_set_of_gates(small: Scripted) -> None:
    assert gates.load(small.repository) is None
    small.gates(right=THRESHOLD)
    run(small)
    small.gates(right=THRESHOLD | {"at_least": 0.1})
    assert gates.load(small.repository) is None
    run(small)
    assert gates.load(small.repository) is not None
    small.model("poor")
    assert gates.load(small.repository) is None


def test_only_one_gate_keeps_no_verdict(small: Scripted) -> None:
    small.gates(right=THRESHOLD, wrong=THRESHOLD | {"at_least": 0.99})
    assert run(small, "--only", "right").exit_code == 0
    assert run(small, "--only", "wrong").exit_code == 10
    assert gates.load(small.repository) is None
    with pytest.raises(KitError, match=r"no gate 'other'.\s*Its gates: right, wrong"):
        judged(small, only="other")


def test_on_the_sample_gates_are_information(small: Scripted) -> None:
    small.gates(right=THRESHOLD | {"at_least": 0.99})
    state = small.root / training.STATE
    state.parent.mkdir()
    state.write_text(json.dumps(vars(training.Training("1", "abc", "sample", "no remote"))))
    done = run(small)
    assert done.exit_code == 0
    assert "Closed by right." in done.stdout
    assert "Trained on the sample (no remote): the gates are information" in done.stdout


# ---- hooks ----


def test_hooks_run_after_the_gate_and_a_failing_one_is_a_warning(small: Scripted) -> None:
    (small.root / "note.sh").write_text('echo "$MLOPS_MODEL $MLOPS_HOOK $MLOPS_VERDICT" > noted.txt\n')
    small.contract(hooks={"after_gate": {"b": "sh note.sh", "a": "false"}}, gates={"right": THRESHOLD})
    done = run(small)
    assert done.exit_code == 0
    assert (small.root / "noted.txt").read_text() == "small after_gate open\n"
    assert "warning: the hook after_gate of a failed" in done.stderr
    assert ("hook:after_gate:a", "failed") in statuses(small)
    assert ("hook:after_gate:b", "end") in statuses(small)


def test_a_hook_before_training_stops_it(small: Scripted) -> None:
    small.contract(hooks={"before_train": {"a": "false"}})
    journal = events.go_on(small.repository)
    with pytest.raises(KitError, match="before_train of a failed, so nothing was trained"):
        hooks.run_hooks(contract.load(small.root), small.repository, "before_train", journal, lambda _: None)
