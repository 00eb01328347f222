"""The list of a model's versions, with the stages that they are in."""

from dataclasses import dataclass

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
    listed = newest[: limit or None] + [one for one in newest[limit or len(newest) :] if one.commit in stages]
    return [
        VersionRow(
            *(one.version, one.tag, one.commit, one.created),
            by=one.run.by if one.run else "",
            event=one.run.event if one.run else "",
            code=one.code.commit if one.code else "",
            data=[f"{file.path} {file.md5}" for file in one.data],
            stages=stages.get(one.commit, []),
        )
        for one in lineage.of_versions(book, listed)
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
    """A line for each version."""
    return "\n".join(map(_line, listed))


def _line(row: VersionRow) -> str:
    data = ", ".join(one[: one.index(" ") + 9] for one in row.data[:2]) + (
        " ..." if len(row.data) > 2 else ""
    )
    about = f"{row.version:10} {row.created[:16].replace('T', ' ')}  {row.event:20} {row.by:16}"
    return f"{about} code {row.code[:7]:7}  data {data}  {', '.join(row.stages)}".rstrip()
