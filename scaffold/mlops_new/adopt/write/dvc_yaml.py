"""Write dvc.yaml for a training; or read the one that a repository has, and complete it."""

import json
import posixpath
import re
from pathlib import Path
from typing import Any

import yaml

from mlops_new.adopt.read.metrics import read_metrics
from mlops_new.adopt.read.repository import Repository
from mlops_new.adopt.run.observation import Observation
from mlops_new.adopt.write.patches import Patch
from mlops_new.adopt.write.scalars import scalar
from mlops_new.adopt.write.stages import CODE, Stage, is_of_tools
from mlops_new.base.errors import MlopsNewError

FILE, LOCK = "dvc.yaml", "dvc.lock"


def text(stage: Stage, dvc: str) -> str:
    """The text of a dvc.yaml with one stage."""

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


def stages(repo: Repository) -> dict[str, dict[str, Any]]:
    """The stages of dvc.yaml at the root; empty if there is none."""
    try:
        content = yaml.safe_load(repo.text(FILE)) or {}
        declared = content.get("stages") or {}
        return {str(name): stage for name, stage in declared.items() if isinstance(stage, dict)}
    except (yaml.YAMLError, AttributeError) as error:
        raise MlopsNewError(f"{FILE} cannot be read: {error}.", "Mend it and adopt again.") from error


def as_stage(repo: Repository, dvc: str, copy: Path) -> Stage:
    """The whole pipeline as one stage: from dvc.lock if it ran, else from dvc.yaml."""
    content = yaml.safe_load((copy / LOCK).read_text("utf-8")) if (copy / LOCK).is_file() else {}
    locked = (content or {}).get("stages") or {}
    outs = [out["path"] for stage in locked.values() for out in stage.get("outs") or []]
    deps = {dep["path"] for stage in locked.values() for dep in stage.get("deps") or []}
    if not locked:
        outs = [path for stage in stages(repo).values() for path in _paths(stage, "outs", "metrics", "plots")]
        deps = {path for stage in stages(repo).values() for path in _paths(stage, "deps")}
    declared = [path for stage in stages(repo).values() for path in _paths(stage, "metrics")]
    whole = yaml.safe_load(repo.text(FILE)) or {}
    declared += [path for path in whole.get("metrics") or [] if isinstance(path, str)]
    metrics = declared or [path for path in outs if read_metrics(copy / path)]
    metrics_file = metrics[0] if metrics else ""
    outputs = [path for path in outs if path != metrics_file]
    tracked = frozenset(path for path in outs if path in repo.tracked)
    return Stage(f"{dvc} repro", sorted(deps - set(outs)), outputs, metrics_file, tracked)


def _paths(stage: dict[str, Any], *keys: str) -> list[str]:
    """The paths under these keys, from the root; an entry may be a mapping with its options."""
    entries = [entry for key in keys for entry in stage.get(key) or []]
    names = [next(iter(entry)) if isinstance(entry, dict) else str(entry) for entry in entries]
    return [posixpath.normpath(posixpath.join(stage.get("wdir") or "", name)) for name in names]


def find_undeclared(
    repo: Repository, observation: Observation, copy: Path
) -> tuple[dict[str, dict[str, list[str]]], str]:
    """The paths that each stage read or wrote and that dvc.yaml does not name, by key; and the metrics file."""
    missing: dict[str, dict[str, list[str]]] = {}
    metrics = ""
    for name, stage in stages(repo).items():
        process = observation.by_stage.get(name)
        if process is None:
            continue
        known = _paths(stage, "deps", "outs", "metrics", "plots")
        known += [
            f.partition(":")[0] if isinstance(f, str) else next(iter(f)) for f in stage.get("params") or []
        ]
        reads = [path for path in sorted(process.reads) if _new(path, known) and path != "params.yaml"]
        reads = [path for path in reads if path.endswith(CODE) or path not in repo.tracked]
        reads = [path for path in reads if (copy / path).stat().st_size]  # an empty __init__.py says nothing
        writes = [path for path in sorted(process.writes) if _new(path, known)]
        scored = [path for path in writes if read_metrics(copy / path)]
        metrics = metrics or next(iter(scored), "")
        undeclared = {
            "deps": reads,
            "outs": [path for path in writes if path not in scored],
            "metrics": scored,
        }
        if any(undeclared.values()):
            missing[name] = {key: paths for key, paths in undeclared.items() if paths}
    return missing, metrics


def _new(path: str, known: list[str]) -> bool:
    return not (
        is_of_tools(path)
        or path in (FILE, LOCK)
        or "__pycache__" in path
        or any(path == one or path.startswith(f"{one}/") for one in known)
    )


def make_patch(repo: Repository, additions: dict[str, dict[str, list[str]]]) -> Patch | None:
    """A patch of dvc.yaml that adds these paths; None if its form does not allow to write it safely."""
    before = (repo.root / FILE).read_bytes()
    text = before.decode("utf-8", "replace")
    for name, entries in additions.items():
        inside = stages(repo)[name].get("wdir") or "."
        for key, paths in entries.items():
            relative = [posixpath.relpath(path, inside) for path in paths]
            text = _with(text, name, key, relative)
    try:
        after = yaml.safe_load(text)["stages"]
        complete = all(
            posixpath.relpath(path, after[name].get("wdir") or ".") in map(str, after[name][key])
            for name, entries in additions.items()
            for key, paths in entries.items()
            for path in paths
        )
    except (yaml.YAMLError, KeyError, TypeError):
        complete = False
    if not complete:
        return None
    because = "what a stage reads or makes without saying so does not make it run again, and is in no version"
    return Patch(FILE, before, text.encode(), because)


def _with(text: str, stage: str, key: str, paths: list[str]) -> str:
    """Add entries to one list of one stage."""
    lines = text.splitlines()
    start = next(
        (i for i, line in enumerate(lines) if re.match(rf"\s+{re.escape(stage)}:\s*(#.*)?$", line)), None
    )
    if start is None:
        return text
    margin = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and (
        not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > margin
    ):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    quoted = [path if re.fullmatch(r"[\w./-]+", path) else json.dumps(path) for path in paths]
    inner = next(len(line) - len(line.lstrip()) for line in lines[start + 1 : end] if line.strip())
    at = next((i for i in range(start + 1, end) if re.match(rf"\s{{{inner}}}{key}:", lines[i])), None)
    if at is None:
        lines[end:end] = [" " * inner + f"{key}:", *(" " * (inner + 2) + f"- {path}" for path in quoted)]
    elif inline := re.match(r"(.*\[.*)\](\s*(?:#.*)?)$", lines[at]):
        lines[at] = f"{inline[1]}, {', '.join(quoted)}]{inline[2]}"
    elif at + 1 < end:
        item = len(lines[at + 1]) - len(lines[at + 1].lstrip())
        lines[at + 1 : at + 1] = [" " * item + f"- {path}" for path in quoted]
    return "\n".join(lines) + "\n"
