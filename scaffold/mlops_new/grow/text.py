"""What a person or a program reads of what grew, shrank or moved on."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_new.grow.changes import Conflict
from mlops_new.grow.trial import Trial

SHOWN = 20  # lines of one side of a conflict


def report(trial: Trial, **more: Any) -> dict[str, Any]:
    return {**more, **asdict(trial.changes)}


def code(trial: Trial) -> int:
    """The exit code: 1 where a person has to mend something."""
    return 0 if trial.changes.clean else 1


def joined(tools: Mapping[str, str]) -> str:
    return ", ".join(f"{layer}={tool}" for layer, tool in tools.items())


def in_words(trial: Trial, heading: str, message: str) -> str:
    """The files, all that needs a person, and what to do next. `message`: for the commit."""
    changes = trial.changes
    lines = [heading]
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
    lines += ["", f'Look at it (git diff), then: git add --all && git commit --message "{message}"']
    if first := first_command(trial):
        lines += [f"Next: {first}"]
    return "\n".join(lines)


def table(template: str, tools: list[dict[str, Any]]) -> str:
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
    """What the README of a tier that was added has for its first command, or nothing."""
    for name in trial.changes.added:
        if Path(name).name == "README.md":
            for line in (trial.clone / name).read_text(encoding="utf-8").splitlines():
                if line.startswith("    "):
                    return f"{line.strip()}    # see {name}"
    return ""
