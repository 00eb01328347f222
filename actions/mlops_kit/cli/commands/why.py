"""mlops-kit why."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.base.errors import KitError
from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import version, why
from mlops_kit.versions.version import Version


@click.command()
@click.argument("before", default="", required=False, metavar="[V1]")
@click.argument("after", default="", required=False, metavar="[V2]")
@json_option
def command(before: str, after: str, as_json: bool) -> None:
    """Say which of code, data, parameters and environment made V2 another model than V1.

    With one version: against the one before it. With none: the newest two.
    """
    here = repository.find(Path.cwd())
    model = contracts.load(here.root).model
    version.refresh(here, model, tell)
    found = why.why(here, *_two(version.versions(here, model), here, model, before, after))
    words = why.in_words(found)
    runner.summary(words)
    finish(asdict(found), words, as_json)


def _two(
    known: list[Version], here: repository.Repository, model: str, before: str, after: str
) -> tuple[Version, Version]:
    if before and after:
        return version.find(here, model, before), version.find(here, model, after)
    new = version.find(here, model, before) if before else known[-1] if known else None
    place = known.index(new) if new else 0
    if new is None or place == 0:
        what = f"{new.name} is the first version" if new else f"{model} has no version yet"
        raise KitError(
            f"{what}: there is nothing before it.", "Name two versions; `mlops-kit versions` lists them."
        )
    return known[place - 1], new
