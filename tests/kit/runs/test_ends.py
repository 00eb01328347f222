"""A run that was killed is not done, wherever it was killed: in a command, or between two."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlops_kit.project.repository import Repository
from mlops_kit.registry import register
from mlops_kit.runs import events, log, publish

from tests.conftest import ROOT, must
from tests.kit.builders import a_repository
from tests.kit.small_repository import Hub, github
from tests.kit.tips import clone_of, kit, means
from tests.kit.training.test_train import silent

NEXT_DAY = datetime.now(UTC) + timedelta(days=1)
ON_RUNNER = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "77", "GITHUB_EVENT_NAME": "push"}


def status(repository: Repository, now: datetime | None = None) -> str:
    (run,) = log.find(repository, log.Filter(), now)[0]
    return run.status


@contextmanager
def in_background(command: list[str], cwd: Path, **more: str) -> Iterator["subprocess.Popen[str]"]:
    """A process in a group of its own, which is killed with all its children."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "actions"), "PYTHON": sys.executable} | more
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def killed_between_two_commands(repository: Repository, **more: str) -> None:
    script = '"$PYTHON" -m mlops_kit train >&2 && echo trained && sleep 600 && "$PYTHON" -m mlops_kit gate'
    with in_background(["sh", "-c", script], repository.root, **more) as process:
        assert process.stdout
        assert process.stdout.readline() == "trained\n"


def test_by_hand_a_run_that_goes_no_further_is_stopped_and_not_done(published: Repository) -> None:
    killed_between_two_commands(published)
    assert status(published) == "stopped"
    assert publish.publish(published).runs
    assert status(clone_of(published, "colleague")) == "stopped"


def test_on_a_runner_it_runs_until_a_job_would_be_over_and_then_it_crashed(published: Repository) -> None:
    killed_between_two_commands(published, **ON_RUNNER)
    assert status(published) == "running"
    assert status(published, NEXT_DAY) == "crashed"


def test_what_is_registered_is_done(gated: Repository) -> None:
    assert status(gated) == "stopped"
    register.local(gated, means(gated), "minor", silent)
    assert status(gated) == "done"


def test_a_single_look_at_the_data_by_hand_is_done(tips: Repository) -> None:
    assert kit(tips, "validate").code == 0
    assert status(tips) == "done"


@pytest.fixture
def runner(published: Repository) -> Repository:
    """The clone of the job that registers, with what was handed over by the first."""
    for words in (["train"], ["gate"], ["register", "--hand-over"]):
        done = kit(published, *words, **ON_RUNNER)
        assert done.code == 0, done.said
    clone = clone_of(published, "runner", "--depth=1")
    shutil.copytree(published.root / "mlops-run", clone.root / "mlops-run")
    return clone


def test_a_registration_that_is_killed_is_known_of(runner: Repository) -> None:
    """Killed while origin thinks about the tag: a colleague sees the run, and that it has no end."""
    hook = runner.root.parent / "origin.git/hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/tags/*) touch asked; sleep 600;; esac\n')
    hook.chmod(0o755)
    asked = hook.parents[1] / "asked"
    command = [sys.executable, "-m", "mlops_kit", "register", "--from", "mlops-run"]
    with in_background(command, runner.root, **ON_RUNNER):
        _wait_for(asked)
    colleague = clone_of(runner, "colleague")
    assert must(["git", "ls-remote", "--tags", "origin"], colleague.root) == ""
    assert status(colleague) == "running"
    assert status(colleague, NEXT_DAY) == "crashed"


def _wait_for(path: Path) -> None:
    limit = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < limit, f"{path} did not appear"
        time.sleep(0.05)


def test_a_run_that_is_cut_short_before_it_trains_is_crashed(published: Repository) -> None:
    """As when the environment cannot be installed: no command of ours failed."""
    events.begin(published)
    done = register.hand_over(published, means(published), silent)
    assert done.outcome == "nothing"
    (run,) = log.find(published, log.Filter())[0]
    assert (run.status, run.error) == ("crashed", "it was cut short before it trained")


def test_data_that_was_refused_is_no_crash(published: Repository) -> None:
    (published.root / "bills.csv").chmod(0o644)
    (published.root / "bills.csv").write_text("key,bill,tip\n")
    assert kit(published, "validate").code == 10
    register.hand_over(published, means(published), silent)
    assert status(published) == "refused"


