"""A version as MLflow loads it: its own `pipeline.predict`, with its own schema and model file."""

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class Version(PythonModel):
    """Takes rows like the training data, the target may be missing; gives keys and predictions."""

    def load_context(self, context: PythonModelContext) -> None:
        root = Path(context.artifacts["project"])
        self.project = imported(root, "pipeline.predict")
        self.schema = self.project.schemas.load(root / "data/schema.yaml")
        self.file = root / "model/model.joblib"

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        with TemporaryDirectory() as folder:
            rows = Path(folder) / "rows.parquet"
            model_input.to_parquet(rows, index=False)
            table, _ = self.project.predict(self.file, rows, self.schema)
        frame: pd.DataFrame = table.to_pandas()
        return frame


def imported(root: Path, name: str) -> ModuleType:
    """Python forgets it afterwards, so that two versions in one process keep their own code."""
    package = name.partition(".")[0]
    before = _forgotten(package)
    sys.path.insert(0, str(root))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(root))
        _forgotten(package)
        sys.modules.update(before)


def _forgotten(package: str) -> dict[str, ModuleType]:
    names = [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}


mlflow.models.set_model(Version())
