"""Metrics in the files that a training writes."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

# The gate takes the first of these that a metrics file has. True: higher is better.
HIGHER_IS_BETTER = {
    "roc_auc": True, "auc": True, "accuracy": True, "f1": True, "r2": True, "recall": True, "precision": True,
    "kappa": True, "mcc": True, "iou": True, "bleu": True, "score": True, "rmse": False, "mae": False,
    "mape": False, "mse": False, "log_loss": False, "logloss": False, "perplexity": False, "error": False,
    "loss": False,
}  # fmt: skip


def metrics_files(root: Path, writes: set[str]) -> list[str]:
    """The files that hold metrics, by their names or the names of their numbers; the likeliest first."""
    words = ("metric", "score", "eval", "result", "report", "performance")
    by_name = {path: any(word in PurePosixPath(path).name.lower() for word in words) for path in writes}
    metrics = {path: values for path in writes if (values := read_metrics(root / path))}
    likely = [path for path, values in metrics.items() if by_name[path] or main_metric(values)]
    return sorted(likely, key=lambda path: (not by_name[path], path))


def read_metrics(file: Path) -> dict[str, float]:
    """The numbers of a file by dotted name; empty if it is not a metrics file."""
    if file.suffix not in (".json", ".yaml", ".yml") or not file.is_file() or file.stat().st_size > 1_000_000:
        return {}
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            return flatten(json.loads(text))
        import yaml

        return flatten(yaml.safe_load(text))
    except (ValueError, RecursionError, yaml_error()):
        return {}


def yaml_error() -> type[Exception]:
    import yaml

    return yaml.YAMLError


def flatten(content: Any, at: str = "") -> dict[str, float]:
    """The numbers of nested mappings, by dotted name."""
    if isinstance(content, bool) or not isinstance(content, dict | int | float):
        return {}
    if isinstance(content, int | float):
        return {at: float(content)} if at else {}
    values: dict[str, float] = {}
    for key, inner in content.items():
        values |= flatten(inner, f"{at}.{key}" if at else str(key))
    return values


def main_metric(values: dict[str, float]) -> tuple[str, float, bool] | None:
    """Name, value and whether higher is better, of the most telling metric; one of test rows if there is one."""
    for word, higher_is_better in HIGHER_IS_BETTER.items():
        by_name = [name for name in values if word in name.lower().replace("-", "_").split(".")[-1]]
        if by_name:
            name = min(by_name, key=lambda one: ("train" in one.lower(), "test" not in one.lower(), one))
            return name, values[name], higher_is_better
    return None
