"""The list of a model's versions, with the stages that they are in."""

from dataclasses import dataclass

from mlops_kit.base.text_table import text_table
from mlops_kit.versions import lineage
from mlops_kit.versions.lineage import Book
from mlops_kit.versions.stages import stages_by_commit


@dataclass(frozen=True)
class VersionRow:
    version: str
    tag: str
    commit: str
    created: str
    by: str
    event: str
    code: str
    data: list[str]
    stages: list[str]


def rows(book: Book, limit: int) -> list[VersionRow]:
    """The newest `limit` versions (0: all), newest first, and every older one that is in a stage.

    The records of other versions are not read.
    """
    stages = stages_by_commit(book.ordered)
    newest = book.versions[::-1]
    listed = newest[: limit or None] + [
        version for version in newest[limit or len(newest) :] if version.commit in stages
    ]
    return [
        VersionRow(
            *(entry.version, entry.tag, entry.commit, entry.created),
            by=entry.run.by if entry.run else "",
            event=entry.run.event if entry.run else "",
            code=entry.code.commit if entry.code else "",
            data=[f"{file.path} {file.md5}" for file in entry.data],
            stages=stages.get(entry.commit, []),
        )
        for entry in lineage.of_versions(book, listed)
    ]


def lost_stages(book: Book) -> str:
    """A warning about stages whose commit is no version any more; empty where there is none."""
    known = {version.commit for version in book.versions}
    lost = {commit: names for commit, names in stages_by_commit(book.ordered).items() if commit not in known}
    parts = [
        f"{', '.join(names)} is at commit {commit[:7]}, which is no version" for commit, names in lost.items()
    ]
    return f"{'; '.join(parts)}: its tag was deleted, moved or taken back." if parts else ""


def text(listed: list[VersionRow]) -> str:
    """A line for each version; empty if there is none."""
    header = ("version", "created (UTC)", "event", "by", "code", "stages", "data")
    return "\n".join(text_table(header, list(map(_cells, listed)))) if listed else ""


def _cells(row: VersionRow) -> list[str]:
    data = ", ".join(file[: file.index(" ") + 9] for file in row.data[:2]) + (
        " ..." if len(row.data) > 2 else ""
    )
    created = row.created[:16].replace("T", " ")
    return [row.version, created, row.event, row.by, row.code[:7], ", ".join(row.stages), data]
