"""A10 to A13: one issue an alarm, updated, closed with its duration; a webhook that is told, or that fails."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from mlops_kit import alerting, webhook
from mlops_kit.monitoring.findings import Finding, Kind
from mlops_kit.monitoring.outcome import Outcome

from tests.act.api import Api
from tests.conftest import ROOT, Done
from tests.kit.chat import Chat, chatting
from tests.kit.small import Small, small

DRIFT = Finding(
    "data-drift", "dep_delay: median 2 -> 14, +0.61 sd; 24.1% of the rows moved (n = 2,000)", "dep_delay"
)
SLOW = Finding("latency", "latency p95 is 1.2 s, at most 0.5 s (n = 2000)")
Alert = Callable[..., Done]


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with chatting() as chat:
        monkeypatch.setenv("MLOPS_WEBHOOK", chat.url)
        yield chat


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setattr(webhook, "BACKOFF", 0)
    return small(tmp_path / "flights", **{"docs/runbook.md": "# Runbook\n"})


def found(project: Small, *findings: Finding, judged: tuple[Kind, ...] = ()) -> None:
    """What a check left; it judged the kinds of its findings, and `judged`."""
    kinds = [*(one.kind for one in findings), *judged]
    at = datetime.now(UTC).isoformat()
    again = "mlops-kit monitor check --window 'w*.parquet'"
    shown: dict[Kind, str] = {"data-drift": "| column | moved |\n| --- | --- |"}
    outcome = Outcome(at, "v0.3.0", "w.parquet", list(findings), kinds, "run-1", shown, again)
    outcome.write(project.root)


def alert(project: Small, *words: str) -> Done:
    return project.kit("alert", *words)


def named(api: Api, state: str = "open") -> list[str]:
    return [issue["title"] for issue in api.issues if issue["state"] == state]


def test_an_alarm_is_one_issue_that_is_updated_and_closed(on_github: Api, project: Small) -> None:
    found(project, DRIFT)
    assert alert(project).code == 0
    (issue,) = on_github.issues
    assert issue["title"] == "The inputs have drifted: dep_delay"
    for wanted in (
        "At most one check in 100",
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
    assert named(on_github, "closed") == ["The inputs have drifted: dep_delay and 1 more"]
    (comment,) = on_github.comments
    assert "finds nothing any more" in comment["body"] and "It lasted 1 minute." in comment["body"]


def test_what_a_check_could_not_judge_stays_open(on_github: Api, project: Small) -> None:
    found(project, DRIFT)
    alert(project)
    found(project, judged=("latency",))  # the window was too small to tell of drift
    assert alert(project).stdout == "Nothing to tell.\n"
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
    assert named(on_github) == ["The inputs have drifted: dep_delay", "Predictions are slow"]
    labels = [{one["name"] for one in issue["labels"]} for issue in on_github.issues]
    assert labels == [{"mlops-alarm", "demo"}] * 2


@pytest.mark.parametrize("form", get_args(webhook.Form))
def test_a_chat_is_told_when_it_begins_and_when_it_is_over(
    form: str, on_github: Api, project: Small, chat: Chat
) -> None:
    project.write("mlops.yaml", f"model: flights\nmetrics: m.json\nalerts: {{webhook: {form}}}\n")
    for findings in ((SLOW,), (SLOW,), ()):
        found(project, *findings, judged=("latency",) if not findings else ())
        done = alert(project)
        assert done.code == 0, done.said
    assert len(chat.heard) == 2
    began, ended = (json.dumps(one) for one in chat.heard)
    assert "Predictions are slow" in began and "latency p95 is 1.2 s" in began
    assert on_github.issues[0]["html_url"] in began
    assert ("Over: Predictions are slow" in ended) or '"state": "over"' in ended


def test_a_slack_message_holds_no_markup_of_others(project: Small) -> None:
    message = webhook.Message("data-drift", "raised", "Drift", "<!channel> moved & fell", "a/b", "", "now")
    text = json.dumps(webhook.FORMS["slack"](message))
    assert "<!channel>" not in text and "&lt;!channel&gt; moved &amp; fell" in text


def test_a_chat_that_fails_is_asked_again(on_github: Api, project: Small, chat: Chat) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    chat.failures = 2
    found(project, SLOW)
    assert alert(project).code == 0
    assert (chat.asked, len(chat.heard)) == (3, 1)


def test_a_chat_that_asks_for_an_hour_is_not_waited_for(on_github: Api, project: Small, chat: Chat) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    chat.failures, chat.status, chat.retry_after = 1, 429, "3600"
    found(project, SLOW)
    begin = time.monotonic()
    assert alert(project).code == 0
    assert (chat.asked, len(chat.heard)) == (2, 1)
    assert time.monotonic() - begin < 60


def test_a_chat_that_is_gone_leaves_the_issue_and_a_red_step(
    on_github: Api, project: Small, chat: Chat
) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: slack}\n")
    chat.failures, chat.status = 99, 404
    found(project, SLOW)
    done = alert(project)
    assert done.code == 1
    assert "The webhook at 127.0.0.1 was not told: it answers 404" in done.stderr
    assert "very-secret-path" not in done.said
    assert named(on_github) == ["Predictions are slow"]


def test_a_chat_that_was_not_told_is_told_by_the_next_check(
    on_github: Api, project: Small, chat: Chat
) -> None:
    """Of the beginning and of the end, each once; of an end without a beginning nothing."""
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    codes = []
    for fails, findings in (
        (99, (SLOW,)),
        (0, (SLOW,)),
        (0, (SLOW,)),
        (99, ()),
        (0, ()),
        (0, ()),
        (99, (SLOW,)),
        (0, ()),
    ):
        chat.failures = fails
        found(project, *findings, judged=() if findings else ("latency",))
        codes.append(alert(project).code)
    assert codes == [1, 0, 0, 1, 0, 0, 1, 0]
    assert [one["state"] for one in chat.heard] == ["raised", "over"]
    assert [issue["state"] for issue in on_github.issues] == ["closed"]


def test_a_chat_hears_that_an_alarm_is_back(on_github: Api, project: Small, chat: Chat) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    for findings in ((SLOW,), (), (SLOW,), (SLOW,)):
        found(project, *findings, judged=() if findings else ("latency",))
        assert alert(project).code == 0
    assert [one["state"] for one in chat.heard] == ["raised", "over", "raised"]
    assert len(on_github.issues) == 1


def test_github_that_refuses_is_answered_by_the_chat_and_a_red_step(
    on_github: Api, project: Small, chat: Chat
) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    on_github.fail("POST", "/issues$", 403, 9, message="Resource not accessible by integration")
    found(project, SLOW)
    done = alert(project)
    assert done.code == 1 and "issues: write" in done.stderr
    assert alert(project).code == 1
    assert [one["kind"] for one in chat.heard] == ["latency"]


def test_the_rate_limit_is_waited_for(on_github: Api, project: Small) -> None:
    on_github.limit("POST", "/issues$", retry_after=1)
    found(project, SLOW)
    assert alert(project).code == 0
    assert named(on_github) == ["Predictions are slow"]


def test_without_github_a_chat_is_told_once(project: Small, chat: Chat) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    for findings in ((SLOW,), (SLOW,), (), ()):
        found(project, *findings, judged=("latency",) if not findings else ())
        done = alert(project)
        assert done.code == 0, done.said
    assert [one["state"] for one in chat.heard] == ["raised", "over"]


def test_nobody_to_tell_is_an_error(project: Small) -> None:
    found(project, SLOW)
    done = alert(project)
    assert done.code == 1 and "git remote add origin" in done.stderr
    assert "nobody to tell" in alert(project, "--test").stderr


def test_the_test_alarm_arrives_everywhere_and_is_gone(on_github: Api, project: Small, chat: Chat) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: teams}\n")
    done = alert(project, "--test", "--json")
    assert [one["kind"] for one in json.loads(done.stdout)] == ["issue", "webhook"]
    assert named(on_github) == [] and len(on_github.issues) == 1
    assert "Test: Do alarms arrive?" in json.dumps(chat.heard)


@pytest.mark.parametrize("deaf", ["issue", "webhook"])
def test_a_test_alarm_that_does_not_arrive_says_so(
    deaf: str, on_github: Api, project: Small, chat: Chat
) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    if deaf == "issue":
        on_github.fail("POST", "/issues$", 403, 9, message="Resource not accessible by integration")
    else:
        chat.failures, chat.status = 99, 404
    done = alert(project, "--test", "--json")
    assert done.code == 1, done.said
    said = {one["kind"]: one["done"] for one in json.loads(done.stdout)}
    assert said == {"issue": "told", "webhook": "told"} | {deaf: "not told"}


def test_a_dry_run_asks_nobody(on_github: Api, project: Small) -> None:
    found(project, SLOW, judged=("data-drift",))
    done = alert(project, "--dry-run")
    assert "latency: would be raised" in done.stdout and "data-drift: would be closed" in done.stdout
    assert on_github.requests == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "nothing was checked"),
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
    assert set(alerting.TITLES) == set(get_args(Kind))
    runbook = (ROOT / "template" / file).read_text("utf-8")
    headings = {anchor(line[3:]) for line in runbook.splitlines() if line.startswith("## ")}
    assert {where for _, where in alerting.TITLES.values()} <= headings


def anchor(heading: str) -> str:
    kept = "".join(sign for sign in heading.lower() if sign.isalnum() or sign in " -")
    return kept.strip().replace(" ", "-")


def test_the_events_say_who_was_told(on_github: Api, project: Small) -> None:
    found(project, SLOW)
    alert(project)
    (file,) = (project.root / ".mlops/events").glob("*.jsonl")
    events: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["stage"], one["status"]) for one in events][:1] == [("alarm:latency", "created")]
