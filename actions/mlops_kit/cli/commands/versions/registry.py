"""mlops-kit registry."""

from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.registry import mirror
from mlops_kit.versions import version


@click.command()
@click.argument("action", type=click.Choice(["sync"]))
@json_option
def command(action: str, as_json: bool) -> None:
    """Bring the connected registry server to all versions, stages and rejected models.

    A second time it writes nothing; after a failure it goes on. Ends with 10 when the registry says otherwise
    than the tags, for instance because a stage was moved there by hand; nothing of that is overwritten.
    """
    repo = repository.find(Path.cwd())
    contract = contracts.load(repo.root)
    say = reporter()
    version.refresh(repo, contract.model, say)
    agrees = mirror.sync(repo, contract, say)
    says = "The registry is up to date." if agrees else "The registry differs from the tags; see above."
    finish({"agrees": agrees, "says": says}, says, as_json, yes=agrees)
