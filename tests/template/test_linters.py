"""Its own hooks and our linters on what is generated, for the base and for every answer that changes a file."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlops_kit import VERSION

from tests.act import workflows
from tests.conftest import must
from tests.template.rendered import copier_copy

Once = Callable[[str, Callable[[Path], None]], Path]
ANSWERS = {
    "base": {},
    "regression": {"task": "regression", "code_owner": "@acme/models", "remote": "s3://bucket/flights"},
    "multiclass": {"task": "multiclass", "code_owner": "@ada", "remote": "/srv/dvc"},
    "vendored": {"kit": "vendored"},
}
OURS = re.compile(r"mlops-new/mlops-new/actions/[a-z-]+@v\d+\.\d+\.\d+")
WORKFLOWS = ["ci.yml", "promote.yml", "schedule.yml", "train.yml"]


@pytest.fixture(params=ANSWERS)
def repository(request: pytest.FixtureRequest, trained: Path, mlops_new: Path, once: Once) -> Path:
    """Rendered with these answers, committed, with the trained repository's environment and lock. Do not change it."""

    def make(folder: Path) -> None:
        into = folder / "flights"
        copier_copy(mlops_new, into, **ANSWERS[request.param])
        (into / ".venv").symlink_to(trained / ".venv")
        shutil.copy(trained / "uv.lock", into)
        for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=Start"]):
            must(["git", *words], into)

    return once(f"rendered-{request.param}", make) / "flights"


def workflow(repository: Path, name: str) -> dict[str, Any]:
    return workflows.read(repository / ".github/workflows" / name)


def test_the_answers_are_in_the_files(repository: Path, request: pytest.FixtureRequest) -> None:
    answers = ANSWERS[request.node.callspec.params["repository"]]
    owners, config = repository / ".github/CODEOWNERS", (repository / ".dvc/config").read_text()
    assert owners.exists() == ("code_owner" in answers)
    assert "code_owner" not in answers or owners.read_text().endswith(f"\n* {answers['code_owner']}\n")
    assert ("url = " in config) == ("remote" in answers)
    assert "remote" not in answers or f"url = {answers['remote']}\n" in config
    assert ("dvc[s3]" in (repository / "pyproject.toml").read_text()) == ("s3:" in answers.get("remote", ""))


def test_its_own_hooks_are_green(repository: Path) -> None:
    said = must(
        ["uv", "run", "--frozen", "pre-commit", "run", "--all-files"],
        repository,
        UV_FROZEN="1",
        UV_NO_SYNC="1",
    )
    hooks = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    assert len(re.findall(r"\.(?:Passed|\(no files to check\)Skipped)$", said, re.MULTILINE)) == len(hooks)
    assert re.findall(r"^(.*?)\.*\(no files to check\)Skipped$", said, re.MULTILINE) == [
        "no data or models in Git"  # there is none to refuse
    ]
    assert must(["git", "status", "--porcelain"], repository) == ""


def test_our_linters_find_nothing_in_its_workflows(repository: Path) -> None:
    beside = Path(sys.executable).parent
    strict = ["--quiet", "--offline", "--strict-collection", "--persona=auditor"]
    must([beside / "zizmor", *strict, ".github"], repository)
    files = [Path(".github/workflows") / name for name in WORKFLOWS]
    # a release cannot contain its own commit's hash; that everything else has one is tested below
    ours = rf"--ignore={OURS.pattern}"
    must([beside / "jactionlint", ours, f"--shellcheck={beside / 'shellcheck'}", *files], repository)
    must([beside / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files], repository)


def test_every_workflow_is_read_here(trained: Path) -> None:
    assert sorted(path.name for path in (trained / ".github/workflows").iterdir()) == WORKFLOWS


# Who may write what; every other job reads at most. The jobs that write run no code of the project.
WRITES = {
    ("ci.yml", "comment"): {"pull-requests"},
    ("train.yml", "register"): {"contents", "issues", "pull-requests"},
    ("promote.yml", "move"): {"contents"},
    ("schedule.yml", "checks"): {"pull-requests"},
    ("schedule.yml", "cadence"): {"contents", "issues", "pull-requests"},
    ("schedule.yml", "tell"): {"contents", "issues"},
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_nothing_but_what_a_job_says(trained: Path, name: str) -> None:
    content = workflow(trained, name)
    assert content["permissions"] == {}
    for job_id, job in content["jobs"].items():
        granted = {scope for scope, level in job["permissions"].items() if level == "write"} - {"id-token"}
        assert granted == WRITES.get((name, job_id), set()), job_id
        assert "contents" in job["permissions"]
        assert "uses" in job or 0 < job["timeout-minutes"] <= 60


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_job_that_may_write_runs_no_code_of_the_project(trained: Path, name: str) -> None:
    for job_id, job in workflow(trained, name)["jobs"].items():
        if (name, job_id) in WRITES and "steps" in job:
            assert "id-token" not in job["permissions"]
            assert [step["name"] for step in job["steps"] if "run" in step] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_steps_are_pinned_named_and_without_expressions(trained: Path, name: str) -> None:
    for job in workflow(trained, name)["jobs"].values():
        for step in job.get("steps", []):
            assert step["name"]
            assert "${{" not in step.get("run", ""), step["name"]
            if "uses" in step and not OURS.fullmatch(step["uses"]):
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"])
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_our_actions_are_of_this_version_everywhere(trained: Path) -> None:
    text = "".join((trained / ".github/workflows" / name).read_text("utf-8") for name in WORKFLOWS)
    versions = set(re.findall(r"mlops-new/mlops-new/actions/[a-z-]+@(\S+)", text))
    assert versions == {f"v{VERSION}"}
    assert yaml.safe_load((trained / "mlops.yaml").read_text("utf-8"))["kit"] == VERSION


def test_documentation_alone_does_not_train(trained: Path) -> None:
    push = workflow(trained, "train.yml")["on"]["push"]
    assert push == {"branches": ["main"], "paths-ignore": ["**.md", "docs/**"]}


def test_what_a_dispatch_carries_is_read_nowhere(trained: Path) -> None:
    for name in WORKFLOWS:
        assert "client_payload" not in (trained / ".github/workflows" / name).read_text("utf-8")


def test_the_same_action_has_the_same_commit_and_version_everywhere(trained: Path) -> None:
    text = "".join((trained / ".github/workflows" / name).read_text("utf-8") for name in WORKFLOWS)
    pinned = set(re.findall(r"uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", text, re.MULTILINE))
    assert len(pinned) == len({action for action, _, _ in pinned})
    others = [used for used in re.findall(r"uses: ([^.]\S+)", text) if not OURS.fullmatch(used)]
    assert len(others) == len(re.findall(r" # v\d+\.\d+\.\d+$", text, re.MULTILINE))


def test_no_schedule_is_at_minute_0(trained: Path) -> None:
    on = workflow(trained, "schedule.yml")["on"]
    assert on["schedule"]
    assert all(entry["cron"].split()[0] not in ("0", "*") for entry in on["schedule"])


def test_schedules_that_overlap_are_one(trained: Path) -> None:
    """The second waits, and is the last that does; what the first has looked at is not new to it."""
    assert workflow(trained, "schedule.yml")["concurrency"] == {
        "group": "schedule",
        "cancel-in-progress": False,
    }


def test_merges_train_one_after_the_other(trained: Path) -> None:
    concurrency = workflow(trained, "train.yml")["concurrency"]
    assert concurrency == {"group": "train", "queue": "max", "cancel-in-progress": False}
