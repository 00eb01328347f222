"""The versions in a real MLflow: in a file, and on a server that fails in the middle of a sync."""

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Done, must, run
from tests.tiers.browser import browsed
from tests.tiers.faults import Failing
from tests.tiers.machine import ask, free_port, started, until
from tests.tiers.project import Project, reject

ASK = """
import json, sys
import mlflow
model = sys.argv[1]
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name(model).experiment_id
runs = {run.info.run_name: run for run in client.search_runs([experiment])}
versions = client.search_model_versions(f"name = '{model}'")
print(json.dumps({
    "count": [len(versions), len(client.search_runs([experiment]))],
    "aliases": {name: str(one) for name, one in client.get_registered_model(model).aliases.items()},
    "versions": {one.tags["mlops.name"]: str(one.version) for one in versions},
    "descriptions": {one.tags["mlops.name"]: one.description for one in versions},
    "runs": {name: {"status": run.info.status, "params": run.data.params, "metrics": run.data.metrics,
        "tags": run.data.tags, "data": {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs}}
        for name, run in runs.items()},
}))
"""
PREDICT = """
import sys
import mlflow, pandas
both = [mlflow.pyfunc.load_model(f"models:/flights@{alias}") for alias in ("champion", "challenger")]
rows = pandas.read_parquet(sys.argv[1])
for model, out in zip(both, sys.argv[2:]):
    model.predict(rows).to_csv(out, index=False)
"""
MOVE = "import mlflow; mlflow.MlflowClient().set_registered_model_alias('flights', 'champion', '2')"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "CI": ""}


def kit(project: Project, *words: str, **more: str) -> Done:
    return run([Path(sys.executable).with_name("mlops-kit"), *words], project.root, **QUIET, **more)


def embedded(project: Project) -> str:
    return f"sqlite:///{project.root}/.mlops/mlflow/mlflow.db"


def inside(project: Project, script: str, uri: str, *words: object) -> str:
    """In the tier's environment, as a notebook of the team would be."""
    python = project.tool_named("python")
    return must([python, "-c", script, *words], project.root.parent, MLFLOW_TRACKING_URI=uri, **QUIET)


def asked(project: Project, uri: str) -> Any:
    return json.loads(inside(project, ASK, uri, "flights"))


def everything(project: Project) -> list[str]:
    with sqlite3.connect(project.root / ".mlops/mlflow/mlflow.db") as database:
        return list(database.iterdump())


def commit(project: Project, message: str) -> None:
    must(["git", "commit", "--quiet", "--all", f"--message={message}"], project.root)


def version(project: Project) -> None:
    for words in ("train", "gate", "register"):
        done = kit(project, words)
        assert done.code == 0, done.said
        assert "warning" not in done.stderr


def test_the_history_stands_in_mlflow(with_tool: Callable[..., Project], tmp_path: Path) -> None:
    project = with_tool("mlflow", "registry")
    must([project.tool_named("mypy")], project.tier)
    project.publish()
    version(project)
    reject(project, "run-7")
    project.change("params.yaml", "max_iter: 30", "max_iter: 20")
    project.change(
        "pipeline/predict.py",
        "return add_keys(frame, values, schema), ignored",
        "return add_keys(frame, values, schema).reverse(), ignored",
    )
    commit(project, "Fewer trees")
    version(project)
    for name, stage in (("v0.1.0", "production"), ("v0.2.0", "staging")):
        done = kit(project, "promote", name, "--stage", stage, "--why", "a test")
        assert done.code == 0, done.said
        assert "warning" not in done.stderr
    _all_five_fields(project, asked(project, embedded(project)))
    _it_predicts_as_the_project_does(project, tmp_path)
    _a_second_sync_writes_nothing(project)
    _a_promotion_in_mlflows_page_is_named(project)
    with a_server(tmp_path, project) as server, Failing(server).running() as failing:
        _a_server_that_fails_is_brought_up_to_date_by_two_at_once(project, failing, server)


def _all_five_fields(project: Project, told: Any) -> None:
    assert told["aliases"] == {"champion": "1", "challenger": "2"}
    assert told["versions"] == {"v0.1.0": "1", "v0.2.0": "2"}
    assert set(told["runs"]) - set(told["versions"]) == {"rejected run-7"}
    tags = told["runs"]["rejected run-7"]["tags"]
    assert (tags["mlops.state"], tags["mlops.closed_by"]) == ("rejected", "better-than-baseline")
    record = json.loads(must(["git", "show", "flights@v0.2.0:record.json"], project.root))
    found = told["runs"]["v0.2.0"]
    assert found["status"] == "FINISHED"
    assert found["data"] == {"data/flights.parquet": record["data"][0]["md5"]}
    assert found["tags"]["mlflow.source.git.commit"] == record["code"]["commit"]
    assert found["params"]["train.arguments.max_iter"] == "20"
    auc = record["metrics"]["model"]["roc_auc"]
    assert found["metrics"]["model.roc_auc"] == pytest.approx(auc["value"])
    assert found["metrics"]["model.roc_auc.low"] == pytest.approx(auc["low"])
    assert "max_iter" in told["descriptions"]["v0.2.0"]
    assert told["descriptions"]["v0.2.0"] == record["description"]


