"""mlops-new tiers."""

from pathlib import Path

import click

from mlops_new.cli.options import directory_option, json_option
from mlops_new.cli.output import finish


@click.command()
@directory_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """List every tier and tool: what it does, what it costs, and whether it is on.

    Outside a project it lists those of the newest template.
    """
    from mlops_new.grow import grow, text

    offer = grow.read_offer(directory.resolve())
    finish(text.offer_as_json(offer), text.offer_table(offer), as_json)
