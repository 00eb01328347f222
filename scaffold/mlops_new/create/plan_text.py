"""What `mlops-new NAME --dry-run` prints, as text and for JSON."""

from typing import Any

from mlops_new.create.create import Plan
from mlops_new.create.own_data import text_of_sample
from mlops_new.create.request import CreateRequest

NARROW = 48  # characters of a column's name in the table


def as_json(plan: Plan, request: CreateRequest) -> dict[str, Any]:
    return {
        "path": str(plan.path),
        "name": plan.name,
        "data": str(request.data) if request.data else None,
        "remote": plan.remote,
        "tiers": plan.tiers,
        "inferred": plan.inference.overview if plan.inference else None,
        "notes": plan.inference.notes if plan.inference else [],
    }


def summary(plan: Plan, request: CreateRequest) -> str:
    """What would be made: for own data with every column, its type, and why it is left out."""
    facts = {"repository": str(plan.path), "package, model": plan.name}
    facts |= {"data": str(request.data) if request.data else "the embedded flight data"}
    if plan.inference:
        facts |= _inferred(plan.inference.overview)
    facts["DVC remote"] = plan.remote or "none"
    facts["tiers"] = ", ".join(f"{layer}={tool}" for layer, tool in plan.tiers.items()) or "none"
    lines = table([("what", "value"), *facts.items()])
    if plan.inference:
        overview = plan.inference.overview
        lines += ["", *table(columns(overview)), ""]
        lines += [f"Note: {note}." for note in plan.inference.notes if not _in_tables(note)]
        lines += [f"Warning: {warning}." for warning in overview["warnings"]]
    return "\n".join(lines)


def _inferred(overview: dict[str, Any]) -> dict[str, str]:
    split = overview["split"]
    how = f"the newest rows by {split['by']!r} test" if split["by"] else "random, seeded"
    positive = (
        f", predicts the probability of {overview['positive']!r}" if overview["positive"] is not None else ""
    )
    return {
        "task": f"{overview['task']}{positive}",
        "target": overview["target"],
        "time": overview["time"] or "none",
        "key": overview["key"] or "none: the position in the file",
        "slices": ", ".join(overview["slices"]) or "none",
        "split": f"{split['train']} rows to train, {split['test']} to test ({how})",
        "sample": f"{overview['sample']['kind']}: {text_of_sample(overview['sample'])}",
    }


def columns(overview: dict[str, Any]) -> list[tuple[str, ...]]:
    """The rows of a table: each feature with its type, each column that is left out with the reason."""
    rows: list[tuple[str, ...]] = [("column", "use", "type, or why it is left out")]
    rows += [(_short(one["name"]), "feature", one["type"]) for one in overview["features"]]
    return rows + [(_short(one["name"]), "left out", one["because"]) for one in overview["left_out"]]


def _short(name: str) -> str:
    return name if len(name) <= NARROW else f"{name[: NARROW - 3]}..."


def _in_tables(note: str) -> bool:
    return note.startswith(("task:", "left out:", "key:", "split:", "data/sample.csv", "no data/sample.csv"))


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Lines with the columns of these rows below each other. The first row is the header."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    rows = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
