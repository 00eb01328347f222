"""mlops-kit rollback."""

import click

from mlops_kit.cli.commands.versions.promote import execute, stage_options
from mlops_kit.cli.options import examples
from mlops_kit.registry.promote import Part, PromotionRequest


@click.command(epilog=examples("mlops-kit rollback --why 'latency doubled'"))
@stage_options
def command(stage: str, why: str, expect: str, part: Part, as_json: bool) -> None:
    """Put the previous version back into a stage.

    A second call goes back one version more. Nothing is trained. To choose a version, use `mlops-kit promote VERSION`.
    """
    execute(PromotionRequest(stage, why, "", expect, part), as_json)
