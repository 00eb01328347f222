"""DVC, its remote and the lock, as `mlops-kit doctor` finds them."""

import shutil
from pathlib import Path

import pytest
from mlops_kit.project.repository import Repository

from tests.conftest import ROOT
from tests.kit.builders import LOCK, a_record, commit, tag
from tests.kit.doctor.harness import connected, dvc_says, found


def test_no_remote_is_unknown_and_says_what_follows(repository: Repository) -> None:
    one = found(repository, "dvc remote")
    assert one.status == "unknown" and "CI trains on the sample" in one.says and "dvc remote add" in one.mend


def test_a_folder_as_remote(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connected(repository, tmp_path / "gone/too")
    assert found(repository, "dvc remote").status == "fail"
    (tmp_path / "gone").mkdir()
    assert found(repository, "dvc remote").status == "ok"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    one = found(repository, "dvc remote")
    assert one.status == "fail" and "does not exist in CI" in one.says


def test_a_bucket_that_does_not_answer(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    connected(repository, "s3://user:secret@bucket/x")
    dvc_says(repository, "echo '{}'")
    one = found(repository, "dvc remote")
    assert one.status == "ok" and "secret" not in one.says
    dvc_says(repository, "echo 'ERROR: no credentials' >&2; exit 255")
    one = found(repository, "dvc remote")
    assert one.status == "fail" and "no credentials" in one.says
    monkeypatch.setattr("mlops_kit.doctor.diagnosis.SECONDS", 0.2)
    dvc_says(repository, "exec sleep 30")
    assert "no answer within 0.2 s" in found(repository, "dvc remote").says


def test_unpushed_data(repository: Repository, tmp_path: Path) -> None:
    connected(repository, tmp_path)
    dvc_says(repository, "echo '{}'")
    assert found(repository, "pushed data").status == "ok"
    dvc_says(repository, """echo '{"not_in_remote": ["data.csv", "model/"]}'""")
    one = found(repository, "pushed data")
    assert one.status == "fail" and "data.csv, model/" in one.says and one.mend == "./my-dvc push"


STAGE = """\
stages:
  train:
    cmd: python train.py
    deps: [data.csv, train.py]
    params: [rate]
    outs: [metrics.json, predictions.csv, model]
"""


def fresh(repository: Repository) -> None:
    from mlops_kit.project.lock import file_md5

    lock = LOCK.replace("DATA", file_md5(repository.root / "data.csv")).replace("RATE", "0.1")
    code = file_md5(repository.root / "train.py")
    commit(repository, "Train", dvc__yaml=STAGE, dvc__lock=lock.replace("1111", code))


def test_the_lock_is_fresh_or_behind_and_why(repository: Repository) -> None:
    fresh(repository)
    assert found(repository, "lock").status == "ok"
    (repository.root / "params.yaml").write_text("rate: 0.2\n")
    one = found(repository, "lock")
    assert one.status == "warn" and "rate 0.1 -> 0.2" in one.says
    (repository.root / "train.py").write_text("print(3)\n")
    assert "train.py" in found(repository, "lock").says
    (repository.root / "dvc.lock").unlink()
    assert found(repository, "lock").mend == "mlops-kit train"


def test_the_newest_versions_lock_counts_too(repository: Repository) -> None:
    fresh(repository)
    tag(repository, a_record(repository.commit(), "v0.1.0"))
    (repository.root / "dvc.lock").write_text(LOCK)
    one = found(repository, "lock")
    assert (one.status, one.says) == ("ok", "Up to date: the inputs are those of v0.1.0.")


def test_a_dvc_gc_in_a_script_is_a_danger(repository: Repository) -> None:
    commit(repository, "Say", README__md="Never run `dvc gc -w -c`.\n")
    assert found(repository, "versions kept").status == "ok"
    commit(repository, "Clean", clean__sh="# dvc gc -w\ndvc gc -w --all-tags\n")
    assert found(repository, "versions kept").status == "ok"
    shutil.copytree(ROOT / "actions/mlops_kit", repository.root / ".github/mlops-kit/mlops_kit")
    commit(repository, "Bring the kit along")
    assert found(repository, "versions kept").status == "ok"
    commit(repository, "Tidy", clean__sh="set -e\nuv run dvc gc -w -c -f\n")
    one = found(repository, "versions kept")
    assert one.status == "fail" and "clean.sh:2" in one.says and "mlops-kit gc" in one.mend


def test_a_model_that_is_gone_from_the_remote(repository: Repository, tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    connected(repository, storage)
    tag(repository, a_record(repository.commit(), "v0.1.0"))
    one = found(repository, "versions kept")
    assert one.status == "fail" and "model was deleted from the remote" in one.says
    (storage / "files/md5/44").mkdir(parents=True)
    (storage / "files/md5/44/44.dir").touch()
    assert found(repository, "versions kept").status == "ok"


def test_who_has_not_looked_is_told_what_looks_here(repository: Repository) -> None:
    """The workflow that is here; where there is none, or no GitHub, the commands."""
    by_hand = "mlops-kit watch-data && mlops-kit train && mlops-kit gate && mlops-kit register"
    workflow = repository.root / ".github/workflows/mlops-schedule.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("on: schedule\n")
    assert found(repository, "cadence").mend == by_hand
    repository.git("remote", "add", "origin", "https://github.com/acme/tips.git")
    assert found(repository, "cadence").mend == "gh workflow run mlops-schedule.yml"
    workflow.unlink()
    assert found(repository, "cadence").mend == by_hand
