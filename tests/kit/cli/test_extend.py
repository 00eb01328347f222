"""What docs/how-to/extend.md shows works as it stands; an orchestrator's commands are one run."""

import json
import re

import pytest
from mlops_kit.project.repository import Repository
from mlops_kit.runs import events, log

from tests.act.api import Api
from tests.conftest import ROOT, must
from tests.kit.tips import change, commit_all, kit

PAGE = ROOT / "docs/how-to/extend.md"


def shown() -> dict[str, str]:
    """The files of the page, by path."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


@pytest.fixture
def extended(gated: Repository, dvc: str) -> Repository:
    """With everything that the page shows, committed."""
    for path, text in shown().items():
        file = gated.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace("uv run --frozen dvc", dvc), encoding="utf-8")  # here is no uv project
    must(["uv", "lock", "--quiet", "--project", "announce"], gated.root)
    (gated.root / ".git/info/exclude").write_text("announce/.venv\n")
    must(["git", "add", "--all"], gated.root)
    commit_all(gated, "Extend")
    return gated


def heard(repository: Repository) -> list[tuple[str, str]]:
    last = events.Journal(repository, (repository.root / events.CURRENT).read_text())
    return [(event["stage"], event["status"]) for event in last.events()]


def test_the_page_works_as_it_stands(extended: Repository) -> None:
    assert len(shown()) == 5
    trained = kit(extended, "train", "--json")
    assert trained.code == 0, trained.said
    assert set(json.loads(trained.stdout)["stages"].values()) == {"unchanged"}
    for words in ("gate", "register"):
        done = kit(extended, words)
        assert done.code == 0, done.said
    run = json.loads(trained.stdout)["run"]
    announced = (extended.root / ".mlops/announced.md").read_text()
    assert announced == f"tips@v0.1.0 is there, made by run {run}\n"
    assert ("hook:after_register:announce", "end") in heard(extended)


def test_training_elsewhere_says_what_ran(extended: Repository) -> None:
    change(extended, "params.yaml", "digits: 3", "digits: 4")
    done = kit(extended, "train", "--json")
    assert done.code == 0, done.said
    found = json.loads(done.stdout)
    assert found["stages"] == {"evaluate": "ran", "prepare": "unchanged", "train": "ran"}
    assert "Running stage 'train'" in done.stderr


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        (
            "echo no machine left; exit 7",
            "The training with `sh elsewhere/train.sh` failed:\nno machine left",
        ),
        ("exit 0", "left no dvc.lock"),
    ],
)
def test_training_elsewhere_that_fails_leaves_everything_as_it_was(
    extended: Repository, ends: str, says: str
) -> None:
    before = (extended.root / "dvc.lock").read_bytes()
    change(extended, "elsewhere/train.sh", "exec ", f"rm dvc.lock; {ends}; ")
    done = kit(extended, "train")
    assert done.code == 1
    assert says in done.stderr
    assert (extended.root / "dvc.lock").read_bytes() == before


# ---- from outside ----

OUTSIDE = {"MLOPS_RUN": "flow-1", "MLOPS_TRIGGER": "cron"}


def test_the_commands_of_an_orchestrator_are_one_run(tips: Repository) -> None:
    for words in ("validate", "train", "train", "gate", "register"):
        done = kit(tips, words, **OUTSIDE)
        assert done.code == 0, done.said
    (found,), _ = log.find(tips, log.Filter())
    assert (found.run, found.trigger, found.status, found.version) == ("flow-1", "cron", "done", "v0.1.0")
    assert [name for name in found.stages if ":" not in name] == ["validate", "train", "gate", "register"]
    record = json.loads(must(["git", "show", "tips@v0.1.0:record.json"], tips.root))
    assert (record["trigger"]["event"], record["trigger"]["run"]) == ("cron", "flow-1")


def test_a_run_s_id_is_a_file_name(tips: Repository) -> None:
    done = kit(tips, "validate", MLOPS_RUN="../flow")
    assert done.code == 1
    assert "MLOPS_RUN is '../flow'." in done.stderr
    assert not list((tips.root / ".mlops").glob("*.jsonl"))


def test_an_alarm_is_raised_updated_and_cleared(tips: Repository, on_github: Api) -> None:
    for text in ("once", "twice"):
        done = kit(tips, "alarm", "flow", "--title", "It gave up", "--text", text, **OUTSIDE)
        assert done.code == 0, done.said
    (issue,) = on_github.issues
    assert (issue["title"], issue["state"]) == ("It gave up", "open")
    assert "twice" in issue["body"]
    assert kit(tips, "alarm", "flow", "--clear", **OUTSIDE).code == 0
    assert issue["state"] == "closed"
    assert kit(tips, "alarm", "flow", "--clear", **OUTSIDE).stdout == "No alarm 'flow' is open.\n"
    listed = [event["status"] for event in log.events_of(tips, "flow-1") if event["stage"] == "alarm:flow"]
    assert listed == ["raised", "raised", "cleared"]


def test_an_alarm_that_reaches_nobody_says_so(tips: Repository) -> None:
    done = kit(tips, "alarm", "flow", "--title", "It gave up", **OUTSIDE)
    assert done.code == 1
    assert "The alarm 'flow' (It gave up) reached nobody: " in done.stderr
    assert kit(tips, "alarm", "flow", "--clear", **OUTSIDE).code == 0
    assert kit(tips, "alarm", "flow").code == 2