def _it_predicts_as_the_project_does(project: Project, tmp_path: Path) -> None:
    """Both in one process, each with its own code: the second one's order is the reverse."""
    rows = project.root / "data/prepared/test.parquet"
    made = {name: tmp_path / f"{name}.csv" for name in ("v0.1.0", "v0.2.0")}
    inside(project, PREDICT, embedded(project), rows, *made.values())
    for name, there in made.items():
        must(["git", "checkout", "--quiet", "--force", f"flights@{name}"], project.root)
        must(["uv", "run", "--frozen", "dvc", "checkout", "--quiet", "--force"], project.root)
        ours = tmp_path / f"ours-{name}.csv"
        must(["uv", "run", "--frozen", "python", "-m", "pipeline.predict", rows, "--out", ours], project.root)
        assert _rounded(there) == _rounded(ours)
    assert _rounded(made["v0.1.0"]) != _rounded(made["v0.2.0"])
    must(["git", "checkout", "--quiet", "--force", "main"], project.root)


def _rounded(file: Path) -> list[tuple[str, str, float]]:
    head, *lines = file.read_text().splitlines()
    assert head == "key,prediction,probability"
    cells = (line.split(",") for line in lines)
    return [(key, prediction.lower(), round(float(probability), 9)) for key, prediction, probability in cells]


def _a_second_sync_writes_nothing(project: Project) -> None:
    before = everything(project)
    done = kit(project, "registry", "sync", "--json")
    assert done.code == 0, done.said
    assert json.loads(done.stdout)["agrees"]
    assert "0 written to MLflow, 3 there before" in done.stderr
    assert everything(project) == before


def _a_promotion_in_mlflows_page_is_named(project: Project) -> None:
    inside(project, MOVE, embedded(project))
    done = kit(project, "registry", "sync")
    assert done.code == 10, done.said
    assert "DIFFERS: champion is v0.2.0 in MLflow, and production is v0.1.0 by the tags" in done.stderr
    assert asked(project, embedded(project))["aliases"]["champion"] == "2"
    done = kit(project, "promote", "v0.2.0", "--why", "as in MLflow")  # the tags follow
    assert done.code == 0, done.said
    assert "DIFFERS" not in done.said
    done = kit(project, "promote", "v0.1.0", "--why", "and back")  # and lead again
    assert "DIFFERS" not in done.said
    assert asked(project, embedded(project))["aliases"]["champion"] == "1"


@contextmanager
def a_server(folder: Path, project: Project) -> Iterator[str]:
    port, log = free_port(), folder / "server.log"
    command = [project.tool_named("mlflow"), "server", "--host", "127.0.0.1", "--workers", "1"]
    store = [
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        folder / "kept",
    ]
    path = f"{project.tool_named('mlflow').parent}{os.pathsep}{os.environ['PATH']}"
    with started([*command, *store, "--port", port], folder, log, {**QUIET, "PATH": path}):
        url = f"http://127.0.0.1:{port}"
        wish = {"max_results": 1}
        until("MLflow", lambda: ask("POST", f"{url}/api/2.0/mlflow/experiments/search", wish), log)
        yield url


def _a_server_that_fails_is_brought_up_to_date_by_two_at_once(
    project: Project, failing: Failing, server: str
) -> None:
    shutil.rmtree(project.root / ".dvc/cache")  # what is not there comes from DVC's remote
    failing.after = 12  # requests that write: in the middle of the first version
    through = {"MLFLOW_TRACKING_URI": failing.url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = kit(project, "registry", "sync", **through)
    assert done.code == 1, done.said
    assert "mlops-kit: The registry is behind: MLflow at " in done.stderr
    assert "Traceback" not in done.said
    assert failing.failed
    failing.after = sys.maxsize
    with ThreadPoolExecutor() as both:
        syncs = [both.submit(kit, project, "registry", "sync", **through) for _ in range(2)]
    for one in syncs:
        assert one.result().code == 0, one.result().said
        assert "DIFFERS" not in one.result().said
    told = asked(project, server)
    assert told["count"] == [2, 3]
    assert set(told["versions"]) == {"v0.1.0", "v0.2.0"}
    assert told["aliases"] == {
        "champion": told["versions"]["v0.1.0"],
        "challenger": told["versions"]["v0.2.0"],
    }
    assert [run["status"] for run in told["runs"].values()] == ["FINISHED"] * 3
    _its_page_shows_them(server)


def _its_page_shows_them(server: str) -> None:
    """As a person sees it, in a browser that runs MLflow's own scripts."""
    browsed(f"{server}/#/models/flights", "flights@v0.1.0", "flights@v0.2.0", "champion", "challenger")
