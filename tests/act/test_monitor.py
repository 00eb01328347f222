"""The generated repository's own schedule: no issue on the first day, then one for each kind of drift."""

import json
import re
from pathlib import Path

import pytest
import yaml
from mlops_kit.monitoring import demo
from mlops_kit.project import contract

from tests.act.api import Api
from tests.act.flights import rows
from tests.act.forge import Forge
from tests.act.outcome import Outcome

SETTINGS = {"window_days": 31, "slices": ["carrier"]}
# The flights of January to March once more, as if they had left in July: nothing has changed.
AS_BEFORE = (
    "f.sample(3000, seed=7).with_columns((pl.datetime(2013, 7, 1) + pl.duration("
    "days=(pl.col('scheduled').dt.ordinal_day() - 1) % 31, hours=pl.col('scheduled').dt.hour()))"
    ".alias('scheduled'), ('again-' + pl.col('flight')).alias('flight')).sort('scheduled')"
)


@pytest.fixture
def watched(first: Forge, tmp_path: Path) -> tuple[Forge, Path]:
    """Its predictions log and labels land in a folder; drift in two of three windows trains."""
    served = tmp_path / "production"
    served.mkdir()
    places = {"log": f"{served}/served/*.jsonl", "labels": f"{served}/came-true/*.parquet"}
    settings = {"monitoring": SETTINGS | places, "retrain": {"windows": 2, "of": 3}}
    first.merge("Watch what is predicted", {"mlops.d/watched.yaml": yaml.safe_dump(settings)})
    return first, served


def scheduled(forge: Forge, at: str) -> Outcome:
    outcome = forge.run("schedule.yml", "schedule", only="tell", env={"MLOPS_NOW": at})
    outcome.must(jobs={"monitor": "success", "tell": "success"})
    return outcome


def issues(api: Api, state: str = "open") -> list[str]:
    found = [issue for issue in api.issues if issue["state"] == state and issue["title"] != "Weekly review"]
    return sorted(re.split(r":| in `", issue["title"])[0] for issue in found)


def test_a_fresh_repository_stays_silent(forge_with_folder: Forge) -> None:
    scheduled(forge_with_folder, "2026-11-24T05:23:00Z")
    assert forge_with_folder.api.writes == []
    beat = json.loads(forge_with_folder.show("mlops/runs:heartbeat.json"))
    assert beat["at"].startswith("2026-11-24T05:23")


def test_the_flights_of_april_open_what_a_month_as_before_closes(
    watched: tuple[Forge, Path], tmp_path: Path
) -> None:
    forge, served = watched
    api, means = forge.api, contract.load(forge.work)
    scheduled(forge, "2013-04-02T05:23:00Z")
    assert issues(api) == []  # connected, and nobody has predicted yet

    demo.serve(forge.work, means, demo.batches()[4], served)
    outcome = scheduled(forge, "2013-05-01T05:23:00Z")
    opened = ["Concept drift", "Data drift"]
    assert issues(api) == opened
    drift = next(issue for issue in api.issues if issue["title"].startswith("Data drift"))
    assert drift["title"] == "Data drift in `temperature`"
    assert "| 2,400 |" in drift["body"] and "no row of month 4" in drift["body"].lower()
    assert "xychart-beta" in drift["body"] and "runbook.md#the-inputs-have-drifted" in drift["body"]
    assert (outcome.artifacts / "mlops-monitor/review.html").is_file()

    log = served / "served/2013-04.jsonl"
    newest = log.read_text("utf-8").splitlines()[-1]
    line = json.loads(newest) | {"time": "2013-05-01T05:20:00Z", "key": "again"}
    log.write_text(f"{log.read_text('utf-8')}{json.dumps(line)}\n", encoding="utf-8")
    scheduled(forge, "2013-05-01T05:25:00Z")
    assert issues(api) == opened and len(api.issues) == 3  # the review is one of them
    assert api.dispatches == []  # a line more is no other window

    demo.serve(forge.work, means, demo.batches()[5], served)
    scheduled(forge, "2013-06-01T05:23:00Z")
    assert [one["event_type"] for one in api.dispatches] == ["drift-detected"]

    batch = rows(forge, AS_BEFORE, tmp_path / "2013-07.parquet")
    demo.serve(forge.work, means, batch, served)
    scheduled(forge, "2013-08-01T05:23:00Z")
    assert issues(api) == []  # concept drift is over, and May is not in the window any more
    assert {*opened} <= {*issues(api, "closed")}
    assert "It lasted" in api.comments_of(drift["number"])[-1]["body"]
    assert len(api.dispatches) == 1