def test_a_check_of_the_data_that_breaks_is_no_verdict(tips: Repository) -> None:
    (tips.root / "check.sh").write_text("echo 'Traceback (most recent call last):' >&2; exit 1\n")
    done = kit(tips, "validate")
    assert done.code == 1
    assert "The check of the data broke, so nothing is known of the data" in done.stderr
    last = done.stderr.splitlines()[-1]  # what is read below a traceback
    assert last.startswith(
        "It is the check that broke, not the data: mend `sh check.sh` (commands.validate in"
    )
    (tips.root / "check.sh").write_text("no-such-program\n")
    assert kit(tips, "validate").code == 1
    assert status(tips) == "failed"


def test_a_registration_whose_events_cannot_be_published_stands(
    runner: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = github(monkeypatch)
    for name, value in ON_RUNNER.items():
        monkeypatch.setenv(name, value)
    hook = runner.root.parent / "origin.git/hooks/update"
    hook.write_text(f'#!/bin/sh\n[ "$1" != refs/heads/{events.BRANCH} ]\n')
    hook.chmod(0o755)
    said: list[str] = []
    done = register.receive(runner, means(runner), runner.root / "mlops-run", "minor", said.append)
    assert (done.outcome, done.version) == ("registered", "v0.1.0")
    assert [title for title, _ in hub.open.values()] == ["Events of runs cannot be published"]
    assert "The events could not be published" in said[-1]
    hook.unlink()
    publish.publish(runner)
    assert hub.open == {}
    assert status(clone_of(runner, "colleague")) == "done"


def test_a_run_of_before_there_were_ends_is_judged_by_its_stages(tmp_path: Path) -> None:
    one = a_repository(tmp_path / "flights")
    journal = events.Journal(one, "old")
    journal.emit("run", "start", machine="somewhere")
    with journal.stage("train"):
        pass
    assert status(one, NEXT_DAY) == "done"


def registered(runner: Repository, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the workflow's runs, in a fresh clone as each job has it."""
    for name, value in {**ON_RUNNER, "GITHUB_WORKFLOW": "Train", "GITHUB_RUN_NUMBER": str(number)}.items():
        monkeypatch.setenv(name, value)
    clone = clone_of(runner, f"run-{number}", "--depth=1")
    shutil.copytree(runner.root / "mlops-run", clone.root / "mlops-run")
    register.receive(clone, means(clone), clone.root / "mlops-run", "minor", silent)


def test_github_is_asked_about_the_alarm_only_where_the_run_before_was_not_published(
    runner: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, asked = Hub(), []

    def connect(_: Repository) -> Hub:
        asked.append(number)
        return hub

    monkeypatch.setattr("mlops_kit.forge.github.connect", connect)
    hook = runner.root.parent / "origin.git/hooks/update"
    for number in (1, 2, 3, 4, 5):
        hook.write_text(f'#!/bin/sh\n[ {number} != 3 ] || [ "$1" != refs/heads/{events.BRANCH} ]\n')
        hook.chmod(0o755)
        registered(runner, number, monkeypatch)
        assert len(hub.open) == (number == 3)
    assert asked == [1, 3, 4]  # the first, which knows of none before; the one that failed; the one after it


def test_what_is_asked_for_after_the_end_is_a_run_of_its_own(gated: Repository) -> None:
    assert kit(gated, "register").code == 0
    before = log.find(gated, log.Filter())[0]
    (gated.root / "train.sh").write_text("not committed\n")
    assert kit(gated, "register").code == 1
    later, *as_before = log.find(gated, log.Filter())[0]
    assert as_before == before
    assert (later.status, later.stages) == ("failed", {"register": "failed"})


def test_an_alarm_that_is_told_of_after_the_end_changes_no_run(tmp_path: Path) -> None:
    one = a_repository(tmp_path / "flights")
    journal = events.alone(one)
    with journal.stage("monitor"):
        pass
    journal.end()
    (before,) = log.find(one, log.Filter())[0]
    journal.emit("alarm:data", "closed")
    (after,) = log.find(one, log.Filter(stage="alarm:data"))[0]
    assert (after.status, after.seconds) == (before.status, before.seconds) == ("done", before.seconds)
