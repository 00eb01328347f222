"""Every run can be asked about later, from a fresh clone, also one that was killed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.project import commits
from mlops_kit.runs import events, log, publish
from mlops_kit.runs.events import Journal

from tests.conftest import ROOT, must
from tests.kit.small_repository import Small, clone, github, small, with_origin

NEVER_HERE = 2**22 + 1  # a process id that Linux does not give


@pytest.fixture
def flights(tmp_path: Path) -> Small:
    one = small(tmp_path / "flights")
    with_origin(one)
    return one


def write(one: Small, run: str, day: str, *happened: tuple[str, str, dict[str, Any]]) -> None:
    """A run of this clone that began at a day's midnight; a second between its events."""
    lines = [
        {"run": run, "at": f"{day}T00:00:{second:02}.000Z", "stage": stage, "status": status, **facts}
        for second, (stage, status, facts) in enumerate(happened)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    one.write(f"{events.LOCAL}/{run}.jsonl", text)


def begun(**facts: Any) -> tuple[str, str, dict[str, Any]]:
    return ("run", "start", {"commit": "c0ffee0", "pid": NEVER_HERE, **facts})


def ended(stage: str, status: str = "end", **facts: Any) -> list[tuple[str, str, dict[str, Any]]]:
    return [(stage, "start", {}), (stage, status, {"seconds": 1.0, **facts})]


def three(one: Small) -> None:
    write(
        one,
        "a",
        "2026-01-10",
        begun(event_name="push"),
        *ended("train"),
        *ended("register", version="v0.1.0"),
    )
    write(one, "b", "2026-02-10", begun(event_name="schedule"), *ended("train", "failed", error="no memory"))
    write(one, "c", "2026-03-10", begun(), ("train", "start", {"pid": NEVER_HERE}))


def asked(one: Small, **wish: Any) -> dict[str, str]:
    return {run.run: run.status for run in log.find(one.repository, log.Filter(**wish))[0]}


def test_a_run_is_summed_up(flights: Small) -> None:
    three(flights)
    found = {run.run: run for run in log.find(flights.repository, log.Filter())[0]}
    assert list(found) == ["c", "b", "a"]
    first = found["a"]
    assert (first.status, first.trigger, first.commit, first.version) == ("done", "push", "c0ffee0", "v0.1.0")
    assert (first.seconds, first.stages) == (4.0, {"train": "end", "register": "end"})
    assert (found["b"].status, found["b"].error) == ("failed", "no memory")
    assert found["c"].status == "crashed"


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({"stage": "register"}, ["a"]),
        ({"status": "failed"}, ["b"]),
        ({"stage": "train", "status": "end"}, ["a"]),
        ({"since": clock.when("2026-02-01")}, ["c", "b"]),
        ({"until": clock.when("2026-02-28")}, ["b", "a"]),
        ({"limit": 1}, ["c"]),
    ],
)
def test_runs_are_asked_by_stage_status_and_time(
    flights: Small, wish: dict[str, Any], found: list[str]
) -> None:
    three(flights)
    assert list(asked(flights, **wish)) == found


def test_moments_are_dates_or_so_long_ago() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert clock.when("24h", now) == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert clock.when("7d", now) == datetime(2026, 11, 17, 12, tzinfo=UTC)
    assert clock.when("2026-11-24T08:00+02:00") == datetime(2026, 11, 24, 6, tzinfo=UTC)
    with pytest.raises(KitError, match="'yesterday' is no moment"):
        clock.when("yesterday")


def test_a_killed_run_is_running_and_then_crashed(flights: Small) -> None:
    code = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "actions")!r})
from pathlib import Path
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events
with events.begin(Repository(Path.cwd())).stage("train"):
    print("training", flush=True)
    time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=flights.root, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"training\n"
    assert list(asked(flights).values()) == ["running"]
    assert publish.publish(flights.repository).runs == []  # others would take it for crashed
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert list(asked(flights).values()) == ["crashed"]
    assert asked(flights, stage="train", status="crashed")
    assert len(publish.publish(flights.repository).runs) == 1
    assert list(asked(flights).values()) == ["crashed"]


def test_a_fresh_clone_answers(flights: Small, tmp_path: Path) -> None:
    three(flights)
    assert publish.publish(flights.repository).runs == ["a", "b", "c"]
    assert publish.publish(flights.repository).runs == []
    other = clone(tmp_path / "flights.git", tmp_path / "other", "--depth=1", "--single-branch")
    assert asked(other) == {"c": "crashed", "b": "failed", "a": "done"}
    assert [event["stage"] for event in log.events_of(other.repository, "b")] == ["run", "train", "train"]
    assert other.git("status", "--porcelain") == ""
    paths = other.git("ls-tree", "-r", "--name-only", f"origin/{events.BRANCH}").split()
    assert paths == [f"events/2026/0{n}/{run}.jsonl" for n, run in ((1, "a"), (2, "b"), (3, "c"))]


def test_a_run_that_grew_is_published_again_and_keeps_what_others_wrote(flights: Small) -> None:
    write(flights, "a", "2026-01-10", begun(), *ended("train"))
    publish.publish(flights.repository)
    more = json.dumps({"run": "a", "at": "2026-01-10T01:00:00Z", "stage": "register", "status": "registered"})
    path = "events/2026/01/a.jsonl"
    before = flights.repository.show(f"origin/{events.BRANCH}", path) or ""
    commits.append(flights.repository, events.BRANCH, {path: f"{before}{more}\n".encode()}, "Another job")
    write(flights, "a", "2026-01-10", begun(), *ended("train"), *ended("gate"))
    publish.publish(flights.repository)
    shutil.rmtree(flights.root / ".mlops")
    (run,) = log.find(flights.repository, log.Filter())[0]
    assert run.stages == {"train": "end", "register": "registered", "gate": "end"}


