"""`mlops-kit versions`"""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import lineage, lineage_text, version, version_list


@click.command(
    epilog=examples(
        "mlops-kit versions",
        "mlops-kit versions --history --limit 5",
    )
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="List the newest N; 0 lists all.",
)
@click.option("--history", is_flag=True, help="List the promotions and rollbacks instead: who, when and why.")
@json_option
def command(limit: int, history: bool, as_json: bool) -> None:
    """List versions and their stages, newest first."""
    repo = repository.find(Path.cwd())
    model = contracts.load(repo.root).model
    version.refresh(repo, model, tell)
    book = lineage.book(repo, model)
    if history:
        _print_history(book, limit, as_json)
        return
    rows = version_list.rows(book, limit)
    if warning := version_list.lost_stages(book):
        tell(warning)
    finish([asdict(row) for row in rows], version_list.text(rows) or f"{model} has no version yet.", as_json)


def _print_history(book: lineage.Book, limit: int, as_json: bool) -> None:
    stays = book.every_stay()[::-1][: limit or None]
    words = lineage_text.stay_table(stays) or "No version was put into a stage yet."
    finish([asdict(one) for one in stays], words, as_json)
