"""Curves of the report: the plots that dvc.yaml declares, or else those of the evaluated predictions."""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.base.documents import parse_yaml
from mlops_kit.base.documents import read as read_yaml
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Predictions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MOST_PLOTS = 12
MOST_POINTS = 2000  # of one curve; a page with more is slow to open
DRAWN = {  # DVC's templates, by how we draw them
    "scatter": "scatter",
    "scatter_jitter": "scatter",
    "bar_horizontal": "bars",
    "bar_horizontal_sorted": "bars",
    "confusion": "confusion",
    "confusion_normalized": "confusion",
}


@dataclass(frozen=True)
class Curve:
    """One plot. `kind` is line, scatter, bars (y names, x numbers) or confusion (x actual, y predicted)."""

    title: str
    kind: str
    x_label: str
    y_label: str
    x: list[Any]
    y: list[Any]
    diagonal: bool = False  # a line from corner to corner says what chance, or perfection, looks like


def curves(repository: Repository, predictions: Predictions | None) -> list[Curve]:
    """Return the curves that dvc.yaml declares; if there are none, those of the evaluated predictions."""
    declared = list(_declared_curves(repository.root))[:MOST_PLOTS]
    if declared or predictions is None:
        return declared
    path = repository.root / predictions.file
    return _prediction_curves(path, predictions) if path.is_file() else []


# ---- what dvc.yaml declares ----


def _declared_curves(root: Path) -> Iterator[Curve]:
    if not (root / "dvc.yaml").is_file():
        return
    content = read_yaml(root / "dvc.yaml")
    stages = content.get("stages") or {}
    of_stages = [stage.get("plots") for stage in stages.values() if isinstance(stage, dict)]
    for plots in (content.get("plots"), *of_stages):
        for name, settings in _plots_by_name(plots):
            yield from _read(root, name, settings)


def _plots_by_name(plots: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and settings of each plot. DVC takes a list of names, a list of mappings, or one mapping."""
    for entry in plots if isinstance(plots, list) else [plots or {}]:
        pairs = entry.items() if isinstance(entry, dict) else [(str(entry), {})]
        for name, settings in pairs:
            yield str(name), settings if isinstance(settings, dict) else {}


def _read(root: Path, name: str, settings: dict[str, Any]) -> Iterator[Curve]:
    for file, column in _sources(name, settings.get("y")):
        for path in _tables(root, file):
            rows = _rows(path)
            if rows and (curve := _curve(path.stem, settings, column, rows)):
                yield curve


def _sources(name: str, y: Any) -> Iterator[tuple[str, str | None]]:
    """File and column: y is a column, several, or columns by file."""
    by_file = y if isinstance(y, dict) else {name: y}
    for file, columns in by_file.items():
        for column in columns if isinstance(columns, list) else [columns]:
            yield str(file), None if column is None else str(column)


def _tables(root: Path, file: str) -> list[Path]:
    """Inside the repository only: dvc.yaml of a fork must not show what else is on the machine."""
    path = (root / file).resolve()
    if not path.is_relative_to(root.resolve()):
        return []
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [
        one for one in files if one.suffix in (".csv", ".tsv", ".json", ".yaml", ".yml") and one.is_file()
    ]


def _rows(path: Path) -> list[dict[str, Any]]:
    """Empty for what is no table; a plot that cannot be read must not take the report with it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix in (".csv", ".tsv"):
            rows: Any = list(
                csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ",")
            )
        else:
            rows = json.loads(text) if path.suffix == ".json" else parse_yaml(text, path.name)
    except (OSError, ValueError, csv.Error, KitError):
        return []
    if isinstance(rows, dict):
        rows = next((inner for inner in rows.values() if isinstance(inner, list)), [])
    return [row for row in rows if isinstance(row, dict)]


