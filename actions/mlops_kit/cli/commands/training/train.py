"""`mlops-kit train`"""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import writes


@click.command(
    epilog=examples(
        "mlops-kit train",
        "mlops-kit train --sample",
    )
)
@click.option("--sample", is_flag=True, help="Train on the committed sample, even if the data is available.")
@json_option
def command(sample: bool, as_json: bool) -> None:
    """Train the model: run the DVC pipeline.

    It starts from the lock file of the newest version, so unchanged stages do not run again. If the data is not
    available (a fork, no DVC remote), it trains on the committed sample and says so. If a stage fails, lock file,
    parameters and results stay as they were.
    """
    from mlops_kit.forge import runner
    from mlops_kit.project import contract, repository
    from mlops_kit.runs import events
    from mlops_kit.training import train

    repo = repository.find(Path.cwd())
    writes(repo)
    done = train.train(repo, contract.load(repo.root), events.begin(repo), reporter(), sample=sample)
    runner.output(on=done.on, changed=done.changed, heading=done.heading, run=done.run)
    runner.annotate("notice", done.heading)
    stages = "\n".join(f"  {name}: {status}" for name, status in done.stages.items())
    finish(done, f"{done.heading} ({done.seconds:.1f} s)\n{stages}\nNext: mlops-kit gate", as_json)
