"""New data by poll and by dispatch, from a folder, a URL and in parts; the cadence without any."""

import json
from pathlib import Path

import pytest
import yaml

from tests.act.api import Api
from tests.act.flights import (
    DATA,
    GREEN,
    RED,
    data_files,
    events,
    merge,
    nothing_happened,
    record,
    rows,
    tell_files,
    told,
)
from tests.act.forge import Forge
from tests.act.remotes import Folder, stock
from tests.act.test_foreign import WORKFLOW
from tests.conftest import must, python_of
from tests.kit.tips import bills, start

LOOK: dict[str, object] = {"action": "new-data"}


@pytest.fixture
def watched(first: Forge, tmp_path: Path) -> tuple[Forge, Path]:
    """A folder where flights land; the newest file replaces the data."""
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    watch = {"pointer": f"{DATA}.dvc", "folder": str(incoming), "pattern": "*.parquet", "settle_seconds": 0}
    text = (first.work / "mlops.yaml").read_text("utf-8")
    first.merge("Watch a folder", {"mlops.yaml": text + yaml.safe_dump({"new_data": {"watch": [watch]}})})
    return first, incoming


def test_new_data_trains_and_reaches_main_and_what_is_refused_is_one_alarm(
    watched: tuple[Forge, Path], folder: Folder
) -> None:
    forge, incoming = watched
    quiet = forge.run("schedule.yml", "schedule")
    assert quiet.jobs["cadence/train"] == quiet.jobs["cadence/register"] == "success"
    assert list(forge.refs()) == ["flights@v0.1.0"]

    kept, before = folder.keys(), forge.refs("refs/heads")["main"]
    rows(forge, "f.with_columns(humidity=pl.lit(250.0))", incoming / "2014.parquet")
    for _ in range(2):
        outcome = forge.run("train.yml", "repository_dispatch", payload=LOOK)
        outcome.must(jobs=RED)
        assert "Train and evaluate" not in outcome.steps["train"]
    nothing_happened(forge, folder, kept)
    (issue,) = forge.api.issues
    assert "humidity" in issue["body"]

    (incoming / "2014.parquet").unlink()
    rows(forge, "f[500:]", incoming / "2014b.parquet")
    look(forge)
    assert forge.api.issues[0]["state"] == "closed"
    assert list(forge.refs()) == ["flights@v0.1.0", "flights@v0.2.0"]
    assert record(forge, "v0.2.0")["data"][0]["rows"] == 11500
    main = forge.refs("refs/heads")["main"]
    assert forge.git_bare("diff", "--name-only", before, main) == f"{DATA}.dvc"

    forge.git("pull", "--quiet", "origin", "main")
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.06")
    forge.run("train.yml").must(jobs=GREEN)
    assert record(forge, "v0.3.0")["data"] == record(forge, "v0.2.0")["data"]


def test_new_data_reaches_a_protected_main_by_one_pull_request(
    watched: tuple[Forge, Path], tmp_path: Path
) -> None:
    """Twice by a dispatch; what it carries is not run."""
    forge, incoming = watched
    forge.reject("refs/heads/main")
    before = forge.refs("refs/heads")["main"]
    rows(forge, "f[500:]", incoming / "2014.parquet")
    target = tmp_path / "touched"
    evil = f"$(touch {target}); `touch {target}`; ${{{{ github.token }}}}"
    payload = LOOK | {"client_payload": {"ref": evil, "pointer": evil, evil: evil}}
    for _ in range(2):
        forge.run("train.yml", "repository_dispatch", payload=payload).must(jobs=GREEN)
    assert not target.exists()
    assert list(forge.refs()) == ["flights@v0.1.0", "flights@v0.2.0"]
    assert forge.refs("refs/heads")["main"] == before
    (pull,) = forge.api.pulls
    assert pull["head"]["ref"] == "mlops/data"
    assert record(forge, "v0.2.0")["data"][0]["rows"] == 11500


def look(forge: Forge) -> None:
    forge.run("train.yml", "repository_dispatch", payload=LOOK).must(jobs=GREEN)


def test_a_source_that_was_imported_is_asked_again(first: Forge, folder: Folder, tmp_path: Path) -> None:
    """`dvc import-url`: the pointer knows where the data came from."""
    forge, dvc = first, python_of(first.work).with_name("dvc")
    source = tmp_path / "flights.parquet"
    rows(forge, "f", source)
    must([dvc, "import-url", "--force", "--quiet", source, DATA], forge.work)
    text = (forge.work / "mlops.yaml").read_text("utf-8")
    watch = {"watch": [{"pointer": f"{DATA}.dvc", "settle_seconds": 0}]}
    must([dvc, "push", "--quiet"], forge.work)
    forge.merge("Import the flights", {"mlops.yaml": text + yaml.safe_dump({"new_data": watch})})
    main = forge.refs("refs/heads")["main"]
    look(forge)
    assert forge.refs("refs/heads")["main"] == main
    versions = list(forge.refs())

    rows(forge, "f[500:]", source)
    look(forge)
    newest = f"v0.{len(versions) + 1}.0"
    assert list(forge.refs()) == [*versions, f"flights@{newest}"]
    assert record(forge, newest)["data"][0]["rows"] == 11500
    assert str(source) in forge.show(f"main:{DATA}.dvc")
    assert forge.git_bare("diff", "--name-only", main, "main") == f"{DATA}.dvc"
    after = forge.refs("refs/heads")["main"]
    look(forge)
    assert list(forge.refs()) == [*versions, f"flights@{newest}"]
    assert forge.refs("refs/heads")["main"] == after

    source.unlink()
    outcome = forge.run("train.yml", "repository_dispatch", payload=LOOK)
    outcome.must(jobs=RED)
    (issue,) = forge.api.issues
    assert "vanished" in issue["body"]
    assert forge.refs("refs/heads")["main"] == after


