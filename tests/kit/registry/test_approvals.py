"""`promotion: approved`: only the workflow changes a stage; what was changed in another way is put back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.forge import github_retry
from mlops_kit.forge.workflow_runs import WorkflowRun
from mlops_kit.project import contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import approvals, assign
from mlops_kit.versions import stages
from mlops_kit.versions import version as versions

from tests.conftest import must
from tests.kit.builders import a_record, tag
from tests.kit.registry.promotions import in_production, promote, rollback, tags
from tests.kit.small_repository import Hub

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


class Forge(Hub):
    """GitHub with runs of workflows."""

    slug = "acme/flights"

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, WorkflowRun] = {}
        self.started: list[tuple[str, dict[str, str]]] = []

    def run(self, number: str) -> WorkflowRun | None:
        return self.runs.get(number)

    def start_workflow(self, file: str, inputs: dict[str, str]) -> None:
        self.started.append((file, inputs))


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> Forge:
    forge = Forge()
    monkeypatch.setattr("mlops_kit.forge.github.connect", lambda repository: forge)
    monkeypatch.setenv("GITHUB_TOKEN", "x" * 20)
    return forge


def a_run(title: str, **other: Any) -> WorkflowRun:
    facts = {"file": "promote.yml", "on_default_branch": True, "started": NOW - HOUR, "updated": NOW + HOUR}
    facts["moved"] = True
    return WorkflowRun(title=title, **{**facts, **other})


@pytest.fixture
def asked(repository: Repository, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Versions v0.1.0 to v0.3.0; since a day ago promotions need an approval, and v0.1.0 got one."""
    for number in (1, 2, 3):
        tag(repository, a_record(repository.commit(), f"v0.{number}.0", parameters={"rate": number}))
    ask_for_approvals(repository)
    by_run(repository, forge, "1", "v0.1.0", a_run("promote v0.1.0 to production"), monkeypatch)
    return repository


def ask_for_approvals(repository: Repository) -> None:
    file = repository.root / "mlops.yaml"
    file.write_text(f"{file.read_text()}promotion: approved\n")
    day = (NOW - timedelta(days=1)).isoformat()
    must(["git", "commit", "--quiet", "--all", "--message=Approve"], repository.root, GIT_COMMITTER_DATE=day)


def put(repository: Repository, version: str, stage: str = "production") -> str:
    """As anybody who may push."""
    chosen = versions.find(repository, "flights", version)
    known = stages.assignments(repository, "flights")
    return assign.assign(repository, chosen, stage, known, why="x", Was="nothing", Kind="promotion").tag


