"""Two commands do not write into one workspace, and a killed one blocks nobody."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_kit.base import processes
from mlops_kit.base.errors import KitError
from mlops_kit.cli.main import GROUPS
from mlops_kit.project import workspace_lock
from mlops_kit.project.workspace_lock import HOLDER, hold
from mlops_new.base import lock as new_lock

from tests.conftest import run
from tests.kit.small_repository import Small, small, started

HOLDS = """
import time
from pathlib import Path
from mlops_kit.project.workspace_lock import hold
from mlops_kit.base import processes
with hold(Path.cwd(), "train", print):
    print("held", flush=True)
    {then}
"""


@pytest.fixture
def one(tmp_path: Path) -> Small:
    return small(tmp_path / "flights")


@pytest.fixture
def holder(one: Small) -> Iterator[int]:
    """The id of a process that holds the lock until it is killed."""
    process = started(one.root, HOLDS.format(then="time.sleep(60)"))
    assert process.stdout and process.stdout.readline() == b"held\n"
    yield process.pid
    process.kill()
    process.communicate()


# Every command: which lock it takes, and with what arguments it runs here. Those without a lock say why they need none.
WORKSPACE = {
    **dict.fromkeys(("validate", "train", "gate", "report", "register", "watch-data"), ""),
    **dict.fromkeys(("verify", "pull", "retrain"), ""),
    "gc": "--yes",
}
OF_MONITORING = {"monitor": "check", "alert": "", "review": ""}
NO_LOCK = {
    "fresh": "",  # reads
    "versions": "",  # reads
    "show": "v0.1.0",  # reads
    "why": "",  # reads
    "lineage": "",  # reads
    "doctor": "",  # reads
    "runs": "--publish",  # reads, and pushes events to a branch
    "promote": "v0.1.0 --why test",  # tags alone; at night nobody waits for a training
    "rollback": "--why test",  # tags alone
    "registry": "sync",  # writes to a server alone
    "serve": "",  # writes into .mlops/serving alone, under locks of its own
    "alarm": "disk --title Full",  # appends to the events alone
}


def test_of_every_command_it_is_known_whether_it_takes_a_lock() -> None:
    assert sorted([*WORKSPACE, *OF_MONITORING, *NO_LOCK]) == sorted(GROUPS)


@pytest.mark.parametrize(("name", "words"), WORKSPACE.items())
def test_the_second_is_told_who_is_at_work_and_since_when(
    one: Small, holder: int, name: str, words: str
) -> None:
    done = one.kit(name, *words.split())
    assert done.code == 1, done.said
    assert f"`mlops-kit train` (process {holder}, since 20" in done.stderr
    assert f"kill {holder}" in done.stderr


@pytest.mark.parametrize(("name", "words"), (OF_MONITORING | NO_LOCK).items())
def test_what_changes_no_workspace_does_not_wait(one: Small, holder: int, name: str, words: str) -> None:
    done = one.kit(name, *words.split())
    assert "at work" not in done.stderr
    assert done.code in (0, 1, 10), done.said


@pytest.mark.parametrize(
    "words", [*(f"{name} {words}" for name, words in OF_MONITORING.items()), "monitor calibrate"]
)
def test_one_command_at_a_time_uses_the_folder_of_monitoring(one: Small, words: str) -> None:
    with hold(one.root, "monitor", print, workspace_lock.MONITORING):
        held = one.kit(*words.split(), MLOPS_LOCKS="")
        assert "`mlops-kit monitor` (process" in held.stderr
        assert "at work" not in one.kit("gate", MLOPS_LOCKS="").stderr
    assert "at work" not in one.kit(*words.split()).stderr


@pytest.mark.parametrize(
    "words", ["retrain --dry-run", "alert --dry-run", "report --from x", "review --from x"]
)
def test_what_writes_nothing_here_takes_no_lock(one: Small, holder: int, words: str) -> None:
    with hold(one.root, "monitor", print, workspace_lock.MONITORING):
        assert "at work" not in one.kit(*words.split(), MLOPS_LOCKS="").stderr


def test_a_command_of_mlops_new_is_named_as_it_is(one: Small) -> None:
    with new_lock.hold(one.root):
        pass
    (one.root / ".mlops").mkdir()
    with new_lock.hold(one.root):
        done = one.kit("train")
        assert f"`mlops-new` (process {os.getpid()}, since 20" in done.stderr
    assert "at work" not in one.kit("train").stderr


def test_the_lock_of_a_killed_process_is_taken_over_with_a_line(one: Small, holder: int) -> None:
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    said: list[str] = []
    with hold(one.root, "gate", said.append) as killed:
        assert killed
    assert f"process {holder}" in said[0] and "was killed; its lock is taken over" in said[0]
    with hold(one.root, "gate", said.append) as killed:
        assert not killed
    assert len(said) == 1


def test_a_process_that_the_killed_one_started_still_holds_it(one: Small) -> None:
    """As DVC does, whose training goes on."""
    process = started(
        one.root,
        HOLDS.format(then="processes.run(['sh', '-c', 'echo $$ > child; exec sleep 60'], Path.cwd())"),
    )
    assert process.stdout and process.stdout.readline() == b"held\n"
    while not (one.root / "child").exists() or not (child := (one.root / "child").read_text().strip()):
        pass
    process.kill()
    process.wait()
    told = f"process {process.pid}.*was killed, and a process that it started"
    with pytest.raises(KitError, match=told), hold(one.root, "train", print):
        pass
    os.kill(int(child), signal.SIGKILL)
    process.communicate()
    for _ in range(100):
        if not Path(f"/proc/{child}/fd").exists() or not list(Path(f"/proc/{child}/fd").glob("*")):
            break
        time.sleep(0.05)
    with hold(one.root, "train", lambda _: None) as killed:
        assert killed


def test_a_command_that_a_hook_starts_is_inside(one: Small) -> None:
    with hold(one.root, "train", print):
        inner = "from pathlib import Path\nfrom mlops_kit.project.workspace_lock import hold\nwith hold(Path.cwd(), 'gate', print): print('inside')"
        inside = started(one.root, inner)
        assert inside.communicate()[0] == b"inside\n"
        done = one.kit("gate")
        assert "at work" not in done.stderr
        assert (one.root / HOLDER).is_file()  # the inner one did not let go
    assert not (one.root / HOLDER).exists()


def test_a_failure_lets_go(one: Small) -> None:
    with pytest.raises(ZeroDivisionError), hold(one.root, "train", print):
        raise ZeroDivisionError
    with hold(one.root, "train", print) as killed:
        assert not killed
    assert processes.inherited == set()
    assert not os.environ.get(workspace_lock.INSIDE)


def test_another_worktree_has_a_lock_of_its_own(one: Small, holder: int, tmp_path: Path) -> None:
    one.git("worktree", "add", "--quiet", str(tmp_path / "tree"))
    with hold(tmp_path / "tree", "train", print) as killed:
        assert not killed


def test_a_half_written_name_of_a_killed_command_is_no_obstacle(one: Small) -> None:
    (one.root / HOLDER).parent.mkdir()
    (one.root / HOLDER).write_text('{"command": "tr')
    assert run(["git", "status", "--porcelain"], one.root).stdout == ""
    with hold(one.root, "train", print) as killed:
        assert not killed
