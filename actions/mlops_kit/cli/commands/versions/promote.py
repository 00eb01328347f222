"""mlops-kit promote."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import get_args

import click

from mlops_kit.base.markdown import plain
from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import tidy
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.registry import promote
from mlops_kit.registry.assign import NOTHING
from mlops_kit.registry.promote import Part, PromotionRequest

OPTIONS = (
    click.option(
        "--stage",
        default="production",
        show_default=True,
        help="production, or one of `stages` in mlops.yaml.",
    ),
    click.option("--why", required=True, help="For the history; whoever is paged will read it."),
    click.option(
        "--expect", default="", metavar="VERSION|nothing", help="Refuse when the stage holds another one."
    ),
    click.option(
        "--part",
        type=click.Choice(get_args(Part)),
        default="all",
        show_default=True,
        help="Of several jobs: check with the remote, move the stage, run the hooks.",
    ),
    json_option,
)


def stage_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that `promote` and `rollback` share."""
    return reduce(lambda inner, option: option(inner), reversed(OPTIONS), function)


@click.command()
@click.argument("version", envvar="MLOPS_KIT_PROMOTE_VERSION")
@stage_options
def command(version: str, stage: str, why: str, expect: str, part: Part, as_json: bool) -> None:
    """Put a version into a stage, once its artifacts were found in the remote.

    Nothing is trained. What refuses leaves the stage as it is. Two at once: the second is told.
    With `promotion: approved` in mlops.yaml it starts the workflow `promote`, which a person approves.
    """
    execute(PromotionRequest(stage, why, version, expect, part), as_json)


def execute(request: PromotionRequest, as_json: bool) -> None:
    if not request.why.strip():
        raise click.UsageError("--why is empty: whoever is paged next will want to know.")
    repo = repository.find(Path.cwd())
    tidy(repo)
    done = promote.promote(repo, contracts.load(repo.root), request, reporter())
    outputs = {"outcome": done.outcome, "version": done.version, "tag": done.tag}
    runner.output(**outputs, was=done.was or NOTHING)
    runner.annotate("notice", done.says)
    runner.summary(f"### {done.says}\n\n{plain(done.why, 500)}")
    finish(done, done.says, as_json)
