"""A hundred versions into an empty MLflow, beside a bare script that makes the same calls."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.bench import questions
from tests.bench.kit import published
from tests.bench.measure import Job, Spent, in_turns, ratio, spend, spend_all
from tests.bench.peers import Peers
from tests.bench.tables import Reach, Table

VERSIONS = 100
BARE = """import json, os, sys
for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "MLFLOW_LOG_UV_FILES"):
    os.environ[name] = "true" if "DISABLE" in name else "false"
os.environ["MLFLOW_LOGGING_LEVEL"] = "ERROR"
import mlflow
from mlflow.entities import Dataset, DatasetInput, Metric, Param
into, project, model = sys.argv[1:]
record = json.load(open(f"{project}/record.json"))
mlflow.set_tracking_uri(f"sqlite:///{into}/mlflow.db")
client = mlflow.MlflowClient()
experiment = client.create_experiment("flights", f"file://{into}/artifacts")
client.create_registered_model("flights")
file, note = record["data"][0], record["description"]
def figures(content, at=""):
    for key, inner in content.items():
        path = f"{at}.{key}" if at else key
        if isinstance(inner, dict):
            yield from figures(inner, path)
        elif key != "n":
            yield path, inner
numbers = [Metric(path.replace("/", "_"), number, 0, 0) for path, number in figures(record["metrics"])]
params = [Param(name, str(value)) for name, value in record["parameters"].items()]
data = DatasetInput(Dataset(file["path"], file["md5"], "dvc", "{}"), [])
tags = {f"tag{n}": "of a run" for n in range(10)} | {"mlflow.note.content": note}
for number in range(1, int(os.environ["VERSIONS"]) + 1):
    run = client.create_run(experiment, 0, tags, run_name=f"v0.{number}.0").info.run_id
    client.log_batch(run, metrics=numbers, params=params)
    client.log_inputs(run, datasets=[data])
    with mlflow.start_run(run):
        made = mlflow.pyfunc.log_model(
            name="model", python_model=model, artifacts={"project": project}, pip_requirements=["mlflow"]
        )
    client.create_model_version("flights", made.model_uri, run, {"a": "tag"}, description=note, model_id=made.model_id)
    client.set_terminated(run, "FINISHED", 0)
"""


def sync(peers: Peers, runs: int) -> Table:
    """In a folder of its own, because the project with the tier has the name of the one without."""
    peers = replace(peers, work=peers.work / "sync")
    peers.work.mkdir(exist_ok=True)
    kit, project = peers.kit(), _seed(peers)
    tier = project / "registry/mlflow"
    bare = peers.work / "bare.py"
    bare.write_text(BARE)

    def ours(_: Path) -> Spent:
        shutil.rmtree(project / ".mlops/mlflow", ignore_errors=True)
        return spend([kit, "registry", "sync"], project)

    def theirs(folder: Path) -> Spent:
        files = folder / "project"
        shutil.copytree(project / "pipeline", files / "pipeline")
        shutil.copytree(project / "model", files / "model")
        (files / "data").mkdir()
        shutil.copy(project / "data/schema.yaml", files / "data")
        shutil.copy(peers.work / "record.json", files)
        words = [tier / ".venv/bin/python", bare, folder, files, tier / "model.py"]
        return spend(["env", f"VERSIONS={VERSIONS}", *words], folder)

    jobs: dict[str, Job] = {"mlops-kit registry sync": ours, "the same calls by hand": theirs}
    spent = in_turns(runs, jobs, peers.work)
    times = ratio(spent["mlops-kit registry sync"], spent["the same calls by hand"])
    again = spend([kit, "registry", "sync"], project).seconds
    note = f"{VERSIONS} versions into SQLite; a second sync, which writes nothing: {again:.2f} s"
    return Table("sync", spent, [Reach("times MLflow's own", times, 2.0, "x")], [note])


def _seed(peers: Peers) -> Path:
    """A published project with the tier and its versions; its own model is that of each."""
    seed, kit = peers.work / "synced", peers.kit()
    if not seed.is_dir():
        spend([peers.ours(), "flights", "--with", "registry=mlflow", "--train"], peers.work)
        made = peers.work / "flights"
        tier: list[str | Path] = ["--project", "registry/mlflow"]
        pins: list[str | Path] = ["--no-sync", "--constraints", "registry/mlflow/constraints.txt", "mlflow"]
        setup = [["uv", "add", "--quiet", *tier, *pins], ["uv", "sync", "--quiet", *tier]]
        commit = [["git", "add", "--all"], ["git", "commit", "--quiet", "--message=Add MLflow"]]
        spend_all([*setup, *commit], made)
        work = published(seed, made, kit)
        (work / "registry/mlflow/.venv").symlink_to(made / "registry/mlflow/.venv")
        spend_all([[kit, "train"], [kit, "gate"], [kit, "register"]], work)
        questions.write(work, VERSIONS, 0)
        record = peers.work / "record.json"
        spend(["sh", "-c", f"git show flights@v0.1.0:record.json > {record}"], work)
    return seed / "flights"


TABLES: dict[str, tuple[Callable[[Peers, int], Table], int]] = {"sync": (sync, 2)}
