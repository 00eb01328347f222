"""Trainings are checked from the first day; the next merge notices a monitor that has died."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.alerts import heartbeat
from mlops_kit.monitoring import training_facts
from mlops_kit.monitoring.checks import trainings
from mlops_kit.monitoring.checks.trainings import Trainings
from mlops_kit.project import contract
from mlops_kit.runs import log as runs
from mlops_kit.runs import publish
from mlops_kit.runs.events import Journal

from tests.act.api import Api
from tests.conftest import must
from tests.kit.small_repository import MLOPS, Small, clone, kit, small, with_origin

NOW = datetime.now(UTC)
Check = Callable[..., Trainings]


@pytest.fixture
def project(tmp_path: Path) -> Small:
    one = small(tmp_path / "flights")
    with_origin(one)
    return one


@pytest.fixture
def ran(project: Small) -> Callable[..., None]:
    """A run of main that is over and published."""

    def run(name: str, *, how: str = "end", published: bool = True, on: str = "push", **facts: Any) -> None:
        journal = Journal(project.repository, name)
        journal.emit("run", "start", commit=project.repository.commit(), event_name=on)
        if how == "crashed":
            journal.emit("train", "start")
        stage = {"crashed": "run", "refused": "validate"}.get(how, "train")
        journal.emit(stage, how, seconds=1.0, **facts)
        journal.end()
        if published:
            publish.publish(project.repository)

    return run


@pytest.fixture
def check(project: Small) -> Check:
    def run(days: float = 0) -> Trainings:
        return judged(project, days)

    return run


def judged(project: Small, days: float) -> Trainings:
    """As a check finds the trainings in so many days."""
    means, now = contract.load(project.root), NOW + timedelta(days=days)
    facts = training_facts.read(project.repository, means, runs.read(project.repository), now)
    return trainings.judge(facts, means.monitoring, now)


def kinds(found: Trainings) -> list[str]:
    return [one.kind for one in found.alarms]


def test_before_the_first_run_there_is_nothing_to_say(check: Check) -> None:
    assert check(days=400) == Trainings("not connected")


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("failed", "training-failed"),
        ("crashed", "training-failed"),
        ("refused", "training-failed"),
        ("closed", "gate-closed"),
        ("rejected", "gate-closed"),
    ],
)
def test_a_run_that_ended_badly_is_an_alarm_until_one_ends_well(
    how: str, kind: str, ran: Callable[..., None], check: Check
) -> None:
    ran("1", how=how, error="train.sh: not found\nmore")
    found = check()
    assert kinds(found) == [kind] and "train.sh: not found" in found.alarms[0].what
    ran("2")
    assert kinds(check()) == []
    assert check().status == "done"


def test_new_data_that_was_refused_has_an_alarm_of_its_own(ran: Callable[..., None], check: Check) -> None:
    ran("1", how="refused", on="schedule", error="column 'x' is missing")
    assert kinds(check()) == []


def test_what_failed_here_alone_pages_nobody(ran: Callable[..., None], check: Check) -> None:
    ran("1", how="failed", published=False)
    assert check().state == "not connected"


def test_a_merge_that_nobody_trained_is_an_alarm_after_a_day(
    project: Small, ran: Callable[..., None], check: Check, tmp_path: Path
) -> None:
    ran("1")
    project.write("docs/how.md", "more\n")
    project.commit("Explain")
    assert kinds(check(days=3)) == []  # documentation trains nothing
    project.edit("params.yaml", "seed: 1", "seed: 2")
    commit = project.commit("Another seed")
    project.git("push", "--quiet", "origin", "main")
    assert kinds(check(days=0.5)) == []
    (alarm,) = check(days=1.5).alarms
    assert alarm.kind == "training-missing" and commit[:7] in alarm.what
    shallow = clone(tmp_path / "flights.git", tmp_path / "shallow", "--depth=1")
    assert kinds(judged(shallow, 1.5)) == ["training-missing"]
    ran("2")
    assert kinds(check(days=3)) == []


def test_a_model_may_be_so_old_and_no_older(project: Small, check: Check) -> None:
    project.tag("v0.1.0")
    assert kinds(check(days=400)) == []
    project.edit("mlops.yaml", "metrics:", "monitoring: {model_days_at_most: 90}\nmetrics:")
    assert kinds(check(days=80)) == []
    found = check(days=100.5)
    assert kinds(found) == ["model-old"] and "100 days old; the limit is 90" in found.alarms[0].what


# ---- the monitor itself ----


def beaten(project: Small, hours: float = 50) -> None:
    journal = Journal(project.repository, "monitor-1")
    journal.emit("monitor", "fine")
    publish.end_publishing(project.repository, journal, heartbeat.beat(hours))


def test_a_monitor_that_never_ran_is_not_missed(project: Small, on_github: Api) -> None:
    assert heartbeat.look(project.repository) == ""
    assert on_github.requests == []


def test_a_monitor_that_stopped_is_one_alarm(
    project: Small, on_github: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    beaten(project)
    assert heartbeat.look(project.repository) == ""
    monkeypatch.setenv("MLOPS_NOW", (NOW + timedelta(hours=51)).isoformat())
    for mend in ("the job that runs `mlops-kit monitor check`", "gh workflow enable mlops-schedule.yml"):
        assert "has not run for 2 days" in heartbeat.look(project.repository)
        (issue,) = on_github.issues
        assert issue["title"] == "The monitor has stopped"
        assert mend in issue["body"]
        workflow = project.root / ".github/workflows/mlops-schedule.yml"
        workflow.parent.mkdir(parents=True, exist_ok=True)
        workflow.write_text("on: schedule\n")
    assert project.kit("monitor", "check").code == 0
    assert project.kit("alert").code == 0
    assert issue["state"] == "closed"


def test_a_repository_without_a_commit_is_named(tmp_path: Path) -> None:
    must(["git", "init", "--quiet"], tmp_path)
    (tmp_path / "mlops.yaml").write_text(MLOPS)
    done = kit(tmp_path, "monitor", "check")
    assert done.code == 1 and "has no commit yet" in done.stderr


def test_a_clock_that_is_no_moment_is_named(project: Small) -> None:
    done = project.kit("monitor", "check", MLOPS_NOW="yesterday")
    assert done.code == 1 and "MLOPS_NOW is 'yesterday'" in done.stderr
