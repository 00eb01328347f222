"""The results of `add`, `remove`, `switch`, `update` and `tiers`, as text and for JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_new.grow.changes import Conflict
from mlops_new.grow.grow import Offer
from mlops_new.grow.trial import Trial
from mlops_new.template import tiers

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
    readmes = [name for name in changes.added if Path(name).name == "README.md"]
    return "\n".join([*lines, *tiers.next_steps(trial.clone, readmes)])


def offer_as_json(offer: Offer) -> dict[str, Any]:
    """Every tool of every layer, and whether it is on."""
    tools = [
        asdict(tool) | {"on": offer.tools.get(layer) == tool.name}
        for layer, tools in offer.layers.items()
        for tool in tools
    ]
    project = str(offer.root) if offer.root else None
    return {"template": offer.template, "project": project, "purposes": dict(offer.purposes), "tiers": tools}


def offer_table(offer: Offer) -> str:
    """What `mlops-new tiers` prints."""
    if not offer.layers:
        return f"Template {offer.template} has the base only."
    rows: list[tuple[str, ...]] = [("on", "tier=tool", "files", "what it does", "dependencies")]
    for layer, tools in offer.layers.items():
        for tool in tools:
            on = "on" if offer.tools.get(layer) == tool.name else ""
            needs = ", ".join(tool.dependencies) or "none"
            rows.append((on, tool.words, str(len(tool.files)), _sentence(tool.says), needs))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    head, *lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    table, at = [head], 0
    for layer, tools in offer.layers.items():
        table += ["", f"{layer}: {_sentence(offer.purposes[layer])}", *lines[at : at + len(tools)]]
        at += len(tools)
    where = f"{offer.root.name} has" if offer.root else "This folder is in no project. The newest is"
    how = "mlops-new add TIER=TOOL" if offer.root else "mlops-new NAME --with TIER=TOOL"
    return "\n".join([f"{where} template {offer.template}. To switch a tier on: {how}", "", *table])


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:].rstrip('.')}."


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
