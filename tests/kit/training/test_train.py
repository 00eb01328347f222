"""`mlops-kit train`: from the newest lock, on the data or the sample, and as before when it fails."""

import json
import socket
import sys
from pathlib import Path

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events
from mlops_kit.runs.events import Journal
from mlops_kit.training import train as training

from tests.conftest import must
from tests.kit.tips import bills, change, clone_of, kit, means


def silent(_: str) -> None:
    """Nobody listens."""


def train(repository: Repository, **how: bool) -> training.Training:
    return training.train(
        repository, means(repository), events.begin(repository), silent, sample=how.get("sample", False)
    )


def said(repository: Repository) -> list[dict[str, object]]:
    journal = events.go_on(repository)
    return events.read(journal.file.read_text(encoding="utf-8"))


def test_it_runs_the_stages_and_says_so(tips: Repository) -> None:
    done = train(tips)
    assert done.stages == {"prepare": "ran", "train": "ran", "evaluate": "ran"}
    assert (done.on, done.heading) == ("data", "trained on the data")
    assert json.loads((tips.root / "metrics.json").read_text())["model"]["n"] == 80
    found = [(event["stage"], event["status"]) for event in said(tips)]
    stages = [(f"stage:{name}", status) for name in done.stages for status in ("start", "end")]
    assert found == [("run", "start"), ("train", "start"), *stages, ("train", "end")]


def test_again_there_is_nothing_to_train(tips: Repository) -> None:
    train(tips)
    done = train(tips)
    assert set(done.stages.values()) == {"unchanged"}
    assert done.heading == "nothing to train: no input changed"


def test_a_stage_that_fails_leaves_everything_as_it_was(tips: Repository) -> None:
    train(tips)
    must(["git", "add", "dvc.lock"], tips.root)
    change(tips, "evaluate.sh", "rm predicted.tmp", "rm predicted.tmp; echo out of luck >&2; exit 3")
    kept = {name: (tips.root / name).read_bytes() for name in ("dvc.lock", "metrics.json", "predictions.csv")}
    with pytest.raises(KitError, match="failed in stage 'evaluate'") as failed:
        train(tips)
    assert "out of luck" in failed.value.what
    assert {name: (tips.root / name).read_bytes() for name in kept} == kept
    assert tips.dirty() == []
    last = said(tips)[-2:]
    assert [(event["stage"], event["status"]) for event in last] == [
        ("stage:evaluate", "failed"),
        ("train", "failed"),
    ]
    assert "out of luck" in str(last[1]["error"])


def test_a_stage_that_fails_before_it_writes_costs_neither_results_nor_edited_data(tips: Repository) -> None:
    """DVC has deleted the results of before by then, its lock may be of another version, and the data is nowhere else."""
    train(tips)
    lock = (tips.root / "dvc.lock").read_text()
    made = training.lock(tips).outs["train.csv"]
    (tips.root / "dvc.lock").write_text(lock.replace(made.md5, "a" * 32))
    (tips.root / "bills.csv").write_text(bills(30))
    change(tips, "train.sh", "awk", "exit 3; awk")
    results = ("train.csv", "test.csv", "model.txt", "metrics.json", "predictions.csv")
    names = (*results, "dvc.lock", "bills.csv", "bills.csv.dvc")
    kept = {name: (tips.root / name).read_bytes() for name in names}
    for sample in (False, True):
        with pytest.raises(KitError, match="failed in stage 'train'"):
            train(tips, sample=sample)
        assert {
            name: (tips.root / name).read_bytes() for name in names if (tips.root / name).exists()
        } == kept
    assert not (tips.root / ".mlops/before-training").exists()


def test_without_a_lock_before_none_is_left(tips: Repository) -> None:
    change(tips, "train.sh", "awk", "exit 3; awk")
    with pytest.raises(KitError, match="failed in stage 'train'"):
        train(tips)
    assert not (tips.root / "dvc.lock").exists()
    assert tips.dirty() == []