PARTS = """\
[ -d "$1" ] && set -- "$1"/*.csv
rm -f train.csv test.csv
awk -F, 'NR == 1 { print > "train.csv"; print > "test.csv" } FNR == 1 { next }
  { print > (++n % 5 ? "train.csv" : "test.csv") }' "$@"
"""


def test_files_that_land_are_collected(
    trained: Path, tmp_path: Path, api: Api, export: Path, folder: Folder
) -> None:
    """In a repository that is not ours: each file that lands is one more part of the folder."""
    work, dvc, incoming = tmp_path / "tips", trained / ".venv/bin/dvc", tmp_path / "incoming"
    incoming.mkdir()
    start(work, str(dvc))
    forge = Forge(tmp_path / "forge", work, api, export)
    _in_parts(work, dvc)
    stock(folder, work)
    watch = {"pointer": "parts.dvc", "folder": str(incoming), "mode": "collect", "settle_seconds": 0}
    means = (work / "mlops.yaml").read_text("utf-8") + yaml.safe_dump({"new_data": {"watch": [watch]}})
    look_first = """\
      - name: Look for new data
        uses: mlops-new/mlops-new/actions/watch-data@v0.1.0
        with:
          deliver: "false"
      - name: Validate
"""
    workflow = WORKFLOW.replace("on: push", "on: [push, repository_dispatch]")
    workflow = workflow.replace("      - name: Validate\n", look_first)
    files = {".github/workflows/train.yml": workflow, ".dvc/config": folder.config(), "mlops.yaml": means}
    forge.merge("Train by GitHub", files)
    look(forge)
    assert list(forge.refs()) == ["tips@v0.1.0"]

    (incoming / "second.csv").write_text(bills(100, share=0.2))
    look(forge)
    assert list(forge.refs()) == ["tips@v0.1.0", "tips@v0.2.0"]
    made = json.loads(forge.show("tips@v0.2.0:record.json"))
    (data,) = made["data"]
    assert (data["path"], data["md5"].endswith(".dir")) == ("parts", True)
    assert "parts" in made["description"]
    main = forge.refs("refs/heads")["main"]
    assert forge.git_bare("diff", "--name-only", f"{main}^", main) == "parts.dvc"

    (incoming / "again.csv").write_text(bills(100, share=0.2))  # the same content under another name
    look(forge)
    assert len(forge.refs()) == 2
    assert forge.refs("refs/heads")["main"] == main


def _in_parts(work: Path, dvc: Path) -> None:
    """The raw data as a folder of which there is one part yet."""
    (work / "parts").mkdir()
    (work / "parts/first.csv").write_text(bills(400))
    (work / "prepare.sh").write_text(PARTS)
    params = (work / "params.yaml").read_text("utf-8")
    (work / "params.yaml").write_text(params.replace("data: bills.csv", "data: parts"))
    must([dvc, "remove", "--quiet", "bills.csv.dvc"], work)
    must([dvc, "add", "--quiet", "parts"], work)


def test_a_quiet_schedule_says_that_the_data_is_old_once(first: Forge, folder: Folder) -> None:
    forge = first
    text = (forge.work / "mlops.yaml").read_text("utf-8")

    def allow(days: int) -> None:
        row = {"column": "scheduled", "at_most_days": days}
        forge.merge(
            f"Allow {days} days", {"mlops.yaml": text + yaml.safe_dump({"new_data": {"newest_row": row}})}
        )

    allow(365)
    for _ in range(2):
        quiet = forge.run("schedule.yml", "schedule", only="cadence")  # its other jobs are seen above
        assert quiet.jobs["cadence/train"] == quiet.jobs["cadence/register"] == "success"
        assert "nothing to train: no input changed" in quiet.notices
    (issue,) = forge.api.issues
    assert issue["state"] == "open"
    assert "is of 2013-03-31 (`scheduled`)" in issue["body"]
    assert list(forge.refs()) == ["flights@v0.1.0"]
    looked = [
        event["status"] for event in events(forge) if event["stage"] == "register" and "seconds" in event
    ]
    assert looked == ["identical", "identical"]  # which is what the cadence's clock goes by

    kept = data_files(folder)
    allow(100_000)
    forge.merge("Write more", {"docs/more.md": "More.\n"})
    tell_files(forge)
    outcome = forge.run("train.yml", "workflow_dispatch")
    outcome.must(jobs=GREEN)
    assert not told(forge, "REGISTERED").exists() and not told(forge, "MIRROR").exists()
    assert "nothing to train: no input changed" in outcome.notices
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert data_files(folder) == kept
    assert [one["state"] for one in forge.api.issues] == ["closed"]
