"""mlops-kit registry."""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.registry import mirror
from mlops_kit.versions import version


@click.command(epilog=examples("mlops-kit registry sync"))
@click.argument("action", type=click.Choice(["sync"]))
@json_option
def command(action: str, as_json: bool) -> None:
    """Sync the registry server with versions and stages.

    `sync` writes what the server lacks: versions, stages and rejected models. After a failure, call it again. Exits
    with 10 if the server contradicts the tags, for instance because somebody moved a stage there by hand. That entry is
    not overwritten.
    """
    repo = repository.find(Path.cwd())
    contract = contracts.load(repo.root)
    say = reporter()
    version.refresh(repo, contract.model, say)
    agrees = mirror.sync(repo, contract, say)
    says = "The registry is up to date." if agrees else "The registry differs from the tags; see above."
    finish({"agrees": agrees, "says": says}, says, as_json, yes=agrees)