def by_run(
    repository: Repository,
    forge: Forge,
    number: str,
    version: str,
    run: WorkflowRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a run of a workflow does."""
    forge.runs[number] = run
    with monkeypatch.context() as runner:
        runner.setenv("GITHUB_ACTIONS", "true")
        runner.setenv("GITHUB_RUN_ID", number)
        put(repository, version)


def held(repository: Repository) -> str:
    found = versions.in_stage(repository, "flights", "production")
    return found.name if found else ""


def restore(repository: Repository) -> list[str]:
    said: list[str] = []
    approvals.restore(repository, contract.load(repository.root), said.append)
    return said


def test_what_the_workflow_did_stays(
    asked: Repository, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_run(asked, forge, "2", "v0.2.0", a_run("promote flights@v0.2.0 to production"), monkeypatch)
    by_run(asked, forge, "3", "v0.1.0", a_run("roll back production"), monkeypatch)
    assert restore(asked) == []
    assert (held(asked), forge.open) == ("v0.1.0", {})


def test_a_tag_that_somebody_pushed_is_put_back_with_an_alarm(asked: Repository, forge: Forge) -> None:
    put(asked, "v0.3.0")
    (said,) = restore(asked)
    assert "production held v0.3.0 without an approval (flights#production#2, by " in said
    assert said.endswith("v0.1.0, which was approved, is back (flights#production#3).")
    assert held(asked) == "v0.1.0"
    ((title, text),) = forge.open.values()
    assert title == "A promotion was not approved"
    assert "production held v0.3.0 without an approval" in text
    assert restore(asked) == []  # what was put back is no new promotion


@pytest.mark.parametrize(
    "run",
    [
        a_run("promote v0.3.0 to production", file="train.yml"),
        a_run("promote v0.3.0 to production", on_default_branch=False),
        a_run("promote v0.3.0 to production", moved=False),  # nobody approved it, and a tag names it
        a_run("promote v0.2.0 to production"),
        a_run("promote v0.3.0 to staging"),
        a_run("roll back staging"),
        a_run("promote v0.3.0 to production", started=NOW - 9 * HOUR, updated=NOW - 8 * HOUR),
    ],
)
def test_a_run_that_did_not_make_the_tag_is_no_proof(
    run: WorkflowRun, asked: Repository, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_run(asked, forge, "7", "v0.3.0", run, monkeypatch)
    assert len(restore(asked)) == 1
    assert held(asked) == "v0.1.0"


def test_a_run_proves_one_tag(asked: Repository, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    by_run(asked, forge, "2", "v0.2.0", a_run("promote v0.2.0 to production"), monkeypatch)
    run = a_run("roll back production")
    by_run(asked, forge, "7", "v0.1.0", run, monkeypatch)
    by_run(asked, forge, "7", "v0.2.0", run, monkeypatch)
    restore(asked)
    assert held(asked) == "v0.1.0"


def test_an_approved_rollback_proves_no_other_version(
    asked: Repository, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tag that somebody dated before that of the rollback, and that names its run."""
    by_run(asked, forge, "2", "v0.2.0", a_run("promote v0.2.0 to production"), monkeypatch)
    run = a_run("roll back production")
    by_run(asked, forge, "7", "v0.3.0", run, monkeypatch)
    by_run(asked, forge, "7", "v0.1.0", run, monkeypatch)
    assert restore(asked) == []
    assert held(asked) == "v0.1.0"


def test_stages_of_before_are_believed(repository: Repository, forge: Forge) -> None:
    for number in (1, 2):
        tag(repository, a_record(repository.commit(), f"v0.{number}.0", parameters={"rate": number}))
    put(repository, "v0.1.0")
    must(["git", "commit", "--quiet", "--allow-empty", "--message=x"], repository.root)
    file = repository.root / "mlops.yaml"
    file.write_text(f"{file.read_text()}promotion: approved\n")
    later = (NOW + HOUR).isoformat()
    must(
        ["git", "commit", "--quiet", "--all", "--message=Approve"], repository.root, GIT_COMMITTER_DATE=later
    )
    assert restore(repository) == []
    assert held(repository) == "v0.1.0"


def test_without_an_approved_version_only_the_alarm_is_raised(repository: Repository, forge: Forge) -> None:
    tag(repository, a_record(repository.commit(), "v0.1.0"))
    ask_for_approvals(repository)
    put(repository, "v0.1.0")
    (said,) = restore(repository)
    assert said.endswith("there is no approved version to put back.")
    assert len(forge.open) == 1


def test_where_anybody_may_promote_nothing_is_looked_at(repository: Repository, forge: Forge) -> None:
    tag(repository, a_record(repository.commit(), "v0.1.0"))
    put(repository, "v0.1.0")
    assert restore(repository) == []


def test_a_github_that_does_not_answer_keeps_no_model_out(
    asked: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(github_retry, "BACKOFF", 0.01)
    monkeypatch.setenv("GITHUB_TOKEN", "x" * 20)
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/flights")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    put(asked, "v0.3.0")
    (said,) = restore(asked)
    assert said.startswith("It is not known whether promotions were approved: GitHub could not be reached")


# ---- a promotion ----


@pytest.mark.parametrize(
    ("workflow", "branch", "starts"),
    [
        ("promote.yml@refs/heads/main", "main", False),
        ("mlops-promote.yml@refs/heads/main", "main", False),
        ("promote.yml@refs/heads/evil", "main", True),
        ("promote.yml@refs/pull/1/merge", "main", True),
        ("train.yml@refs/heads/main", "main", True),
        ("my-promote.yml@refs/heads/main", "main", True),
    ],
)
def test_only_the_workflow_of_the_default_branch_moves_a_stage(
    workflow: str, branch: str, starts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": branch}}))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_WORKFLOW_REF", f"acme/flights/.github/workflows/{workflow}")
    settings = {"model": "flights", "metrics": "metrics.json"}
    assert approvals.is_asked(contract.parse(settings | {"promotion": "approved"})) is starts
    assert approvals.is_asked(contract.parse(settings)) is False


def test_a_promotion_here_starts_the_workflow(three: Repository, forge: Forge) -> None:
    promote(three, "v0.1.0")
    promote(three, "v0.2.0")
    before = tags(three)
    file = three.root / "mlops.yaml"
    file.write_text(f"{file.read_text()}promotion: approved\n")
    with pytest.raises(Exception, match=r"\.github/workflows has no promote\.yml"):
        promote(three, "v0.3.0")
    (three.root / ".github/workflows").mkdir(parents=True)
    (three.root / ".github/workflows/promote.yml").touch()
    done = promote(three, "v0.3.0")
    assert done.outcome == "asked"
    assert "https://github.com/acme/flights/actions/workflows/promote.yml" in done.says
    assert "production holds v0.2.0 until somebody approves it" in done.says
    assert rollback(three).outcome == "asked"
    assert [inputs["version"] for _, inputs in forge.started] == ["v0.3.0", ""]
    assert (in_production(three), tags(three)) == ("v0.2.0", before)
