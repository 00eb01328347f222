"""Train rows -> model/model.joblib, and beside it a baseline that knows only the target's average."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import joblib
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from pipeline import MODEL, PREPARED
from pipeline import params as read_params
from pipeline import schema as schemas
from pipeline.schema import DataError, Schema


def features(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """What the model sees of the rows: numbers as Float64, categories as String, times as parts."""
    columns: list[pl.Expr] = []
    for name, column in schema.features.items():
        if column.type == "time":
            columns += _parts(name, schema)
        elif column.type == "category":
            columns.append(pl.col(name).fill_null("missing"))
        else:
            columns.append(pl.col(name).cast(pl.Float64))
    return frame.select(columns)


def _parts(name: str, schema: Schema) -> list[pl.Expr]:
    time = pl.col(name).dt
    # times the inverse: polars divides one row in another way than many, to other bits
    parts = {"hour": time.hour() + time.minute() * (1 / 60), "weekday": time.weekday()}
    if name != schema.time:  # by which it is split: a tree cannot go on where the training rows end
        parts |= {"month": time.month(), "days": time.epoch("d")}
    own = {f"{name}.{which}": part for which, part in parts.items()}
    free = {alias: alias + "_" * (alias in schema.columns) for alias in own}
    return [part.cast(pl.Float64).alias(free[alias]) for alias, part in own.items()]


def codes(frame: pl.DataFrame, schema: Schema) -> pl.Series:
    """The target as the model sees it: the class's position in `schema.classes`, or the number."""
    target = frame[schema.target]
    if schema.task == "regression":
        return target.cast(pl.Float64)
    return target.replace_strict(schema.classes, range(len(schema.classes)), return_dtype=pl.Int64)


def build(sample: pl.DataFrame, params: dict[str, Any], seed: int) -> Pipeline:
    """The untrained model for features like `sample`."""
    numbers = [name for name, dtype in sample.schema.items() if dtype == pl.Float64]
    categories = [name for name in sample.columns if name not in numbers]
    one_hot = OneHotEncoder(
        max_categories=params["max_categories"],
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    scale = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    columns = ColumnTransformer([("numbers", scale, numbers), ("categories", one_hot, categories)])
    return Pipeline([("columns", columns), ("estimator", _estimator(params, seed))])


def _estimator(params: dict[str, Any], seed: int) -> Any:
    module, _, name = params["estimator"].rpartition(".")
    estimator = getattr(import_module(module), name)(**params["arguments"])
    if "random_state" in estimator.get_params() and "random_state" not in params["arguments"]:
        estimator.set_params(random_state=seed)
    return estimator


def train(frame: pl.DataFrame, schema: Schema, params: dict[str, Any]) -> tuple[Pipeline, Any]:
    """The trained model and the trained baseline."""
    seen, target = features(frame, schema), codes(frame, schema).to_numpy()
    with threadpool_limits(params["train"]["threads"]):
        model = build(seen, params["train"], params["seed"]).fit(seen, target)
    average = DummyRegressor if schema.task == "regression" else DummyClassifier
    return model, average().fit(seen, target)


def prepared(which: str) -> pl.DataFrame:
    """The rows of `train` or `test`. Raises DataError where `prepare` has not made them."""
    path = PREPARED / f"{which}.parquet"
    if not path.is_file():
        raise DataError(f"{path} is not there: `uv run dvc repro` makes it")
    return pl.read_parquet(path)


def load(path: Path) -> Any:
    """A trained model or baseline. Raises DataError for a file that is missing or not whole."""
    if not path.is_file():
        raise DataError(f"{path} is not there: `uv run dvc repro` trains it")
    try:
        return joblib.load(path)
    except Exception as error:  # bytes that are no model may raise anything
        back = "`uv run dvc checkout --force` puts that of dvc.lock back"
        raise DataError(f"{path} cannot be loaded ({error!r}): {back}") from error


def main() -> None:
    params = read_params()
    try:
        frame, schema = prepared("train"), schemas.load()
    except DataError as error:
        sys.exit(str(error))
    model, baseline = train(frame, schema, params)
    MODEL.mkdir(exist_ok=True)
    joblib.dump(model, MODEL / "model.joblib")
    joblib.dump(baseline, MODEL / "baseline.joblib")
    print(f"{params['train']['estimator']} trained on {len(frame)} rows")


if __name__ == "__main__":
    main()
