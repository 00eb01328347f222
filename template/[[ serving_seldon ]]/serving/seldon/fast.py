"""The fast path: the model's fitted preprocessing, read out once and done with NumPy.

It knows what `pipeline.train.build_model` makes: numbers imputed, with indicators, and scaled; categories one-hot encoded; any
estimator behind it. Another pipeline raises Unknown, and the slow path answers. `core.load` compares the bits of both.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.schema import Schema
from serving.seldon.core import Columns
from serving.seldon.trees import Trees

Floats = NDArray[np.float64]
FEW = 8  # rows up to which walking the trees is faster than the estimator itself
NAN = float("nan")
EPOCH = date(1970, 1, 1).toordinal()
PARTS: dict[str, Callable[[datetime], float]] = {  # as pipeline.train makes them of a time
    "hour": lambda time: time.hour + time.minute * (1 / 60),
    "weekday": lambda time: time.isoweekday(),
    "month": lambda time: time.month,
    "days": lambda time: time.toordinal() - EPOCH,
}


class Unknown(Exception):
    """A pipeline that the fast path does not know, and why."""


class FastPath:
    """Predictions of a fitted pipeline: probabilities, shape (n, classes of the schema), or numbers, shape (n,)."""

    def __init__(self, model: Any, schema: Schema) -> None:
        """Raises Unknown."""
        try:
            steps = dict(_of(Pipeline, model).steps)
            self.estimator = steps.pop("estimator")
            columns = _of(ColumnTransformer, steps.pop("columns"))
            if steps or columns.remainder != "drop":
                raise Unknown("the pipeline has other steps than columns and estimator")
            fitted = {
                name: (one, list(names)) for name, one, names in columns.transformers_ if len(names)
            }
            self._read_numbers(*fitted.pop("numbers", (None, [])), schema)
            self._read_categories(*fitted.pop("categories", (None, [])))
            if fitted:
                raise Unknown(f"columns has the transformer {min(fitted)!r}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unknown(f"{type(error).__name__}: {error}") from error
        self.task, self.classes = schema.task, len(schema.classes)
        try:
            self.trees: Trees | None = Trees(self.estimator)
        except (AttributeError, KeyError, TypeError, ValueError):
            self.trees = None

    def predict(self, columns: Columns) -> Floats:
        return self.of_matrix(self.matrix(columns))

    def of_matrix(self, rows: Floats) -> Floats:
        """As `pipeline.evaluate.compute_predictions` does, for preprocessed rows."""
        few = self.trees is not None and len(rows) <= FEW
        ask = self.trees.predict if self.trees and few else self.ask
        values = np.asarray(ask(rows), dtype=float)
        if self.task == "regression":
            return values.reshape(len(rows))
        if values.shape[1] == self.classes:
            return values
        everything = np.zeros((len(rows), self.classes))
        everything[:, self.estimator.classes_] = values
        return everything

    def ask(self, rows: Floats) -> Any:
        """The estimator's own answer."""
        if self.task == "regression":
            return self.estimator.predict(rows)
        return self.estimator.predict_proba(rows)

    def matrix(self, columns: Columns) -> Floats:
        """What the estimator gets, shape (n, its columns)."""
        n = len(next(iter(columns.values())))
        out = np.empty((n, self.width))
        if self.sources:
            raw = np.array(
                [_floats(columns[name], part) for name, part in self.sources], dtype=float
            ).T
            missing = np.isnan(raw)
            numbers = out[:, : len(self.mean)]
            numbers[:, : len(self.kept)] = np.where(missing, self.fill, raw)[:, self.kept]
            numbers[:, len(self.kept) :] = missing[:, self.indicated]
            numbers -= self.mean
            numbers /= self.scale
        for name, code, table, begin, end in self.categories:
            unseen = len(table) - 1
            codes = [
                code.get("missing" if value is None else value, unseen) for value in columns[name]
            ]
            out[:, begin:end] = table[codes]
        return out

    def _read_numbers(self, fitted: Any, names: list[str], schema: Schema) -> None:
        """Medians, indicators, means and scales, and which part of which column each number is."""
        self.sources, self.width = [_parts(schema)[name] for name in names], 0
        if not names:
            return
        imputer, scaler = (step for _, step in _of(Pipeline, fitted).steps)
        _of(StandardScaler, scaler)
        if _of(SimpleImputer, imputer).strategy != "median" or not imputer.add_indicator:
            raise Unknown("the numbers are not imputed by their median with an indicator")
        self.fill: Floats = imputer.statistics_
        self.kept = np.flatnonzero(~np.isnan(self.fill))  # a column without any number is dropped
        self.indicated = imputer.indicator_.features_
        self.mean, self.scale = scaler.mean_, scaler.scale_
        self.width = len(self.kept) + len(self.indicated)

    def _read_categories(self, encoder: Any, names: list[str]) -> None:
        """The encoder's own output for each category, and for one that it has not seen."""
        self.categories: list[tuple[str, dict[str, int], Floats, int, int]] = []
        if not names:
            return
        known = [list(values) for values in _of(OneHotEncoder, encoder).categories_]
        begin, offset = 0, self.width
        for at, name in enumerate(names):
            unseen = "unseen" + max(known[at], key=len, default="")
            asked = {other: [known[n][0]] * (len(known[at]) + 1) for n, other in enumerate(names)}
            answers = np.asarray(
                encoder.transform(pl.DataFrame(asked | {name: [*known[at], unseen]}))
            )
            rare = encoder.infrequent_categories_[at]
            end = begin + len(known[at]) - (0 if rare is None else len(rare) - 1)
            code = {value: position for position, value in enumerate(known[at])}
            self.categories.append(
                (name, code, answers[:, begin:end], offset + begin, offset + end)
            )
            begin = end
        self.width += begin


def _of(kind: type[Any], one: Any) -> Any:
    if type(one) is not kind:
        raise Unknown(f"{type(one).__name__} in the place of {kind.__name__}")
    return one


def _floats(values: list[Any], part: str) -> list[float]:
    if part:
        of = PARTS[part]
        return [NAN if value is None else of(value) for value in values]
    return [NAN if value is None else value for value in values]


def _parts(schema: Schema) -> dict[str, tuple[str, str]]:
    """Column and part of each number that the model sees, by the name that pipeline.train gives it."""
    found = {}
    for name, column in schema.features.items():
        if column.type != "time":
            found[name] = (name, "")
            continue
        for part in PARTS:
            alias = f"{name}.{part}"
            found[alias + "_" * (alias in schema.columns)] = (name, part)
    return found
