"""The flow on a real server: a worker runs it by schedule, `serve` runs it too, and failure is heard."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.act.api import Api
from tests.conftest import must, run
from tests.tiers.machine import ask, free_port, started, until
from tests.tiers.project import STAGES, Project, check

ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
QUICK = {  # seconds between two looks
    "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
}


@dataclass(frozen=True)
class Prefect:
    project: Project
    environment: dict[str, str]
    url: str
    log: Path

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return ask(method, f"{self.url}{path}", body)

    def cli(self, *words: str, **more: str) -> str:
        command = [self.project.tool_named("prefect"), "--no-prompt", *words]
        return must(command, self.project.root, **self.environment, **more)

    def deployment(self, name: str) -> Any:
        return self.ask("GET", f"/deployments/name/flights/{name}")

    def ended(self, run: str, *logs: Path) -> Any:
        def found() -> Any:
            now = self.ask("GET", f"/flow_runs/{run}")
            return now if now["state_type"] in ENDED else None

        return until(f"the end of {run}", found, self.log, *logs)

    def scheduled(self, deployment: str) -> Any:
        """The first run of its deployment that began, whoever made it."""
        wish = {"flow_runs": {"deployment_id": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_ASC"}
        begun = [one for one in self.ask("POST", "/flow_runs/filter", wish) if one["start_time"]]
        return begun[0] if begun else None

    def start(self, deployment: str, **parameters: Any) -> str:
        made = self.ask("POST", f"/deployments/{deployment}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    def tries(self, run: str) -> dict[str, int]:
        wish = {"flow_runs": {"id": {"any_": [run]}}}
        return {one["name"]: one["run_count"] for one in self.ask("POST", "/task_runs/filter", wish)}


@contextmanager
def a_server(project: Project, api: Api, folder: Path) -> Iterator[Prefect]:
    port = free_port()
    environment = project.environment(api) | QUICK
    environment |= {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    environment |= {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    command = [project.tool_named("prefect"), "server", "start", "--host", "127.0.0.1", "--no-ui"]
    log = folder / "server.log"
    with started([*command, "--port", port], folder, log, environment):
        prefect = Prefect(project, environment, environment["PREFECT_API_URL"], log)
        until("a healthy server", lambda: prefect.ask("GET", "/health") or None, log)
        yield prefect


def test_it_passes_its_own_checks(with_tool: Callable[[str], Project]) -> None:
    check(with_tool("prefect"))


def test_a_schedule_starts_it_and_a_failure_is_heard(
    with_tool: Callable[[str], Project], api: Api, tmp_path: Path
) -> None:
    project = with_tool("prefect")
    project.publish()
    with a_server(project, api, tmp_path) as prefect:
        _a_worker_runs_it_by_schedule(prefect, tmp_path / "worker.log")
        _a_failure_is_tried_again_and_then_heard(prefect, api, tmp_path / "serve.log")
        _pods_are_described_as_kubernetes_wants_them(prefect)


def _a_worker_runs_it_by_schedule(prefect: Prefect, log: Path) -> None:
    prefect.cli("work-pool", "create", "--type", "process", "machines")
    prefect.cli("deploy", "--all", "--prefect-file", "orchestration/prefect/prefect.yaml")
    nightly = prefect.deployment("nightly")
    (schedule,) = nightly["schedules"]
    assert (schedule["active"], schedule["schedule"]["cron"]) == (True, "23 3 * * *")
    often = {"active": True, "schedule": {"interval": 15}}
    prefect.ask("POST", f"/deployments/{nightly['id']}/schedules", [often])
    command = [prefect.project.tool_named("prefect"), "worker", "start", "--pool", "machines"]
    with started([*command, "--limit", "1"], prefect.project.root, log, prefect.environment):
        first = until("a run that nobody started", lambda: prefect.scheduled(nightly["id"]), log)
        prefect.ask("PATCH", f"/deployments/{nightly['id']}", {"paused": True})
        done = prefect.ended(first["id"], log)
    assert done["created_by"]["type"] == "SCHEDULE"
    assert (done["state_name"], done["state"]["message"]) == ("Completed", "Registered flights@v0.1.0.")
    listed = prefect.project.run_of(f"prefect-{done['id']}")
    assert (listed["trigger"], listed["version"], listed["stages"]) == ("prefect", "v0.1.0", STAGES)
    tags = must(["git", "tag", "--list"], prefect.project.origin)
    assert tags.split() == ["flights@v0.1.0"]
    (report,) = prefect.ask("POST", "/artifacts/filter", {"flow_runs": {"id": {"any_": [done["id"]]}}})
    assert (report["key"], report["type"]) == ("flights-report", "markdown")
    assert "### Gates" in report["data"]


def _a_failure_is_tried_again_and_then_heard(prefect: Prefect, api: Api, log: Path) -> None:
    colleague = prefect.project.colleague("colleague")
    main = "def main() -> None:\n"
    colleague.change("pipeline/train.py", main, f'{main}    raise SystemExit("out of memory")\n')
    colleague.push("Break the training")
    flow = [prefect.project.tool_named("python"), "orchestration/prefect/flow.py"]
    with started(flow, prefect.project.root, log, prefect.environment):
        here = until("a served flow", lambda: _served(prefect), log)
        failed = prefect.ended(prefect.start(here, retry_after=[1, 1]), log)
        assert failed["state_type"] == "FAILED"
        assert prefect.tries(failed["id"])["train"] == 3
        (issue,) = until("an alarm", lambda: api.issues or None, log)
        assert issue["title"] == "flights: the training in Prefect gave up"
        assert f"mlops-kit runs --run prefect-{failed['id']}" in issue["body"]
        assert issue["state"] == "open"

        must(["git", "revert", "--no-edit", "HEAD"], colleague.root)
        must(["git", "push", "--quiet"], colleague.root)
        mended = prefect.ended(prefect.start(here), log)
        assert mended["state"]["message"].startswith("Identical to v0.1.0")
        until("the end of the alarm", lambda: (issue["state"] == "closed") or None, log)


def _served(prefect: Prefect) -> str | None:
    wish = {"deployments": {"name": {"any_": ["here"]}}}
    found = prefect.ask("POST", "/deployments/filter", wish)
    return str(found[0]["id"]) if found else None


def _pods_are_described_as_kubernetes_wants_them(prefect: Prefect) -> None:
    """Prefect's server holds what is asked of a pod against the schema of the work pool."""
    prefect.cli("work-pool", "create", "--type", "kubernetes", "cluster")
    file = prefect.project.tier / "kubernetes.yaml"
    deploy = ["deploy", "--all", "--prefect-file", str(file)]
    names = {"MLOPS_ORIGIN": "https://github.com/acme/flights.git", "MLOPS_IMAGE": "acme/flights:1"}
    prefect.cli(*deploy, **names)
    made = prefect.deployment("cluster")
    assert made["job_variables"]["image"] == "acme/flights:1"
    (pull,) = made["pull_steps"]
    assert pull["prefect.deployments.steps.git_clone"]["repository"] == names["MLOPS_ORIGIN"]
    file.write_text(file.read_text("utf-8").replace("IfNotPresent", "Sometimes"), "utf-8")
    command = [prefect.project.tool_named("prefect"), "--no-prompt", *deploy]
    refused = run(command, prefect.project.root, **prefect.environment, **names)
    assert refused.code == 1
    assert "Sometimes" in refused.said
    assert "is not one of" in refused.said
