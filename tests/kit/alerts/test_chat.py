"""A chat is told once of each alarm that begins and ends; one that fails is asked again, and nothing is lost."""

import json
import time
from typing import get_args

import pytest
from mlops_kit.alerts import webhook

from tests.act.api import Api
from tests.kit.alerts.chat import Chat
from tests.kit.alerts.outcomes import SLOW, alert, found, named
from tests.kit.small_repository import Small


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


def test_without_github_a_chat_is_told_once(project: Small, chat: Chat) -> None:
    project.write("mlops.yaml", "model: flights\nmetrics: m.json\nalerts: {webhook: json}\n")
    for findings in ((SLOW,), (SLOW,), (), ()):
        found(project, *findings, judged=("latency",) if not findings else ())
        done = alert(project)
        assert done.code == 0, done.said
    assert [one["state"] for one in chat.heard] == ["raised", "over"]


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