def test_where_the_data_cannot_be_had_it_trains_on_the_sample(tips: Repository, tmp_path: Path) -> None:
    must(["git", "clone", "--quiet", tips.root, tmp_path / "clone"], tmp_path)
    clone = Repository(tmp_path / "clone")
    done = train(clone)
    assert done.heading == "no remote: trained on the committed sample, nothing registered"
    assert json.loads((clone.root / "metrics.json").read_text())["model"]["n"] == 8
    assert clone.dirty() == []
    assert "data: bills.csv  # the raw rows" in (clone.root / "params.yaml").read_text()
    assert not (clone.root / "dvc.lock").exists()
    assert training.lock(clone).inputs.keys() >= {"sample.csv"}


def test_a_sample_that_fails_puts_the_parameters_back(tips: Repository) -> None:
    change(tips, "train.sh", "awk", "exit 3; awk")
    with pytest.raises(KitError):
        train(tips, sample=True)
    assert tips.dirty() == []


def test_no_data_and_no_sample_is_said(tips: Repository) -> None:
    change(tips, "mlops.yaml", "sample: {file: sample.csv, parameter: data}\n", "")
    (tips.root / "bills.csv").unlink()
    with pytest.raises(KitError, match="no remote: the data cannot be had here"):
        train(tips)


def test_a_fork_trains_on_the_sample_though_there_is_a_remote(
    published: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = tmp_path / "event.json"
    payload.write_text('{"pull_request": {"head": {"repo": {"fork": true}}}}')
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(payload))
    assert train(published).why_sample == "fork"


def test_a_fresh_clone_brings_what_it_needs(published: Repository) -> None:
    clone = clone_of(published, "clone", "--depth=1")
    done = train(clone)
    assert done.on == "data"
    assert json.loads((clone.root / "metrics.json").read_text())["model"]["n"] == 80


def test_the_command_tells_a_runner(tips: Repository, tmp_path: Path) -> None:
    for name in ("output", "summary"):
        (tmp_path / name).touch()
    done = kit(tips, "train", GITHUB_OUTPUT=str(tmp_path / "output"), GITHUB_ACTIONS="true")
    assert done.code == 0, done.said
    assert "::notice::trained on the data" in done.stdout
    text = (tmp_path / "output").read_text()
    assert "\ndata\n" in text
    assert "\ntrue\n" in text


def test_secrets_reach_neither_the_terminal_nor_the_events_nor_the_projects_code(tips: Repository) -> None:
    secrets = {"GITHUB_TOKEN": "ghs_averysecretvalue", "STORAGE_PASSWORD": "hunter2hunter2"}
    change(tips, "train.sh", "awk", 'echo "token $GITHUB_TOKEN, password $STORAGE_PASSWORD" >&2; exit 3; awk')
    done = kit(tips, "train", **secrets)
    for text in (done.said, Journal(tips, events.go_on(tips).run).file.read_text()):
        assert "hunter2" not in text
        assert "token , password ***" in text


@pytest.mark.parametrize("state", ["training", "gates"])
def test_a_damaged_state_is_named_with_the_way_out(state: str, gated: Repository) -> None:
    (gated.root / f".mlops/{state}.json").write_text('{"run": 1')
    done = kit(gated, "register")
    assert done.code == 1, done.said
    assert f".mlops/{state}.json is damaged" in done.stderr
    assert f"`rm .mlops/{state}.json`" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="what a process does is only seen on Linux")
def test_a_silent_server_ends_the_training_and_a_long_stage_does_not(
    tips: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "STALL", 1.5)
    change(tips, "train.sh", "awk", "sleep 3; awk")
    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes the connection and says nothing
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/rows.csv"
        change(tips, "dvc.yaml", "deps: [evaluate.sh,", f'deps: ["{address}", evaluate.sh,')
        with pytest.raises(KitError, match=r"DVC did nothing for 1\.5 s while no stage ran"):
            train(tips)
    assert [event["status"] for event in said(tips) if event["stage"] == "stage:train"] == ["start", "end"]
    assert tips.dirty() == []
