"""`mlops-new NAME` that cannot make one: it says why, and nothing is left."""

import os
import shutil
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import pytest
from mlops_new.template.releases import current

from tests.conftest import must, run


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "name", ["Flights", "2fast", "my project", "a__b", "_a", "a_", "a-_b", "-x", "ümlaut", "a--b"]
)
def test_a_name_that_is_no_name(name: str, mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "--", name], tmp_path)
    assert done.code == 1
    assert f"{name!r} is not a name" in done.stderr
    assert inside(tmp_path) == []


def test_a_folder_that_is_not_empty(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "flights").mkdir()
    (tmp_path / "flights/thesis.tex").write_text("years of work")
    done = run([mlops_new, "flights"], tmp_path)
    assert done.code == 1
    assert "flights is not empty (thesis.tex)" in done.stderr
    assert inside(tmp_path / "flights") == ["thesis.tex"]
    assert inside(tmp_path) == ["flights"]


def test_a_file_in_the_way(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "flights").write_text("")
    done = run([mlops_new, "flights"], tmp_path)
    assert done.code == 1
    assert "exists and is not a folder" in done.stderr


def test_git_does_not_know_who_you_are(mlops_new: Path, tmp_path: Path) -> None:
    nobody = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}
    nobody |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.useConfigOnly",
        "GIT_CONFIG_VALUE_0": "true",
    }
    done = run([mlops_new, "flights"], tmp_path, **nobody)
    assert done.code == 1
    assert "Git does not know who you are" in done.stderr
    assert 'git config --global user.name "Your Name"' in done.stderr
    assert inside(tmp_path) == []


