"""The workflow that publishes a release: who may do what in it, and what it runs."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.act import workflows
from tests.conftest import ROOT, run

JOBS: dict[str, dict[str, Any]] = workflows.read(ROOT / ".github/workflows/release.yml")["jobs"]


def commands(job: str) -> str:
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_each_job_may_do_one_thing() -> None:
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "build": {"contents": "read"},
        "publish": {"contents": "read", "id-token": "write"},
        "page": {"contents": "write"},
    }
    assert JOBS["publish"]["environment"] == "pypi"  # where a person approves


def test_the_bytes_that_were_built_are_attested_published_and_shown() -> None:
    assert (JOBS["publish"]["needs"], JOBS["page"]["needs"]) == ("build", "publish")
    assert "uv build" not in commands("publish") + commands("page")
    attest, publish = (commands("publish").index(words) for words in ("publish attest", "uv publish"))
    assert attest < publish
    assert "uv publish --trusted-publishing always" in commands("publish")
    assert "secrets." not in str(JOBS)


def test_nothing_comes_from_a_cache_or_without_a_hash() -> None:
    for job in JOBS.values():
        for step in job["steps"]:
            if str(step.get("uses", "")).startswith("astral-sh/setup-uv@"):
                assert step["with"]["enable-cache"] == "false"
    pins = (ROOT / "scaffold/release-requirements.txt").read_text("utf-8")
    assert "://" not in pins
    blocks = [block for block in re.split(r"\n(?=[a-z])", pins) if "==" in block]
    assert all("--hash=sha256:" in block for block in blocks)
    wanted = (ROOT / "scaffold/release-requirements.in").read_text("utf-8").splitlines()
    assert {line.split()[0] for line in wanted} <= {block.partition("==")[0] for block in blocks}


@pytest.mark.parametrize("tag", ["v9.9.9", "v0.1", "0.1.0"])
def test_a_tag_that_is_not_the_version_builds_nothing(tag: str, tmp_path: Path) -> None:
    (tmp_path / "scaffold").mkdir()
    for name in ("scaffold/publish", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    done = run(
        ["sh", "scaffold/publish", "build"],
        tmp_path,
        GITHUB_REF_TYPE="tag",
        GITHUB_REF_NAME=tag,
        PATH=os.defpath,
    )
    assert done.code == 1 and f"The tag is {tag}, but pyproject.toml has the version " in done.stderr
    assert not (tmp_path / "dist").exists()
