"""The DAGs on a real scheduler: new data lands, the asset changes, a run starts and registers a version."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import parquet

from tests.act.api import Api
from tests.conftest import must
from tests.tiers.machine import ask, free_port, started, until
from tests.tiers.project import Project, check

ENDED = {"success", "failed"}
SERVERS = {  # without the log servers, which listen on all interfaces
    "api-server": ["--host", "127.0.0.1", "--workers", "1"],
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
}
STAGES = {
    **dict.fromkeys(["watch-data", "validate", "train"], "end"),
    "gate": "open",
    "register": "registered",
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

    def first_run(self, dag: str) -> Any:
        """Once it ended."""
        found = self.ask("GET", f"/dags/{dag}/dagRuns")["dag_runs"]
        return found[0] if found and found[0]["state"] in ENDED else None

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


def test_new_data_changes_the_asset_and_the_asset_starts_a_run(
    with_tool: Callable[[str], Project], api: Api, tmp_path: Path
) -> None:
    project = with_tool("airflow")
    landing = tmp_path / "landing"
    landing.mkdir()
    with (project.root / "mlops.yaml").open("a", encoding="utf-8") as contract:
        contract.write(WATCH.replace("FOLDER", str(landing)))
    project.publish()
    before = project.root / "data/flights.parquet"
    parquet.write_table(parquet.read_table(before).slice(200), landing / "flights.parquet")
    with servers(project, api, tmp_path) as airflow:
        dags = until("the DAGs", lambda: _dags(airflow), *airflow.logs)
        assert dags["flights"].startswith("23 3 * * *")  # and the asset
        airflow.ask("POST", "/dags/flights-new-data/dagRuns", {"logical_date": None})
        run = until("a run that the asset started", lambda: airflow.first_run("flights"), *airflow.logs)
        tasks = airflow.tasks("flights", run["dag_run_id"])
    assert (run["run_type"], run["state"], set(tasks.values())) == ("asset_triggered", "success", {"success"})
    assert must(["git", "tag", "--list"], project.origin).split() == ["flights@v0.1.0"]
    (event,) = must(
        ["git", "for-each-ref", "--format=%(objectname)", "refs/heads/mlops/runs"], project.origin
    ).split()
    assert event
    clone = project.colleague("asks")
    kit = Path(sys.executable).with_name("mlops-kit")
    (listed,) = [one for one in _runs(kit, clone) if one["trigger"] == "airflow"]
    assert listed["run"].startswith("airflow-asset_triggered")
    assert listed["stages"] == STAGES
    taken = must(["git", "log", "-1", "--format=%s", "--", "data/flights.parquet.dvc"], clone.root)
    assert taken == "Take new data for data/flights.parquet\n"
    assert api.issues == []


def _dags(airflow: Airflow) -> dict[str, str] | None:
    """What starts each, once both are read."""
    found = {one["dag_id"]: one["timetable_description"] or "" for one in airflow.ask("GET", "/dags")["dags"]}
    return found if len(found) == 2 else None


def _runs(kit: Path, project: Project) -> list[dict[str, Any]]:
    import json

    listed: list[dict[str, Any]] = json.loads(must([kit, "runs", "--json"], project.root))
    for one in listed:
        one["stages"] = {name: how for name, how in one["stages"].items() if ":" not in name}
    return listed


def test_the_pod_is_one_that_kubernetes_knows(with_tool: Callable[[str], Project]) -> None:
    project = with_tool("airflow")
    uv = ["uv", "run", "--isolated", "--group", "kubernetes", "python", "check_pod.py"]
    must(uv, project.tier)
    pod = project.tier / "pod.yaml"
    pod.write_text(pod.read_text("utf-8").replace("mountPath", "mountpath"), "utf-8")
    from tests.conftest import run

    done = run(uv, project.tier)
    assert done.code == 1
    assert "mountpath" in done.said
