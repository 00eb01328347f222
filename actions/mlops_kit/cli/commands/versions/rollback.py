"""mlops-kit rollback."""

import click

from mlops_kit.cli.commands.versions.promote import execute, stage_options
from mlops_kit.registry.promote import Part, PromotionRequest


@click.command()
@stage_options
def command(stage: str, why: str, expect: str, part: Part, as_json: bool) -> None:
    """Put the version that was there before back into a stage.

    Once more goes back further; `promote V` chooses one. Nothing is trained.
    """
    execute(PromotionRequest(stage, why, "", expect, part), as_json)
