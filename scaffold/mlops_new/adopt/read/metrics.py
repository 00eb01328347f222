"""The numbers that say how good a model is, in whatever file a training writes them."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

# The first that a metrics file has is what the gate asks about; True: more is better.
BETTER = {
    "roc_auc": True, "auc": True, "accuracy": True, "f1": True, "r2": True, "recall": True, "precision": True,
    "kappa": True, "mcc": True, "iou": True, "bleu": True, "score": True, "rmse": False, "mae": False,
    "mape": False, "mse": False, "log_loss": False, "logloss": False, "perplexity": False, "error": False,
    "loss": False,
}  # fmt: skip


def metrics_files(root: Path, writes: set[str]) -> list[str]:
    """Files that hold metrics, by their name or by the names of their numbers, the likeliest first."""
    words = ("metric", "score", "eval", "result", "report", "performance")
    named = {path: any(word in PurePosixPath(path).name.lower() for word in words) for path in writes}
    found = {path: numbers for path in writes if (numbers := figures(root / path))}
    likely = [path for path, numbers in found.items() if named[path] or main_figure(numbers)]
    return sorted(likely, key=lambda path: (not named[path], path))


def figures(file: Path) -> dict[str, float]:
    """The numbers of a file by their dotted names; empty where it is no file of metrics."""
    if file.suffix not in (".json", ".yaml", ".yml") or not file.is_file() or file.stat().st_size > 1_000_000:
        return {}
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            return numbers(json.loads(text))
        import yaml

        return numbers(yaml.safe_load(text))
    except (ValueError, RecursionError, yaml_error()):
        return {}


def yaml_error() -> type[Exception]:
    import yaml

    return yaml.YAMLError


def numbers(content: Any, at: str = "") -> dict[str, float]:
    if isinstance(content, bool) or not isinstance(content, dict | int | float):
        return {}
    if isinstance(content, int | float):
        return {at: float(content)} if at else {}
    found: dict[str, float] = {}
    for key, inner in content.items():
        found |= numbers(inner, f"{at}.{key}" if at else str(key))
    return found


def main_figure(found: dict[str, float]) -> tuple[str, float, bool] | None:
    """Name, value and whether more is better, of the figure that says most; of test rows where it says so."""
    for word, more in BETTER.items():
        named = [name for name in found if word in name.lower().replace("-", "_").split(".")[-1]]
        if named:
            name = min(named, key=lambda one: ("train" in one.lower(), "test" not in one.lower(), one))
            return name, found[name], more
    return None
