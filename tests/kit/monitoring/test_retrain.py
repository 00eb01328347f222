"""Drift trains when it is there again, and not too often."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlops_kit.alerts.kinds import KINDS, AlarmKind
from mlops_kit.base import documents
from mlops_kit.base.errors import KitError
from mlops_kit.monitoring.retrain import decide
from mlops_kit.project import contract
from mlops_kit.project.contract import Contract
from mlops_kit.runs.events import Journal
from pyarrow import parquet

from tests.act.api import Api
from tests.kit.monitoring import log_repository
from tests.kit.small_repository import MLOPS, clone, small, with_origin

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POLICY = "retrain: {windows: 2, of: 3, cooldown_days: 7, a_day: 1}\n"


def means(policy: str = POLICY) -> Contract:
    return contract.whole(documents.parse_yaml(MLOPS + policy, "mlops.yaml"), {})


def check(days: float, *kinds: str, window: str = "w", identity: str = "", of: float = 0) -> dict[str, Any]:
    """By itself of a window of its own; `of` so many days it is of a log."""
    at = (NOW - timedelta(days=days)).isoformat()
    span = [(NOW - timedelta(days=days + of)).isoformat(), at] if of else None
    return {
        "span": span,
        "judged": ["data-drift"],
        "stage": "monitor",
        "status": "alarm" if kinds else "fine",
        "at": at,
        "window": window,
        "identity": identity or at,
        "kinds": list(kinds),
    }


def trained(days: float) -> dict[str, Any]:
    at = (NOW - timedelta(days=days)).isoformat()
    return {"run": f"{days}", "stage": "retrain", "status": "dispatched", "at": at}


@pytest.mark.parametrize(
    ("events", "trains", "why"),
    [
        ([], False, "no drift"),
        ([check(0, "data-drift")], False, "1 of the last 3 windows show drift; 2 are required"),
        ([check(0, "data-drift"), check(1, "concept-drift")], True, "2 of the last 2"),
        ([check(0, "data-drift"), check(1), check(2, "predictions-moved")], True, "2 of the last 3"),
        (
            [check(0), check(1, "data-drift"), check(2, "data-drift")],
            False,
            "the newest window shows no drift",
        ),
        ([check(0, "data-drift"), check(1), check(2), check(3, "data-drift")], False, "1 of the last 3"),
        ([check(0, "latency"), check(1, "latency")], False, "no drift"),
        ([check(0, "schema"), check(1, "schema")], False, "no drift"),
        ([check(0, window=""), check(1, "data-drift"), check(2, "data-drift")], True, "2 of the last 2"),
        ([check(0, "data-drift"), check(1, "data-drift"), trained(6.9)], False, "6 days 21 hours ago"),
        ([check(0, "data-drift"), check(1, "data-drift"), trained(7.1)], True, "2 of the last 2"),
    ],
)
def test_so_many_of_the_last_checks_the_newest_among_them(
    events: list[dict[str, Any]], trains: bool, why: str
) -> None:
    for shuffled in (events, events[::-1]):
        decision = decide(means(), shuffled, NOW)
        assert (decision.train, why in decision.why) == (trains, True), decision


def test_a_window_that_is_checked_again_counts_once_as_its_newest_check_found_it() -> None:
    """Labels that came in between may say otherwise."""
    again = [check(at / 10, "data-drift", identity="friday") for at in range(3)]
    assert "1 of the last 3 windows" in decide(means(), again, NOW).why
    assert decide(means(), [*again, check(1, "data-drift")], NOW).train
    labelled = [check(0, identity="friday"), check(1, "predictions-moved", identity="friday")]
    assert "the newest window shows no drift" in decide(means(), labelled, NOW).why


def test_windows_of_the_same_days_count_once() -> None:
    """Seven days, looked at daily: one burst is in all of them, and says as much as one window."""
    daily = [check(at, "data-drift", of=7) for at in range(7)]
    assert "1 of the last 3 windows" in decide(means(), daily, NOW).why
    late = check(6.98, "data-drift", of=7)  # the newest predictions of two weeks, not to the minute
    assert decide(means(), [*daily, late], NOW).train
    week = check(7, of=7)
    assert "1 of the last 3 windows" in decide(means(), [*daily, week], NOW).why
    assert decide(means(), [*daily, week, check(14, "data-drift", of=7)], NOW).train


def test_a_window_that_could_not_tell_says_neither_yes_nor_no() -> None:
    small = check(0) | {"judged": ["errors", "no-labels"]}
    drifts = [check(at, "data-drift") for at in (1, 2)]
    assert decide(means(), [small, *drifts], NOW).train
    assert not decide(means(), [small, check(0.5), *drifts], NOW).train


def test_a_window_is_known_again_by_its_rows(tmp_path: Path) -> None:
    """Of a table, and of the log, which older lines leave and whose newest line ends the window."""
    one = log_repository.repository(tmp_path / "flights")
    one.write("mlops.yaml", log_repository.MLOPS.replace("monitoring: {", "monitoring: {log: log.jsonl, "))
    path = one.root / "log.jsonl"

    def identity(*words: str) -> str:
        found = json.loads(one.kit("monitor", "check", "--json", *words).stdout)
        return str(found["identity"])

    log_repository.log(path, log_repository.table(3, 300))
    first = identity()
    line = json.loads(path.read_text().splitlines()[0])
    old = json.dumps(line | {"time": (log_repository.START - timedelta(days=30)).isoformat()})
    path.write_text(f"{old}\n{path.read_text()}")
    assert identity() == first
    with path.open("a") as stream:
        stream.write(
            json.dumps(line | {"time": (log_repository.START + timedelta(hours=1)).isoformat()}) + "\n"
        )
    assert identity() != first
    tables = {"a": 3, "b": 3, "c": 4}
    for name, seed in tables.items():
        parquet.write_table(pa.table(log_repository.table(seed, 300)), tmp_path / f"{name}.parquet")
    same, also, other = (identity("--window", f"{tmp_path}/{name}.parquet") for name in tables)
    assert same == also != other


def test_a_kind_of_alarm_counts_if_its_row_says_that_it_is_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_drift in (True, False):
        row = AlarmKind("The slices moved", "the-inputs-have-drifted", "data_drift", is_drift=is_drift)
        monkeypatch.setitem(KINDS, "slices", row)
        assert decide(means(), [check(0, "slices"), check(1, "slices")], NOW).train == is_drift


def test_without_a_cooldown_a_day_has_its_limit() -> None:
    policy = means("retrain: {windows: 1, of: 1, cooldown_days: 0, a_day: 2}\n")
    assert decide(policy, [check(0, "data-drift"), trained(0.2)], NOW).train
    stopped = decide(policy, [check(0, "data-drift"), trained(0.2), trained(0.5)], NOW)
    assert not stopped.train and "2 trainings within a day; the limit is 2" in stopped.why


def test_a_file_that_somebody_looked_at_beside_the_log_counts_for_nothing() -> None:
    policy = means("retrain: {windows: 2, of: 3}\nmonitoring: {log: served.jsonl}\n")
    looked = [check(0.1 * at, "data-drift", window="other.parquet") for at in range(3)]
    assert not decide(policy, [*looked, check(1, "data-drift", window="served.jsonl")], NOW).train
    assert decide(policy, [check(at, "data-drift", window="served.jsonl") for at in (0, 1)], NOW).train


def test_without_a_policy_drift_trains_nothing() -> None:
    assert not decide(means(""), [check(0, "data-drift"), check(1, "data-drift")], NOW).train


def test_more_windows_than_there_are_cannot_be() -> None:
    with pytest.raises(KitError, match="4 windows of the last 3 cannot be"):
        means("retrain: {windows: 4, of: 3}\n")


def test_it_is_dispatched_once(tmp_path: Path, on_github: Api) -> None:
    one = small(tmp_path / "flights", **{"mlops.yaml": MLOPS + POLICY})
    for name in ("1", "2"):
        journal = Journal(one.repository, name)
        journal.emit("monitor", "alarm", window="w", identity=name, kinds=["data-drift"])
    assert "Training starts: 2 of the last 2" in one.kit("retrain", "--dry-run").stdout
    assert on_github.dispatches == []
    assert one.kit("retrain").code == 0
    (sent,) = on_github.dispatches
    assert sent["event_type"] == "drift-detected"
    assert "the cooldown is 7 days" in one.kit("retrain").stdout
    assert len(on_github.dispatches) == 1


def test_what_cannot_be_dispatched_is_tried_by_the_next_check(tmp_path: Path, on_github: Api) -> None:
    one = small(tmp_path / "flights", **{"mlops.yaml": MLOPS + "retrain: {windows: 1, of: 1}\n"})
    Journal(one.repository, "1").emit("monitor", "alarm", window="w", kinds=["data-drift"])
    on_github.fail("POST", "/dispatches$", 403, message="Resource not accessible by integration")
    done = one.kit("retrain")
    assert done.code == 1 and "contents: write" in done.stderr
    assert "Training starts:" in one.kit("retrain", "--dry-run").stdout
    assert one.kit("retrain").code == 0
    assert len(on_github.dispatches) == 1
    assert "the cooldown is" in one.kit("retrain").stdout


def test_what_cannot_be_written_down_is_not_started(tmp_path: Path, on_github: Api) -> None:
    """Or each check would start it again."""
    one = small(tmp_path / "flights", **{"mlops.yaml": MLOPS + "retrain: {windows: 1, of: 1}\n"})
    bare = with_origin(one)
    Journal(one.repository, "1").emit("monitor", "alarm", window="w", kinds=["data-drift"])
    on_runner = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_RUN_ID": "77"}
    hook = bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    done = one.kit("retrain", **on_runner)
    assert done.code == 1 and "could not be published" in done.stderr
    assert on_github.dispatches == []
    hook.unlink()
    assert one.kit("retrain", **on_runner | {"GITHUB_RUN_ID": "78"}).code == 0
    assert len(on_github.dispatches) == 1
    colleague = clone(bare, tmp_path / "colleague")
    Journal(colleague.repository, "2").emit("monitor", "alarm", window="w", kinds=["data-drift"])
    assert "the cooldown is" in colleague.kit("retrain", "--dry-run").stdout
