"""The results of `mlops-new NAME`, as text and for JSON."""

import os
from pathlib import Path
from typing import Any

from mlops_new.create.create import NewRepository
from mlops_new.create.first_training import by_hand
from mlops_new.create.request import CreateRequest
from mlops_new.template import tiers


def as_json(repository: NewRepository, metrics: dict[str, Any] | None) -> dict[str, Any]:
    """`metrics`: the content of metrics.json; None if nothing was trained."""
    return {
        "path": str(repository.path),
        "name": repository.name,
        "files": repository.files,
        "tiers": repository.tiers,
        "notes": repository.notes,
        "warnings": repository.warnings,
        "metrics": metrics,
    }


def creation_summary(repository: NewRepository, request: CreateRequest, train: bool) -> str:
    contents = ", ".join(
        ["the data under DVC", *(f"{layer}={tool}" for layer, tool in repository.tiers.items())]
    )
    lines = [f"{repository.name}: {repository.files} files in one commit, {contents}, in {repository.path}"]
    if repository.name != repository.path.name:
        lines.append(f"Package, model and tags are called {repository.name}: they have no underscores.")
    if repository.notes:
        lines += ["", f"Inferred from {request.data}:" if request.data else ""]
        lines += [f"  {note}" for note in repository.notes]
        lines.append("To change task, target or time column, create the repository again with that option.")
        lines.append(
            "To change anything else about a column, edit data/schema.yaml and run `uv run dvc repro`."
        )
        lines.append("The positive class is also in mlops.yaml.")
    lines += [line for warning in repository.warnings for line in ("", f"Warning: {warning}.")]
    if not repository.locked:
        lines += [
            "",
            "There is no uv.lock: uv is missing or did not reach the package index. To make it: mlops-new lock",
        ]
    if not train:
        lines += ["", f"Next: cd {_short_path(repository.path)} && {by_hand(repository.path)}"]
    readmes = [f"{layer}/{tool}/README.md" for layer, tool in repository.tiers.items()]
    lines += tiers.next_steps(
        repository.path, [name for name in readmes if (repository.path / name).is_file()]
    )
    return "\n".join(lines)


def training_summary(repository: NewRepository, metrics: dict[str, Any]) -> str:
    model, baseline = metrics["model"], metrics["baseline"]
    rows = [("", "model", "95 % interval", "baseline")]
    rows += [
        (name, _number(metric["value"]), _interval(metric), _number(baseline.get(name, {}).get("value")))
        for name, metric in model.items()
        if isinstance(metric, dict)
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    table = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(
        [
            "",
            f"Trained. Metrics on {model['n']} test rows, which the training did not see:",
            *table,
            "",
            "  model/            the trained model and its baseline",
            "  metrics.json      these metrics, also for each slice",
            "  evaluation/       predictions of the test rows, and plots",
            "  commits           data, code and dvc.lock",
            "",
            f"Next: cd {_short_path(repository.path)} && uv run pytest && uv run dvc plots show",
        ]
    )


def _short_path(path: Path) -> str:
    """The path from the current folder, if that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"


def _interval(metric: dict[str, float]) -> str:
    return f"{_number(metric['low'])} to {_number(metric['high'])}" if "low" in metric else ""
