"""`mlops-kit versions`"""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import lineage, version, version_list


@click.command()
@click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="So many, the newest; 0: all."
)
@click.option("--history", is_flag=True, help="Instead: who put what into which stage, when and why.")
@json_option
def command(limit: int, history: bool, as_json: bool) -> None:
    """List the versions, the newest first, and the stages they are in."""
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
    finish([asdict(row) for row in rows], version_list.text(rows) or f"{model} has no version yet", as_json)


def _print_history(book: lineage.Book, limit: int, as_json: bool) -> None:
    from mlops_kit.versions.lineage_text import stay_text

    stays = book.every_stay()[::-1][: limit or None]
    words = [f"{one.version:10} {stay_text(one)}" for one in stays] or ["nothing was put into a stage yet"]
    finish([asdict(one) for one in stays], "\n".join(words), as_json)
