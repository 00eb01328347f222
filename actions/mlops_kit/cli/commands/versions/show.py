"""`mlops-kit show`"""

from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.registry import show
from mlops_kit.versions import record
from mlops_kit.versions import version as versions


@click.command(
    epilog=examples(
        "mlops-kit show v0.3.0",
        "mlops-kit show v0.3.0 --card",
    )
)
@click.argument("version")
@click.option("--card", is_flag=True, help="Print the model card (Markdown).")
@json_option
def command(version: str, card: bool, as_json: bool) -> None:
    """Show one version: origin, metrics, gates and stages.

    It also says whether the version is as it was registered, and whether `verify` reproduced it.
    """
    repo = repository.find(Path.cwd())
    contract = contracts.load(repo.root)
    versions.refresh(repo, contract.model, tell)
    chosen = versions.find(repo, contract.model, version)
    if card:
        text = repo.show(chosen.tag, record.CARD) or ""
        finish({"card": text}, text.rstrip() or f"{chosen.tag} has no {record.CARD}", as_json)
        return
    about = show.show(repo, contract, chosen)
    finish(about, show.text(about), as_json)
