"""`mlops-new adopt` that cannot adopt: it says what is missing, and nothing is changed."""

import signal
import subprocess
import time
from pathlib import Path

import yaml

from tests.conftest import Once, must, run
from tests.scaffold.adopt import adoptions, repositories
from tests.scaffold.adopt.adoptions import OFFLINE, warm


def refused(mlops_new: Path, root: Path, *words: str) -> str:
    """What it says, having changed nothing."""
    before = repositories.hashes(root) | {"index": must(["git", "status", "--porcelain"], root)}
    done = run([mlops_new, "adopt", *words], root, **OFFLINE)
    assert done.code == 1, done.said
    assert "this is our bug" not in done.stderr
    assert repositories.hashes(root) | {"index": must(["git", "status", "--porcelain"], root)} == before
    assert [path.name for path in root.parent.iterdir() if path.name.startswith(f".{root.name}")] == []
    return done.stderr


def test_nothing_that_trains_says_what_was_looked_for(mlops_new: Path, tmp_path: Path) -> None:
    root = repositories.repository(tmp_path / "site", {"app.py": "print('hello')\n", "old.py": "print 'two'\n",
                                                    "tests/test_fit.py": "model.fit()\n"})  # fmt: skip
    said = refused(mlops_new, root)
    assert f"Nothing that trains was found in {root}" in said
    assert ".fit(" in said
    assert "old.py: not Python 3" in said
    assert "--entry" in said


def test_what_is_not_committed_is_named(mlops_new: Path, tmp_path: Path) -> None:
    root = repositories.small(tmp_path / "mean")
    (root / "train.py").write_text("pass\n")
    assert "Changed and not committed: train.py." in refused(mlops_new, root)


def test_where_there_is_no_repository(mlops_new: Path, tmp_path: Path) -> None:
    for folder, words in (("nothing", "is not in a Git repository"), ("missing", "does not exist")):
        if folder == "nothing":
            (tmp_path / folder).mkdir()
        done = run([mlops_new, "adopt", folder], tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path))
        assert done.code == 1
        assert words in done.stderr
    must(["git", "init", "--quiet", "--bare", "bare.git"], tmp_path)
    assert "is a bare repository" in run([mlops_new, "adopt", "bare.git"], tmp_path).stderr
    must(["git", "init", "--quiet", "empty"], tmp_path)
    assert "has no commit yet" in run([mlops_new, "adopt", "empty"], tmp_path).stderr


def test_twice_is_once(mlops_new: Path, once: Once, trained: Path) -> None:
    script = adoptions.script(mlops_new, once)
    assert "was adopted already" in run([mlops_new, "adopt"], script.root).stderr
    assert "was made by mlops-new" in run([mlops_new, "adopt"], trained).stderr


def test_a_training_that_fails_leaves_nothing(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    warm(once)
    code = "open('half.txt', 'w').write('x')\nmodel.fit(1)\n"
    said = refused(mlops_new, repositories.small(tmp_path / "mean", code))
    assert "train.py fails when it is run" in said
    assert "NameError: name 'model' is not defined" in said


def test_packages_that_cannot_be_had(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    warm(once)
    root = repositories.small(tmp_path / "mean", files={"requirements.txt": "no-such-package-of-ours==1\n"})
    said = refused(mlops_new, root)
    assert "requirements.txt" in said
    assert "no-such-package-of-ours" in said


def test_stopped_half_way(mlops_new: Path, once: Once, tmp_path: Path) -> None:
    warm(once)
    root = repositories.small(
        tmp_path / "mean",
        f"import os, time\nopen('{tmp_path}/on', 'w').write(str(os.getpid()))\ntime.sleep(60)\nmodel.fit(1)\n",
    )
    before = repositories.hashes(root)
    process = subprocess.Popen([mlops_new, "adopt"], cwd=root, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "on").exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "nothing half-written is left" in said
    assert repositories.hashes(root) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mean", "on"]
    state = run(["ps", "-o", "stat=", "-p", (tmp_path / "on").read_text()], tmp_path).stdout
    assert state.strip()[:1] in ("", "Z")  # the training has ended; who waits for it may be busy


def test_arguments_that_are_missing_are_asked_for_and_given(
    mlops_new: Path, once: Once, tmp_path: Path
) -> None:
    warm(once)
    code = (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--rows', required=True)\n"
        "rows = open(parser.parse_args().rows).read().split()\n\n\ndef fit(rows):\n    return len(rows)\n\n\n"
        "open('model.pkl', 'w').write(str(fit(rows)))\nprint('loss: 0.5')\nprint('loss: 0.25')\n"
    )
    root = repositories.small(tmp_path / "mean", code)
    assert "It needs arguments. Name them: --entry 'train.py ARGUMENT...'" in refused(mlops_new, root)
    said = must([mlops_new, "adopt", "--entry", "train.py --rows rows.txt"], root, **OFFLINE)
    assert "metrics   metrics.json (loss 0.25)" in said
    stage = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]["train"]
    assert stage["cmd"].endswith("-- python train.py --rows rows.txt")
    assert "rows.txt" in stage["deps"]