def test_git_is_not_there(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    done = run([mlops_new, "flights"], tmp_path, PATH=str(tmp_path / "bin"))
    assert done.code == 1
    assert "git is not on the PATH" in done.stderr
    assert inside(tmp_path) == ["bin"]


def test_uv_is_not_there(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(str(shutil.which("git")))
    done = run([mlops_new, "flights", "--train"], tmp_path, PATH=str(tmp_path / "bin"))
    assert done.code == 1
    assert "uv is not on the PATH" in done.stderr
    assert inside(tmp_path) == ["bin"]


def test_a_folder_that_cannot_be_written(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "/proc/flights"], tmp_path)
    assert done.code == 1
    assert "Cannot write in /proc" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount the small disk that gets full")
def test_a_full_disk_leaves_nothing(mlops_new: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    must(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], tmp_path)
    try:
        done = run([mlops_new, "flights"], disk)
        assert done.code == 1, done.said
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert inside(disk) == []
    finally:
        must(["umount", disk], tmp_path)


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM])
def test_stopped_half_way_leaves_nothing(wanted: signal.Signals, mlops_new: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [mlops_new, "flights"], cwd=tmp_path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    until = time.monotonic() + 20
    while not inside(tmp_path) and time.monotonic() < until:
        time.sleep(0.005)
    assert inside(tmp_path) != ["flights"], "too late to stop it half-way"
    process.send_signal(wanted)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "stopped; nothing half-written is left" in said
    assert "Traceback" not in said
    assert inside(tmp_path) == []


def test_stopped_at_any_moment_leaves_all_or_nothing(mlops_new: Path, tmp_path: Path) -> None:
    """As a terminal does it: Git, which is just running, is stopped too."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "here").mkdir()
    for moment in range(12):
        process = subprocess.Popen(
            [mlops_new, "flights"],
            cwd=tmp_path / "here",
            env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        until = time.monotonic() + 20  # before its first folder it is Python that starts
        while not inside(tmp_path / "here") and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(0.03 * moment)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert "Traceback" not in said
        assert inside(tmp_path / "tmp") == []
        if inside(tmp_path / "here"):
            assert process.returncode == 0, said
            assert must(["git", "status", "--porcelain"], tmp_path / "here/flights") == ""
            shutil.rmtree(tmp_path / "here/flights")
        else:
            assert process.returncode == 1
            assert "stopped; nothing half-written is left" in said


def test_without_the_network_train_leaves_a_good_repository(mlops_new: Path, tmp_path: Path) -> None:
    done = run(
        [mlops_new, "flights", "--train"], tmp_path, UV_OFFLINE="1", UV_CACHE_DIR=str(tmp_path / "cache")
    )
    assert done.code == 1
    assert "The environment could not be installed" in done.stderr
    assert "hint:" not in done.stderr
    assert "Traceback" not in done.stderr
    assert must(["git", "status", "--porcelain"], tmp_path / "flights") == ""
    go_on = done.stderr.split("Go on: ")[1]
    assert "mlops-new lock && uv run dvc repro" in go_on
    must(["sh", "-c", go_on], tmp_path, PATH=f"{mlops_new.parent}{os.pathsep}{os.environ['PATH']}")
    assert (tmp_path / "flights/metrics.json").exists()
    lines = (tmp_path / "flights/constraints.txt").read_text().splitlines()
    pins = {line.partition(" ;")[0] for line in lines}  # scipy==1.17.1 ; python_full_version < '3.12'
    locked = tomllib.loads((tmp_path / "flights/uv.lock").read_text())["package"]
    assert {f"{one['name']}=={one['version']}" for one in locked if one["name"] != "flights"} <= pins


def test_stopped_while_it_trains_leaves_a_good_repository(mlops_new: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [mlops_new, "flights", "--train"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    heard = next(line for line in process.stderr if "Starting DVC" in line)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1, heard + said
    assert f"{tmp_path / 'flights'} is made and committed" in said
    assert "nothing half-written" not in said
    at = tmp_path / "flights"
    assert must(["git", "status", "--porcelain"], at) == ""
    must(["sh", "-c", said.split("Go on: ")[1]], tmp_path)
    assert (at / "metrics.json").exists()


def test_a_remote_that_takes_nothing_is_named_and_the_figures_are_said(
    mlops_new: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, where the remote should be")
    done = run([mlops_new, "flights", "--train", "--remote", "taken"], tmp_path)
    assert done.code == 1
    assert "roc_auc" in done.stdout
    assert f"{tmp_path / 'taken'} did not take it and the data" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "taken").unlink()
    must(["sh", "-c", done.stderr.split("When this is mended: ")[1]], tmp_path)
    assert (tmp_path / "taken/files").is_dir()
    assert must(["git", "status", "--porcelain"], tmp_path / "flights") == ""


@pytest.mark.parametrize("wrong", ["ada", "@", "@acme/", "ada @acme"])
def test_a_code_owner_that_github_would_not_know(wrong: str, mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "flights", "--code-owner", wrong], tmp_path)
    assert done.code == 1
    assert f"{wrong!r} is nobody whom GitHub could ask" in done.stderr
    assert inside(tmp_path) == []


def test_the_name_of_a_package_that_the_pipeline_uses(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "polars"], tmp_path)
    assert done.code == 1
    assert "'polars' is a package that the pipeline uses" in done.stderr
    assert inside(tmp_path) == []


def test_a_name_that_no_file_system_has(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "a" * 300], tmp_path)
    assert done.code == 1
    assert "File name too long" in done.stderr
    assert "Traceback" not in done.stderr


def test_own_options_without_data(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "churn", "--target", "churned"], tmp_path)
    assert done.code == 2
    assert "Add --data FILE" in done.stderr


def test_a_layer_that_is_not_there(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "flights", "--with", "cooking=soup"], tmp_path)
    assert done.code == 1
    assert f"There is no tier 'cooking' in template {current()}" in done.stderr


def test_no_name_and_no_terminal(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new], tmp_path)
    assert done.code == 2
    assert done.stderr.startswith("Usage: mlops-new [OPTIONS] [NAME]\nTry 'mlops-new --help' for help.")
    assert "NAME is missing" in done.stderr
