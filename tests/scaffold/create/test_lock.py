"""The first lock: made when the repository is, or by `mlops-new lock`."""

import json
import os
import shutil
from pathlib import Path

from tests.conftest import must, run


def without_uv(folder: Path) -> str:
    """A PATH with Git and no uv."""
    (folder / "bin").mkdir()
    for name in ("git", "sh"):
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    return str(folder / "bin")


def test_without_uv_the_repository_is_made_and_lock_is_the_next_step(mlops_new: Path, tmp_path: Path) -> None:
    said = must([mlops_new, "flights"], tmp_path, PATH=without_uv(tmp_path))
    assert "There is no uv.lock" in said and "Next: cd flights && mlops-new lock && uv run dvc repro" in said
    flights = tmp_path / "flights"
    assert must(["git", "status", "--porcelain"], flights) == ""
    pyproject = (flights / "pyproject.toml").read_bytes()
    assert must([mlops_new, "lock"], flights) == "Made uv.lock.\nCommit it.\n"
    assert must(["git", "status", "--porcelain"], flights) == "?? uv.lock\n"
    assert (flights / "pyproject.toml").read_bytes() == pyproject
    must(["uv", "lock", "--check", "--offline"], flights)


def test_lock_makes_what_is_missing_and_leaves_the_rest(mlops_new: Path, tmp_path: Path) -> None:
    must([mlops_new, "flights", "--with", "registry=wandb"], tmp_path)
    flights = tmp_path / "flights"
    before = (flights / "uv.lock").read_bytes()
    report = json.loads(must([mlops_new, "lock", "--json"], flights))
    assert report["made"] == ["registry/wandb/uv.lock"]
    assert (flights / "uv.lock").read_bytes() == before
    assert must(["git", "diff", "--stat"], flights) == ""
    assert must([mlops_new, "lock"], flights) == "No lock file is missing.\n"


def test_an_index_that_cannot_be_reached_is_named_by_uv(mlops_new: Path, tmp_path: Path) -> None:
    offline = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "cache")}
    said = must([mlops_new, "flights"], tmp_path, **offline)
    assert "There is no uv.lock" in said
    done = run([mlops_new, "lock"], tmp_path / "flights", **offline)
    assert done.code == 1
    assert "uv.lock could not be made. uv says:" in done.stderr and os.linesep + "hint" not in done.stderr
