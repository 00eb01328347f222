"""What `mlops-new NAME` prints."""

import os
from pathlib import Path
from typing import Any

from mlops_new.create.create import Created, Wishes
from mlops_new.create.first_training import BY_HAND


def created_in_words(made: Created, wishes: Wishes, train: bool) -> str:
    having = ", ".join(["the data under DVC", *(f"{layer}={tool}" for layer, tool in made.tiers.items())])
    lines = [f"{made.name}: {made.files} files in one commit, {having}, in {made.path}"]
    if made.notes:
        lines += ["", f"What {wishes.data} says:" if wishes.data else ""]
        lines += [f"  {note}" for note in made.notes]
        lines.append(
            "Another task, target or time column: make it again and say so. What else a column is stands in"
        )
        lines.append(
            "data/schema.yaml (the positive class in mlops.yaml too): edit it and run `uv run dvc repro`."
        )
    if not train:
        lines += ["", f"Next: cd {_shown(made.path)} && {BY_HAND}"]
    return "\n".join(lines)


def trained_in_words(made: Created, metrics: dict[str, Any]) -> str:
    model, baseline = metrics["model"], metrics["baseline"]
    rows = [("", "model", "95 % interval", "baseline")]
    rows += [
        (name, _number(figure["value"]), _interval(figure), _number(baseline.get(name, {}).get("value")))
        for name, figure in model.items()
        if isinstance(figure, dict)
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    table = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(
        [
            "",
            f"Trained, and judged on {model['n']} rows it has not seen:",
            *table,
            "",
            "  model/            the trained model and its baseline",
            "  metrics.json      these figures, and each slice's",
            "  evaluation/       predictions of the test rows, and plots",
            "  commits           data, code and dvc.lock",
            "",
            f"Next: cd {_shown(made.path)} && uv run pytest && uv run dvc plots show",
        ]
    )


def _shown(path: Path) -> str:
    """The path as the person would type it from where they stand."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"


def _interval(figure: dict[str, float]) -> str:
    return f"{_number(figure['low'])} to {_number(figure['high'])}" if "low" in figure else ""
