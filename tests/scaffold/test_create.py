"""`mlops-new NAME`: what is made, and that nothing is left when it cannot be."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import pytest
import yaml
from mlops_new.releases import SOURCE, current, publisher, write_bundle

from tests.conftest import ROOT, must, run


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_commit_and_a_clean_tree(mlops_new: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1"  # made without the network
    said = must([mlops_new, "my-project"], tmp_path, https_proxy=nowhere, http_proxy=nowhere)
    project = tmp_path / "my-project"
    assert "one commit" in said
    assert "Next: cd my-project" in said
    assert must(["git", "log", "--format=%an %s"], project) == "Test Start my-project\n"
    assert must(["git", "status", "--porcelain"], project) == ""
    assert must(["git", "branch", "--show-current"], project) == "main\n"
    assert inside(tmp_path) == ["my-project"]


def test_git_is_started_a_few_times_and_not_for_every_file(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin/git"
    git.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/started\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    must([mlops_new, "my-project"], tmp_path, PATH=f"{git.parent}:{os.environ['PATH']}")
    started = (tmp_path / "started").read_text().split()
    assert started == ["var", "var", "clone", "init", "symbolic-ref", "add", "commit"]


def test_it_says_how_many_files_there_are(mlops_new: Path, tmp_path: Path) -> None:
    said = must([mlops_new, "my-project"], tmp_path)
    files = must(["git", "ls-files"], tmp_path / "my-project").splitlines()
    assert f"my-project: {len(files)} files in one commit" in said


def test_the_data_is_in_dvc_with_no_dvc_process(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "my-project"], tmp_path)
    project = tmp_path / "my-project"
    tracked = must(["git", "ls-files", "data"], project).split()
    assert "data/flights.parquet" not in tracked
    assert "data/flights.parquet.dvc" in tracked
    md5 = yaml.safe_load((project / "data/flights.parquet.dvc").read_text())["outs"][0]["md5"]
    cached = project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    assert cached.read_bytes() == (project / "data/flights.parquet").read_bytes()


def test_dvc_reads_what_we_wrote_for_it(flights: Path) -> None:
    status = must(["uv", "run", "--frozen", "dvc", "status", "--json"], flights)
    assert json.loads(status) == {}
    (flights / "data/flights.parquet").unlink()
    must(["uv", "run", "--frozen", "dvc", "checkout", "data/flights.parquet.dvc"], flights)
    assert (flights / "data/flights.parquet").stat().st_size > 100_000


def test_another_machine_can_update_it(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "my-project"], tmp_path)
    answers = yaml.safe_load((tmp_path / "my-project/.copier-answers.yml").read_text())
    assert answers["_src_path"] == "gh:" + publisher((SOURCE / "copier.yml").read_text())
    assert answers["_commit"] == current()
    assert str(tmp_path) not in json.dumps(answers)


def test_from_a_source_tree_without_git_or_tags(tmp_path: Path, mlops_new: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    files = must(["git", "ls-files", "--cached", "--others", "--exclude-standard"], ROOT).splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    for folder, how in (("zz-one", ["--editable"]), ("zz-two", [])):
        venv = tmp_path / f"venv-{folder}"
        must(["uv", "venv", "--quiet", venv], tmp_path)
        must(["uv", "pip", "install", "--quiet", "--python", venv, *how, source], tmp_path)
        must([venv / "bin" / "mlops-new", folder], tmp_path)
    must([mlops_new, "zz-three"], tmp_path)
    for name in ("zz-two", "zz-three"):
        for path in must(["git", "ls-files"], tmp_path / "zz-one").split():
            first, other = ((tmp_path / folder / path).read_bytes() for folder in ("zz-one", name))
            assert first.replace(b"zz-one", b"") == other.replace(name.encode(), b""), path


def test_the_same_template_gives_the_same_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "somebody else")
    for name in ("a", "b"):
        write_bundle(ROOT, tmp_path / name, current())
    heads = {must(["git", "bundle", "list-heads", tmp_path / name], tmp_path) for name in ("a", "b")}
    assert len(heads) == 1


@pytest.mark.parametrize("name", ["Flights", "2fast", "my project", "a_b", "-x", "ümlaut", "a--b"])
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


def test_an_empty_folder_is_filled(mlops_new: Path, tmp_path: Path) -> None:
    (tmp_path / "flights").mkdir()
    must([mlops_new, "."], tmp_path / "flights")
    assert must(["git", "status", "--porcelain"], tmp_path / "flights") == ""


def test_a_path_whose_parents_are_missing(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "a/b/flights"], tmp_path)
    assert must(["git", "status", "--porcelain"], tmp_path / "a/b/flights") == ""


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
    assert "Traceback" not in done.stderr
    assert must(["git", "status", "--porcelain"], tmp_path / "flights") == ""


def test_own_options_without_data(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "churn", "--target", "churned"], tmp_path)
    assert done.code == 1
    assert "Add --data FILE" in done.stderr


def test_a_layer_that_is_not_there(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new, "flights", "--with", "cooking=soup"], tmp_path)
    assert done.code == 1
    assert f"There is no layer 'cooking' in template {current()}" in done.stderr


def test_no_name_and_no_terminal(mlops_new: Path, tmp_path: Path) -> None:
    done = run([mlops_new], tmp_path)
    assert done.code == 2
    assert "NAME is missing" in done.stderr


def test_no_colour_without_a_terminal(mlops_new: Path, tmp_path: Path) -> None:
    assert "\x1b" not in run([mlops_new, "flights"], tmp_path).said


def test_questions_on_a_terminal(mlops_new: Path, tmp_path: Path) -> None:
    asked = pexpect.spawn(str(mlops_new), cwd=str(tmp_path), encoding="utf-8", timeout=30)
    asked.expect("Name")
    asked.sendline("late-flights")
    asked.expect("Data file")
    asked.sendline("")
    asked.expect("one commit")
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == 0
    assert must(["git", "status", "--porcelain"], tmp_path / "late-flights") == ""


def test_json_for_programs(mlops_new: Path, tmp_path: Path) -> None:
    report = json.loads(must([mlops_new, "flights", "--json"], tmp_path))
    assert report["path"] == str(tmp_path / "flights")
    assert report["metrics"] is None


def test_every_option_has_help_and_shell_words_complete(mlops_new: Path, tmp_path: Path) -> None:
    text = must([mlops_new, "--help"], tmp_path)
    for option in ("--data", "--target", "--time", "--slice", "--with", "--remote", "--kit", "--train"):
        assert option in text
    assert "Exit codes" in text
    complete = must(
        [mlops_new],
        tmp_path,
        _MLOPS_NEW_COMPLETE="bash_complete",
        COMP_WORDS="mlops-new --ki",
        COMP_CWORD="1",
    )
    assert "--kit" in complete


def test_a_remote_gets_data_and_model(mlops_new: Path, tmp_path: Path) -> None:
    said = must([mlops_new, "flights", "--remote", "storage", "--train"], tmp_path)
    assert "pushed to the remote" in said
    stored = [path for path in (tmp_path / "storage").rglob("*") if path.is_file()]
    assert len(stored) >= 4
    must(["git", "clone", "--quiet", "flights", "clone"], tmp_path)
    (tmp_path / "clone/.venv").symlink_to(tmp_path / "flights/.venv")
    must(["uv", "run", "--frozen", "dvc", "pull"], tmp_path / "clone")
    for name in ("data/flights.parquet", "model/model.joblib", "metrics.json"):
        assert (tmp_path / "clone" / name).read_bytes() == (tmp_path / "flights" / name).read_bytes()


def test_train_prints_the_figures_it_made(mlops_new: Path, trained: Path, tmp_path: Path) -> None:
    found = json.loads((trained / "metrics.json").read_text())
    assert 0.65 < found["model"]["roc_auc"]["value"] < 0.8
    assert found["baseline"]["roc_auc"]["value"] == 0.5
    assert found["model"]["n"] > 2000
    assert set(found["slices"]) == {"carrier", "origin"}
    log = must(["git", "log", "--format=%s", "--name-only"], trained).split("\n")
    assert log[:4] == ["Train the first model", "", "dvc.lock", "uv.lock"]
    assert must(["git", "status", "--porcelain"], trained) == ""
