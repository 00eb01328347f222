"""mlops-kit retrain."""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish
from mlops_kit.cli.workspace import writes


@click.command(epilog=examples("mlops-kit retrain --dry-run"))
@click.option("--dry-run", is_flag=True, help="Print the decision; start nothing.")
@json_option
def command(dry_run: bool, as_json: bool) -> None:
    """Start a training if enough windows show drift.

    `retrain` in mlops.yaml says how many windows. The training takes the path of every merge: it looks for new data, and
    a model that is worse is not promoted.
    """
    from mlops_kit.monitoring import retrain
    from mlops_kit.project import contract, repository

    repo = repository.find(Path.cwd())
    if not dry_run:
        writes(repo)
    decision = retrain.retrain(repo, contract.load(repo.root), dry_run=dry_run)
    finish(decision, decision.text, as_json)
