"""Data goes to DVC, code to Git: the hooks see to it, and a colleague gets the same bytes, on any system."""

import re
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import Done, must, run

DVC = ["uv", "run", "--frozen", "dvc"]
DATA = ["data/flights.parquet", "metrics.json", "model", "evaluation", "data/prepared"]


def dvc(repository: Path, *words: str | Path) -> None:
    must([*DVC, *words], repository)


def content(repository: Path) -> dict[str, bytes]:
    files = [file for name in DATA for file in (repository / name, *(repository / name).rglob("*"))]
    return {str(file.relative_to(repository)): file.read_bytes() for file in files if file.is_file()}


def commit(repository: Path, *files: str) -> Done:
    """Through the hooks, as a person commits."""
    must(["git", "add", "--force", *files], repository)
    return run(["git", "commit", "--message=Try"], repository, UV_FROZEN="1", UV_NO_SYNC="1")


# ---- what is in Git ----


def test_no_file_in_git_is_over_a_megabyte(trained: Path) -> None:
    listed = must(
        ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectsize)"], trained
    )
    sizes = [int(line.split()[1]) for line in listed.splitlines() if line.startswith("blob")]
    assert len(sizes) > 30
    assert max(sizes) <= 1_000_000


def test_every_text_in_git_has_lf(trained: Path) -> None:
    ends = must(["git", "ls-files", "--eol"], trained).splitlines()
    assert len(ends) > 30
    assert [line for line in ends if not re.match(r"i/(lf|none) +w/(lf|none) ", line)] == []


def test_paths_are_posix_and_inside_the_repository(trained: Path) -> None:
    text = (trained / "dvc.lock").read_text("utf-8") + (trained / "dvc.yaml").read_text("utf-8")
    text += (trained / "data/flights.parquet.dvc").read_text("utf-8")
    paths = re.findall(r"path: (.+)", text)
    assert len(paths) > 20
    assert "\\" not in text
    assert [path for path in paths if path.startswith(("/", "..")) or ":" in path] == []


def test_stages_are_commands_of_any_shell(trained: Path) -> None:
    stages = yaml.safe_load((trained / "dvc.yaml").read_text("utf-8"))["stages"]
    commands = [stage["cmd"] for stage in stages.values()]
    assert len(commands) == 3
    assert [command for command in commands if not re.fullmatch(r"python -m [\w.]+", command)] == []


# ---- the hooks ----


@pytest.mark.parametrize(
    "file", ["data/flights.parquet", "more.csv", "model.joblib", "data/2014.CSV.gz", "x/notes.xlsx"]
)
def test_data_in_git_is_refused_with_the_way_out(file: str, flights: Path) -> None:
    (flights / file).parent.mkdir(exist_ok=True)
    if not (flights / file).exists():
        (flights / file).write_bytes(b"a,b\n1,2\n")
    done = commit(flights, file)
    assert done.code == 1
    assert "no data or models in Git" in done.said
    assert "git rm --cached FILE, then uv run dvc add FILE, then the git add that DVC prints" in done.said
    assert file in done.said


def test_the_way_out_that_the_hook_names_works(flights: Path) -> None:
    (flights / "more.csv").write_text("a,b\n1,2\n", newline="\n")
    assert commit(flights, "more.csv").code == 1
    must(["git", "rm", "--quiet", "--cached", "more.csv"], flights)
    said = must([*DVC, "add", "more.csv"], flights)
    named = re.search(r"git add (.+)", said)
    assert named
    assert commit(flights, *named[1].split()).code == 0
    assert must(["git", "status", "--porcelain"], flights) == ""


def test_a_large_file_of_any_kind_is_refused(flights: Path) -> None:
    (flights / "notes.txt").write_text("much\n" * 300_000)
    done = commit(flights, "notes.txt")
    assert done.code == 1
    assert "notes.txt (1465 KB) exceeds 1000 KB" in done.said


