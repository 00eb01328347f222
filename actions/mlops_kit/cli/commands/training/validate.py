"""`mlops-kit validate`"""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import writes


@click.command(
    epilog=examples(
        "mlops-kit validate",
        "mlops-kit validate data/landed/2026-12.csv",
    )
)
@click.argument("file", required=False, envvar="MLOPS_KIT_VALIDATE_FILE")
@json_option
def command(file: str | None, as_json: bool) -> None:
    """Check mlops.yaml and the data.

    The project's own command (commands.validate) checks the data that the pipeline trains on, or FILE. Exits with 10 if
    the data is invalid.
    """
    from mlops_kit.forge import runner
    from mlops_kit.project import contract, repository
    from mlops_kit.runs import events
    from mlops_kit.training import validate

    repo = repository.find(Path.cwd())
    writes(repo)
    result = validate.validate(repo, contract.load(repo.root), events.go_on(repo), reporter(), file)
    runner.output(valid=result.valid)
    if not result.valid:
        runner.annotate("error", f"The data is refused: {result.says}")
        runner.summary(f"## The data is refused, nothing is trained\n\n```text\n{result.says}\n```")
    finish(result, result.says, as_json, yes=result.valid)
