"""mlops-new tiers."""

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

    with grow.open_project(directory.resolve()) as project:
        tools = text.tools_as_json(project)
    template = project.project.template
    finish({"template": template, "tiers": tools}, text.tools_table(template, tools), as_json)
