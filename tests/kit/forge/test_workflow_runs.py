"""Workflows that are started, and runs that are looked up, by GitHub's protocol."""

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.forge import github_retry
from mlops_kit.forge.github import GitHub

from tests.act.api import Api
from tests.act.payloads import REPOSITORY


def test_a_workflow_is_started_on_the_default_branch(on_github: Api) -> None:
    GitHub(REPOSITORY).start_workflow("promote.yml", {"version": "v0.1.0"})
    sent = {"workflow": "promote.yml", "ref": "main", "inputs": {"version": "v0.1.0"}}
    assert on_github.dispatches == [sent]


def test_a_run_is_looked_up(on_github: Api) -> None:
    with on_github.running("promote.yml", "workflow_dispatch", "a" * 40, "main") as run:
        run["display_title"] = "promote v0.1.0 to production"
        found = GitHub(REPOSITORY).run(str(run["id"]))
    assert found
    assert (found.file, found.title) == ("promote.yml", "promote v0.1.0 to production")
    assert found.on_default_branch and found.moved
    with on_github.running("promote.yml", "push", "a" * 40, "main") as run:
        run["display_title"] = "x"
        pushed = GitHub(REPOSITORY).run(str(run["id"]))
    assert pushed and not pushed.on_default_branch


@pytest.mark.parametrize(
    ("status", "conclusion", "moved"),
    [
        ("waiting", None, False),
        ("queued", None, False),
        ("completed", "failure", False),
        ("completed", "skipped", False),
        ("in_progress", None, True),
        ("completed", "success", True),
    ],
)
def test_a_run_that_nobody_approved_moved_nothing(
    status: str, conclusion: str | None, moved: bool, on_github: Api
) -> None:
    with on_github.running("promote.yml", "workflow_dispatch", "a" * 40, "main") as run:
        run["display_title"] = "promote v0.1.0 to production"
        run["jobs"] = [
            {"name": "check", "status": "completed", "conclusion": "success"},
            {"name": "move", "status": status, "conclusion": conclusion},
        ]
        found = GitHub(REPOSITORY).run(str(run["id"]))
    assert found and found.moved is moved


@pytest.mark.parametrize("number", ["", "12345", "../../user", "1-1"])
def test_what_is_no_run_is_none(number: str, on_github: Api) -> None:
    assert GitHub(REPOSITORY).run(number) is None


def test_a_silent_github_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_retry, "BACKOFF", 0.01)
    monkeypatch.setenv("GITHUB_TOKEN", "x" * 20)
    with pytest.raises(KitError, match="could not be reached"):
        GitHub(REPOSITORY).run("1")
