"""mlops-kit versions."""

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository
from mlops_kit.versions import lineage
from mlops_kit.versions import version as versions
from mlops_kit.versions.lineage import Book
from mlops_kit.versions.stages import stages_by_commit


@dataclass(frozen=True)
class Row:
    version: str
    tag: str
    commit: str
    created: str
    by: str
    event: str
    code: str
    data: list[str]
    stages: list[str]


@click.command()
@click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="So many, the newest; 0: all."
)
@click.option("--history", is_flag=True, help="Instead: who put what into which stage, when and why.")
@json_option
def command(limit: int, history: bool, as_json: bool) -> None:
    """List the versions, the newest first, and the stages they are in."""
    here = repository.find(Path.cwd())
    model = contracts.load(here.root).model
    versions.refresh(here, model, tell)
    book = lineage.book(here, model)
    if history:
        from mlops_kit.versions.lineage_text import stay_text

        held = book.every_stay()[::-1][: limit or None]
        words = [f"{one.version:10} {stay_text(one)}" for one in held] or ["nothing was put into a stage yet"]
        finish([asdict(one) for one in held], "\n".join(words), as_json)
    else:
        rows = _rows(book, limit)
        lost = _lost(book)
        if lost:
            tell(lost)
        finish(
            [asdict(row) for row in rows],
            "\n".join(map(_line, rows)) or f"{model} has no version yet",
            as_json,
        )


def _rows(book: Book, limit: int) -> list[Row]:
    """Records are read only of what is shown; a version always stands here that is in a stage."""
    stages = stages_by_commit(book.ordered)
    newest = book.versions[::-1]
    shown = newest[: limit or None] + [one for one in newest[limit or len(newest) :] if one.commit in stages]
    return [
        Row(
            *(one.version, one.tag, one.commit, one.created),
            by=one.run.by if one.run else "",
            event=one.run.event if one.run else "",
            code=one.code.commit if one.code else "",
            data=[f"{file.path} {file.md5}" for file in one.data],
            stages=stages.get(one.commit, []),
        )
        for one in lineage.of_versions(book, shown)
    ]


def _lost(book: Book) -> str:
    known = {version.commit for version in book.versions}
    lost = {commit: names for commit, names in stages_by_commit(book.ordered).items() if commit not in known}
    said = [
        f"{', '.join(names)} is at commit {commit[:7]}, which is no version" for commit, names in lost.items()
    ]
    return f"{'; '.join(said)}: its tag was deleted, moved or taken back." if said else ""


def _line(row: Row) -> str:
    data = ", ".join(one[: one.index(" ") + 9] for one in row.data[:2]) + (
        " ..." if len(row.data) > 2 else ""
    )
    about = f"{row.version:10} {row.created[:16].replace('T', ' ')}  {row.event:20} {row.by:16}"
    return f"{about} code {row.code[:7]:7}  data {data}  {', '.join(row.stages)}".rstrip()
