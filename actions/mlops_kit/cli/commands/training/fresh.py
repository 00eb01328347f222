"""mlops-kit fresh."""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.training import freshness


@click.command(
    epilog=examples(
        "mlops-kit fresh",
        "mlops-kit fresh --against v0.3.0",
    )
)
@click.option(
    "--against",
    default="",
    metavar="VERSION|main",
    help="Compare with the lock file of this version, or of main.  [default: the newest version]",
)
@click.option(
    "--inform",
    is_flag=True,
    help="Exit with 0 even if a stage is stale, unless mlops.yaml has `lock: committed`.",
)
@json_option
def command(against: str, inform: bool, as_json: bool) -> None:
    """List the stages that a training would run, and why.

    It compares files with the lock file and downloads no data. Exits with 10 if a stage is stale.
    """
    repo = repository.find(Path.cwd())
    contract = contracts.load(repo.root)
    result = freshness.compared(repo, contract, against)
    if result.note:
        tell(result.note)
    runner.summary("\n".join(f"- {line}" for line in result.lines))
    may_be_stale = inform and contract.lock != "committed"
    content = {"fresh": result.is_fresh, **vars(result)}
    words = "\n".join(result.lines)
    runner.output(fresh=result.is_fresh, stale=" ".join(result.stages))
    runner.annotate("notice", words)
    finish(content if as_json else result, words, as_json, yes=result.is_fresh or may_be_stale)
