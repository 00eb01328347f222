"""The data: is what is committed, tracked and pushed what it should be?"""

import hashlib
import json
import subprocess
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipeline import params
from pipeline.checks import check
from pipeline.schema import Schema

REMOTE_SECONDS = 60


def test_the_sample_is_what_the_schema_says(sample: pl.DataFrame, schema: Schema) -> None:
    assert check(sample, schema) == []


def test_the_sample_is_small(sample: pl.DataFrame) -> None:
    assert len(sample) <= 1000, "the sample is committed to Git; keep it at 1,000 rows or fewer"


def test_the_raw_data_is_the_version_that_git_names() -> None:
    raw = Path(params()["data"])
    pointer = Path(f"{raw}.dvc")
    if not pointer.exists() or not raw.exists():
        pytest.skip(f"{raw} is not here; `uv run dvc pull` brings it")
    content = raw.read_bytes()
    named = yaml.safe_load(pointer.read_text(encoding="utf-8"))["outs"][0]["md5"]
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    ends = " It has CRLF line ends: was it copied by Windows?" if b"\r\n" in content else ""
    assert found == named, (
        f"{raw} is not the file that {pointer} names.{ends} "
        f"`uv run dvc checkout {pointer}` brings that one back, `uv run dvc add {raw}` takes this one"
    )


@pytest.mark.remote
def test_everything_tracked_is_in_the_remote() -> None:
    remote = subprocess.run(
        ["dvc", "config", "core.remote"], capture_output=True, text=True, check=False
    ).stdout.strip()
    assert remote, "no DVC remote is configured: uv run dvc remote add --default storage URL"
    command = ["dvc", "data", "status", "--not-in-remote", "--json"]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=REMOTE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"the remote {remote!r} did not answer within {REMOTE_SECONDS} s")
    assert asked.returncode == 0, f"the remote {remote!r} cannot be asked: {asked.stderr.strip()}"
    missing = json.loads(asked.stdout or "{}").get("not_in_remote", [])
    assert not missing, f"not pushed to {remote!r}: {', '.join(missing)}. Run: uv run dvc push"
