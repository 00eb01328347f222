"""`mlops-kit gc`"""

import sys
from pathlib import Path

import click

from mlops_kit.cli.options import examples, excludes, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.cli.workspace import writes
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import gc


@click.command(
    epilog=examples(
        "mlops-kit gc --dry-run",
        "mlops-kit gc --cloud --yes",
    )
)
@click.option("--cloud", is_flag=True, help="Delete from the DVC remote too.")
@click.option("--dry-run", is_flag=True, help="List what would be deleted, with sizes; delete nothing.")
@click.option(
    "--unnamed", is_flag=True, help="Also delete objects that no commit of this repository ever referred to."
)
@click.option("--yes", is_flag=True, help="Delete without asking.")
@json_option
@excludes("--dry-run", "--yes")
def command(cloud: bool, dry_run: bool, unnamed: bool, yes: bool, as_json: bool) -> None:
    """Delete data that no version, branch or workspace needs.

    It stops if the remote, or a cache outside of this clone, holds objects of other repositories.
    """
    repo = repository.find(Path.cwd())
    writes(repo)
    contract = contracts.load(repo.root)
    done = gc.collect(
        repo,
        contract,
        cloud=cloud,
        dry=dry_run,
        agree=lambda would: yes or _agree(would, cloud),
        unnamed=unnamed,
    )
    finish(done, done.says, as_json)


def _agree(would: gc.Collected, cloud: bool) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("This is no terminal, so nobody can be asked. Add --yes or --dry-run.")
    tell(would.said)
    where = "the cache and the DVC remote" if cloud else "the cache"
    return click.confirm(f"Delete this from {where}?", err=True)
