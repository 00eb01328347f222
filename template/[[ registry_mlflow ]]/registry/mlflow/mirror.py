"""A trained model in MLflow: a run with all that its record says, and of a version a model version.

A run is finished when everything of it was written. One that is not, because a sync was cut short, is
deleted and written anew.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from history import History, Trained
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    Run,
)
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

MODEL = Path(__file__).with_name("model.py")
NAME = "mlops.name"  # v0.1.0, or of a rejected model its run
AT_ONCE = 100  # parameters that one call takes
LONGEST = 5000  # letters of a value


class Mirror:
    """The experiment and the registered model of a history's model."""

    def __init__(self, history: History, artifacts: str | None) -> None:
        """`artifacts` is where they are kept; None leaves it to the server."""
        self.history = history
        self.client = MlflowClient()
        self.experiment = self._experiment(artifacts)
        self._registered_model()
        self.versions = {
            one.tags[NAME]: one
            for one in self._pages(
                self.client.search_model_versions, filter_string=f"name = '{history.model}'"
            )
            if NAME in one.tags
        }

    def write_missing(self, say: Callable[[str], None]) -> int:
        """How many trained models were written."""
        runs = self._runs()
        missing = [one for one in self.history.trained if not self._is_whole(one, runs)]
        for one in missing:
            self._forget(one, runs.get(one.name))
            self._write(one)
            say(f"{one.name} is in MLflow")
        return len(missing)

    def _is_whole(self, one: Trained, runs: dict[str, Run]) -> bool:
        finished = one.name in runs and runs[one.name].info.status == "FINISHED"
        return finished and (not one.tag or one.name in self.versions)

    def _forget(self, one: Trained, run: Run | None) -> None:
        """What a sync left that was cut short, or what a person deleted a part of."""
        if version := self.versions.pop(one.name, None):
            self.client.delete_model_version(self.history.model, version.version)
        if run:
            wish = f"source_run_id = '{run.info.run_id}'"
            for model in self.client.search_logged_models([self.experiment], filter_string=wish):
                self.client.delete_logged_model(model.model_id)
            self.client.delete_run(run.info.run_id)

    def _write(self, one: Trained) -> None:
        at = _milliseconds(one.record["created"])
        run = self.client.create_run(self.experiment, at, _tags(one), run_name=one.name)
        number, params = run.info.run_id, _params(one)
        self.client.log_batch(number, metrics=_metrics(one, at), params=params[:AT_ONCE])
        for start in range(AT_ONCE, len(params), AT_ONCE):
            self.client.log_batch(number, params=params[start : start + AT_ONCE])
        self.client.log_inputs(number, datasets=_datasets(one))
        if one.tag:
            self.versions[one.name] = self._model_version(one, run)
        self.client.set_terminated(number, "FINISHED", at)

    def _model_version(self, one: Trained, run: Run) -> ModelVersion:
        with TemporaryDirectory(prefix="mlflow-") as folder:
            project = Path(folder) / "project"
            loads = self.history.put_files(one, project)
            source, model_id = f"{run.info.artifact_uri}/project", None
            if loads:
                with mlflow.start_run(run.info.run_id):
                    logged = mlflow.pyfunc.log_model(
                        name="model",
                        python_model=str(MODEL),
                        artifacts={"project": str(project)},
                        pip_requirements=[
                            f"mlflow=={mlflow.__version__}",
                            *self.history.requirements(one),
                        ],
                    )
                source, model_id = logged.model_uri, logged.model_id
            else:
                self.client.log_artifacts(run.info.run_id, str(project), "project")
        return self.client.create_model_version(
            self.history.model,
            source,
            run.info.run_id,
            tags={NAME: one.name, "mlops.tag": one.tag},
            description=one.record["description"],
            model_id=model_id,
        )

    def _runs(self) -> dict[str, Run]:
        """The runs that a sync wrote, by name; of two the finished one."""
        found = self._pages(self.client.search_runs, experiment_ids=[self.experiment])
        named = [run for run in found if NAME in run.data.tags]
        ordered = sorted(named, key=lambda run: run.info.status == "FINISHED")
        return {run.data.tags[NAME]: run for run in ordered}

    def _experiment(self, artifacts: str | None) -> str:
        known = self.client.get_experiment_by_name(self.history.model)
        if known:
            return str(known.experiment_id)
        return str(self.client.create_experiment(self.history.model, artifacts))

    def _registered_model(self) -> None:
        try:
            self.client.get_registered_model(self.history.model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            says = "A mirror of the Git tags, which `mlops-kit versions` lists."
            self.client.create_registered_model(self.history.model, description=says)

    @staticmethod
    def _pages(search: Callable[..., Any], **wish: Any) -> list[Any]:
        page = search(**wish)
        found = list(page)
        while page.token:
            page = search(**wish, page_token=page.token)
            found += page
        return found


def _tags(one: Trained) -> dict[str, str]:
    made = one.record
    closed = [gate["name"] for gate in made["gates"] if gate["status"] != "pass"]
    tags = {
        NAME: one.name,
        "mlops.tag": one.tag,
        "mlops.state": "registered" if one.tag else "rejected",
        "mlops.closed_by": ", ".join(closed),
        "mlops.run": made["trigger"]["run"],
        "mlops.trigger": made["trigger"]["event"],
        "mlops.data": json.dumps({file["path"]: file["md5"] for file in made["data"]}),
        "mlops.environment": json.dumps(made["environment"]),
        "mlflow.user": made["trigger"]["actor"],
        "mlflow.note.content": made["description"],
        "mlflow.source.git.commit": made["code"]["commit"],
    }
    return {name: value[:LONGEST] for name, value in tags.items() if value}


def _params(one: Trained) -> list[Param]:
    given = one.record["parameters"].items()
    return [Param(_name(name), str(value)[:LONGEST]) for name, value in given]


def _metrics(one: Trained, at: int) -> list[Metric]:
    """Each figure, and where it has an interval its ends."""
    found = []
    for path, figure in one.figures.items():
        for part in ("value", "low", "high"):
            if figure[part] is not None:
                name = path if part == "value" else f"{path}.{part}"
                found.append(Metric(_name(name), figure[part], at, 0))
    return found


def _datasets(one: Trained) -> list[DatasetInput]:
    """Each file that it was trained on, as DVC names it."""
    found = []
    for file in one.record["data"]:
        source = json.dumps({"path": file["path"], "md5": file["md5"], "revision": one.tag})
        size = json.dumps({"num_rows": file["rows"], "bytes": file["bytes"]})
        data = Dataset(file["path"], file["md5"], "dvc", source, profile=size)
        found.append(DatasetInput(data, [InputTag("mlflow.data.context", "training")]))
    return found


def _name(text: str) -> str:
    """As MLflow wants names of parameters and metrics."""
    return re.sub(r"[^\w\-. :/]", "_", text)


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
