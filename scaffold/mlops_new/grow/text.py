"""The results of `add`, `remove`, `switch`, `update` and `tiers`, as text and for JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_new.grow.changes import Conflict
from mlops_new.grow.grow import OpenProject
from mlops_new.grow.trial import Trial

SHOWN = 20  # lines of one side of a conflict


def as_json(trial: Trial, **more: Any) -> dict[str, Any]:
    return {**more, **asdict(trial.changes)}


def exit_code(trial: Trial) -> int:
    """1 if a person has to resolve a conflict or to mend a file."""
    return 0 if trial.changes.clean else 1


def list_tools(tools: Mapping[str, str]) -> str:
    return ", ".join(f"{layer}={tool}" for layer, tool in tools.items())


def compare_versions(version: str, newer: str) -> str:
    """What `mlops-new update --check` prints."""
    if version == newer:
        return f"{version}, nothing newer."
    return f"{version}; {newer} is there: mlops-new diff, update"


def summary(trial: Trial, done: str, planned: str, commit_message: str) -> str:
    """The changed files, the conflicts, and the next commands. It starts with `done`, or `planned` in a dry run."""
    changes = trial.changes
    lines = [f"{done if trial.applied else planned}:"]
    for verb, names in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed)):
        lines += [f"  {verb:9}{name}" for name in names]
    for conflict in changes.conflicts:
        lines += ["", *_both_sides(conflict)]
    lines += [f"\n{file.file} no longer parses: {file.why}" for file in changes.broken]
    if not trial.applied:
        return "\n".join(lines)
    if not changes.clean:
        files = sorted({*(at.file for at in changes.conflicts), *(at.file for at in changes.broken)})
        lines += ["", f"Mend {', '.join(files)} first."]
    lines += ["", f'Look at it (git diff), then: git add --all && git commit --message "{commit_message}"']
    if first := first_command(trial):
        lines += [f"Next: {first}"]
    return "\n".join(lines)


def tools_as_json(opened: OpenProject) -> list[dict[str, Any]]:
    """Every tool of every layer, and whether it is on."""
    return [
        asdict(tool) | {"on": opened.tools.get(layer) == tool.name}
        for layer, tools in opened.layers.items()
        for tool in tools
    ]


def tools_table(template: str, tools: list[dict[str, Any]]) -> str:
    """What `mlops-new tiers` prints."""
    if not tools:
        return f"Template {template} has the base only."
    rows = [("", "tier", "files", "brings", "")]
    rows += [
        (
            "on" if tool["on"] else "",
            f"{tool['layer']}={tool['name']}",
            str(len(tool["files"])),
            ", ".join(tool["dependencies"]) or "no dependency",
            tool["says"],
        )
        for tool in tools
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _both_sides(conflict: Conflict) -> list[str]:
    if not conflict.line:
        return [f"{conflict.file}: yours stays, and the template's differs; not text that could be merged."]
    return [
        f"{conflict.file}, line {conflict.line}: yours and the template's differ.",
        "  Yours:",
        *_side(conflict.yours),
        "  The template's:",
        *_side(conflict.template),
    ]


def _side(text: str) -> list[str]:
    lines = text.splitlines() or ["(nothing: deleted)"]
    more = [f"    ... {len(lines) - SHOWN} lines more"] if len(lines) > SHOWN else []
    return [f"    {line}" for line in lines[:SHOWN]] + more


def first_command(trial: Trial) -> str:
    """The first command in the README of an added tier; empty if there is none."""
    for name in trial.changes.added:
        if Path(name).name == "README.md":
            for line in (trial.clone / name).read_text(encoding="utf-8").splitlines():
                if line.startswith("    "):
                    return f"{line.strip()}    # see {name}"
    return ""
