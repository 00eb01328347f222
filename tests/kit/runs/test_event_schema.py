"""One event that cannot be read is left out, and changes nothing for the others."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.base import clock, notices
from mlops_kit.project import commits
from mlops_kit.runs import event_schema, events, log
from mlops_kit.runs.event_schema import Expected

from tests.kit.small_repository import small

GOOD: dict[str, Any] = {"run": "7-1", "at": "2026-11-30T05:23:00.000Z", "stage": "monitor", "status": "fine"}
POISON: list[Any] = [
    {"at": "yesterday"},
    {"at": "2026-02-30T00:00:00Z"},
    {"at": "0001-01-01T00:00:00+14:00"},
    {"at": "9999-12-31T23:59:59-14:00"},
    {"at": 7},
    {"at": None},
    {"run": 7},
    {"stage": ["monitor"]},
    {"status": {}},
    {"pid": "1"},
    {"pid": 2**70},
    {"pid": -1},
    {"seconds": "long"},
    {"seconds": float("nan")},
    {"kinds": "data-drift"},
    {"judged": [1]},
    {"columns": {"a": 1}},
    {"span": ["2026-11-30", "x"]},
    {"span": ["2026-11-30"]},
    {"rows": "9999"},
    {"version": 1},
]


@pytest.mark.parametrize("change", POISON)
def test_an_event_that_breaks_a_command_is_left_out(change: dict[str, Any]) -> None:
    notices.take()
    assert not event_schema.is_readable(GOOD | change)
    assert log.by_run([json.dumps(GOOD), json.dumps(GOOD | change)]) == {"7-1": [GOOD]}


@pytest.mark.parametrize("line", ["[]", "3", '"x"', "null", "{}", '{"run": "7-1"}', "[" * 50_000, "{"])
def test_a_line_that_is_no_event_is_left_out(line: str) -> None:
    assert log.by_run([line, json.dumps(GOOD)]) == {"7-1": [GOOD]}
    assert events.published_as("7-1", f"{line}\n{json.dumps(GOOD)}") == "events/2026/11/7-1.jsonl"


def test_what_a_newer_kit_writes_is_read() -> None:
    assert event_schema.is_readable(GOOD | {"new": {"a": [1]}, "kinds": None})


def expected(**stages: frozenset[str]) -> Expected:
    return Expected(
        {"train": frozenset({"start", "end"}), "stage:": frozenset({"end"})},
        frozenset({"says"}),
        "7-1".__eq__,
    )


def now(**more: Any) -> dict[str, Any]:
    return {"run": "7-1", "at": clock.timestamp(), "stage": "train", "status": "end"} | more


@pytest.mark.parametrize(
    "change",
    [
        {"run": "8-1"},
        {"stage": "monitor", "status": "fine"},
        {"stage": "alarm:data-drift"},
        {"stage": "stage:x\n::error::", "status": "end"},
        {"stage": "stage"},
        {"status": "registered"},
        {"at": clock.timestamp(clock.now() + timedelta(days=1))},
        {"at": clock.timestamp(clock.now() - timedelta(days=60))},
    ],
)
def test_events_of_others_are_not_taken(change: dict[str, Any]) -> None:
    taken = event_schema.take([now(), now() | change, None, [], "x"], expected())
    assert (len(taken.events), taken.left_out) == (1, 4)


def test_what_is_taken_is_bounded() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    event = now(says={"a": "y" * 10_000, "b": deep, "c": float("inf"), "d": 10**30}, evil="x")
    (taken,) = event_schema.take([event], expected()).events
    assert set(taken) == {"run", "at", "stage", "status", "says"}
    assert len(taken["says"]["a"]) == event_schema.LONGEST
    assert taken["says"]["c"] is None and taken["says"]["d"] is None
    json.dumps(taken, allow_nan=False).encode()
    many = event_schema.take([now()] * 30_000, expected())
    assert (len(many.events), many.left_out) == (20_000, 10_000)


@pytest.mark.parametrize(
    ("run", "is_own"),
    [
        ("7-2", True),
        ("7-1", True),
        ("7-1-monitor", True),
        ("7-3", False),
        ("8-1", False),
        ("7", False),
        ("7-0", False),
        ("7-²", False),
    ],
)
def test_the_runner_says_which_run_it_is(run: str, is_own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    assert events.is_of_this_workflow_run(run) == is_own


def test_one_bad_line_on_the_branch_is_said_once_and_breaks_nothing(tmp_path: Path) -> None:
    one = small(tmp_path / "flights")
    lines = [GOOD, GOOD | {"at": "yesterday"}, GOOD | {"run": "8-1", "at": "9999-12-31T23:59:59-14:00"}]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"run": "7-1", "at'
    heartbeat = b'{"at": "2026-11-30T05:23:00", "hours": NaN}'
    files = {"events/2026/11/7-1.jsonl": text.encode(), "heartbeat.json": heartbeat}
    commits.append(one.repository, events.BRANCH, files, "x")
    notices.take()
    for _ in range(2):
        runs, note = log.find(one.repository, log.Filter())
        assert [run.run for run in runs] == ["7-1"] and note == ""
    assert notices.take() == ["2 events of the branch mlops/runs cannot be read and are left out."]
    done = one.kit("runs")
    assert done.code == 0, done.said
    assert done.stderr.count("cannot be read and are left out") == 1
    assert one.kit("retrain", "--dry-run").code == 0


def test_a_whole_number_that_no_float_can_hold_is_left_out() -> None:
    event = {"run": "1", "at": "2026-01-01", "stage": "train", "status": "end"}
    assert event_schema.is_readable(event | {"seconds": 10**9})
    assert not event_schema.is_readable(event | {"seconds": 10**400})
