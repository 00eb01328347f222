"""`mlops-kit pull`"""

from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import writes
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import pull


@click.command()
@click.argument("version", default="", required=False)
@click.option("--into", type=click.Path(path_type=Path), help="A new folder, instead of the workspace.")
@json_option
def command(version: str, into: Path | None, as_json: bool) -> None:
    """Bring a version's data and model: VERSION, or the newest."""
    repo = repository.find(Path.cwd())
    if into is None:
        writes(repo)
    done = pull.pull(repo, contracts.load(repo.root), version, into, reporter())
    finish(done, done.says, as_json)
