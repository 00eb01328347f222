"""dvc.yaml as it is written: which stages it has, and what of their definition changed."""

import json
import re
from collections.abc import Iterable
from typing import Any

from mlops_kit.base import documents
from mlops_kit.base.documents import parse_yaml
from mlops_kit.project.repository import Repository

FILE = "dvc.yaml"
PARAMS = "params.yaml"
OUTPUTS = ("outs", "metrics", "plots")
# What DVC does not run a stage again for.
SILENT = ("desc", "meta", "frozen", "always_changed", *OUTPUTS, "deps", "params", "cmd")
ABSENT = object()


class DefinitionChanges:
    """The definitions in the tree, or at `now`, against those of a revision; None: the same for both."""

    def __init__(self, repository: Repository, revision: str | None, now: str | None = None) -> None:
        self.now = _Definitions(repository, now)
        self.before = _Definitions(repository, revision) if revision else self.now

    def causes(self, locked: str) -> list[str]:
        """Why a stage of the lock is not what it was; `train@a` is one of the stages of `train`."""
        name = locked.partition("@")[0]
        before, now = self.before.stages.get(name), self.now.stages.get(name)
        if now is None:
            return [f"{FILE} does not have it any more"]
        if before is None:
            return [f"it is new in {FILE}"]
        always = [f"it says always_changed ({FILE})"] if now.get("always_changed") else []
        return [*always, *_differences(before, now), *self._interpolation_causes(name)]

    def gone(self, locked: str) -> bool:
        return locked.partition("@")[0] not in self.now.stages

    def added(self, locked: Iterable[str]) -> list[str]:
        known = {name.partition("@")[0] for name in locked}
        return [name for name in self.now.stages if name not in known]

    def rewritten(self) -> list[str]:
        """Stages that came, went or say something else, whatever their `${x}` stand for."""
        names = sorted({*self.before.stages, *self.now.stages})
        pairs = {name: (self.before.stages.get(name), self.now.stages.get(name)) for name in names}
        return [
            f"{FILE}: {name}"
            for name, (before, now) in pairs.items()
            if before is None or now is None or _differences(before, now)
        ]

    def moved(self) -> dict[str, tuple[Any, Any]]:
        """What `${x}` of any stage stood for, and stands for now, where it is not the same."""
        keys = sorted({key for name in self.now.stages for key in self.now.words(name)})
        pairs = {key: (self.before.value(key), self.now.value(key)) for key in keys}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1] and ABSENT not in pair}

    def whole_files(self, locked: str) -> set[str]:
        """Parameter files that a stage names without saying which keys."""
        listed = self.now.stages.get(locked.partition("@")[0], {}).get("params") or []
        mappings = [mapping for mapping in listed if isinstance(mapping, dict)]
        return {str(file) for mapping in mappings for file, keys in mapping.items() if not keys}

    def _interpolation_causes(self, name: str) -> list[str]:
        """A cause for each `${x}` in a stage's definition whose value changed."""
        causes = []
        for key in sorted(self.now.words(name)):
            before, now = self.before.value(key), self.now.value(key)
            if before != now and ABSENT not in (before, now):
                causes.append(f"${{{key}}} in {FILE} {before} -> {now}")
        return causes


class _Definitions:
    def __init__(self, repository: Repository, revision: str | None) -> None:
        self.repository, self.revision = repository, revision
        content = parse_yaml(self._text(FILE) or "", FILE)
        self.stages: dict[str, dict[str, Any]] = content.get("stages") or {}
        self.variables = self._variables(content.get("vars") or [])

    def _text(self, path: str) -> str | None:
        if self.revision:
            return self.repository.show(self.revision, path)
        return self.repository.text(path)

    def _variables(self, entries: list[Any]) -> dict[str, Any]:
        variables = dict(parameters(self._text(PARAMS), PARAMS) or {})
        for entry in entries:
            if isinstance(entry, dict):
                variables |= entry
            else:
                path, _, keys = str(entry).partition(":")
                values = parameters(self._text(path), path) or {}
                chosen = [key.strip() for key in keys.split(",")] if keys else list(values)
                variables |= {key: values[key] for key in chosen if key in values}
        return variables

    def words(self, name: str) -> set[str]:
        return set(
            re.findall(r"(?<!\\)\$\{\s*([\w.\[\]-]+)\s*\}", json.dumps(self.stages[name], default=str))
        )

    def value(self, key: str) -> Any:
        return value_at(self.variables, re.sub(r"\[(\d+)\]", r".\1", key))


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    if "do" in now or "do" in before:  # foreach: one definition for several stages
        changed = [key for key in ("foreach", "do") if before.get(key) != now.get(key)]
        return [f"its {' and '.join(changed)} changed ({FILE})"] if changed else []
    causes = []
    if before.get("cmd") != now.get("cmd"):
        causes.append(f"its command changed ({FILE})")
    for what, keys in (("dependency", ("deps",)), ("parameter", ("params",)), ("output", OUTPUTS)):
        old, new = _paths(before, keys), _paths(now, keys)
        causes += [f"{what} {path} was added ({FILE})" for path in sorted(new - old)]
        causes += [f"{what} {path} was removed ({FILE})" for path in sorted(old - new)]
    changed = [key for key in sorted({*before, *now} - {*SILENT}) if before.get(key) != now.get(key)]
    return causes + [f"its {key} changed ({FILE})" for key in changed]


def _paths(stage: dict[str, Any], keys: Iterable[str]) -> set[str]:
    """Names in a list of strings, of mappings from a name to options, or from a file to parameters."""
    paths: set[str] = set()
    for key in keys:
        entries = stage.get(key) or []
        for entry in [entries] if isinstance(entries, str) else entries:
            for name, inner in entry.items() if isinstance(entry, dict) else [(entry, None)]:
                inside = inner if key == "params" and isinstance(inner, list) else []
                paths |= {f"{name}:{param}" for param in inside} or {str(name)}
    return paths


def parameters(text: str | None, name: str) -> dict[str, Any] | None:
    """A file of parameters, by its ending; None where there is none."""
    if text is None:
        return None
    content = documents.parse(text, name)
    return content if isinstance(content, dict) else {}


def value_at(content: Any, key: str) -> Any:
    """What stands at a dotted key, ABSENT where nothing does; a number is a place in a list."""
    for part in key.split("."):
        if isinstance(content, dict) and part in content:
            content = content[part]
        elif isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        else:
            return ABSENT
    return content
