"""mlops-kit rollback."""

import click

from mlops_kit.cli import json_option
from mlops_kit.commands.promote import carry_out
from mlops_kit.promotion import Part, Wish


@click.command()
@click.option("--stage", default="production", show_default=True, help="Whose version goes.")
@click.option("--why", required=True, help="For the history; whoever is paged will read it.")
@click.option("--expect", default="", metavar="VERSION", help="Refuse when the stage holds another one.")
@click.option(
    "--part",
    type=click.Choice(["all", "check", "move", "after"]),
    default="all",
    show_default=True,
    help="Of several jobs: check with the remote, move the stage, run the hooks.",
)
@json_option
def command(stage: str, why: str, expect: str, part: Part, as_json: bool) -> None:
    """Put the version that was there before back into a stage.

    Once more goes back further; `promote V` chooses one. Nothing is trained.
    """
    carry_out(Wish(stage, why, "", expect, part), as_json)
