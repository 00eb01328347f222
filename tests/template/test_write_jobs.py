"""Jobs that may write, in every workflow of every tier: what runs in them, and what decides how it is installed."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlops_new.template import render, tiers
from mlops_new.template.releases import SOURCE, publisher

from tests.act import workflows
from tests.conftest import ROOT, Once, must

pytestmark = pytest.mark.environment  # most of them render the template
OURS = publisher((SOURCE / "copier.yml").read_text("utf-8"))
TAKE = {"actions/checkout", "actions/download-artifact"}  # what such a job may use beside our actions
# Each tool of each tier is in one of them.
RENDERED: Mapping[str, dict[str, object]] = {
    "base": {},
    "vendored": {"kit": "vendored"},
    "adopted": {"adopted": True},
    "first tools": {
        "orchestration": "prefect",
        "registry": "mlflow",
        "serving": "seldon",
        "drift": "evidently",
    },
    "second tools": {"orchestration": "airflow", "registry": "wandb", "drift": "whylogs"},
}
SETUP_UV = "astral-sh/setup-uv"
# Actions of ours that run no code of the repository and log in nowhere.
FOR_WRITERS = {"setup", "report", "register", "promote", "rollback", "alert", "retrain", "review"}


@dataclass(frozen=True)
class Job:
    where: str
    workflow: dict[str, Any]
    content: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.content.get("steps", []))

    @property
    def writes(self) -> set[str]:
        granted = self.content.get("permissions", self.workflow.get("permissions", "write-all"))
        if isinstance(granted, str):
            return set() if granted == "read-all" else {granted}
        return {scope for scope, level in granted.items() if level == "write"} - {"id-token"}

    @property
    def logs_in(self) -> bool:
        granted = self.content.get("permissions", {})
        return isinstance(granted, dict) and granted.get("id-token") == "write"


@pytest.fixture(params=RENDERED, scope="module")
def rendered(request: pytest.FixtureRequest, once: Once) -> Path:
    return once(f"workflows-{request.param}", lambda into: render.render(into, RENDERED[request.param]))


def jobs(repository: Path) -> Iterator[Job]:
    files = sorted((repository / ".github/workflows").iterdir())
    assert files
    for file in files:
        content = workflows.read(file)
        for name, job in content["jobs"].items():
            yield Job(f"{file.name}, {name}", content, job)


def used(step: Mapping[str, Any]) -> str:
    return str(step.get("uses", "")).partition("@")[0]


def is_ours(step: Mapping[str, Any]) -> bool:
    return used(step).startswith((f"{OURS}/actions/", "./.github/mlops-kit/"))


def environments(job: Job) -> Iterator[str]:
    """Names of the variables that workflow, job and steps set."""
    for part in (job.workflow, job.content, *job.steps):
        yield from part.get("env") or {}


def test_every_tool_of_every_tier_is_rendered_here() -> None:
    layers = {
        name: set(question["choices"].values()) - {tiers.NONE}
        for name, question in workflows.read(ROOT / "copier.yml").items()
        if not name.startswith("_") and question.get("default") == tiers.NONE and "choices" in question
    }
    tools = {name: {answers[name] for answers in RENDERED.values() if name in answers} for name in layers}
    assert tools == layers


def test_the_linters_find_nothing_in_the_workflows_of_any_tier(rendered: Path) -> None:
    """Offline: whether a commit belongs to the version in the comment, zizmor asks GitHub."""
    beside = Path(sys.executable).parent
    strict = ["--quiet", "--offline", "--strict-collection", "--persona=auditor"]
    must([beside / "zizmor", *strict, ".github"], rendered)
    files = sorted((rendered / ".github/workflows").iterdir())
    by_tag = rf"--ignore={OURS}/actions/[a-z-]+@v\d+\.\d+\.\d+"  # this release has no commit yet
    must([beside / "jactionlint", by_tag, f"--shellcheck={beside / 'shellcheck'}", *files], rendered)
    must([beside / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files], rendered)
    for dependabot in (rendered / ".github").glob("dependabot.yml"):
        must([beside / "check-jsonschema", "--builtin-schema", "vendor.dependabot", dependabot], rendered)


def test_a_job_that_may_write_runs_our_actions_and_the_environment_of_our_pins_alone(rendered: Path) -> None:
    found = [job for job in jobs(rendered) if job.writes and job.steps]
    assert found
    for job in found:
        ours = [step for step in job.steps if is_ours(step)]
        assert ours and used(ours[0]).endswith("/setup"), job.where
        assert {used(step).rpartition("/")[2] for step in ours} <= FOR_WRITERS, job.where
        others = {used(step) for step in job.steps if not is_ours(step)}
        assert others <= TAKE, job.where  # no `run`, no cache, no uv of another origin
        assert not job.logs_in, job.where
        assert "container" not in job.content and "defaults" not in job.content, job.where
        assert job.content["runs-on"] == "ubuntu-24.04", job.where  # a new machine, where no other job was
        assert [name for name in environments(job) if re.match("UV_|PIP_|PYTHON|PATH$", name)] == [], (
            job.where
        )


def test_no_job_that_may_write_or_log_in_shares_a_cache(rendered: Path) -> None:
    for job in jobs(rendered):
        for step in job.steps:
            assert not used(step).startswith("actions/cache"), job.where
            if used(step) == SETUP_UV:
                assert re.fullmatch(r"\d+\.\d+\.\d+", step["with"]["version"]), job.where
                if job.writes or job.logs_in:
                    assert step["with"]["enable-cache"] == "false", job.where
            if is_ours(step) and (job.writes or job.logs_in):
                assert "cache" not in (step.get("with") or {}), job.where  # false by default


def test_no_job_may_write_because_a_workflow_forgot_to_say_what_it_may(rendered: Path) -> None:
    for job in jobs(rendered):
        assert job.workflow["permissions"] == {}, job.where
        assert isinstance(job.content["permissions"], dict), job.where


def test_our_actions_set_uv_up_without_a_cache_at_one_version() -> None:
    """All of them, and the workflows of this project and of every tier."""
    files = [*ROOT.glob("actions/*/action.yml"), *ROOT.glob("template/*/.github/workflows/*.yml")]
    found = [
        (file, step["with"])
        for file in [*files, *ROOT.glob(".github/workflows/*.yml")]
        for step in workflows.steps(workflows.read(file))
        if used(step) == SETUP_UV
    ]
    versions = {given["version"] for _, given in found}
    assert len(versions) == 1 and re.fullmatch(r"\d+\.\d+\.\d+", versions.pop())
    in_actions = {
        file.parent.name: given["enable-cache"] for file, given in found if file.name == "action.yml"
    }
    assert in_actions == {"setup": "false", "environment": "${{ inputs.cache }}"}
    inputs = workflows.read(ROOT / "actions/environment/action.yml")["inputs"]
    assert inputs["cache"]["default"] == "false"


def test_pull_requests_log_in_with_roles_that_main_does_not_use(rendered: Path) -> None:
    roles: dict[bool, set[str]] = {True: set(), False: set()}
    for job in jobs(rendered):
        for step in job.steps:
            given = step.get("with") or {}
            assert "role-to-assume" not in given or used(step).endswith("/login"), job.where
            if used(step).endswith("/login"):
                assert job.logs_in and not job.writes, job.where
                roles["pull_request" in job.workflow["on"]] |= set(
                    re.findall(r"vars\.(\w+)", given["role-to-assume"])
                )
    assert roles[True] == {"AWS_READ_ROLE", "GOOGLE_READ_SERVICE_ACCOUNT", "AZURE_READ_CLIENT_ID"}
    assert roles[False] == {"AWS_ROLE", "GOOGLE_SERVICE_ACCOUNT", "AZURE_CLIENT_ID"}


def test_pull_requests_log_in_to_google_only_as_a_reader(rendered: Path) -> None:
    """The action logs in to Google where it gets a provider, also without a service account."""
    for job in jobs(rendered):
        for step in job.steps:
            if used(step).endswith("/login") and "pull_request" in job.workflow["on"]:
                provider = "${{ vars.GOOGLE_READ_SERVICE_ACCOUNT && vars.GOOGLE_IDENTITY_PROVIDER }}"
                assert provider in step["with"]["provider"], job.where
