"""mlops-new tiers."""

from pathlib import Path

import click

from mlops_new.cli.options import directory_option, json_option
from mlops_new.cli.output import finish


@click.command(epilog="\b\nExamples:\n  mlops-new tiers\n  mlops-new tiers --json")
@directory_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """List every tier and tool, and what is on.

    For each tool it prints what it does, its number of files, and its dependencies. Outside a project it lists
    the tiers of the newest template.
    """
    from mlops_new.grow import grow, text

    offer = grow.read_offer(directory.resolve())
    finish(text.offer_as_json(offer), text.offer_table(offer), as_json)
