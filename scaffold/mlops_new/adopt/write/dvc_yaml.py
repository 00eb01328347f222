"""A DVC pipeline that is there already: run as it is, and what it reads and makes without saying so."""

import json
import posixpath
import re
from pathlib import Path
from typing import Any

import yaml

from mlops_new.adopt.read.metrics import figures
from mlops_new.adopt.read.repository import Place
from mlops_new.adopt.run.observation import Seen
from mlops_new.adopt.write.patches import Patch
from mlops_new.adopt.write.stages import CODE, Stage, of_tools
from mlops_new.base.errors import MlopsNewError

FILE, LOCK = "dvc.yaml", "dvc.lock"


def stages(here: Place) -> dict[str, dict[str, Any]]:
    """Of the root's dvc.yaml; empty where there is none."""
    try:
        content = yaml.safe_load(here.text(FILE)) or {}
        found = content.get("stages") or {}
        return {str(name): stage for name, stage in found.items() if isinstance(stage, dict)}
    except (yaml.YAMLError, AttributeError) as error:
        raise MlopsNewError(f"{FILE} cannot be read: {error}.", "Mend it and adopt again.") from error


def as_stage(here: Place, dvc: str, copy: Path) -> Stage:
    """The whole pipeline as one, from the lock that running it left, or from what it says itself."""
    content = yaml.safe_load((copy / LOCK).read_text("utf-8")) if (copy / LOCK).is_file() else {}
    locked = (content or {}).get("stages") or {}
    outs = [out["path"] for stage in locked.values() for out in stage.get("outs") or []]
    deps = {dep["path"] for stage in locked.values() for dep in stage.get("deps") or []}
    if not locked:
        outs = [path for stage in stages(here).values() for path in _paths(stage, "outs", "metrics", "plots")]
        deps = {path for stage in stages(here).values() for path in _paths(stage, "deps")}
    declared = [path for stage in stages(here).values() for path in _paths(stage, "metrics")]
    whole = yaml.safe_load(here.text(FILE)) or {}
    declared += [one for one in whole.get("metrics") or [] if isinstance(one, str)]
    metrics = declared or [path for path in outs if figures(copy / path)]
    named = metrics[0] if metrics else ""
    made = [path for path in outs if path != named]
    tracked = frozenset(path for path in outs if path in here.tracked)
    return Stage(f"{dvc} repro", sorted(deps - set(outs)), made, named, tracked)


def _paths(stage: dict[str, Any], *keys: str) -> list[str]:
    """From the root; an entry may be a mapping with its options."""
    entries = [entry for key in keys for entry in stage.get(key) or []]
    names = [next(iter(entry)) if isinstance(entry, dict) else str(entry) for entry in entries]
    return [posixpath.normpath(posixpath.join(stage.get("wdir") or "", name)) for name in names]


def undeclared(here: Place, seen: Seen, copy: Path) -> tuple[dict[str, dict[str, list[str]]], str]:
    """By stage, paths that it was seen to read or write and that dvc.yaml does not name; and the metrics."""
    found: dict[str, dict[str, list[str]]] = {}
    metrics = ""
    for name, stage in stages(here).items():
        what = seen.by_stage.get(name)
        if what is None:
            continue
        known = _paths(stage, "deps", "outs", "metrics", "plots")
        known += [
            f.partition(":")[0] if isinstance(f, str) else next(iter(f)) for f in stage.get("params") or []
        ]
        reads = [path for path in sorted(what.reads) if _new(path, known) and path != "params.yaml"]
        reads = [path for path in reads if path.endswith(CODE) or path not in here.tracked]
        reads = [path for path in reads if (copy / path).stat().st_size]  # an empty __init__.py says nothing
        writes = [path for path in sorted(what.writes) if _new(path, known)]
        scored = [path for path in writes if figures(copy / path)]
        metrics = metrics or next(iter(scored), "")
        wanted = {"deps": reads, "outs": [path for path in writes if path not in scored], "metrics": scored}
        if any(wanted.values()):
            found[name] = {key: paths for key, paths in wanted.items() if paths}
    return found, metrics


def _new(path: str, known: list[str]) -> bool:
    return not (
        of_tools(path)
        or path in (FILE, LOCK)
        or "__pycache__" in path
        or any(path == one or path.startswith(f"{one}/") for one in known)
    )


def patch(here: Place, wanted: dict[str, dict[str, list[str]]]) -> Patch | None:
    """The dvc.yaml that names them; None where its form does not let it be written without a doubt."""
    before = (here.root / FILE).read_bytes()
    text = before.decode("utf-8", "replace")
    for name, entries in wanted.items():
        inside = stages(here)[name].get("wdir") or "."
        for key, paths in entries.items():
            relative = [posixpath.relpath(path, inside) for path in paths]
            text = _with(text, name, key, relative)
    try:
        after = yaml.safe_load(text)["stages"]
        complete = all(
            posixpath.relpath(path, after[name].get("wdir") or ".") in map(str, after[name][key])
            for name, entries in wanted.items()
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
    """The text with entries added to one list of one stage."""
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
    elif found := re.match(r"(.*\[.*)\](\s*(?:#.*)?)$", lines[at]):
        lines[at] = f"{found[1]}, {', '.join(quoted)}]{found[2]}"
    elif at + 1 < end:
        item = len(lines[at + 1]) - len(lines[at + 1].lstrip())
        lines[at + 1 : at + 1] = [" " * item + f"- {path}" for path in quoted]
    return "\n".join(lines) + "\n"
