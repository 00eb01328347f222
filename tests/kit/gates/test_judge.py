"""`mlops-kit gate`: exit codes, events, the verdict that is kept, and the hooks of tiers."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from mlops_kit.base.errors import KitError
from mlops_kit.cli.main import group
from mlops_kit.project import contract
from mlops_kit.runs import events, hooks
from mlops_kit.training import train
from mlops_kit.versions import gate_results

from tests.kit.gates.test_kinds import CHAMPION, THRESHOLD, judged
from tests.kit.script_repository import Scripted


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
    assert "Result: the model can be registered. Next: mlops-kit register" in done.stdout
    assert statuses(small) == [("run", "start"), ("gate", "start"), ("gate:right", "pass"), ("gate", "open")]
    kept = gate_results.load(small.repository)
    assert kept is not None
    assert kept.is_open
    stored = json.loads((small.root / ".mlops/gates.json").read_text())
    assert stored["commit"] == small.repository.commit()
    assert stored["run"] == (small.root / ".mlops/run").read_text()


def test_a_closed_gate_is_a_result(small: Scripted) -> None:
    small.gates(right=THRESHOLD | {"at_least": 0.99}, first=CHAMPION)
    done = run(small)
    assert done.exit_code == 10
    assert "Result: the model cannot be registered (right)." in done.stdout
    assert statuses(small)[-1] == ("gate", "closed")
    content = json.loads(run(small, "--json").stdout)
    assert (content["open"], content["better"]) == (False, "first")
    assert [result["status"] for result in content["results"]] == ["fail", "pass"]


def test_a_verdict_is_of_one_model_and_one_set_of_gates(small: Scripted) -> None:
    assert gate_results.load(small.repository) is None
    small.gates(right=THRESHOLD)
    run(small)
    small.gates(right=THRESHOLD | {"at_least": 0.1})
    assert gate_results.load(small.repository) is None
    run(small)
    assert gate_results.load(small.repository) is not None
    small.model("poor")
    assert gate_results.load(small.repository) is None


def test_only_one_gate_keeps_no_verdict(small: Scripted) -> None:
    small.gates(right=THRESHOLD, wrong=THRESHOLD | {"at_least": 0.99})
    done = run(small, "--only", "right")
    assert (done.exit_code, "Result: pass." in done.stdout) == (0, True)
    assert run(small, "--only", "wrong").exit_code == 10
    assert gate_results.load(small.repository) is None
    with pytest.raises(KitError, match=r"no gate 'other'.\s*Its gates: right, wrong"):
        judged(small, only="other")


def test_on_the_sample_gates_are_information(small: Scripted) -> None:
    small.gates(right=THRESHOLD | {"at_least": 0.99})
    state = small.root / train.STATE
    state.parent.mkdir()
    state.write_text(json.dumps(vars(train.Training("1", "abc", "sample", "no remote"))))
    done = run(small)
    assert done.exit_code == 0
    assert "Result: the model cannot be registered (right)." in done.stdout
    assert "The model was trained on the sample (no remote): this is information only" in done.stdout


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


def test_an_earlier_training_is_said_to_be_what_was_judged(small: Scripted) -> None:
    """As after one that failed: the results before it were put back."""
    rule = small.root / "rule.txt"
    rule.write_text("1\n")
    hashed = {"path": "rule.txt", "hash": "md5", "md5": hashlib.md5(b"1\n").hexdigest(), "size": 2}
    small.gates(right=THRESHOLD)
    stage = {"cmd": "train", "deps": ["rule.txt"]}
    (small.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": stage}}))
    lock = {"schema": "2.0", "stages": {"train": stage | {"deps": [hashed]}}}
    (small.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    small.commit()
    last = train.Training("a-run-before", small.repository.commit(), "data", "")
    train.save(small.repository, last)
    assert "earlier training" not in run(small).stderr
    rule.write_text("2\n")
    assert (
        "Judging the model of an earlier training: will retrain: train, because rule.txt" in run(small).stderr
    )
