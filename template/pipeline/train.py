"""Train the model, and a baseline that always predicts the average of the target."""

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

from pipeline import MODEL, PREPARED, read_params
from pipeline import schema as schemas
from pipeline.schema import DataError, Schema


def make_features(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The features: numbers as Float64, categories as String, times split into parts."""
    columns: list[pl.Expr] = []
    for name, column in schema.features.items():
        if column.type == "time":
            columns += _split_time(name, schema)
        elif column.type == "category":
            columns.append(pl.col(name).fill_null("missing"))
        else:
            columns.append(pl.col(name).cast(pl.Float64))
    return frame.select(columns)


def _split_time(name: str, schema: Schema) -> list[pl.Expr]:
    time = pl.col(name).dt
    # times the inverse: polars divides one row in another way than many, to other bits
    parts = {"hour": time.hour() + time.minute() * (1 / 60), "weekday": time.weekday()}
    if name != schema.time:  # test rows are later, and a tree cannot extrapolate
        parts |= {"month": time.month(), "days": time.epoch("d")}
    own = {f"{name}.{which}": part for which, part in parts.items()}
    free = {alias: alias + "_" * (alias in schema.columns) for alias in own}
    return [part.cast(pl.Float64).alias(free[alias]) for alias, part in own.items()]


def encode_target(frame: pl.DataFrame, schema: Schema) -> pl.Series:
    """The target as numbers: the position of the class in `schema.classes`, or the value itself."""
    target = frame[schema.target]
    if schema.task == "regression":
        return target.cast(pl.Float64)
    return target.replace_strict(schema.classes, range(len(schema.classes)), return_dtype=pl.Int64)


def build_model(sample: pl.DataFrame, params: dict[str, Any], seed: int) -> Pipeline:
    """The untrained model for features with the columns of `sample`."""
    numbers = [name for name, dtype in sample.schema.items() if dtype == pl.Float64]
    categories = [name for name in sample.columns if name not in numbers]
    one_hot = OneHotEncoder(
        max_categories=params["max_categories"],
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    scale = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    columns = ColumnTransformer([("numbers", scale, numbers), ("categories", one_hot, categories)])
    return Pipeline([("columns", columns), ("estimator", _make_estimator(params, seed))])


def _make_estimator(params: dict[str, Any], seed: int) -> Any:
    module, _, name = params["estimator"].rpartition(".")
    estimator = getattr(import_module(module), name)(**params["arguments"])
    if "random_state" in estimator.get_params() and "random_state" not in params["arguments"]:
        estimator.set_params(random_state=seed)
    return estimator


def train(frame: pl.DataFrame, schema: Schema, params: dict[str, Any]) -> tuple[Pipeline, Any]:
    """The trained model and the trained baseline."""
    inputs = make_features(frame, schema)
    target = encode_target(frame, schema).to_numpy()
    with threadpool_limits(params["train"]["threads"]):
        model = build_model(inputs, params["train"], params["seed"]).fit(inputs, target)
    average = DummyRegressor if schema.task == "regression" else DummyClassifier
    return model, average().fit(inputs, target)


def read_prepared(which: str) -> pl.DataFrame:
    """The rows of `train` or `test`. Raises DataError if `prepare` has not written them."""
    path = PREPARED / f"{which}.parquet"
    if not path.is_file():
        raise DataError(f"{path} is not there: `uv run dvc repro` makes it")
    return pl.read_parquet(path)


def load_model(path: Path) -> Any:
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
        frame, schema = read_prepared("train"), schemas.load()
    except DataError as error:
        sys.exit(str(error))
    model, baseline = train(frame, schema, params)
    MODEL.mkdir(exist_ok=True)
    joblib.dump(model, MODEL / "model.joblib")
    joblib.dump(baseline, MODEL / "baseline.joblib")
    print(f"{params['train']['estimator']} trained on {len(frame)} rows")


if __name__ == "__main__":
    main()
