"""One alarm is one issue, which is updated, and closed with its duration."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from mlops_kit.alerts.kinds import EVENTS, KINDS, Finding
from mlops_kit.monitoring.checks import schema

from tests.act.api import Api
from tests.conftest import ROOT
from tests.kit.alerts.outcomes import DRIFT, SLOW, alert, found, named
from tests.kit.small_repository import Small


def test_an_alarm_is_one_issue_that_is_updated_and_closed(on_github: Api, project: Small) -> None:
    found(project, DRIFT)
    assert alert(project).code == 0
    (issue,) = on_github.issues
    assert issue["title"] == "Data drift in `dep_delay`"
    for wanted in (
        "at most one check in 100",
        "| column | moved |",
        "blob/HEAD/docs/runbook.md#the-inputs-have-drifted",
        "    mlops-kit monitor check --window 'w*.parquet'",
    ):
        assert wanted in issue["body"]
    also = Finding(
        "data-drift", "distance: median 700 -> 900, +0.30 sd; 12.0% of the rows moved (n = 2,100)", "distance"
    )
    follow = Finding("data-drift", "the predictions (probability) moved with them")  # and is no column
    found(project, DRIFT, also, follow)
    assert "data-drift: updated" in alert(project).stdout
    assert len(on_github.issues) == 1
    assert on_github.comments == []  # an update makes nobody's mail
    found(project, judged=("data-drift",))
    assert alert(project).code == 0
    assert named(on_github, "closed") == ["Data drift in `dep_delay` and 1 more"]
    (comment,) = on_github.comments
    assert "found nothing any more" in comment["body"] and "It lasted 1 minute." in comment["body"]


@pytest.mark.parametrize(
    ("event", "title"),
    [
        ("new category", "New category in `carrier`"),
        ("missing column", "Missing column `carrier`"),
        ("new column", "New column `carrier`"),
        ("all null", "No values in `carrier`"),
        ("constant", "Constant value in `carrier`"),
        ("retyped", "Changed type of `carrier`"),
        ("", "Schema change in `carrier`"),  # of an older kit
    ],
)
def test_the_title_says_what_happened_to_the_column(
    event: str, title: str, on_github: Api, project: Small
) -> None:
    found(
        project, Finding("schema", "what", "carrier", event), Finding("schema", "else", "origin", "retyped")
    )
    assert alert(project).code == 0
    assert named(on_github) == [f"{title} and 1 more"]


def test_every_change_of_the_columns_has_a_title() -> None:
    assert set(get_args(schema.Kind)) == set(EVENTS)
    with pytest.raises(ValueError, match="no event of a column: moved"):
        Finding("schema", "what", "carrier", "moved")


def test_what_a_check_could_not_judge_stays_open(on_github: Api, project: Small) -> None:
    found(project, DRIFT)
    alert(project)
    found(project, judged=("latency",))  # the window was too small to tell of drift
    assert alert(project).stdout == "No alarm to raise or to close.\n"
    assert len(named(on_github)) == 1


def test_an_alarm_that_comes_back_soon_is_the_same_one(on_github: Api, project: Small) -> None:
    for findings in ((DRIFT,), (), (DRIFT,)):
        found(project, *findings, judged=("data-drift",) if not findings else ())
        alert(project)
    assert len(on_github.issues) == 1 and len(named(on_github)) == 1
    assert on_github.comments[-1]["body"] == "It is back."


def test_one_that_comes_back_late_is_another(on_github: Api, project: Small) -> None:
    found(project, DRIFT)
    alert(project)
    found(project, judged=("data-drift",))
    alert(project)
    long_ago = (datetime.now(UTC) - timedelta(hours=25)).strftime("%Y-%m-%dT%H:%M:%SZ")
    on_github.issues[0] |= {"closed_at": long_ago, "updated_at": long_ago}
    found(project, DRIFT)
    assert "data-drift: created" in alert(project).stdout
    assert len(on_github.issues) == 2


def test_two_kinds_are_two_alarms_with_the_label_that_was_asked_for(on_github: Api, project: Small) -> None:
    found(project, DRIFT, SLOW)
    assert alert(project, "--label", "demo").code == 0
    assert named(on_github) == ["Data drift in `dep_delay`", "Predictions are slow"]
    labels = [{one["name"] for one in issue["labels"]} for issue in on_github.issues]
    assert labels == [{"mlops-alarm", "demo"}] * 2


def test_the_rate_limit_is_waited_for(on_github: Api, project: Small) -> None:
    on_github.limit("POST", "/issues$", retry_after=1)
    found(project, SLOW)
    assert alert(project).code == 0
    assert named(on_github) == ["Predictions are slow"]


def test_nobody_to_tell_is_an_error(project: Small) -> None:
    found(project, SLOW)
    done = alert(project)
    assert done.code == 1 and "git remote add origin" in done.stderr
    assert "There is no place for alarms" in alert(project, "--test").stderr


def test_a_dry_run_asks_nobody(on_github: Api, project: Small) -> None:
    found(project, SLOW, judged=("data-drift",))
    done = alert(project, "--dry-run")
    assert "latency: would be raised" in done.stdout and "data-drift: would be closed" in done.stdout
    assert on_github.requests == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there was no check yet"),
        ("{", "is not what `mlops-kit monitor check` leaves"),
        (
            '{"at": "x", "version": "", "window": "", "findings": [{"kind": "fire", "what": ""}], "judged": []}',
            "fire",
        ),
    ],
)
def test_what_is_no_check_is_refused(project: Small, content: str | None, says: str) -> None:
    if content is not None:
        project.write(".mlops/monitoring/outcome.json", content)
    done = alert(project)
    assert done.code == 1 and says in done.stderr


@pytest.mark.parametrize("file", ["docs/runbook.md", "[[ for_adopted ]]/docs/mlops.md.jinja"])
def test_every_kind_has_a_title_and_a_heading_of_the_runbook(file: str) -> None:
    assert all(row.title for row in KINDS.values())
    runbook = (ROOT / "template" / file).read_text("utf-8")
    headings = {anchor(line[3:]) for line in runbook.splitlines() if line.startswith("## ")}
    assert {row.runbook for row in KINDS.values()} <= headings


def anchor(heading: str) -> str:
    kept = "".join(sign for sign in heading.lower() if sign.isalnum() or sign in " -")
    return kept.strip().replace(" ", "-")


def test_the_events_say_who_was_told(on_github: Api, project: Small) -> None:
    found(project, SLOW)
    alert(project)
    (file,) = (project.root / ".mlops/events").glob("*.jsonl")
    events: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["stage"], one["status"]) for one in events][:1] == [("alarm:latency", "created")]
