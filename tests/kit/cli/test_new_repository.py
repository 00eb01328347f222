"""A generated repository has a contract that the kit reads, and gates that are open for the right reason."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mlops_kit.cli.main import group
from mlops_kit.project import contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import ChampionGate, SlicesGate, ThresholdGate
from mlops_kit.versions import gate_results

from tests.conftest import ROOT, must
from tests.template.rendered import copier_copy

BY_TASK = {  # metric and bound of the threshold, metric of champion and slices
    "binary": ("model.roc_auc", "baseline.roc_auc", None, "roc_auc"),
    "multiclass": ("model.log_loss", None, "baseline.log_loss", "accuracy"),
    "regression": ("model.rmse", None, "baseline.rmse", "r2"),
}


@pytest.mark.parametrize("task", BY_TASK)
def test_the_contract_of_each_task_is_one(task: str, mlops_new: Path, tmp_path: Path) -> None:
    odd = json.dumps([{"column": 'Größe: "cm"', "gap": 0.3, "because": "a first guess: ask"}])
    answers = {"task": task, "positive": '"Yes: it\'s"', "key": "Nr. 1", "slices": odd}
    copier_copy(mlops_new, tmp_path / "made", project_name="made", **answers)
    found = contract.load(tmp_path / "made")
    assert found.kit == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert found.predictions is not None
    assert found.predictions.positive == ("Yes: it's" if task == "binary" else None)
    assert found.rows is not None
    assert found.rows.key == "Nr. 1"
    threshold, slices, _, _, champion = found.gates.values()
    assert isinstance(threshold, ThresholdGate)
    assert isinstance(slices, SlicesGate)
    assert isinstance(champion, ChampionGate)
    assert slices.of == 'slices.Größe: "cm"'
    judged = (threshold.metric, threshold.at_least, threshold.at_most, champion.metric)
    assert judged == BY_TASK[task]
    assert slices.metric == champion.metric
    assert all(gate.because for gate in found.gates.values())


def run(repository: Path, *words: str) -> Result:
    return CliRunner().invoke(group, ["-C", str(repository), "gate", *words])


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # -C changes it


def test_right_after_train_every_gate_is_open(flights: Path) -> None:
    shutil.rmtree(flights / ".mlops", ignore_errors=True)
    done = run(flights)
    assert done.exit_code == 0, done.output
    verdict = gate_results.load(Repository(flights))
    assert verdict is not None
    assert (verdict.better, verdict.against) == ("first", "")
    assert [result.name for result in verdict.results] == list(contract.load(flights).gates)
    assert set(verdict.measured) == {"latency", "size"}
    assert must(["git", "status", "--porcelain"], flights) == ""


def test_a_model_that_learned_nothing_is_closed_out(flights: Path) -> None:
    path = flights / "metrics.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | {"model": found["baseline"]}))
    done = run(flights, "--only", "better-than-baseline")
    assert done.exit_code == 10, done.output


# After `answers` is called `quick`: ten times as long, by its own work or by waiting for something else.
SLOW = {
    "computes": """
def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [quick(rows) for _ in range(10)][0]
""",
    "sleeps": """
def answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    begin = time.thread_time()
    made = quick(rows)
    time.sleep(9 * (time.thread_time() - begin))
    return made
""",
}


@pytest.mark.parametrize("how", SLOW)
def test_a_model_ten_times_slower_is_closed_out(how: str, flights: Path) -> None:
    path = flights / "pipeline/answer.py"
    text = path.read_text("utf-8")
    assert text.count("def answers(") == 1
    text = text.replace("def answers(", "def quick(").replace("def main(", SLOW[how] + "\n\ndef main(")
    path.write_text(text, "utf-8")
    means = flights / "mlops.yaml"
    means.write_text(
        means.read_text("utf-8").replace("kind: latency", "kind: latency\n    calls: 20"), "utf-8"
    )
    done = run(flights, "--only", "latency")
    assert done.exit_code == 10, done.output
    assert "in 20 predictions of one row, p95 at most 0.05 s" in done.output


def test_a_latency_that_is_not_measured_does_not_pass(flights: Path) -> None:
    path = flights / "mlops.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "pipeline.answer" not in line), "utf-8")
    done = run(flights, "--only", "latency")
    assert done.exit_code == 10, done.output
    assert "not measured: `commands.latency` is missing in mlops.yaml" in done.output


def test_an_unfair_model_is_closed_out(flights: Path) -> None:
    path = flights / "metrics.json"
    found = json.loads(path.read_text())
    found["slices"]["carrier"]["US"]["roc_auc"]["value"] = 0.4
    path.write_text(json.dumps(found))
    done = run(flights, "--only", "fair-by-carrier")
    assert done.exit_code == 10, done.output
    assert "US 0.4" in done.stdout
