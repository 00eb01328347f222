"""The files that adopting writes: dvc.yaml and mlops.yaml."""

import json
import math
import re
from pathlib import Path

from mlops_new.adopt.read.metrics import main_figure
from mlops_new.adopt.run.packages import Packages
from mlops_new.adopt.write.stages import Stage

PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ -]*[A-Za-z0-9_./-]|[A-Za-z0-9_]")
WORD = re.compile(r"true|false|yes|no|on|off|null|[\d.eE+-]+", re.IGNORECASE)


def scalar(text: str) -> str:
    """As YAML, in quotes where it needs them."""
    return (
        text if PLAIN.fullmatch(text) and not WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)
    )


def pipeline(stage: Stage, dvc: str) -> str:
    """dvc.yaml with the one stage."""

    def listed(key: str, paths: list[str]) -> list[str]:
        lines = []
        for path in paths:
            # what Git tracks cannot be DVC's as well
            quoted = scalar(path)
            lines.append(f"      - {quoted}" + (": {cache: false}" if path in stage.in_git else ""))
        return [f"    {key}:", *lines] if paths else []

    command = stage.command.replace("${", r"\${")  # else DVC would look for a parameter
    return "\n".join(
        [
            f"# How the model is made. `{dvc} repro` runs what is out of date.",
            "stages:",
            "  train:",
            f"    cmd: {scalar(command)}",
            *listed("deps", stage.deps),
            *listed("outs", stage.outs),
            *listed("metrics", [stage.metrics]),
            "",
        ]
    )


def contract(
    name: str,
    kit: str,
    packages: Packages,
    models: list[str],
    metrics: str,
    figures: dict[str, float],
    root: Path,
) -> str:
    """mlops.yaml, with the gates that can be asked of what there is."""
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
            *gates(models, figures, root),
        ]
    )


def gates(models: list[str], figures: dict[str, float], root: Path) -> list[str]:
    lines = []
    if main := main_figure(figures):
        name, value, more = main
        worst = value - abs(value) / 20 if more else value + abs(value) / 20
        lines += [
            "  not-below-adoption:",
            "    kind: threshold",
            f"    metric: {scalar(name)}",
            f"    {'at_least' if more else 'at_most'}: {worst:.4g}",
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
    """To one digit, upwards."""
    digit: int = 10 ** max(0, math.floor(math.log10(max(value, 1))))
    return math.ceil(value / digit) * digit
