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
            "# What operates this repository looks here for names, commands, results and gates, instead of guessing.",
            f"model: {name}  # its versions are the Git tags {name}@v0.1.0, ...",
            f"kit: {kit}  # version of mlops-kit that this file was written for",
            "",
            "commands:  # run at the root of the repository, without a shell",
            f"  dvc: {packages.run} dvc",
            f"  python: {packages.run} python",
            "",
            f"environment: [{', '.join(packages.environment)}]  # what pins the packages; its hash is the environment's version",
            f"artifacts: [{quoted}]  # what is served",
            f"metrics: {scalar(metrics)}",
            "",
            "alerts: {runbook: docs/mlops.md}  # where the issue of an alarm sends people",
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
        ["gates:  # all must pass, else nothing is registered; `mlops-kit gate` shows them", *lines, ""]
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
