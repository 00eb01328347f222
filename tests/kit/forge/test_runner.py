"""What a runner says about the run, and how a step answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.forge import runner


@pytest.fixture
def payload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    return tmp_path / "event.json"


@pytest.mark.parametrize(
    ("event", "fork"),
    [
        ({}, False),
        ({"repository": {"fork": False}}, False),
        ({"repository": {"fork": True}}, True),
        ({"pull_request": {"head": {"repo": {"fork": False}}}}, False),
        ({"pull_request": {"head": {"repo": {"fork": True}}}}, True),
        ({"pull_request": {"head": {"repo": {}}}}, True),
        ({"pull_request": {"head": {"repo": None}}}, True),  # the fork was deleted
        ({"pull_request": {"head": "text"}}, True),
        ({"pull_request": None}, True),
        ({"repository": {"fork": True}, "pull_request": {"head": {"repo": {"fork": False}}}}, True),
    ],
)
def test_a_pull_request_whose_source_is_unknown_counts_as_a_fork(
    payload: Path, event: dict[str, Any], fork: bool
) -> None:
    payload.write_text(json.dumps(event))
    assert runner.is_fork() is fork


@pytest.mark.parametrize("text", ["", "{", "[]", None])
def test_a_payload_that_cannot_be_read_is_empty_and_a_pull_request_then_a_fork(
    payload: Path, text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        payload.write_text(text)
    assert runner.event() == {} and not runner.is_fork()
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    assert runner.is_fork()


def test_a_pull_request_of_another_orchestrator_is_no_fork(
    payload: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no payload of GitHub's, and trains on the data."""
    monkeypatch.setenv("MLOPS_TRIGGER", "pull_request")
    assert runner.event_name() == "pull_request" and not runner.is_fork()


def test_the_number_of_the_pull_request_is_in_the_payload_or_in_the_ref(
    payload: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runner.pull_request_number() is None
    monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
    assert runner.pull_request_number() == 7
    payload.write_text('{"pull_request": {"number": 8}}')
    assert runner.pull_request_number() == 8


def test_the_summary_masks_secrets_and_leaves_out_what_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(written))
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_averysecretvalue")
    runner.summary("a ghs_averysecretvalue")
    runner.summary("x" * runner.LONGEST_SUMMARY)
    runner.summary("b")
    assert written.read_text() == "a ***\nb\n"


def test_a_run_again_has_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_RUN_ATTEMPT", raising=False)
    assert runner.run_id() == ""
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    assert runner.run_id() == "7-1"
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    assert runner.run_id() == "7-2"
