"""`mlops-kit pull`"""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import writes
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import pull


@click.command(
    epilog=examples(
        "mlops-kit pull",
        "mlops-kit pull v0.3.0 --into /tmp/v0.3.0",
    )
)
@click.argument("version", default="", required=False)
@click.option(
    "--into",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="A new folder.  [default: the workspace]",
)
@json_option
def command(version: str, into: Path | None, as_json: bool) -> None:
    """Download the data and the model of a version.

    The default is the newest version.
    """
    repo = repository.find(Path.cwd())
    if into is None:
        writes(repo)
    done = pull.pull(repo, contracts.load(repo.root), version, into, reporter())
    finish(done, done.says, as_json)
