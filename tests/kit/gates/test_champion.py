"""The model against the version in use, on the same rows."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.data import metrics as metrics_module
from mlops_kit.data import tables as rows_module
from mlops_kit.gates import champion, champion_text
from mlops_kit.project import contract
from mlops_kit.project.repository import Repository
from mlops_kit.versions import version as versions
from mlops_kit.versions.gate_results import Better, GateResult, Status, Verdict

from tests.conftest import ROOT, must, python_of
from tests.kit.gates.test_kinds import judged
from tests.kit.script_repository import ROWS, Scripted, register, table, write

GATE = {"kind": "champion", "metric": "roc_auc", "worse_by_at_most": 0.02}


@pytest.fixture
def used(small: Scripted) -> Scripted:
    """With v0.1.0, whose model is good."""
    small.gates(champion=GATE)
    small.commit()
    register(small.repository, "small@v0.1.0")
    return small


def the_one(verdict: Verdict) -> GateResult:
    (result,) = verdict.results
    return result


def duel(small: Scripted) -> champion.Duel:
    version = versions.find(small.repository, "small", "v0.1.0")
    return champion.duel(small.repository, contract.load(small.root), version, lambda _: None)


def test_the_first_version_has_nothing_to_compare_with(small: Scripted) -> None:
    small.gates(champion=GATE)
    verdict = judged(small)
    assert (verdict.better, verdict.against, verdict.is_open) == ("first", "", True)
    assert the_one(verdict).says == "first version: there is no champion to compare with"


def test_identical_predictions_are_the_same(used: Scripted) -> None:
    verdict = judged(used)
    assert (verdict.better, verdict.against, verdict.is_open) == ("the same", "v0.1.0", True)
    assert the_one(verdict).says.startswith("same predictions as v0.1.0: roc_auc 0.")


def test_a_weak_model_closes_the_gate(used: Scripted) -> None:
    used.model("poor")
    verdict = judged(used)
    result = the_one(verdict)
    assert (verdict.better, result.status, verdict.is_open) == ("worse", "fail", False), result.says
    assert result.value is not None
    assert result.value < -0.2
    assert result.says.startswith("worse than v0.1.0, by more than 0.02 (allowed): roc_auc 0.")
    assert f" on the same {ROWS} rows, difference -0." in result.says
    assert "(95% interval -0." in result.says


def test_a_better_model_opens_it(small: Scripted) -> None:
    small.model("poor")
    small.gates(champion=GATE)
    small.commit()
    register(small.repository, "small@v0.1.0")
    small.model("good")
    verdict = judged(small)
    assert (verdict.better, verdict.is_open) == ("better", True)


def nearly(small: Scripted, noise: float) -> None:
    """A model whose scores differ a little from the good one's."""
    with (small.root / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["probability"] = str(float(row["probability"]) + noise * ((number * 37) % 11 - 5) / 5)
    write(small.root / "predictions.csv", rows)


def test_what_the_rows_do_not_settle_is_not_a_pass(used: Scripted) -> None:
    nearly(used, 0.02)
    passed = the_one(judged(used))
    assert passed.status == "pass" and passed.says.startswith(
        "not worse than v0.1.0 by more than 0.02 (allowed): "
    )
    used.gates(champion=GATE | {"worse_by_at_most": 0})
    verdict = judged(used)
    result = the_one(verdict)
    assert (verdict.better, result.status) == ("can't tell", "unknown"), result.says
    assert result.says.startswith("can't tell if worse than v0.1.0: roc_auc 0.")
    assert "95% interval -0.0" in result.says


def test_few_rows_are_not_a_pass(used: Scripted) -> None:
    used.gates(champion=GATE | {"min_rows": ROWS + 1})
    result = the_one(judged(used))
    assert result.status == "unknown"
    assert f"only {ROWS} rows to compare with v0.1.0, min_rows is {ROWS + 1}" in result.says


@pytest.mark.parametrize("metric", ["log_loss", "brier", "accuracy", "balanced_accuracy"])
def test_lower_may_be_better(metric: str, used: Scripted) -> None:
    used.gates(champion=GATE | {"metric": metric})
    used.model("poor")
    assert judged(used).better == "worse"


def test_a_metric_that_is_not_known_is_not_a_pass(used: Scripted) -> None:
    used.gates(champion=GATE | {"metric": "auc"})
    assert "'auc' cannot be compared" in the_one(judged(used)).says


def test_the_version_in_the_stage_is_the_champion(used: Scripted) -> None:
    used.model("poor")
    used.commit()
    register(used.repository, "small@v0.2.0")
    assert (judged(used).against, judged(used).better) == ("v0.2.0", "the same")
    used.repository.git("tag", "--annotate", "--message=x", "small#production#1", "small@v0.1.0^{}")
    assert (judged(used).against, judged(used).better) == ("v0.1.0", "worse")


@pytest.mark.parametrize(
    ("better", "status", "allowed", "verdict"),
    [
        ("better", "pass", "0", "better than v1"),
        ("better", "pass", "0.02", "better than v1"),
        ("can't tell", "pass", "0.02", "not worse than v1 by more than 0.02 (allowed)"),
        ("worse", "pass", "0.02", "worse than v1, by at most 0.02 (allowed)"),
        ("worse", "fail", "0.02", "worse than v1, by more than 0.02 (allowed)"),
        ("worse", "fail", "0", "worse than v1"),
        ("worse", "unknown", "0.02", "worse than v1; can't tell if by more than 0.02 (allowed)"),
        ("can't tell", "unknown", "0", "can't tell if worse than v1"),
        ("can't tell", "unknown", "0.02", "can't tell if worse than v1 by more than 0.02 (allowed)"),
        ("the same", "pass", "0", "same predictions as v1"),
    ],
)
def test_comparison_and_gate_give_one_verdict(
    better: Better, status: Status, allowed: str, verdict: str
) -> None:
    assert champion_text.verdict(better, status, "v1", allowed) == verdict


# ---- which rows ----


def test_rows_that_the_champion_was_trained_on_are_left_out_and_counted(used: Scripted) -> None:
    write(used.root / "test.csv", table(0, 60) + table(1000, ROWS))  # its training rows are 0 to 99
    used.model("good")
    found = duel(used)
    assert (found.left_out, found.scored, len(found.champion)) == (60, 0, ROWS)
    assert "without 60 rows that v0.1.0 was trained on" in the_one(judged(used)).says


def test_without_known_training_rows_that_is_said(small: Scripted) -> None:
    small.contract(rows={"test": "test.csv", "key": "id"}, gates={"champion": GATE})
    small.commit()
    register(small.repository, "small@v0.1.0")
    assert "mlops.yaml of small@v0.1.0 names no rows.train" in the_one(judged(small)).says


def test_rows_without_a_stored_prediction_are_predicted_by_the_champion_itself(used: Scripted) -> None:
    """By its own code in a worktree: today's would say otherwise."""
    write(used.root / "test.csv", table(1100, ROWS))
    used.model("poor")
    (used.root / "predict.py").write_text("raise SystemExit('not this one')")
    found = duel(used)
    assert (found.scored, found.left_out, len(found.champion)) == (100, 0, ROWS)
    good = [row["good"] for row in table(1100, ROWS)]
    assert found.champion.probability is not None
    assert found.champion.probability.tolist() == good
    assert used.repository.git("worktree", "list").count("\n") == 1


def test_the_champion_is_installed_and_pulled_first(small: Scripted) -> None:
    (small.root / "dvc.py").write_text(
        (small.root / "dvc.py").read_text() + "else: open('order.txt', 'a').write('dvc ' + ' '.join(words))\n"
    )
    (small.root / "install.sh").write_text("echo installed > order.txt\n")
    (small.root / "predict.py").write_text(
        f"import shutil; shutil.copy('order.txt', {str(small.root / 'seen.txt')!r})\n"
        + (small.root / "predict.py").read_text()
    )
    small.contract(
        commands=small.first()["commands"] | {"install": "sh install.sh"}, gates={"champion": GATE}
    )
    small.commit()
    register(small.repository, "small@v0.1.0")
    write(small.root / "test.csv", table(1100, ROWS))
    small.model("good")
    assert the_one(judged(small)).status == "pass"
    assert (small.root / "seen.txt").read_text() == "installed\ndvc checkout model.txt"


def test_a_key_that_stands_for_another_row_today_is_no_match(used: Scripted) -> None:
    """As a position does in a file that was replaced: nothing stored is believed, all rows are scored."""
    rows = table(2000, ROWS)
    for number, row in enumerate(rows):
        row["id"] = f"{1000 + number:04d}"
    write(used.root / "test.csv", rows)
    used.model("good")
    found = duel(used)
    assert found.scored == ROWS
    assert judged(used).better == "the same"


def test_one_corrected_row_is_scored_again(used: Scripted) -> None:
    rows = table(1000, ROWS)
    rows[3]["late"] = not rows[3]["late"]
    write(used.root / "test.csv", rows)
    used.model("good")
    assert duel(used).scored == 1


# ---- what cannot be done is "can't tell", with the reason ----


def refused(small: Scripted) -> str:
    verdict = judged(small)
    result = the_one(verdict)
    assert (result.status, verdict.better, verdict.is_open) == ("unknown", "can't tell", False), result.says
    return result.says


def test_stored_predictions_that_cannot_be_had(used: Scripted) -> None:
    used.model("poor")
    used.contract(commands=used.first()["commands"] | {"dvc": "false"})
    assert "train.csv of small@v0.1.0 cannot be had" in refused(used)


def test_a_champion_that_cannot_predict(small: Scripted) -> None:
    (small.root / "predict.py").write_text("raise SystemExit('no such column: wind')")
    small.gates(champion=GATE)
    small.commit()
    register(small.repository, "small@v0.1.0")
    write(small.root / "test.csv", table(1100, ROWS))
    small.model("good")
    assert "no such column: wind" in refused(small)


def test_a_champion_that_leaves_rows_out(small: Scripted) -> None:
    source = (small.root / "predict.py").read_text()
    (small.root / "predict.py").write_text(source.replace('newline="")))\n', 'newline="")))[1:]\n', 1))
    small.gates(champion=GATE)
    small.commit()
    register(small.repository, "small@v0.1.0")
    write(small.root / "test.csv", table(1100, ROWS))
    small.model("good")
    assert "left 1 of 100 rows without answer" in refused(small)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"predictions": None}, "names no `predictions`"),
        ({"predictions": {"file": "predictions.csv", "task": "binary", "positive": False}}, "something else"),
        (
            {"predictions": {"file": "gone.csv", "task": "binary", "positive": True}},
            "gone.csv cannot be read",
        ),
    ],
)
def test_predictions_that_are_not_comparable(change: dict[str, Any], words: str, used: Scripted) -> None:
    used.contract(**change)
    assert words in refused(used)