def test_the_sample_may_change(flights: Path) -> None:
    sample = flights / "data/sample.csv"
    lines = sample.read_text("utf-8").splitlines(keepends=True)
    sample.write_text("".join(lines[:-1]), "utf-8", newline="\n")
    done = commit(flights, "data/sample.csv")
    assert done.code == 0, done.said


def test_crlf_becomes_lf(flights: Path) -> None:
    readme = flights / "README.md"
    readme.write_bytes(readme.read_bytes().replace(b"\n", b"\r\n") + b"More.\r\n")
    done = commit(flights, "README.md")
    assert done.code == 1
    assert "CRLF is rewritten, git add the file again" in done.said
    assert b"\r" not in readme.read_bytes()
    assert commit(flights, "README.md").code == 0


# ---- the remote ----


def test_a_clone_and_a_pull_give_the_same_bytes(flights: Path, tmp_path: Path) -> None:
    dvc(flights, "remote", "add", "--quiet", "--default", "storage", tmp_path / "storage")
    dvc(flights, "push", "--quiet")
    assert commit(flights, ".dvc/config").code == 0
    clone = tmp_path / "clone"
    must(["git", "clone", "--quiet", flights, clone], tmp_path)
    (clone / ".venv").symlink_to(flights / ".venv")
    assert content(clone) == {}
    dvc(clone, "pull", "--quiet")
    assert content(clone) == content(flights)
    assert must(["git", "status", "--porcelain"], clone) == ""
    assert "up to date" in must([*DVC, "repro"], clone)


def asked(repository: Path) -> Done:
    """The job `data` of ci.yml."""
    return run(
        ["uv", "run", "--frozen", "pytest", "-q", "-p", "no:cacheprovider", "-m", "remote"], repository
    )


def test_data_that_is_not_pushed_is_named(flights: Path, tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    dvc(flights, "remote", "add", "--quiet", "--default", "storage", tmp_path / "storage")
    done = asked(flights)
    assert done.code == 1
    (said,) = re.findall(r"AssertionError: (not pushed to .*)", done.stdout)
    assert said.startswith("not pushed to 'storage': ")
    assert said.endswith(". Run: uv run dvc push")
    for name in DATA:
        assert name in said

    dvc(flights, "push", "--quiet")
    assert asked(flights).code == 0
    shutil.move(tmp_path / "storage", tmp_path / "elsewhere")
    done = asked(flights)
    assert done.code == 1
    assert f"the remote 'storage' cannot be reached: there is no folder {tmp_path / 'storage'}" in done.stdout


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes a call and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x"


def test_a_remote_that_refuses_is_named(flights: Path) -> None:
    dvc(flights, "remote", "add", "--quiet", "--default", "storage", "http://127.0.0.1:1/x")
    begin = time.monotonic()
    done = asked(flights)
    assert time.monotonic() - begin < 60
    assert done.code == 1
    assert "the remote 'storage' cannot be reached: 127.0.0.1: " in done.stdout
    assert "not pushed" not in done.stdout


def test_a_remote_that_never_answers_is_named_in_time(flights: Path, silent: str) -> None:
    test = flights / "tests/test_before_training.py"
    text = test.read_text("utf-8")
    assert text.count("urlopen(url, timeout=REMOTE_SECONDS)") == 1
    test.write_text(text.replace("urlopen(url, timeout=REMOTE_SECONDS)", "urlopen(url, timeout=1)"), "utf-8")
    dvc(flights, "remote", "add", "--quiet", "--default", "storage", silent)
    begin = time.monotonic()
    done = asked(flights)
    assert time.monotonic() - begin < 60
    assert done.code == 1
    assert "the remote 'storage' cannot be reached: 127.0.0.1: timed out" in done.stdout


def test_no_remote_at_all_is_said(flights: Path) -> None:
    done = asked(flights)
    assert done.code == 1
    assert "no DVC remote is configured: uv run dvc remote add --default storage URL" in done.stdout
