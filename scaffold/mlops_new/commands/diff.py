"""mlops-new diff."""

from pathlib import Path

import click

from mlops_new.cli import directory_option, finish, json_option


@click.command()
@click.option("--to", metavar="VERSION", help="Not the newest version of the template but this one.")
@directory_option
@json_option
def command(to: str | None, directory: Path, as_json: bool) -> None:
    """Show as a patch what `mlops-new update` would change."""
    from mlops_new import grown, growth

    with (
        growth.standing(directory.resolve()) as here,
        growth.moved(here, growth.version(here, to)) as trial,
    ):
        text = trial.text()
    finish(grown.report(trial, patch=text), text.rstrip("\n"), as_json)
