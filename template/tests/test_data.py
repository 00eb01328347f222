"""The data: is what is committed, tracked and pushed what it should be?"""

import hashlib
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
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
    # a fresh clone holds the pointer alone, and that is no mistake
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


def dvc(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["dvc", *words], capture_output=True, text=True, timeout=REMOTE_SECONDS, check=False
    )


def out_of_reach(url: str) -> str:
    """Why nothing answers at an address where DVC itself would see an empty remote; else ""."""
    if url.startswith(("http://", "https://")):
        try:
            urllib.request.urlopen(url, timeout=REMOTE_SECONDS).close()
        except urllib.error.HTTPError:
            return ""  # it answers, if only those who are logged in
        except OSError as error:
            return f"{urllib.parse.urlsplit(url).hostname}: {error}"
    elif "://" not in url and not Path(".dvc", url).is_dir():
        return f"there is no folder {url} (the first `uv run dvc push` makes it)"
    return ""


@pytest.mark.remote
def test_everything_tracked_is_in_the_remote() -> None:
    remote = dvc("config", "core.remote").stdout.strip()
    assert remote, "no DVC remote is configured: uv run dvc remote add --default storage URL"
    why = out_of_reach(dvc("config", f"remote.{remote}.url").stdout.strip())
    assert not why, f"the remote {remote!r} cannot be reached: {why}"
    try:
        asked = dvc("data", "status", "--not-in-remote", "--json")
    except subprocess.TimeoutExpired:
        pytest.fail(f"the remote {remote!r} did not answer within {REMOTE_SECONDS} s")
    assert asked.returncode == 0, f"the remote {remote!r} cannot be asked: {asked.stderr.strip()}"
    missing = json.loads(asked.stdout or "{}").get("not_in_remote", [])
    assert not missing, f"not pushed to {remote!r}: {', '.join(missing)}. Run: uv run dvc push"
