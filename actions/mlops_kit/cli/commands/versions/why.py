"""`mlops-kit why`"""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.forge import runner
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import version, why


@click.command(
    epilog=examples(
        "mlops-kit why",
        "mlops-kit why v0.2.0 v0.3.0",
    )
)
@click.argument("before", default="", required=False, metavar="[V1]")
@click.argument("after", default="", required=False, metavar="[V2]")
@json_option
def command(before: str, after: str, as_json: bool) -> None:
    """Explain why two versions differ: code, data or parameters.

    Compares V1 with V2. With one version: with the one before it. Without any: the newest two.
    """
    repo = repository.find(Path.cwd())
    model = contracts.load(repo.root).model
    version.refresh(repo, model, tell)
    reasons = why.why(repo, *why.pair(repo, model, before, after))
    words = why.in_words(reasons)
    runner.summary(words)
    finish(asdict(reasons), words, as_json)
