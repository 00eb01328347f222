"""mlops-kit show."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.data.metrics_file import all_metrics
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.registry import integrity, verifications
from mlops_kit.registry.verifications import Proof
from mlops_kit.versions import lineage, record, records
from mlops_kit.versions import version as versions
from mlops_kit.versions.gate_results import shown
from mlops_kit.versions.lineage_text import lines


@click.command()
@click.argument("version")
@click.option("--card", is_flag=True, help="The model card, as Markdown.")
@json_option
def command(version: str, card: bool, as_json: bool) -> None:
    """Show one version: its origin, figures, gates and stages, and whether it was verified."""
    here = repository.find(Path.cwd())
    contract = contracts.load(here.root)
    versions.refresh(here, contract.model, tell)
    found = versions.find(here, contract.model, version)
    if card:
        text = here.show(found.tag, record.CARD) or ""
        finish({"card": text}, text.rstrip() or f"{found.tag} has no {record.CARD}", as_json)
        return
    made = records.read(here, found)
    wrong = integrity.problems(here, contract, found, made) if made else []
    known = verifications.of(here, found)
    (line,) = lineage.of_versions(lineage.book(here, contract.model), [found])
    content: dict[str, Any] = {
        "lineage": asdict(line),
        "record": made.model_dump() if made else None,
        "problems": wrong,
        "verified": [asdict(one) for one in known],
    }
    words = [f"{found.tag} (times in UTC):", *lines(line), *in_words(made), *_proved(known)]
    words += [f"  NOT AS IT WAS REGISTERED: {one}" for one in wrong]
    words += ["", made.description] if made else []
    finish(content, "\n".join(words), as_json)


def in_words(made: record.Record | None) -> list[str]:
    if made is None:
        return []
    whole = {name: one for name, one in all_metrics(made.metrics).items() if not name.startswith("slices.")}
    found = [f"  {'metric':12}{name} = {one.value:.4g}" for name, one in whole.items()]
    for gate in made.gates:
        status = shown(gate.get("kind"), gate["status"])
        found.append(f"  {'gate':12}{gate['name']}: {status}, {gate['says']}")
    return found


def _proved(known: list[Proof]) -> list[str]:
    return [f"  {'verified':12}{one.at[:16].replace('T', ' ')}: {one.says}" for one in known] or [
        f"  {'verified':12}never (`mlops-kit verify`)"
    ]
