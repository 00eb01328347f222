"""A trained model in MLflow: a run with all that its record says, and of a version a model version.

A run is finished when everything of it was written. One that is not, because a sync was cut short, is
deleted and written anew. Two syncs at once may do that to each other, or write the same twice; MLflow has no
lock. So who finds his run deleted leaves it to the other, and whoever ends last takes away what is there twice.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
GONE = "RESOURCE_DOES_NOT_EXIST"
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
        self.versions = self._versions()
        self.elsewhere: set[str] = set()  # what another sync writes now

    def write_missing(self, say: Callable[[str], None]) -> int:
        """How many trained models were written."""
        known, written = self._runs(), 0
        for one in self.history.trained:
            if self._is_whole(one, known):
                continue
            runs = self._runs(one.name)  # as they are by now
            self.versions = self._versions()
            if self._is_whole(one, runs):
                continue
            self._forget(self.versions.get(one.name), runs.get(one.name, []))
            if self._write(one):
                say(f"{one.name} is in MLflow")
                written += 1
            else:
                say(f"{one.name} is written by another sync")
                self.elsewhere.add(one.name)
        if written or self.elsewhere or any(len(runs) > 1 for runs in known.values()):
            self._keep_one_of_each()
        return written

    def _is_whole(self, one: Trained, runs: dict[str, list[Run]]) -> bool:
        finished = any(map(_is_finished, runs.get(one.name, [])))
        return finished and (not one.tag or one.name in self.versions)

    def _forget(self, version: ModelVersion | None, runs: list[Run]) -> None:
        """What a sync left that was cut short, what a person deleted a part of, or what is there twice."""
        with _but(GONE):
            if version:
                self.client.delete_model_version(self.history.model, version.version)
        for run in runs:
            wish = f"source_run_id = '{run.info.run_id}'"
            with _but(GONE):
                for model in self.client.search_logged_models(
                    [self.experiment], filter_string=wish
                ):
                    self.client.delete_logged_model(model.model_id)
            with _but(GONE):
                self.client.delete_run(run.info.run_id)

    def _keep_one_of_each(self) -> None:
        """The first that is finished, which is the same for all who look; without one nothing is taken away."""
        every = self._every_version()
        for runs in self._runs().values():
            ordered = sorted(runs, key=lambda run: _order(every.get(run.info.run_id), run))
            for run in ordered[1:] if _is_finished(ordered[0]) else []:
                self._forget(every.get(run.info.run_id), [run])
        self.versions = self._versions()

    def _write(self, one: Trained) -> bool:
        """False where another sync deleted the run, to write it anew."""
        at = _milliseconds(one.record["created"])
        run = self.client.create_run(self.experiment, at, _tags(one), run_name=one.name)
        try:
            self._fill(one, run, at)
        except MlflowException:
            if self.client.get_run(run.info.run_id).info.lifecycle_stage != "deleted":
                raise
            self._forget(self._every_version().get(run.info.run_id), [run])
            return False
        return True

    def _fill(self, one: Trained, run: Run, at: int) -> None:
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

    def _runs(self, name: str = "") -> dict[str, list[Run]]:
        """The runs that a sync wrote, by name: all of them, or those of one."""
        wish = f"tags.`{NAME}` = '{name}'" if name else ""
        found: dict[str, list[Run]] = {}
        for run in self._pages(
            self.client.search_runs, experiment_ids=[self.experiment], filter_string=wish
        ):
            if NAME in run.data.tags:
                found.setdefault(run.data.tags[NAME], []).append(run)
        return found

    def _versions(self) -> dict[str, ModelVersion]:
        """Those that a sync wrote, by name; of two the first."""
        newest_first = sorted(self._every_version().values(), key=lambda one: -int(one.version))
        return {one.tags[NAME]: one for one in newest_first if NAME in one.tags}

    def _every_version(self) -> dict[str, ModelVersion]:
        """By the run that each is of."""
        wish = f"name = '{self.history.model}'"
        found = self._pages(self.client.search_model_versions, filter_string=wish)
        return {str(one.run_id): one for one in found}

    def _experiment(self, artifacts: str | None) -> str:
        name = self.history.model
        known = self.client.get_experiment_by_name(name)
        if known is None:
            with _but("RESOURCE_ALREADY_EXISTS"):
                return str(self.client.create_experiment(name, artifacts))
            known = self.client.get_experiment_by_name(name)
        return str(known.experiment_id)

    def _registered_model(self) -> None:
        try:
            self.client.get_registered_model(self.history.model)
        except MlflowException as error:
            if error.error_code != GONE:
                raise
            says = "A mirror of the Git tags, which `mlops-kit versions` lists."
            with _but("RESOURCE_ALREADY_EXISTS"):
                self.client.create_registered_model(self.history.model, description=says)

    @staticmethod
    def _pages(search: Callable[..., Any], **wish: Any) -> list[Any]:
        page = search(**wish)
        found = list(page)
        while page.token:
            page = search(**wish, page_token=page.token)
            found += page
        return found


@contextmanager
def _but(code: str) -> Iterator[None]:
    """Another sync may have done the same a moment ago."""
    try:
        yield
    except MlflowException as error:
        if error.error_code != code:
            raise


def _is_finished(run: Run) -> bool:
    return str(run.info.status) == "FINISHED"


def _order(version: ModelVersion | None, run: Run) -> tuple[bool, int, str]:
    number = int(version.version) if version else 0
    return not _is_finished(run), number, run.info.run_id


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
