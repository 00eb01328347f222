"""A training on the sample changes no file of a person, also when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlops_kit.project.repository import Repository
from mlops_kit.training import sample
from mlops_kit.training.sample import COPY

from tests.conftest import ROOT
from tests.kit.small_repository import small
from tests.kit.tips import change, kit


def rows(repository: Repository) -> int:
    n: int = json.loads((repository.root / "metrics.json").read_text())["model"]["n"]
    return n


def worktrees(repository: Repository) -> int:
    return repository.git("worktree", "list", "--porcelain").count("worktree ")


def test_parameters_and_lock_are_not_touched_while_it_trains(tips: Repository) -> None:
    assert kit(tips, "train").code == 0
    before = {name: (tips.root / name).read_bytes() for name in ("params.yaml", "dvc.lock", "bills.csv.dvc")}
    seen = tips.root.parent / "seen"
    watch = "; ".join(f"cat {tips.root / name} >> {seen}" for name in before)
    change(tips, "train.sh", "awk", f"{watch}; awk")
    done = kit(tips, "train", "--sample")
    assert done.code == 0, done.said
    assert seen.read_bytes() == b"".join(before.values())
    assert {name: (tips.root / name).read_bytes() for name in before} == before
    assert rows(tips) == 8
    assert worktrees(tips) == 1
    assert not (tips.root / COPY).exists()


def test_what_is_not_committed_is_trained_too(tips: Repository) -> None:
    (tips.root / "prepare.sh").write_text((tips.root / "prepare.sh").read_text().replace("% 5", "% 4"))
    done = kit(tips, "train", "--sample")
    assert done.code == 0, done.said
    assert rows(tips) == 10
    assert tips.dirty() == ["prepare.sh"]


def test_after_a_kill_the_next_training_is_one_on_the_data(tips: Repository) -> None:
    assert kit(tips, "train").code == 0
    assert rows(tips) == 80
    change(tips, "evaluate.sh", "sh predict.sh", "[ -e ../go ] || sleep 60; sh predict.sh")
    command = [sys.executable, "-m", "mlops_kit", "train", "--sample"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "actions")}
    process = subprocess.Popen(
        command, cwd=tips.root, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr
    while "evaluate: running" not in process.stderr.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert rows(tips) == 80
    assert "data: bills.csv" in (tips.root / "params.yaml").read_text()
    (tips.root.parent / "go").touch()
    done = kit(tips, "train")
    assert done.code == 0, done.said
    assert f"process {process.pid}" in done.stderr and "its lock is taken over" in done.stderr
    assert rows(tips) == 80
    assert "sample.csv" not in (tips.root / "dvc.lock").read_text()
    assert worktrees(tips) == 1


def test_after_a_kill_in_a_training_on_the_data_the_results_are_back(tips: Repository) -> None:
    assert kit(tips, "train").code == 0
    results = ("model.txt", "metrics.json", "predictions.csv", "train.csv", "dvc.lock")
    before = {name: (tips.root / name).read_bytes() for name in results}
    change(tips, "train.sh", "awk", "[ -e ../go ] || sleep 60; awk")
    command = [sys.executable, "-m", "mlops_kit", "train"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "actions")}
    process = subprocess.Popen(
        command, cwd=tips.root, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr
    while "train: running" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(0.1)
    assert not (tips.root / "model.txt").exists()  # DVC deleted it
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = kit(tips, "validate")
    assert done.code == 0, done.said
    assert "Put back as before the command that was killed: " in done.stderr
    assert {name: (tips.root / name).read_bytes() for name in results} == before


def test_ignored_files_are_there_and_results_are_not(tmp_path: Path) -> None:
    one = small(
        tmp_path / "flights",
        **{".gitignore": "/.mlops/\n/out\n/.venv\n/data/raw.csv\n/settings.env\n/model.txt\n"},
    )
    for name in (
        "out/results/model.bin",
        "out/notes.txt",
        ".venv/bin/python",
        "data/raw.csv",
        "settings.env",
    ):
        one.write(name, name)
    copy_root = one.root / COPY
    with one.repository.worktree_at(copy_root, "HEAD") as copy:
        sample._bring_ignored(one.repository, copy, {"out/results"})
        assert (copy.root / "settings.env").is_symlink()
        assert (copy.root / ".venv/bin/python").read_text() == ".venv/bin/python"
        assert (copy.root / "out/notes.txt").read_text() == "out/notes.txt"
        assert not (copy.root / "out/results").exists()
        assert not (copy.root / "data/raw.csv").is_symlink()  # data is linked: DVC may replace it
        assert (copy.root / "data/raw.csv").stat().st_ino == (one.root / "data/raw.csv").stat().st_ino


@pytest.mark.parametrize("command", ["dvc", "/opt/dvc", "uv tool run dvc"])
def test_only_where_uv_runs_the_project_it_is_told_to_install_nothing(command: str, tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    assert sample.environment(Repository(tmp_path), command) == {}
