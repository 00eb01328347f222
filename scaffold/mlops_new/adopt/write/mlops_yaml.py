"""Write mlops.yaml for an adopted repository."""

import json
import math
from pathlib import Path

from mlops_new.adopt.read.metrics import main_metric
from mlops_new.adopt.run.packages import Packages
from mlops_new.adopt.write.scalars import PLAIN, scalar


def text(
    name: str,
    kit: str,
    packages: Packages,
    models: list[str],
    metrics: str,
    metric_values: dict[str, float],
    root: Path,
) -> str:
    """The text of mlops.yaml, with the gates that the results allow."""
    quoted = ", ".join(json.dumps(path) if not PLAIN.fullmatch(path) else path for path in models)
    return "\n".join(
        [
            "# Names, commands, results and gates of this repository, which mlops-kit reads.",
            f"model: {name}  # Its versions are the Git tags {name}@v0.1.0, {name}@v0.2.0 and so on.",
            f"kit: {kit}  # This file was written for this version of mlops-kit.",
            "",
            "commands:  # The kit runs them at the root of the repository, without a shell.",
            f"  dvc: {packages.run} dvc  # The kit calls DVC with this command.",
            f"  python: {packages.run} python  # The record of a version names this Python.",
            "",
            f"environment: [{', '.join(packages.environment)}]  # These files pin the packages; their hash identifies the environment.",
            f"artifacts: [{quoted}]  # Serving needs these files; `mlops-kit pull` downloads them.",
            f"metrics: {scalar(metrics)}  # The training writes the metrics to this file.",
            "",
            "alerts: {runbook: docs/mlops.md}  # The issue of an alarm links to this page.",
            "",
            *gates(models, metric_values, root),
        ]
    )


def gates(models: list[str], metric_values: dict[str, float], root: Path) -> list[str]:
    lines = []
    if main := main_metric(metric_values):
        name, value, higher_is_better = main
        worst = value - abs(value) / 20 if higher_is_better else value + abs(value) / 20
        lines += [
            "  not-below-adoption:",
            "    kind: threshold",
            f"    metric: {scalar(name)}",
            f"    {'at_least' if higher_is_better else 'at_most'}: {worst:.4g}",
            f"    because: it was {value:.4g} when this repository was adopted; a twentieth is left for chance",
        ]
    bytes_ = sum(_size(root / path) for path in models)
    if bytes_:
        limit = max(1, _round(3 * bytes_ / 1_000_000))
        lines += [
            "  size:",
            "    kind: size",
            f"    mb_at_most: {limit}",
            f"    because: it was {bytes_ / 1_000_000:.2g} MB when this repository was adopted",
        ]
    return (
        [
            "gates:  # A model is registered only if it passes all gates. `mlops-kit gate` shows the results.",
            *lines,
            "",
        ]
        if lines
        else []
    )


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*") if path.is_dir() else []
    return sum(file.stat().st_size for file in files if file.is_file())


def _round(value: float) -> int:
    """Round up to one digit."""
    digit: int = 10 ** max(0, math.floor(math.log10(max(value, 1))))
    return math.ceil(value / digit) * digit
