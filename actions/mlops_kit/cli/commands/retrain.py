"""mlops-kit retrain."""

from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done; start nothing.")
@json_option
def command(dry_run: bool, as_json: bool) -> None:
    """Start a training where enough windows show drift; `retrain` in mlops.yaml says how many.

    It goes the path of every merge: new data is looked for, and a model that is worse is not promoted.
    """
    from mlops_kit.forge import runner
    from mlops_kit.monitoring import retrain
    from mlops_kit.project import contract, repository
    from mlops_kit.runs import events

    here = repository.find(Path.cwd())
    means = contract.load(here.root)
    decision = retrain.ask(here, means)
    if decision.train and not dry_run:
        journal = events.alone(here, retrain.STAGE)
        retrain.start(here, means, decision, journal)
    runner.output(trains=decision.train)
    said = f"{'Trains' if decision.train else 'Trains nothing'}: {decision.why}."
    runner.summary(said)
    finish(decision, "\n".join([said, *(f"  {one}" for one in decision.windows)]), as_json)
