"""What people read about new data: the commit's message, the pull request and the alarms, from facts.

Names of files and reasons come from whoever lands the data, so they are shown as text: no link, mention, reference
to an issue, trailer or `[skip ci]` comes of them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_kit.base.markdown import code, one_line, plain
from mlops_kit.forge.alarms import Alarm
from mlops_kit.new_data.source import Source
from mlops_kit.project.contract import Contract
from mlops_kit.project.lock import parse_pointer
from mlops_kit.project.repository import Repository

if TYPE_CHECKING:
    from mlops_kit.new_data.deliver import Delivery, Look

LONGEST, MOST_LINES = 500, 30


def data_path(pointer: str, text: str) -> str:
    """The path of the data that a pointer names."""
    entries = parse_pointer(text, pointer)
    return entries[0].path if entries else Path(pointer).with_suffix("").as_posix()


def message(delivery: "Delivery") -> str:
    """Of the commit that brings the pointers to main: a subject, and a line for each source."""
    names = {path: plain(data_path(path, text)) for path, text in delivery.pointers.items()}
    if not names:
        return ""
    found = {look.pointer: look for look in delivery.looks if look.status == "found"}
    lines = [f"{name}: {_found(found.get(path))}" for path, name in names.items()]
    return one_line(f"Take new data for {', '.join(names.values())}") + "\n\n" + "\n".join(lines) + "\n"


def _found(look: "Look | None") -> str:
    return (
        f"{plain(look.says, LONGEST)}{row_counts(look.rows_before, look.rows_after)}" if look else "new data"
    )


def row_counts(before: int | None, after: int | None) -> str:
    """For instance ` (2 -> 3 rows)`; empty where nobody counted."""
    if after is None:
        return ""
    was = "" if before is None else f"{before:,} -> "
    return f" ({was}{after:,} rows)"


def alarm_name(pointer: str) -> str:
    return f"new-data-{pointer}"


def alarm(repository: Repository, contract: Contract, look: "Look") -> Alarm:
    """The alarm of a look that refused the data."""
    watch = next(one for one in contract.new_data.watch if one.pointer == look.pointer)
    source = Source(repository, contract, watch, None)
    data = source.entry.path
    why = "\n".join(
        f"> {plain(line, LONGEST)}" for line in look.says.splitlines()[:MOST_LINES] if line.strip()
    )
    text = (
        f"New data for {code(data)} from {code(source.name)} was refused, and nothing was trained:\n\n{why}\n\n"
        f"The pointer {code(look.pointer)} and production are as before. "
        "Once the source is mended, the next look takes it and closes this issue; "
        "`mlops-kit watch-data --dry-run` looks now."
    )
    return Alarm(alarm_name(look.pointer), f"New data for {plain(data)} is refused", text)


def cleared(delivery: "Delivery") -> dict[str, str]:
    """Names of alarms that are over, each with a comment."""
    ringing = {look.pointer for look in delivery.looks if look.status == "refused"}
    good = {look.pointer: look.says for look in delivery.looks if look.pointer not in ringing}
    return {alarm_name(pointer): f"It is over: {plain(says, LONGEST)}." for pointer, says in good.items()}
