"""mlops-new tiers."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_new.cli.options import directory_option, json_option
from mlops_new.cli.output import finish


@click.command()
@directory_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """List what can be switched on, with what each costs, and what is on."""
    from mlops_new.grow import grow, text

    with grow.standing(directory.resolve()) as here:
        tools = [
            asdict(tool) | {"on": here.on.get(layer) == tool.name}
            for layer, tools in here.layers.items()
            for tool in tools
        ]
    finish(
        {"template": here.project.template, "tiers": tools},
        text.table(here.project.template, tools),
        as_json,
    )
