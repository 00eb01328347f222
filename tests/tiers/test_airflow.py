"""The DAGs on a real scheduler: a run by schedule, and another when data lands and the asset changes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import parquet

from tests.act.api import Api
from tests.conftest import must, run
from tests.tiers.machine import ask, free_port, started, until
from tests.tiers.project import STAGES, Project, check

ENDED = {"success", "failed"}
SERVERS = {  # without the log servers, which listen on all interfaces
    "api-server": ["--host", "127.0.0.1", "--workers", "1"],
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
}
WATCH = """\
new_data:
  watch:
    - {pointer: data/flights.parquet.dvc, folder: FOLDER, pattern: "*.parquet", settle_seconds: 0}
"""


@dataclass(frozen=True)
class Airflow:
    url: str
    token: str
    logs: list[Path]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        bearer = {"Authorization": f"Bearer {self.token}"}
        return ask(method, f"{self.url}/api/v2{path}", body, **bearer)

    def ended(self, dag: str, run_type: str) -> Any:
        """The run that this started, once it ended."""

        def found() -> Any:
            listed = self.ask("GET", f"/dags/{dag}/dagRuns")["dag_runs"]
            of_type = [run for run in listed if run["run_type"] == run_type and run["state"] in ENDED]
            return of_type[0] if of_type else None

        return until(f"the end of a run of {dag} that is {run_type}", found, *self.logs)

    def tasks(self, dag: str, run: str) -> dict[str, str]:
        found = self.ask("GET", f"/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {one["task_id"]: one["state"] for one in found}


@contextmanager
def servers(project: Project, api: Api, folder: Path) -> Iterator[Airflow]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = project.environment(api) | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project.tier / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
    }
    command = project.tool_named("airflow")
    must([command, "db", "migrate"], folder, **environment)
    logs = [folder / f"{name}.log" for name in SERVERS]
    with ExitStack() as stack:
        for (name, words), log in zip(SERVERS.items(), logs, strict=True):
            more = ["--port", str(port)] if name == "api-server" else []
            stack.enter_context(started([command, name, *words, *more], folder, log, environment))
        token = until("a token", lambda: ask("GET", f"{url}/auth/token")["access_token"], *logs)
        airflow = Airflow(url, token, logs)
        until("healthy servers", lambda: _healthy(airflow), *logs)
        yield airflow


def _healthy(airflow: Airflow) -> Any:
    found = airflow.ask("GET", "/monitor/health")
    wanted = [found[name]["status"] for name in ("metadatabase", "scheduler", "dag_processor")]
    return found if wanted == ["healthy"] * 3 else None


def test_it_passes_its_own_checks(with_tool: Callable[[str], Project]) -> None:
    check(with_tool("airflow"))


def test_time_starts_a_run_and_new_data_another(
    with_tool: Callable[[str], Project], api: Api, tmp_path: Path
) -> None:
    project = with_tool("airflow")
    landing = tmp_path / "landing"
    landing.mkdir()
    with (project.root / "mlops.yaml").open("a", encoding="utf-8") as contract:
        contract.write(WATCH.replace("FOLDER", str(landing)))
    project.publish()
    data = parquet.read_table(project.root / "data/flights.parquet")
    with servers(project, api, tmp_path) as airflow:
        dags = until("the DAGs", lambda: _dags(airflow), *airflow.logs)
        assert dags == {
            "flights": "Triggered by assets or At 03:23",
            "flights-new-data": "At 37 minutes past the hour",
        }
        # Without catching up, the newest slot that was missed runs at once.
        by_time = airflow.ended("flights", "scheduled")
        assert set(airflow.tasks("flights", by_time["dag_run_id"]).values()) == {"success"}
        parquet.write_table(data.slice(200), landing / "flights.parquet")
        airflow.ask("POST", "/dags/flights-new-data/dagRuns", {"logical_date": None})
        by_asset = airflow.ended("flights", "asset_triggered")
        assert set(airflow.tasks("flights", by_asset["dag_run_id"]).values()) == {"success"}
    for start, version in (("scheduled", "v0.1.0"), ("asset_triggered", "v0.2.0")):
        listed = project.run_of(f"airflow-{start}")
        assert (listed["trigger"], listed["version"], listed["stages"]) == ("airflow", version, STAGES)
    pointer = "data/flights.parquet.dvc"
    taken = must(["git", "log", "-1", "--format=%s", "main", "--", pointer], project.origin)
    assert taken == "Take new data for data/flights.parquet\n"
    assert api.issues == []


def _dags(airflow: Airflow) -> dict[str, str] | None:
    """What starts each, once both are read."""
    found = {one["dag_id"]: one["timetable_description"] or "" for one in airflow.ask("GET", "/dags")["dags"]}
    return found if len(found) == 2 else None


def test_the_pod_is_one_that_kubernetes_knows(with_tool: Callable[[str], Project]) -> None:
    project = with_tool("airflow")
    own = str(project.root.parent / "environment")
    must(
        ["uv", "sync", "--quiet", "--locked", "--group", "kubernetes"],
        project.tier,
        UV_PROJECT_ENVIRONMENT=own,
    )
    check_pod = [Path(own) / "bin/python", "check_pod.py"]
    must(check_pod, project.tier)
    pod = project.tier / "pod.yaml"
    pod.write_text(pod.read_text("utf-8").replace("restartPolicy", "restartpolicy"), "utf-8")
    done = run(check_pod, project.tier)
    assert done.code == 1
    assert "'restartpolicy': 'Never'" in done.said