def test_keys_that_occur_twice(used: Scripted) -> None:
    with (used.root / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    write(used.root / "predictions.csv", [*rows, rows[0]])
    assert "'key' does not tell its rows apart" in refused(used)


def test_a_version_without_a_contract(small: Scripted) -> None:
    small.gates(champion=GATE)
    register(small.repository, "small@v0.1.0", mlops__yaml=b"")
    assert "metrics is missing" in refused(small)


# ---- with DVC itself ----

APRIL = ROOT / "scaffold/mlops_new/batches/2013-04.parquet"
NEW_DATA = """import sys, polars as pl
old, new = (pl.read_parquet(path) for path in ("data/flights.parquet", sys.argv[1]))
pl.concat([old, new.select(old.columns)]).write_parquet("data/flights.parquet")
"""


@pytest.mark.parametrize("where", ["cache", "remote"])
def test_april_is_predicted_by_the_model_of_march(where: str, flights: Path) -> None:
    """New rows, rows with a stored prediction and rows that the champion knows, in one comparison."""
    repository = Repository(flights)
    dvc = ["uv", "run", "--frozen", "dvc"]
    if where == "remote":
        must([*dvc, "remote", "add", "--default", "storage", "../storage"], flights)
        must(["git", "commit", "--quiet", "--all", "--message=remote"], flights)
        must([*dvc, "push", "--quiet"], flights)
    lock, metrics = (flights / "dvc.lock").read_bytes(), (flights / "metrics.json").read_bytes()
    register(repository, "flights@v0.1.0", dvc__lock=lock, metrics__json=metrics)
    must([python_of(flights), "-c", NEW_DATA, APRIL], flights)
    must([*dvc, "add", "--quiet", "data/flights.parquet"], flights)
    params = flights / "params.yaml"
    params.write_text(params.read_text().replace("test_share: 0.2", "test_share: 0.45"))
    must([*dvc, "repro", "--quiet"], flights)
    if where == "remote":
        shutil.rmtree(flights / ".dvc/cache")
    version = versions.find(repository, "flights", "v0.1.0")
    found = champion.duel(repository, contract.load(flights), version, lambda _: None)
    assert found.scored == 4000
    assert len(found.champion) == 4000 + 2401
    test = 2401 + 4000 + found.left_out
    assert found.left_out == 799
    assert test == rows_module.count(flights / "data/prepared/test.parquet")
    assert metrics_module.score("roc_auc", found.champion) > 0.6  # a row beside its prediction, not another's
    assert repository.git("worktree", "list").count("\n") == 1