def test_two_that_publish_at_once_lose_nothing(flights: Small, tmp_path: Path) -> None:
    clones = [clone(tmp_path / "flights.git", tmp_path / f"clone{n}") for n in range(4)]
    for n, one in enumerate(clones):
        write(one, f"run{n}", "2026-01-10", begun(), *ended("train"))
    command = [sys.executable, "-m", "mlops_kit", "runs", "--publish"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "actions")}
    at_once = [subprocess.Popen(command, cwd=one.root, env=environment) for one in clones]
    assert [process.wait() for process in at_once] == [0, 0, 0, 0]
    assert sorted(asked(flights)) == ["run0", "run1", "run2", "run3"]


def test_a_push_that_lost_the_race_is_made_again(flights: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other's push comes exactly between our fetch and our push."""
    push = commits.push
    pushed: list[int] = []

    def late(repository: Any, *refspecs: str) -> None:
        if not pushed:
            pushed.append(1)
            commits.append(repository, events.BRANCH, {"events/2026/01/other.jsonl": b""}, "Another run")
        push(repository, *refspecs)

    monkeypatch.setattr(commits, "push", late)
    write(flights, "a", "2026-01-10", begun(), *ended("train"))
    publish.publish(flights.repository)
    listed = flights.git("ls-tree", "-r", "--name-only", f"origin/{events.BRANCH}").split()
    assert listed == ["events/2026/01/a.jsonl", "events/2026/01/other.jsonl"]


def test_events_that_cannot_be_published_raise_an_alarm(
    flights: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = github(monkeypatch)
    write(flights, "a", "2026-01-10", begun(), *ended("train"))
    away = tmp_path / "away.git"
    (tmp_path / "flights.git").rename(away)
    with pytest.raises(KitError, match="could not be published"):
        publish.publish(flights.repository)
    ((title, text),) = hub.open.values()
    assert title == "Events of runs cannot be published"
    assert "The models that were trained stand" in text
    done = flights.kit("runs", "--publish", GITHUB_TOKEN="", GH_TOKEN="")
    assert done.code == 1
    assert "What was trained stands." in done.stderr
    assert asked(flights) == {"a": "done"}
    away.rename(tmp_path / "flights.git")
    assert publish.publish(flights.repository).runs == ["a"]
    assert hub.open == {}


def test_without_origin_the_branch_is_kept_here(tmp_path: Path) -> None:
    one = small(tmp_path / "flights")
    write(one, "a", "2026-01-10", begun(), *ended("train"))
    assert publish.publish(one.repository).runs == ["a"]
    shutil.rmtree(one.root / ".mlops")
    assert asked(one) == {"a": "done"}


def test_a_secret_never_reaches_the_branch(flights: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2hunter2")
    journal = Journal(flights.repository, "a")
    journal.emit("run", "start")
    with pytest.raises(RuntimeError), journal.stage("train", url="https://hunter2hunter2@host/"):
        raise RuntimeError("401 for hunter2hunter2")
    publish.publish(flights.repository)
    text = must(
        ["git", "show", f"origin/{events.BRANCH}:{events.published_as('a', journal.file.read_text())}"],
        flights.root,
    )
    assert "hunter2" not in text
    assert "401 for ***" in text


def test_months_that_are_past_are_gone_through_by_the_kits_clock(flights: Small) -> None:
    """MLOPS_NOW is what doctor and `--since 24h` go by, as the events do."""
    past = {"MLOPS_NOW": "2026-01-10T06:00"}
    registered = ("register", "registered", {"version": "v0.1.0"})
    write(flights, "a", "2026-01-10", begun(), registered)
    assert flights.kit("runs", "--since", "24h", "--json", **past).stdout != "[]\n"
    assert re.search(r"ok +cadence +On 2026-01-10", flights.kit("doctor", **past).stdout)


def test_a_status_or_stage_that_is_none_is_said(flights: Small) -> None:
    three(flights)
    done = flights.kit("runs", "--status", "tpyo")
    assert done.code == 2, done.said
    assert "'tpyo' is none of done, failed, rejected, refused," in done.stderr
    done = flights.kit("runs", "--stage", "trian")
    assert (done.code, done.stdout) == (0, "No run matches.\n")
    assert "No run had the stage 'trian'; there were: " in done.stderr
    assert flights.kit("runs", "--stage", "train", "--status", "end").code == 0


def test_the_command_prints_runs_events_and_json(flights: Small) -> None:
    three(flights)
    listed = flights.kit("runs", "--limit", "1")
    assert listed.stdout == (
        "start (UTC)          status   seconds  run  trigger  commit   version  stages\n"
        "2026-03-10 00:00:00  crashed  1.0      c    manual   c0ffee0           train crashed\n"
    )
    assert json.loads(flights.kit("runs", "--json", "--status", "failed").stdout)[0]["run"] == "b"
    assert "train  failed  seconds=1.0  error=no memory" in flights.kit("runs", "--run", "b").stdout
    unknown = flights.kit("runs", "--run", "z")
    assert (unknown.code, unknown.stderr) == (
        1,
        "mlops-kit: There is no run 'z'.\nThe newest: c, b, a.\n",
    )
    assert flights.kit("runs", "--since", "2027-01-01").stdout == "No run matches.\n"