def _curve(
    name: str, settings: dict[str, Any], column: str | None, rows: list[dict[str, Any]]
) -> Curve | None:
    names = list(rows[0])
    y = column or names[-1]
    x = settings.get("x")
    x = next(iter(x.values()), None) if isinstance(x, dict) else x
    if y not in names or (x is not None and x not in names):
        return None
    kind = DRAWN.get(str(settings.get("template", "")), "line")
    points = [(row.get(str(x)) if x else place, row.get(y)) for place, row in enumerate(rows)]
    if kind != "confusion":
        numeric = ("x",) if kind == "bars" else ("x", "y")
        points = [point for point in (_numeric_point(point, numeric) for point in points) if point]
        points = _thin(points)
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    labels = str(settings.get("x_label") or x or "step"), str(settings.get("y_label") or y)
    diagonal = kind == "line" and any(word in name.lower() for word in ("roc", "calibration"))
    return Curve(str(settings.get("title") or name), kind, *labels, xs, ys, diagonal) if points else None


def _numeric_point(point: tuple[Any, Any], which: tuple[str, ...]) -> tuple[Any, Any] | None:
    x, y = point
    try:
        numeric = (float(x) if "x" in which else str(x), float(y) if "y" in which else str(y))
    except (TypeError, ValueError):
        return None
    return numeric if all(isinstance(one, str) or abs(one) < float("inf") for one in numeric) else None


def _thin(points: list[Any]) -> list[Any]:
    step = -(-len(points) // MOST_POINTS) or 1
    return points[::step]


# ---- of the predictions ----


def _prediction_curves(path: Path, settings: Predictions) -> list[Curve]:
    from mlops_kit.data import tables

    try:
        table = tables.read(path).to_pydict()
        if settings.task == "regression":
            return [_residuals(table[settings.actual], table[settings.prediction])]
        if settings.task == "multiclass":
            actual, predicted = (
                list(map(str, table[name])) for name in (settings.actual, settings.prediction)
            )
            return [Curve("Confusion", "confusion", "actual", "predicted", actual, predicted)]
        positive = [str(one) == str(settings.positive) for one in table[settings.actual]]
        return _binary_curves(positive, table[settings.probability])
    except (KitError, KeyError, TypeError, ValueError):
        return []


def _residuals(actual: list[float], predicted: list[float]) -> Curve:
    pairs = zip(actual, predicted, strict=True)
    points = _thin([(p, a - p) for a, p in pairs if math.isfinite(a) and math.isfinite(p)])
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return Curve("Residuals", "scatter", "predicted", "residual", xs, ys)


def _binary_curves(positive: list[bool], score: list[float]) -> list[Curve]:
    """ROC, precision and recall, calibration in ten bins of equal size."""
    import numpy as np

    truth, scores = np.asarray(positive, dtype=float), np.asarray(score, dtype=float)
    if not 0 < truth.sum() < len(truth) or not np.isfinite(scores).all():
        return []
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of equal scores
    hits = np.cumsum(truth[order])[last]
    recall, false = hits / truth.sum(), (last + 1 - hits) / (1 - truth).sum()
    precision = hits / (last + 1)
    bins = np.array_split(order[::-1], min(10, len(order)))
    mean_scores, positive_shares = ([float(values[one].mean()) for one in bins] for values in (scores, truth))
    return [
        Curve(
            "ROC",
            "line",
            "false positive rate",
            "true positive rate",
            *_from((0.0, 0.0), false, recall),
            True,
        ),
        Curve(
            "Precision and recall",
            "line",
            "recall",
            "precision",
            *_from((0.0, float(precision[0])), recall, precision),
        ),
        Curve("Calibration", "line", "predicted", "actual", mean_scores, positive_shares, True),
    ]


def _from(start: tuple[float, float], x: "Floats", y: "Floats") -> tuple[list[float], list[float]]:
    points = [start, *_thin(list(zip(x.tolist(), y.tolist(), strict=True)))]
    return [point[0] for point in points], [point[1] for point in points]
