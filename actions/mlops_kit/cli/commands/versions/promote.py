"""mlops-kit promote."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import get_args

import click

from mlops_kit.base.markdown import plain
from mlops_kit.cli.options import examples, json_option
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
        metavar="STAGE",
        default="production",
        show_default=True,
        help="Stage to change: production, or one of `stages` in mlops.yaml.",
    ),
    click.option("--why", metavar="TEXT", required=True, help="Reason, which the history keeps."),
    click.option(
        "--expect",
        default="",
        metavar="VERSION|nothing",
        help="Fail if the stage holds another version.  [default: any version]",
    ),
    click.option(
        "--part",
        type=click.Choice(get_args(Part)),
        default="all",
        show_default=True,
        help="Do one of three parts, for several jobs: check the files in the remote, move the stage, run the hooks.",
    ),
    json_option,
)


def stage_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that `promote` and `rollback` share."""
    return reduce(lambda inner, option: option(inner), reversed(OPTIONS), function)


@click.command(epilog=examples("mlops-kit promote v0.3.0 --why 'better on delays over 60 minutes'"))
@click.argument("version", envvar="MLOPS_KIT_PROMOTE_VERSION")
@stage_options
def command(version: str, stage: str, why: str, expect: str, part: Part, as_json: bool) -> None:
    """Put a version into a stage, such as production.

    It first checks that the remote has the version's files, unchanged. If a check fails, the stage stays as it is.
    Nothing is trained. With `promotion: approved` in mlops.yaml this starts the workflow `promote`, which a person
    approves.
    """
    execute(PromotionRequest(stage, why, version, expect, part), as_json)


def execute(request: PromotionRequest, as_json: bool) -> None:
    if not request.why.strip():
        raise click.UsageError("--why is empty. Give the reason: the history keeps it.")
    repo = repository.find(Path.cwd())
    tidy(repo)
    done = promote.promote(repo, contracts.load(repo.root), request, reporter())
    outputs = {"outcome": done.outcome, "version": done.version, "tag": done.tag}
    runner.output(**outputs, was=done.was or NOTHING)
    runner.annotate("notice", done.says)
    runner.summary(f"### {done.says}\n\n{plain(done.why, 500)}")
    finish(done, done.says, as_json)
